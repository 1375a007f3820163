// A session whose every text is hostile, as steps.

import { timelineOf, type Timeline } from "../../src/core/replay/index.js";
import type { EventDraft } from "../../src/core/session/index.js";
import { OPENED, placed } from "../unit/session/events.js";
import { HOSTILE } from "./hostile.js";

const digest = `sha256:${"0".repeat(64)}` as const;

/** One call for each hostile text, with the text in every place a call has. */
export function hostileTimeline(): Timeline {
  const calls = HOSTILE.flatMap((text, index): readonly EventDraft[] => {
    const call = `call_${String(index + 1).padStart(4, "0")}` as const;
    const reason = { rule: text, effect: "deny" as const, layer: "L3" as const, threats: [`maestro:${text}` as const], message: text, allowed: text, subject: text, at: null, risk: null };
    return [
      { call, type: "call.received", data: { label: text, role: text, tool: text, arguments: { [text]: text, old_str: text, new_str: text }, argumentsDigest: digest, claimed: { place: text, time: text, thought: text, cwd: text, sidechain: true } } },
      { call, type: "decision.made", data: { action: { kind: "command", summary: text, cwd: text, effects: 1 }, actionDigest: digest, effect: "deny", reasons: [reason], obligations: [], guidance: text, policyDigest: digest } },
      { call, type: "execution.imported", data: { ran: true, exitCode: 0, failed: false, durationMs: 1, output: { bytes: 9, dropped: 0, head: text, blob: null } } },
      { call, type: "call.closed", data: { outcome: "imported", exitCode: 0, observationDigest: null } },
    ];
  });
  const [text = ""] = HOSTILE;
  const opened: EventDraft = { call: null, type: "session.opened", data: { ...OPENED, source: "import", startedBy: text, agent: { name: text, model: text, endpoint: null, version: text, sampling: null }, workspace: { path: text, root: text }, policy: { digest, sources: [text], profile: text }, imported: { format: text, version: text, file: text, digest, bytes: 1, session: text, containment: "attested", home: text } } };
  const account: EventDraft = { call: null, type: "import.finished", data: { records: 1, kinds: { calls: 1, results: 0, messages: 0, metadata: 0 }, skipped: [{ reason: text, count: 1, places: [text] }], parts: [], calls: 1, unanswered: 0 } };
  const timeline = timelineOf(placed([opened, ...calls, account]));
  if (timeline === null) throw new Error("no timeline");
  return timeline;
}
