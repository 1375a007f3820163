// A session of our own on record in which every text that somebody else writes is hostile: names of files, what was in them, arguments,
// programs, outputs, answers, reasons. Its layers are there, too, so that it can be reviewed. Nothing was run.

import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createPreimages } from "../../src/adapters/files/preimages.js";
import { openStore } from "../../src/compose-store.js";
import type { Change, Finding } from "../../src/core/reconcile/change.js";
import { initialRisk, KIMI_DEV } from "../../src/core/risk/index.js";
import type { EventData, EventDraft, EventType, RecordedProgram } from "../../src/core/session/index.js";
import type { CallId, Digest, JsonObject, SessionId } from "../../src/core/shared/index.js";
import { scoreBatch } from "../../src/engine/score-batch.js";
import { OPENED } from "../unit/session/events.js";
import { HOSTILE } from "./hostile.js";

const digest: Digest = `sha256:${"0".repeat(64)}`;
/** A record holds no lone surrogate: canonical JSON has none. */
export const HOSTILE_TEXTS: readonly string[] = HOSTILE.map((text) => text.replace(/\p{Surrogate}/gu, "\ufffd"));

/** A tag, a terminal's escapes and bidi characters in one text. */
export const LOUD = [HOSTILE_TEXTS[0], HOSTILE_TEXTS[18], HOSTILE_TEXTS[19]].join(" ");

/** Keys that mean something to an object that takes any. */
function trap(text: string): JsonObject {
  return JSON.parse(`{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}},"toString":${JSON.stringify(text)}}`) as JsonObject;
}

/** One event of every type with the text wherever a text may stand. A new type of event does not compile until it is here. */
function eventsOf(text: string, call: CallId, changes: readonly Change[], outputs: { readonly blob: Digest; readonly bytes: number }): { readonly [T in EventType]: EventData[T] } {
  const reason = { rule: text, effect: "deny" as const, layer: "L3" as const, threats: [`maestro:${text}` as const], message: text, allowed: text, subject: text, at: { file: text, line: 1, column: 1, endLine: 1, endColumn: 2 }, risk: null };
  const finding: Finding = { rule: text, layer: "L3", threats: [`maestro:${text}`], message: text, path: text, operation: "modify", reverted: false, risk: null };
  const held: Finding = { ...finding, about: "attempt", reverted: true, held: { by: "mask", name: text, told: ["program"], error: text } };
  const program: RecordedProgram = { number: 1, parent: 0, image: text, argv: [text, text], cwd: text, startedMs: 0, durationMs: 1, exit: text, against: { rule: text, effect: "deny" } };
  const output = { bytes: outputs.bytes, dropped: 0, head: text.slice(0, 200), blob: outputs.blob };
  const controls = [{ id: text, state: "missing" as const, detail: text }];
  const place = { reason: text, count: 1, places: [text] };
  return {
    "session.opened": { ...OPENED, startedBy: text, agent: { name: text, model: text, endpoint: text, version: text, sampling: trap(text) }, role: text, policy: { digest, sources: [text], profile: null }, image: { reference: text, id: text, packages: { count: 1, blob: digest } }, engine: { name: text, version: text, runtime: text }, controls, base: { digest: null, files: 1, bytes: 1, why: text } },
    "call.received": { label: text, by: text, role: text, tool: text, arguments: { ...trap(text), [text]: text, old_str: text, new_str: text, path: text }, argumentsDigest: digest },
    "decision.made": { action: { kind: "command", summary: text, cwd: text, effects: 1 }, actionDigest: digest, effect: "deny", reasons: [reason], obligations: [], guidance: text, policyDigest: digest, shadow: [reason], noted: [reason], marks: [text] },
    "approval.requested": { actionDigest: digest, policyDigest: digest, summary: text, rules: [text], files: [{ path: text, digest: null }] },
    "approval.resolved": { actionDigest: digest, outcome: "approved", by: text, detail: text },
    "execution.started": { kind: text, cwd: text, environment: [text], timeoutMs: 1 },
    "execution.finished": { exitCode: null, signal: text, ended: "exit", detail: text, durationMs: 1, stdout: output, stderr: output, killed: 1, quiescent: true },
    "programs.recorded": { record: "full", programs: [program, { ...program, number: 2, parent: 1 }], writes: [{ program: 1, path: text }], dropped: { programs: 1, writes: 1 } },
    "execution.imported": { ran: true, exitCode: null, failed: null, durationMs: null, output },
    "reconciliation.done": { changes, findings: [finding, { ...finding, about: "output" }, held], hints: 0 },
    "risk.updated": { formula: text, score: "9.7", band: "Critical", peak: "9.7", cause: 0, reasons: [text], detail: {} },
    "controls.attested": { controls, trigger: "finding", cause: null },
    "session.tightened": { reason: text, effect: "deny", reaction: text, action: "pause", layer: "L3", threats: [`maestro:${text}`], cause: 0 },
    "session.paused": { by: text, reason: text, call },
    "session.resumed": { by: text, pausedMs: 1 },
    "session.copied": { place: text, digest, files: 1, bytes: 1, left: 1 },
    "input.typed": { text, effect: "deny", rules: [text] },
    "process.opened": { name: text, summary: text, terminal: null, leaseMs: 1 },
    "process.closed": { name: text, reason: "exit", exitCode: null, signal: text, detail: text },
    "session.closed": { reason: "broken", detail: text, calls: 1 },
    "session.applied": { paths: [text], hunks: [{ path: text, numbers: [1] }] },
    "session.undone": { to: call, paths: 1 },
    "session.discarded": { reason: text },
    "import.finished": { records: 1, kinds: { calls: 1, results: 0, messages: 0, metadata: 0 }, skipped: [place], parts: [place], calls: 1, unanswered: 0 },
    "call.closed": { outcome: "completed", exitCode: null, observationDigest: digest, reached: [{ what: "file", path: text, digest, length: 1, left: 1, dropped: 1 }] },
  };
}

const OF_CALL: readonly EventType[] = ["call.received", "decision.made", "approval.requested", "approval.resolved", "execution.started", "execution.finished", "programs.recorded", "input.typed", "process.opened", "process.closed", "session.copied", "session.paused", "session.resumed", "session.tightened", "controls.attested"];
const AT_END: readonly EventType[] = ["import.finished", "session.applied", "session.undone"];
/** Made by the score itself. */
const SCORED: ReadonlySet<EventType> = new Set<EventType>(["risk.updated"]);

/**
 * Puts the session on record.
 * @param folder an empty folder to be the workspace
 * @param how `reviewed`: its changes stand; `ended`: it was taken back and thrown away at the end
 */
export async function recordHostile(env: NodeJS.ProcessEnv, id: SessionId, folder: string, how: "reviewed" | "ended"): Promise<void> {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "old.txt"), "before\n");
  const stored = await openStore(env);
  try {
    const workspace = await stored.workspaces.create(id, folder, {});
    await workspace.ready?.(new AbortController().signal);
    writeHostile(workspace.mount.upper);
    const changes = await workspace.changes(new AbortController().signal);
    await createPreimages({ stateDir: stored.stateDir, sessionId: id }).remember(workspace, changes);
    await workspace.close?.();
    const ledger = await stored.store.create(id);
    try {
      const first = LOUD;
      const blob = await ledger.putBlob(new TextEncoder().encode(HOSTILE_TEXTS.join("\n")));
      const bytes = HOSTILE_TEXTS.join("\n").length;
      const opened: EventData["session.opened"] = { ...eventsOf(first, "call_0001", [], { blob, bytes })["session.opened"], source: "exec", workspace: { path: folder, root: `/workspace/${LOUD}` } };
      const drafts: EventDraft[] = [{ call: null, type: "session.opened", data: opened }];
      const used = new Set<EventType>(["session.opened", "session.closed", "session.discarded", "execution.imported"]);
      const add = (type: EventType, call: CallId | null, data: EventData[EventType]): void => {
        used.add(type);
        drafts.push({ type, call, data } as EventDraft);
      };
      for (const [index, text] of HOSTILE_TEXTS.entries()) {
        const call: CallId = `call_${String(index + 1).padStart(4, "0")}`;
        const events = eventsOf(text, call, index === 0 ? changes : [], { blob, bytes });
        for (const type of OF_CALL) add(type, call, events[type]);
        add("reconciliation.done", call, events["reconciliation.done"]);
        add("call.closed", call, events["call.closed"]);
        // What was taken back and thrown away cannot be reviewed.
        if (how === "ended") for (const type of AT_END) add(type, null, events[type]);
      }
      drafts.push({ call: null, type: "session.closed", data: eventsOf(first, "call_0001", [], { blob, bytes })["session.closed"] });
      if (how === "ended") {
        drafts.push({ call: null, type: "session.discarded", data: { reason: first } });
        const missed = (Object.keys(eventsOf(first, "call_0001", [], { blob, bytes })) as EventType[]).filter((type) => !used.has(type) && !SCORED.has(type));
        if (missed.length > 0) throw new Error(`types of events that are in no hostile session: ${missed.join(", ")}`);
      }
      await ledger.append(scoreBatch(drafts, { risk: initialRisk(KIMI_DEV, opened), isScored: false, nextSeq: 0 }).drafts);
    } finally {
      await ledger.close();
    }
  } finally {
    await stored.close();
  }
}

/** Files with hostile names and hostile contents; names that are no UTF-8, too. */
function writeHostile(upper: string): void {
  for (const [index, text] of HOSTILE_TEXTS.entries()) {
    const name = text.replaceAll("/", "_").replaceAll("\u0000", "_");
    writeFileSync(join(upper, `${String(index)}${name}`.slice(0, 60)), `${text}\n${HOSTILE_TEXTS.join("\n")}\n`);
  }
  writeFileSync(join(upper, "old.txt"), `${HOSTILE_TEXTS.join("\n")}\n`);
  writeFileSync(join(upper, "binary"), Buffer.from([0, 1, 2, 0x1b, 0x5b, 0x32, 0x4a, 0xff]));
  execFileSync("bash", ["-c", "printf 'x\\033[2J\\n' > $'bytes\\xff\\x9b\\033[2J'; ln -s $'\\033]0;x\\007' $'link\\xe2\\x80\\xae'; mkdir -p .git/hooks; printf '#!/bin/sh\\n' > .git/hooks/pre-commit; chmod 755 .git/hooks/pre-commit"], { cwd: upper });
}
