// Whether a record of somebody else is one of our events. A signature says who wrote it, not what: where the key is a stranger's, a number can
// stand where a text should, and what is shown as it is (digests, words of ours) could be anything. Members that are not known are let be.

import type { Reason } from "../policy/decision.js";
import type { Change, Entry, Finding, Held } from "../reconcile/change.js";
import type { AgentInfo, AuditEvent, CallClaim, Control, EventData, EventType, ImportSource, OutputRecord, Reached, RecordedProgram } from "./event.js";

type Check = (value: unknown) => boolean;
/** A check for every member that the type has. */
type Members<T> = { readonly [K in keyof T]-?: Check };

const CALL = /^call_[a-z0-9_]{1,40}$/u;
const DIGEST = /^sha256:[0-9a-f]{64}$/u;
const SESSION = /^ses_[a-z0-9]{4,40}$/u;
const SCORE = /^\d{1,2}\.\d$/u;
const CVSS = /^CVSS:4\.0(?:\/[A-Z]{1,3}:[A-Za-z]{1,5}){1,40}$/u;
const WORD = /^[\w .,:()/+@-]{0,200}$/u;

/** Shown through an escape wherever it is shown. */
const text: Check = (value) => typeof value === "string";
const number: Check = (value) => typeof value === "number";
const flag: Check = (value) => typeof value === "boolean";
const json: Check = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const form = (pattern: RegExp): Check => (value) => typeof value === "string" && pattern.test(value);
const word = form(WORD);
const digest = form(DIGEST);
const call = form(CALL);
const one = <T extends string | true>(...values: readonly T[]): Check => (value) => (values as readonly unknown[]).includes(value);
const orNull = (check: Check): Check => (value) => value === null || check(value);
/** A member that may be left out. */
const maybe = (check: Check): Check => (value) => value === undefined || check(value);
const list = (check: Check): Check => (value) => Array.isArray(value) && value.every((item) => check(item));
const each = (check: Check): Check => (value) => json(value) && Object.values(value as object).every((item) => check(item));
const object = <T>(members: Members<T>): Check => {
  const checks = Object.entries<Check>(members);
  return (value) => json(value) && checks.every(([name, check]) => check(Object.hasOwn(value as object, name) ? (value as Readonly<Record<string, unknown>>)[name] : undefined));
};

const effect = one("allow", "ask", "deny");
const layer = orNull(one("L1", "L2", "L3", "L4", "L5", "L6", "L7", "X"));
const risk = orNull(object<NonNullable<Reason["risk"]>>({ severity: one("info", "low", "medium", "high", "critical"), cvss: orNull(form(CVSS)), factors: each(number) }));
const reason = object<Reason>({ rule: text, effect, layer, threats: list(text), message: text, allowed: orNull(text), subject: text, at: orNull(object<NonNullable<Reason["at"]>>({ file: text, line: number, column: number })), risk });
const entry = object<Entry>({ kind: one("file", "directory", "symlink", "fifo", "socket", "device"), mode: number, bytes: number, digest: orNull(digest), target: orNull(text) });
const change = object<Change>({ path: text, operation: one("create", "modify", "delete", "metadata"), before: orNull(entry), after: orNull(entry) });
const held = object<Held>({ by: one("read-only-mount", "held-place", "mount-point", "mask", "read-only-root", "no-network", "no-capability", "process-boundary"), name: text, told: list(one("text", "program")), error: maybe(text), more: maybe(number) });
const finding = object<Finding>({ rule: text, layer, threats: list(text), message: text, path: text, operation: one("create", "modify", "delete", "metadata", "read"), reverted: flag, risk, about: maybe(one("output", "session", "attempt", "program")), held: maybe(held) });
const control = object<Control>({ id: text, state: one("attested", "configured", "missing"), detail: text });
const output = object<OutputRecord>({ bytes: number, dropped: number, head: text, blob: orNull(digest) });
const agent = object<AgentInfo>({ name: orNull(text), model: orNull(text), endpoint: orNull(text), version: orNull(text), sampling: orNull(json) });
const program = object<RecordedProgram>({ number, parent: number, replaced: maybe(one(true)), image: text, argv: list(text), cut: maybe(one(true)), cwd: text, startedMs: number, durationMs: orNull(number), exit: orNull((value) => number(value) || text(value)), against: maybe(object<NonNullable<RecordedProgram["against"]>>({ rule: text, effect })) });
const claim = object<CallClaim>({ place: text, time: orNull(text), thought: orNull(text), cwd: text, sidechain: flag });
const source = object<ImportSource>({ format: word, version: orNull(text), file: text, digest: orNull(digest), bytes: number, session: orNull(text), containment: one("attested", "none"), home: text });
const reached = object<Reached>({ what: one("stdout", "stderr", "file"), path: orNull(text), digest, length: number, left: number, dropped: number });
const account = list(object({ reason: text, count: number, places: list(text) }));

type Opened = EventData["session.opened"];

const SHAPES: { readonly [T in EventType]: Members<EventData[T]> } = {
  "session.opened": {
    product: word,
    agent,
    startedBy: text,
    source: one("exec", "run", "library", "shell", "demo", "import", "replay"),
    workspace: object<Opened["workspace"]>({ path: text, root: text }),
    role: orNull(text),
    policy: object<Opened["policy"]>({ digest, sources: list(text), profile: orNull(text) }),
    image: object<Opened["image"]>({ reference: text, id: text, content: maybe(digest), packages: maybe(object<NonNullable<Opened["image"]["packages"]>>({ count: number, blob: digest })) }),
    engine: object<Opened["engine"]>({ name: text, version: text, runtime: text }),
    controls: list(control),
    readyMs: maybe(number),
    riskProfile: maybe(json),
    imported: maybe(source),
    base: maybe(object<NonNullable<Opened["base"]>>({ digest: orNull(digest), files: number, bytes: number, why: orNull(text) })),
    replayOf: maybe(form(SESSION)),
  },
  "call.received": { label: text, by: maybe(text), role: orNull(text), tool: text, arguments: json, argumentsBlob: maybe(digest), argumentsDigest: digest, claimed: maybe(claim) },
  "decision.made": {
    action: object<EventData["decision.made"]["action"]>({ kind: word, summary: text, cwd: orNull(text), effects: number }),
    actionDigest: digest,
    effect,
    reasons: list(reason),
    obligations: list(object({ kind: word, ms: maybe(number), bytes: maybe(number) })),
    guidance: orNull(text),
    policyDigest: digest,
    shadow: maybe(list(reason)),
    noted: maybe(list(reason)),
    marks: maybe(list(text)),
  },
  "approval.requested": { actionDigest: digest, policyDigest: digest, summary: text, rules: list(text), files: maybe(list(object({ path: text, digest: orNull(digest) }))) },
  "approval.resolved": { actionDigest: digest, outcome: one("approved", "rejected", "expired", "unavailable"), by: text, detail: orNull(text) },
  "execution.started": { kind: text, cwd: orNull(text), environment: list(text), timeoutMs: number },
  "execution.finished": { exitCode: orNull(number), signal: orNull(text), ended: one("exit", "timeout", "cancelled", "limit", "fault", "refused"), detail: orNull(text), durationMs: number, stdout: output, stderr: output, killed: number, quiescent: flag },
  "programs.recorded": { record: one("exec", "full"), programs: list(program), writes: list(object({ program: number, path: text })), dropped: object<EventData["programs.recorded"]["dropped"]>({ programs: number, writes: number }) },
  "execution.imported": { ran: flag, exitCode: orNull(number), failed: orNull(flag), durationMs: orNull(number), output },
  "reconciliation.done": { changes: list(change), findings: list(finding), hints: number },
  "risk.updated": { formula: text, score: form(SCORE), band: word, peak: form(SCORE), cause: number, reasons: list(text), detail: json },
  "controls.attested": { controls: list(control), trigger: one("schedule", "finding"), cause: orNull(number) },
  "session.tightened": { reason: text, effect, reaction: maybe(text), action: maybe(one("ask-writes", "ask", "pause", "stop")), layer: maybe(layer), threats: maybe(list(text)), cause: maybe(number) },
  "session.paused": { by: text, reason: orNull(text), call: orNull(call) },
  "session.resumed": { by: text, pausedMs: number },
  "session.copied": { place: text, digest, files: number, bytes: number, left: number },
  "input.typed": { text, effect, rules: list(text) },
  "process.opened": { name: text, summary: text, terminal: orNull(object({ rows: number, columns: number })), leaseMs: number },
  "process.closed": { name: text, reason: one("exit", "closed", "killed", "lease", "timeout", "limit", "fault", "session", "recovered"), exitCode: orNull(number), signal: orNull(text), detail: orNull(text) },
  "session.closed": { reason: one("finished", "cancelled", "broken", "recovered", "stopped"), detail: orNull(text), calls: number },
  "session.applied": { paths: list(text), hunks: maybe(list(object({ path: text, numbers: list(number) }))) },
  "session.undone": { to: orNull(call), paths: number },
  "session.discarded": { reason: text },
  "import.finished": { records: number, kinds: object<EventData["import.finished"]["kinds"]>({ calls: number, results: number, messages: number, metadata: number }), skipped: account, parts: account, calls: number, unanswered: number },
  "call.closed": { outcome: one("completed", "denied", "rejected", "failed", "cancelled", "reverted", "in-doubt", "imported"), exitCode: orNull(number), observationDigest: orNull(digest), reached: maybe(list(reached)) },
};

const CHECKS: ReadonlyMap<string, Check> = new Map(Object.entries(SHAPES).map(([type, members]) => [type, object(members as Members<unknown>)]));

/** Tells whether an event of a sound chain has the members that its type must have. One of a type that is not known has none. */
export function isEvent(event: AuditEvent): boolean {
  const check = CHECKS.get(event.type);
  return (event.call === null || call(event.call)) && json(event.data) && (check === undefined || check(event.data));
}
