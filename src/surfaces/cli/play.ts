// Plays a recorded trajectory through a session: calls in order, harness lines in fresh sandboxes, unreadable lines refused.

import { ROLE_HARNESS, ROLE_TESTWRITER, type ToolCall, type TrajectoryLine } from "../../core/action/index.js";
import type { Change } from "../../core/reconcile/change.js";
import type { TestRun, TestVerdict } from "../../core/harness/index.js";
import type { Observation, HarnessRun, OpenedSession } from "../../compose.js";

/** Which copy the tests ran on: the user's own, that with the new tests alone, or that with every accepted edit. */
export type HarnessKind = "base" | "tests-only" | "accepted";

/** What a renderer is told. Nothing here changes what is run. */
export interface PlayListener {
  /** Before anything of a line. */
  readonly onLine?: (line: TrajectoryLine) => void;
  /** Just before a call. */
  readonly onStart?: (call: ToolCall) => void;
  readonly onCall?: (call: ToolCall, observation: Observation) => void;
  /** Just before each of the runs that a harness line takes. */
  readonly onHarnessStart?: (kind: HarnessKind) => void;
  readonly onHarness?: (kind: HarnessKind, result: HarnessRun) => void;
  readonly onUnreadable?: (line: number, observation: Observation) => void;
}

export interface PlayResult {
  readonly calls: number;
  readonly refused: number;
  readonly reverted: number;
  readonly unreadable: number;
  /** Edits of answers whose text was not found, or found more than once. */
  readonly unfit: number;
  /** The line at which it ended early; null when all was played. */
  readonly stoppedAt: number | null;
  /** Why policy stopped the session; null when it did not. */
  readonly stopped: string | null;
  /** The last run with the accepted edits; null where no such run was made. */
  readonly tests: TestVerdict | null;
  /** The last run with the new tests alone; null where no such run was made. */
  readonly withoutFix: TestVerdict | null;
  /** Did the new tests fail without the fix; null where no such run was made. */
  readonly failsWithoutFix: boolean | null;
}

export interface PlayOptions {
  readonly keepGoing: boolean;
  readonly format: string;
  readonly signal: AbortSignal;
  /** Told what a call changed, before the next line is read. */
  readonly onChanges: (changes: readonly Change[]) => void;
}

/** Plays until the end, a stop by policy, the first line that cannot be read or does not fit (unless told to go on), or an abort; a submit is a call like any other. Throws GuardError for faults of ours. */
export async function play(session: OpenedSession, lines: Iterable<TrajectoryLine>, listener: PlayListener, options: PlayOptions): Promise<PlayResult> {
  const harness = createHarness(session, listener, options.signal);
  const tally: Tally = { calls: 0, refused: 0, reverted: 0, unreadable: 0, unfit: 0, stoppedAt: null };
  const edits: Edits = { roles: new Set(), tests: 0 };
  for (const entry of lines) {
    const { line, calls, isAnswer } = entry;
    if (options.signal.aborted || session.stopped() !== null) break;
    listener.onLine?.(entry);
    if (!calls.ok) {
      tally.unreadable += 1;
      const { error } = calls;
      const observation = await session.refuse({ label: `line ${line}`, role: null, format: options.format, issue: error, reply: error.reply, escape: error.escape });
      listener.onUnreadable?.(line, observation);
      if (options.keepGoing) continue;
      tally.stoppedAt = line;
      break;
    }
    for (const call of calls.value) {
      if (options.signal.aborted || session.stopped() !== null) break;
      tally.calls += 1;
      listener.onStart?.(call);
      const command = call.arguments["command"];
      if (call.role === ROLE_HARNESS && typeof command === "string" && call.tool === "bash") {
        await harness.run(command, edits);
        continue;
      }
      const observation = await session.call(call, {}, options.signal).catch((error: unknown) => {
        // A pause that nobody ended stops the session before the call.
        if (session.stopped() === null) throw error;
        return null;
      });
      if (observation === null) {
        tally.calls -= 1;
        break;
      }
      options.onChanges(observation.changes);
      if (observation.changes.length > 0 && call.role !== null) edits.roles.add(call.role);
      if (observation.changes.length > 0 && call.role === ROLE_TESTWRITER) edits.tests += 1;
      if (observation.outcome === "denied" || observation.outcome === "rejected") tally.refused += 1;
      tally.reverted += new Set(observation.findings.filter((finding) => finding.reverted && finding.about === undefined).map((finding) => finding.path)).size;
      listener.onCall?.(call, observation);
      // An answer is one piece of work: what comes after an edit that does not fit was meant for another text.
      if (isAnswer === true && observation.outcome === "failed") {
        tally.unfit += 1;
        if (!options.keepGoing) tally.stoppedAt = line;
        break;
      }
    }
    if (tally.stoppedAt !== null) break;
  }
  return { ...tally, ...harness.state(), stopped: session.stopped() };
}

type Tally = { -readonly [K in "calls" | "refused" | "reverted" | "unreadable" | "unfit" | "stoppedAt"]: PlayResult[K] };

interface Edits {
  /** Roles that changed something. */
  readonly roles: Set<string>;
  /** Counts the changes of tests, so that it is seen whether there is a new one. */
  tests: number;
}

/** Runs test commands: on the base copy once, with all accepted edits, and with each new state of the tests alone, which must then fail. */
function createHarness(session: OpenedSession, listener: PlayListener, signal: AbortSignal) {
  const base = new Map<string, TestRun>();
  const alone = new Map<string, number>();
  const state: { tests: TestVerdict | null; withoutFix: TestVerdict | null; failsWithoutFix: boolean | null } = { tests: null, withoutFix: null, failsWithoutFix: null };
  const once = async (kind: HarnessKind, command: string, editsOf: readonly string[] | null): Promise<HarnessRun> => {
    listener.onHarnessStart?.(kind);
    const before = kind === "accepted" ? (base.get(command) ?? null) : null;
    const result = await session.harness({ label: kind, command, editsOf, before }, {}, signal);
    listener.onHarness?.(kind, result);
    return result;
  };
  return {
    run: async (command: string, { roles, tests }: Edits): Promise<void> => {
      if (!base.has(command)) base.set(command, (await once("base", command, [])).run);
      if (roles.size === 0 || signal.aborted) return;
      if (roles.has(ROLE_TESTWRITER) && alone.get(command) !== tests) {
        const { run, verdict } = await once("tests-only", command, [ROLE_TESTWRITER]);
        alone.set(command, tests);
        state.withoutFix = verdict;
        state.failsWithoutFix = run.report !== null && (verdict.counts?.failed ?? 0) > 0;
      }
      if (signal.aborted || (roles.size === 1 && roles.has(ROLE_TESTWRITER))) return;
      state.tests = (await once("accepted", command, null)).verdict;
    },
    state: () => state,
  };
}
