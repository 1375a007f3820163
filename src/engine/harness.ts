// The harness runs tests itself: in a fresh sandbox, on the base copy with the edits that were accepted, and reads a report.
// Nothing else of the agent's session is there: no home, no /tmp, no process, no file it left aside.

import { decide, type DecisionContext } from "../core/policy/index.js";
import { readReport, testVerdict, type TestRun, type TestVerdict } from "../core/harness/index.js";
import { acceptedChanges, type AuditEvent } from "../core/session/index.js";
import type { Change } from "../core/reconcile/change.js";
import { evaluateShell } from "../core/shell/index.js";
import { GuardError, LIMITS, printable, type CallId, type Role } from "../core/shared/index.js";
import type { FileOp, RunResult, Sandbox } from "../ports/sandbox.js";
import { breakOff, brokenError, leftSomething } from "./break-off.js";
import { containmentOf } from "./containment.js";
import { within } from "./deadline.js";
import { openGrounds } from "./grounds.js";
import type { CallHooks } from "./hooks.js";
import { nextCallId, type LiveSession } from "./live.js";
import { nothingRan, refusalText, type Observation } from "./observation.js";
import { captureOutput, outputText, reachedOutputs, recordOutput, shownToModel, type OutputCapture } from "./output.js";
import { limitMs } from "./guard.js";
import { modelledBy } from "./understand.js";
import { changeEvents, closedEvent, decisionEvent, keepBlob, receivedEvent } from "./records.js";
import { programsEvent } from "./programs.js";
import { soundResult } from "./run-result.js";
import { environmentOf, initialSurroundings, judgedEnvironment } from "./surroundings.js";

export interface HarnessRequest {
  readonly label: string;
  readonly command: string;
  /** Roles whose accepted edits are taken; null takes all. An empty list is the base copy. */
  readonly editsOf: readonly Role[] | null;
  /** The same command on the base copy, to hold the run against. */
  readonly before: TestRun | null;
}

export interface HarnessRun {
  readonly observation: Observation;
  readonly run: TestRun;
  readonly verdict: TestVerdict;
}

const ROLE = "harness";

interface Head {
  readonly id: CallId;
  readonly call: { readonly id: string };
  readonly summary: string;
  readonly decision: Observation["decision"];
}

/** Runs one test command. A refusal by policy is an observation with a verdict that did not pass. */
export async function runHarness(live: LiveSession, request: HarnessRequest, hooks: CallHooks, signal: AbortSignal): Promise<HarnessRun> {
  const broken = brokenError(live);
  if (broken !== null) throw broken;
  const { deps, options } = live;
  const { root, home, timeoutMs: sessionMs } = options.defaults;
  const id = nextCallId(live);
  const call = { id: request.label, role: ROLE, tool: "harness", arguments: { run: request.command, edits: request.editsOf === null ? "all" : [...request.editsOf] } };
  // What runs here was chosen by the user beforehand: a session that is tightened asks about what the agent does.
  const context: DecisionContext = { role: ROLE, root, cwd: root, home, containment: containmentOf(live.sandbox.controls), history: { ...live.history.history, reacted: [] } };
  const { effects } = evaluateShell(request.command, { cwd: root, home, root, environment: judgedEnvironment(initialSurroundings(root), options.defaults), environmentIsWhole: true, ...modelledBy(options.policy) });
  const decision = decide(options.policy, { kind: "command", form: { shell: request.command }, cwd: root, timeoutMs: null, effects }, context);
  const summary = deps.redactor.text(printable(request.command, 400));
  const drafts = [
    await receivedEvent(live, id, call),
    decisionEvent(live, id, decision, { action: { kind: "command", summary, cwd: root, effects: effects.length }, actionDigest: deps.keyedDigest(JSON.stringify(call.arguments)) }),
  ];
  const head: Head = { id, call, summary, decision };
  if (decision.effect !== "allow") {
    // Nobody is asked: what the harness runs is chosen beforehand, by the one who could answer.
    await live.append([...drafts, closedEvent(id, "denied")]);
    const run: TestRun = { exitCode: null, report: null };
    return { observation: nothingRan(head, "denied", null, refusalText(decision, null)), run, verdict: { passed: false, counts: null, reasons: ["policy refuses the command"] } };
  }
  const environment = environmentOf(initialSurroundings(root), options.defaults);
  const timeoutMs = limitMs(sessionMs, null, decision);
  await live.append([...drafts, { call: id, type: "execution.started", data: { kind: "command", cwd: root, environment: Object.keys(environment), timeoutMs } }]);
  try {
    const output = captureOutput(hooks.output, options.defaults.outputBytes, deps.telemetry);
    const ran = await inFreshSandbox(live, await acceptedEdits(live, request.editsOf), signal, (sandbox) => {
      const command = { argv: ["bash", "--noprofile", "--norc", "-c", request.command], cwd: root, environment, stdin: null, timeoutMs, outputBytes: options.defaults.outputBytes };
      const { graceMs } = live.deadlines;
      return within(sandbox.run(command, output.sink, signal), timeoutMs + graceMs, "the harness", { signal, graceMs });
    });
    return await report(live, head, request, { result: soundResult(ran), output });
  } catch (error) {
    throw await breakOff(live, id, error);
  }
}

async function report(live: LiveSession, head: Head, request: HarnessRequest, { result, output }: { readonly result: RunResult; readonly output: OutputCapture }): Promise<HarnessRun> {
  const { redactor, hasher } = live.deps;
  const [stdout, stderr] = [output.stdout.bytes(), output.stderr.bytes()];
  const [stdoutDropped, stderrDropped] = [result.stdoutDropped + output.stdout.dropped(), result.stderrDropped + output.stderr.dropped()];
  // A report whose end is missing cannot be read as one.
  const run: TestRun = { exitCode: result.ended === "exit" ? result.exitCode : null, report: stdoutDropped === 0 ? readReport(outputText(stdout)) : null };
  const verdict = testVerdict(run, request.before);
  const outcome = result.ended === "cancelled" ? "cancelled" : run.exitCode === 0 ? "completed" : "failed";
  const message = verdictText(verdict);
  const shown = { stdout: shownToModel(stdout, stdoutDropped, redactor), stderr: shownToModel(stderr, stderrDropped, redactor) };
  const putBlob = (bytes: Uint8Array) => keepBlob(live, bytes);
  await live.append([
    {
      call: head.id,
      type: "execution.finished",
      data: {
        exitCode: result.exitCode,
        signal: result.signal,
        ended: result.ended,
        detail: message,
        durationMs: Math.round(result.durationMs * 1000) / 1000,
        stdout: await recordOutput(stdout, stdoutDropped, redactor, putBlob),
        stderr: await recordOutput(stderr, stderrDropped, redactor, putBlob),
        killed: result.killed,
        quiescent: result.quiescent,
      },
    },
    ...programsEvent(live, head.id, result.programs),
    // The sandbox of the harness is thrown away with whatever the tests wrote.
    ...changeEvents(head.id, [], [], 0),
    closedEvent(head.id, outcome, { exitCode: result.exitCode, observationDigest: hasher(message), reached: reachedOutputs(shown, { stdout: shown.stdout.text, stderr: shown.stderr.text }, hasher) }),
  ]);
  const observation: Observation = {
    ...nothingRan(head, outcome, null, message),
    exitCode: result.exitCode,
    signal: result.signal,
    ended: result.ended,
    durationMs: result.durationMs,
    stdout: shown.stdout.text,
    stderr: shown.stderr.text,
  };
  return { observation, run, verdict };
}

const VERDICT_CHARS = 2_000;

/** One printable line on a verdict: the names in it are the tests' own. */
export function verdictText(verdict: TestVerdict): string {
  const { counts } = verdict;
  const tally = counts === null ? "" : `${counts.passed} passed, ${counts.failed} failed${counts.skipped === 0 ? "" : `, ${counts.skipped} skipped`}`;
  return printable(verdict.passed ? tally : [tally, ...verdict.reasons].filter((part) => part !== "").join("; "), VERDICT_CHARS);
}

/** File operations that turn the base copy into the base copy with the accepted edits. */
async function acceptedEdits(live: LiveSession, roles: readonly Role[] | null): Promise<readonly FileOp[]> {
  if (roles?.length === 0) return [];
  const events = await live.deps.store.read(live.id);
  const byCall = roleOfCalls(events);
  const wanted = roles === null ? events : events.filter((event) => event.type !== "reconciliation.done" || roles.includes(byCall.get(event.call ?? "") ?? ""));
  const changes = acceptedChanges(wanted);
  // What goes, and what stands where another kind of thing must, is removed first, deepest first.
  const gone = changes.filter(({ before, after }) => after === null || (before !== null && before.kind !== after.kind));
  const ops: FileOp[] = gone.map(({ path }) => ({ op: "remove" as const, path })).reverse();
  for (const change of changes) ops.push(...(await opsOf(live, change)));
  return ops;
}

function roleOfCalls(events: readonly AuditEvent[]): ReadonlyMap<string, Role | null> {
  const roles = new Map<string, Role | null>();
  for (const event of events) if (event.type === "call.received" && event.call !== null) roles.set(event.call, event.data.role);
  return roles;
}

async function opsOf(live: LiveSession, change: Change): Promise<readonly FileOp[]> {
  const { path, after } = change;
  if (after === null) return [];
  const mode = after.mode & 0o777;
  if (after.kind === "directory") return [{ op: "mkdir", path, mode }];
  if (after.kind === "symlink") return [{ op: "remove", path }, { op: "symlink", path, target: after.target ?? "" }];
  if (after.kind !== "file") return [];
  const kept = after.digest === null ? null : await live.preimages.load(after.digest);
  const content = kept ?? (await live.workspace.readChanged(path, LIMITS.compareBytes))?.content ?? null;
  // What lies there now may be a later call's: only the accepted bytes are taken.
  if (content === null || after.digest === null || live.deps.hasher(content) !== after.digest) throw new GuardError("SANDBOX_FAILED", `the accepted content of \`${printable(path)}\` is gone`);
  return [{ op: "write", path, content, mode }];
}

/** Opens a second sandbox on the user's folder, puts the edits there, works, and leaves nothing behind. */
async function inFreshSandbox<T>(live: LiveSession, edits: readonly FileOp[], signal: AbortSignal, work: (sandbox: Sandbox) => Promise<T>): Promise<T> {
  const { deps, options, deadlines } = live;
  const id = `ses_${deps.ids.next()}`;
  await deps.openSessions.mark(id);
  const undo: (() => Promise<void>)[] = [];
  let isLeft = false;
  try {
    const { sandbox } = await openGrounds({ deps, options, id, path: live.workspace.path, role: null, modes: [live.workspace.mount.kind], undo }, signal);
    const { filesMs, graceMs } = deadlines;
    const put = sandbox.apply(edits, AbortSignal.any([signal, AbortSignal.timeout(filesMs)]));
    const failed = (await within(put, filesMs + graceMs, "putting back the accepted edits", { signal, graceMs })).filter((result) => result !== null);
    if (failed.length > 0) throw new GuardError("SANDBOX_FAILED", `an accepted edit could not be put back: ${printable(failed[0] ?? "")}`);
    return await work(sandbox);
  } catch (error) {
    isLeft = leftSomething(error);
    throw error;
  } finally {
    // The mark goes last: where the sandbox or the layers could not be removed, the next command finds them by it.
    if (!isLeft) {
      for (const step of undo.reverse()) await within(step(), deadlines.closeMs, "closing the sandbox of the harness");
      await deps.openSessions.clear(id);
    }
  }
}
