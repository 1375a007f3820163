// Plays a recorded trajectory through a session: calls in order, harness lines in fresh sandboxes, unreadable lines refused.

import { ROLE_HARNESS, ROLE_TESTWRITER, type ToolCall, type TrajectoryLine } from "../../core/action/index.js";
import type { Change } from "../../core/reconcile/change.js";
import type { TestRun } from "../../core/harness/index.js";
import type { Observation, HarnessRun, OpenedSession } from "../../compose.js";

/** What a renderer is told. Nothing here changes what is run. */
export interface PlayListener {
  readonly onCall: (call: ToolCall, observation: Observation) => void;
  readonly onHarness: (kind: "base" | "accepted" | "tests-only", command: string, result: HarnessRun) => void;
  readonly onUnreadable: (line: number, observation: Observation) => void;
  /** Just before a call, so that a long one is announced. */
  readonly onStart?: (summary: string) => void;
}

export interface PlayResult {
  readonly calls: number;
  readonly refused: number;
  readonly reverted: number;
  readonly unreadable: number;
  /** Did the last run of tests pass, and did the new tests fail without the fix; null where no such run was made. */
  readonly passed: boolean | null;
  readonly failsWithoutFix: boolean | null;
}

export interface PlayOptions {
  readonly keepGoing: boolean;
  readonly format: string;
  readonly signal: AbortSignal;
  /** Told what a call changed, before the next line is read. */
  readonly onChanges: (changes: readonly Change[]) => void;
}

/** Plays until the end, the first unreadable line (unless told to go on), a submit, or an abort. Throws GuardError for faults of ours. */
export async function play(session: OpenedSession, lines: Iterable<TrajectoryLine>, listener: PlayListener, options: PlayOptions): Promise<PlayResult> {
  const harness = createHarness(session, listener, options.signal);
  const tally = { calls: 0, refused: 0, reverted: 0, unreadable: 0 };
  const edited = new Set<string>();
  for (const { line, calls } of lines) {
    if (options.signal.aborted) break;
    if (!calls.ok) {
      tally.unreadable += 1;
      const { error } = calls;
      const observation = await session.refuse({ label: `line ${line}`, role: null, format: options.format, issue: error, reply: error.reply, escape: error.escape });
      listener.onUnreadable(line, observation);
      if (!options.keepGoing) break;
      continue;
    }
    for (const call of calls.value) {
      if (options.signal.aborted) break;
      tally.calls += 1;
      const command = call.arguments["command"];
      if (call.role === ROLE_HARNESS && typeof command === "string" && call.tool === "bash") {
        listener.onStart?.(command);
        await harness.run(command, edited);
        continue;
      }
      const observation = await session.call(call, {}, options.signal);
      options.onChanges(observation.changes);
      if (observation.changes.length > 0 && call.role !== null) edited.add(call.role);
      if (observation.outcome === "denied" || observation.outcome === "rejected") tally.refused += 1;
      tally.reverted += observation.findings.filter((finding) => finding.reverted).length;
      listener.onCall(call, observation);
    }
  }
  return { ...tally, ...harness.state() };
}

/** Runs test commands: on the base copy once, with all accepted edits, and with the new tests alone, which must then fail. */
function createHarness(session: OpenedSession, listener: PlayListener, signal: AbortSignal) {
  const base = new Map<string, TestRun>();
  let passed: boolean | null = null;
  let failsWithoutFix: boolean | null = null;
  const once = async (kind: "base" | "accepted" | "tests-only", command: string, editsOf: readonly string[] | null): Promise<HarnessRun> => {
    const before = kind === "accepted" ? (base.get(command) ?? null) : null;
    const result = await session.harness({ label: kind, command, editsOf, before }, {}, signal);
    listener.onHarness(kind, command, result);
    return result;
  };
  return {
    run: async (command: string, edited: ReadonlySet<string>): Promise<void> => {
      if (!base.has(command)) base.set(command, (await once("base", command, [])).run);
      if (edited.size === 0 || signal.aborted) return;
      if (edited.has(ROLE_TESTWRITER)) {
        const alone = await once("tests-only", command, [ROLE_TESTWRITER]);
        failsWithoutFix = alone.run.report !== null && (alone.verdict.counts?.failed ?? 0) > 0;
      }
      if (signal.aborted || (edited.size === 1 && edited.has(ROLE_TESTWRITER))) return;
      passed = (await once("accepted", command, null)).verdict.passed;
    },
    state: () => ({ passed, failsWithoutFix }),
  };
}
