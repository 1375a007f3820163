// The harness runs tests itself: in a fresh sandbox, on the base copy with the edits that were accepted, and reads a report.
// Nothing else of the agent's session is there: no home, no /tmp, no process, no file it left aside.

import { decide, type DecisionContext } from "../core/policy/index.js";
import { readReport, testVerdict, type TestRun, type TestVerdict } from "../core/harness/index.js";
import { netChanges, type AuditEvent } from "../core/session/index.js";
import type { Change } from "../core/reconcile/change.js";
import { evaluateShell } from "../core/shell/index.js";
import { GuardError, LIMITS, printable, type Role } from "../core/shared/index.js";
import type { FileOp, Sandbox } from "../ports/sandbox.js";
import { nothingRan, receivedEvent, type CallHooks } from "./guard.js";
import { refusalText, type Observation } from "./observation.js";
import { collectOutput, modelText, outputText, recordOutput } from "./output.js";
import { nextCallId, type LiveSession } from "./session.js";
import { environmentOf, initialSurroundings } from "./surroundings.js";

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

/** Runs one test command. A refusal by policy is an observation with a verdict that did not pass. */
export async function runHarness(live: LiveSession, request: HarnessRequest, hooks: CallHooks, signal: AbortSignal): Promise<HarnessRun> {
  const { deps, options } = live;
  const { defaults } = options;
  const id = nextCallId(live);
  const call = { id: request.label, role: ROLE, tool: "harness", arguments: { run: request.command, edits: request.editsOf === null ? "all" : [...request.editsOf] } };
  const context: DecisionContext = { role: ROLE, root: defaults.root, cwd: defaults.root, home: defaults.home, containment: "attested" };
  const form = { shell: request.command };
  const { effects } = evaluateShell(request.command, { cwd: defaults.root, home: defaults.home, root: defaults.root, environment: new Map() });
  const decision = decide(options.policy, { kind: "command", form, cwd: defaults.root, timeoutMs: null, effects }, context);
  const summary = deps.redactor.text(printable(request.command, 400));
  const drafts = [
    receivedEvent(live, id, call),
    {
      call: id,
      type: "decision.made" as const,
      data: {
        action: { kind: "command", summary, cwd: defaults.root, effects: effects.length },
        actionDigest: deps.keyedDigest(JSON.stringify(call.arguments)),
        effect: decision.effect,
        reasons: decision.reasons,
        obligations: decision.obligations,
        guidance: decision.guidance,
        policyDigest: decision.policyDigest,
      },
    },
  ];
  const head = { id, call, summary, decision };
  if (decision.effect !== "allow") {
    await live.append([...drafts, { call: id, type: "call.closed", data: { outcome: "denied", exitCode: null, observationDigest: null } }]);
    const run: TestRun = { exitCode: null, report: null };
    return { observation: nothingRan(head, "denied", null, refusalText(decision, null)), run, verdict: { passed: false, counts: null, reasons: ["policy refuses the command"] } };
  }
  const environment = environmentOf(initialSurroundings(defaults.root), defaults);
  await live.append([...drafts, { call: id, type: "execution.started", data: { kind: "command", cwd: defaults.root, environment: Object.keys(environment), timeoutMs: defaults.timeoutMs } }]);
  const stdout = collectOutput();
  const stderr = collectOutput();
  const result = await inFreshSandbox(live, await acceptedEdits(live, request.editsOf), signal, (sandbox) =>
    sandbox.run(
      { argv: ["bash", "--noprofile", "--norc", "-c", request.command], cwd: defaults.root, environment, stdin: null, timeoutMs: defaults.timeoutMs, outputBytes: defaults.outputBytes },
      {
        stdout: (chunk) => {
          stdout.push(chunk);
          hooks.output?.stdout(chunk);
        },
        stderr: (chunk) => {
          stderr.push(chunk);
          hooks.output?.stderr(chunk);
        },
      },
      signal,
    ),
  );
  const run: TestRun = { exitCode: result.ended === "exit" ? result.exitCode : null, report: readReport(outputText(stdout.bytes())) };
  const verdict = testVerdict(run, request.before);
  const outcome = result.ended === "cancelled" ? "cancelled" : run.exitCode === 0 ? "completed" : "failed";
  const message = verdictText(verdict);
  const putBlob = (bytes: Uint8Array) => live.ledger.putBlob(bytes);
  await live.append([
    {
      call: id,
      type: "execution.finished",
      data: {
        exitCode: result.exitCode,
        signal: result.signal,
        ended: result.ended,
        detail: message,
        durationMs: Math.round(result.durationMs * 1000) / 1000,
        stdout: await recordOutput(stdout.bytes(), result.stdoutDropped, deps.redactor, putBlob),
        stderr: await recordOutput(stderr.bytes(), result.stderrDropped, deps.redactor, putBlob),
        killed: result.killed,
        quiescent: result.quiescent,
      },
    },
    // The sandbox of the harness is thrown away with whatever the tests wrote.
    { call: id, type: "reconciliation.done", data: { changes: [], findings: [], hints: 0 } },
    { call: id, type: "call.closed", data: { outcome, exitCode: result.exitCode, observationDigest: deps.hasher(message) } },
  ]);
  const observation: Observation = {
    ...nothingRan(head, outcome, null, message),
    exitCode: result.exitCode,
    signal: result.signal,
    ended: result.ended,
    durationMs: result.durationMs,
    stdout: modelText(stdout.bytes(), result.stdoutDropped, deps.redactor),
    stderr: modelText(stderr.bytes(), result.stderrDropped, deps.redactor),
  };
  return { observation, run, verdict };
}

/** One line on a verdict. */
export function verdictText(verdict: TestVerdict): string {
  const { counts } = verdict;
  const tally = counts === null ? "" : `${counts.passed} passed, ${counts.failed} failed${counts.skipped === 0 ? "" : `, ${counts.skipped} skipped`}`;
  return verdict.passed ? tally : [tally, ...verdict.reasons].filter((part) => part !== "").join("; ");
}

/** File operations that turn the base copy into the base copy with the accepted edits. */
async function acceptedEdits(live: LiveSession, roles: readonly Role[] | null): Promise<readonly FileOp[]> {
  if (roles?.length === 0) return [];
  const events = await live.deps.store.read(live.id);
  const byCall = roleOfCalls(events);
  const wanted = roles === null ? events : events.filter((event) => event.type !== "reconciliation.done" || roles.includes(byCall.get(event.call ?? "") ?? ""));
  const ops: FileOp[] = [];
  for (const change of netChanges(wanted)) ops.push(...(await opsOf(live, change)));
  return ops;
}

function roleOfCalls(events: readonly AuditEvent[]): ReadonlyMap<string, Role | null> {
  const roles = new Map<string, Role | null>();
  for (const event of events) if (event.type === "call.received" && event.call !== null) roles.set(event.call, event.data.role);
  return roles;
}

async function opsOf(live: LiveSession, change: Change): Promise<readonly FileOp[]> {
  const { path, after } = change;
  if (after === null) return [{ op: "remove", path }];
  const mode = after.mode & 0o777;
  if (after.kind === "directory") return [{ op: "mkdir", path, mode }];
  if (after.kind === "symlink") return [{ op: "remove", path }, { op: "symlink", path, target: after.target ?? "" }];
  if (after.kind !== "file") return [];
  const kept = after.digest === null ? null : await live.preimages.load(after.digest);
  const content = kept ?? (await live.workspace.readChanged(path, LIMITS.compareBytes))?.content ?? null;
  if (content === null) throw new GuardError("SANDBOX_FAILED", `the accepted content of \`${printable(path)}\` is gone`);
  return [{ op: "write", path, content, mode }];
}

/** Opens a second sandbox on the user's folder, puts the edits there, works, and leaves nothing behind. */
async function inFreshSandbox<T>(live: LiveSession, edits: readonly FileOp[], signal: AbortSignal, work: (sandbox: Sandbox) => Promise<T>): Promise<T> {
  const { deps, options } = live;
  const id = `ses_${deps.ids.next()}`;
  const workspace = await deps.workspaces.create(id, live.workspace.path);
  await deps.openSessions.mark(id);
  try {
    const { root, sandbox: limits } = options.defaults;
    const sandbox = await deps.sandboxes.open({ sessionId: id, image: options.image, workspace: workspace.mount, root, uid: workspace.uid, gid: workspace.gid, limits }, signal);
    try {
      const failed = (await sandbox.apply(edits, signal)).filter((result) => result !== null);
      if (failed.length > 0) throw new GuardError("SANDBOX_FAILED", `an accepted edit could not be put back: ${printable(failed[0] ?? "")}`);
      return await work(sandbox);
    } finally {
      await sandbox.close();
    }
  } finally {
    await deps.workspaces.remove(id);
    await deps.openSessions.clear(id);
  }
}
