// Many sessions judged by several threads. This one judges too, from the first moment; the others join it once they have started.
// What they answer is told in the order of the sessions. A session that a thread could not judge is judged here, which says why.

import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { packageFile } from "./adapters/system/package-root.js";
import type { PolicyData } from "./core/policy/index.js";
import type { Redecided } from "./core/replay/index.js";
import type { SessionId } from "./core/shared/index.js";

/** What a thread is told when it starts. */
export interface HelperTask {
  /** Policies as this thread compiled them: a thread reads no file of theirs again. */
  readonly policy: PolicyData;
  readonly baseline: PolicyData | null;
  readonly env: NodeJS.ProcessEnv;
}

/** What a thread says: that it is ready, or what became of a session. */
export type HelperAnswer = "ready" | { readonly index: number; readonly calls: readonly Redecided[] | null };

/** What became of one session. */
export type Judged = { readonly ok: true; readonly calls: readonly Redecided[] } | { readonly ok: false; readonly error: unknown };

/** Fewer are not worth it: a thread takes half a second to start, and where the other processors are busy it takes that from this one. */
const SESSIONS_FROM = 300;
const MOST_HELPERS = 7;
/** Sessions that a thread has before it, so that it never waits for this one, which is busy itself. */
const AHEAD = 3;
/** Sessions judged before an earlier one was told. */
const WINDOW = 256;
const YOUNG_MIB = 64;

/** A thread that judges too. */
interface Helper {
  readonly worker: Worker;
  readonly at: Set<number>;
  isReady: boolean;
}

/** Starts threads for so many sessions; none where they cost more than they save, or are not there. */
export function startHelpers(sessions: number, task: () => HelperTask, threads?: number): readonly Worker[] {
  const program = workerFile();
  const count = Math.min(MOST_HELPERS, threads ?? (sessions < SESSIONS_FROM ? 0 : availableParallelism() - 1));
  if (program === null || count === 0) return [];
  const workerData = task();
  return Array.from({ length: count }, () => new Worker(program, { workerData, resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MIB } }));
}

export interface Judging {
  /** Judges one in this thread. */
  readonly here: (id: SessionId) => Promise<readonly Redecided[]>;
  /** Ended when all is told, or something threw. */
  readonly helpers: readonly Worker[];
  /** Called once for each session, in order. What it throws ends all. */
  readonly tell: (id: SessionId, judged: Judged) => void;
}

/** Judges all sessions. */
export async function judgeInOrder(ids: readonly SessionId[], { here, helpers, tell }: Judging): Promise<void> {
  const queue = createQueue(ids, tell);
  const all = helpers.map((worker): Helper => ({ worker, at: new Set(), isReady: false }));
  let wake: () => void = () => undefined;
  for (const helper of all) {
    const gone = (): void => {
      helper.isReady = false;
      for (const index of helper.at) queue.giveBack(index);
      helper.at.clear();
      wake();
    };
    helper.worker.on("message", (answer: HelperAnswer) => {
      if (answer === "ready") helper.isReady = true;
      else if (helper.at.delete(answer.index)) {
        if (answer.calls === null) queue.giveBack(answer.index);
        else queue.done(answer.index, { ok: true, calls: answer.calls });
      }
      wake();
    });
    helper.worker.on("error", gone).on("exit", gone);
  }
  const feed = (): void => {
    for (const { worker, at } of all.filter(({ isReady }) => isReady)) {
      while (at.size < AHEAD) {
        const index = queue.take();
        if (index === null) return;
        at.add(index);
        worker.postMessage({ index, id: ids[index] });
      }
    }
  };
  try {
    for (;;) {
      queue.tellDue();
      if (queue.isDone()) return;
      feed();
      const index = queue.takeBack() ?? queue.take();
      const id = index === null ? undefined : ids[index];
      if (index === null || id === undefined) await new Promise<void>((resolve) => (wake = resolve));
      else {
        queue.done(index, await here(id).then((calls): Judged => ({ ok: true, calls }), (error: unknown): Judged => ({ ok: false, error })));
        // Answers of the threads are heard between two sessions.
        if (all.length > 0) await new Promise<void>((resolve) => void setImmediate(resolve));
      }
    }
  } finally {
    for (const { worker } of all) worker.removeAllListeners();
    await Promise.all(all.map(({ worker }) => worker.terminate()));
  }
}

/** The sessions by their place: who has which, and what is due to be told. */
function createQueue(ids: readonly SessionId[], tell: Judging["tell"]) {
  const waiting = new Map<number, Judged>();
  const back: number[] = [];
  let next = 0;
  let told = 0;
  return {
    /** The next session that nobody has; null where there is none, or too many wait to be told. */
    take: (): number | null => (next < ids.length && next - told < WINDOW ? next++ : null),
    takeBack: (): number | null => back.shift() ?? null,
    giveBack: (index: number): void => void back.push(index),
    done: (index: number, judged: Judged): void => void waiting.set(index, judged),
    tellDue: (): void => {
      for (let due = waiting.get(told); due !== undefined; due = waiting.get(told)) {
        waiting.delete(told);
        const id = ids[told];
        told += 1;
        if (id !== undefined) tell(id, due);
      }
    },
    isDone: (): boolean => told === ids.length,
  };
}

/** Where the thread's program is in this installation; null in a checkout that was not built. */
function workerFile(): string | null {
  const beside = fileURLToPath(new URL("compose-redecide-worker.js", import.meta.url));
  if (existsSync(beside)) return beside;
  const built = packageFile("dist", "lib", "compose-redecide-worker.js");
  return existsSync(built) ? built : null;
}
