// A session that another process runs, as a person steers it from outside: pause, resume, and its processes. Orders go through a private
// folder; what came of them is read from the record, or from the answer.

import { randomBytes } from "node:crypto";
import { createSessionControl } from "./adapters/system/session-control.js";
import { resolveSession } from "./compose-review.js";
import { openStore } from "./compose-store.js";
import { sessionState, type AuditEvent, type ProcessState, type SessionState } from "./core/session/index.js";
import { ERRORS, GuardError, LIMITS, printable, type ErrorCode, type JsonObject, type SessionId } from "./core/shared/index.js";
import type { OrderAnswer } from "./ports/control.js";

/** How long a session may take until it answers, and how often the answer is looked for. */
const ANSWER_MS = 30_000;
const LOOK_MS = 50;

/** What came of a call that was given to a process. */
export type ProcessAnswer = Extract<OrderAnswer, { readonly call: string }>;

/** What is written to a process. */
export interface ProcessInput {
  /** Whole lines of plain text, each judged. */
  readonly text?: string;
  /** A key of its terminal instead: `C-c`, `C-d`, `C-z`, `C-\`. */
  readonly key?: string;
  /** Its input ends after this. */
  readonly end?: boolean;
}

export interface ProcessWait {
  /** Longest wait for output, at most a minute; left out: a second. */
  readonly waitMs?: number;
  /** The wait ends when the output holds this; left out: when nothing comes for a moment. */
  readonly until?: string;
}

/** Another process's session. Every order rejects with SESSION_BUSY (75) when nobody answers, USAGE_INVALID (2) when the session has ended. */
export interface SessionHandle {
  readonly id: SessionId;
  /** The event; null where it was so already. */
  pause(reason?: string | null): Promise<AuditEvent | null>;
  resume(): Promise<AuditEvent | null>;
  /** By the record: those that have ended too, in the order they were opened. */
  processes(): Promise<readonly ProcessState[]>;
  /** What it printed and no person has read; the agent's own reading is left as it is. */
  readProcess(name: string, wait?: ProcessWait): Promise<ProcessAnswer>;
  writeProcess(name: string, input: ProcessInput, wait?: ProcessWait): Promise<ProcessAnswer>;
  /** Ends it, with everything it started; false where none of that name lives. Never judged. */
  endProcess(name: string): Promise<boolean>;
  close(): Promise<void>;
}

/**
 * @param wanted id, a unique beginning of one, or `last`
 * @param by who steers it; recorded, never trusted
 */
export async function steerSession(wanted: string, by: string, env: NodeJS.ProcessEnv): Promise<SessionHandle> {
  const { store, stateDir, close } = await openStore(env);
  const control = createSessionControl(stateDir);
  const id = await resolveSession(store, wanted).catch(async (error: unknown) => {
    await close();
    throw error;
  });
  const now = async (): Promise<SessionState> => {
    const state = sessionState(await store.read(id));
    if (state === null) throw new GuardError("SESSION_NOT_FOUND", `session ${id} has no opening record`);
    return state;
  };
  const running = async (): Promise<SessionState> => {
    const state = await now();
    if (state.closed !== null) throw new GuardError("USAGE_INVALID", `session ${id} has ended`, { hint: "`ringfence sessions` lists those that run" });
    return state;
  };
  /** Looks until it is there; what the session closed without is not coming. */
  const answered = async <T>(look: () => T | null | Promise<T | null>, ms: number): Promise<T> => {
    const limit = performance.now() + ms;
    for (;;) {
      const found = await look();
      if (found !== null) return found;
      if (performance.now() > limit) throw new GuardError("SESSION_BUSY", `session ${id} did not answer`, { hint: "a call runs, or the process that runs the session is stopped" });
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  };
  const pauseOrResume = async (order: "pause" | "resume", reason: string | null): Promise<AuditEvent | null> => {
    const before = await running();
    if ((before.paused !== null) === (order === "pause")) return null;
    control.give(id, { order, by, reason });
    const wantedType = order === "pause" ? "session.paused" : "session.resumed";
    return answered(async () => {
      const done = (await store.read(id)).findLast(({ type }) => type === "session.paused" || type === "session.resumed" || type === "session.closed");
      if (done?.type === "session.closed") throw new GuardError("USAGE_INVALID", `session ${id} has ended`);
      return done?.type === wantedType && done.seq >= before.events ? done : null;
    }, ANSWER_MS);
  };
  const order = async (what: { readonly call: JsonObject } | { readonly end: string }, waitMs: number): Promise<OrderAnswer> => {
    const { paused } = await running();
    // Nothing of the agent is set going for it; and where a call stands frozen its turn does not come.
    if (paused !== null && "call" in what) throw new GuardError("SESSION_BUSY", `session ${id} is paused`, { hint: `\`ringfence resume ${id}\` lets it go on` });
    const key = randomBytes(8).toString("hex");
    const withinMs = ANSWER_MS + waitMs;
    control.give(id, { order: "process", by, id: key, what, withinMs });
    const answer = await answered(() => control.takeAnswer(id, key), withinMs + LOOK_MS * 4);
    if (!answer.ok) throw new GuardError(answer.code in ERRORS ? (answer.code as ErrorCode) : "INTERNAL_BUG", printable(answer.message, 600));
    return answer;
  };
  const call = async (args: JsonObject, { waitMs, until }: ProcessWait): Promise<ProcessAnswer> => {
    const answer = await order({ call: { ...args, ...(waitMs === undefined ? {} : { wait_ms: waitMs }), ...(until === undefined ? {} : { until }) } }, Math.min(waitMs ?? 0, LIMITS.processWaitMs));
    if (!("call" in answer)) throw new GuardError("SESSION_BUSY", `session ${id} gave another answer`);
    return answer;
  };
  return {
    id,
    pause: (reason = null) => pauseOrResume("pause", reason),
    resume: () => pauseOrResume("resume", null),
    processes: async () => (await now()).processes,
    readProcess: (name, wait = {}) => call({ op: "read", name }, wait),
    writeProcess: (name, { text, key, end }, wait = {}) => call({ op: "write", name, ...(text === undefined ? {} : { text }), ...(key === undefined ? {} : { key }), ...(end === undefined ? {} : { end }) }, wait),
    endProcess: async (name) => {
      const answer = await order({ end: name }, 0);
      return "ended" in answer && answer.ended;
    },
    close,
  };
}
