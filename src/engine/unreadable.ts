// A call that could not be read is refused and put on record: what an agent tried to say is evidence too.

import type { Role } from "../core/shared/index.js";
import { printable, type Issue } from "../core/shared/index.js";
import type { Decision } from "../core/policy/index.js";
import { nextCallId, type LiveSession } from "./live.js";
import { nothingRan, type Observation } from "./observation.js";
import { closedEvent, decisionEvent, receivedEvent } from "./records.js";

export interface UnreadableCall {
  readonly label: string;
  readonly role: Role | null;
  /** Name of the format that could not be read. */
  readonly format: string;
  readonly issue: Issue;
  /** What to send back to the model, in the format's own words. */
  readonly reply: string;
  /** The text names a path that leads out of the workspace. */
  readonly escape: boolean;
}

const MESSAGE = 600;

/** Records the refusal. Nothing runs. */
export async function refuseUnreadable(live: LiveSession, unreadable: UnreadableCall): Promise<Observation> {
  const id = nextCallId(live);
  const { format } = unreadable;
  const issue = { code: printable(unreadable.issue.code), message: printable(unreadable.issue.message, MESSAGE), hint: printable(unreadable.issue.hint ?? "", MESSAGE) };
  const call = { id: unreadable.label, role: unreadable.role, tool: format, arguments: { error: issue.code, message: issue.message } };
  const decision: Decision = {
    effect: "deny",
    reasons: [
      {
        rule: unreadable.escape ? "format.path-escape" : "format.unreadable",
        effect: "deny",
        layer: "L3",
        threats: unreadable.escape ? ["maestro:L3/input-validation-attacks", "owasp-tm-1.1:T2"] : ["maestro:L3/input-validation-attacks"],
        message: issue.message,
        allowed: issue.hint === "" ? null : issue.hint,
        subject: issue.code,
        at: null,
        risk: unreadable.escape ? { severity: "medium", cvss: null, factors: { tools: 0.2 } } : null,
      },
    ],
    obligations: [],
    errors: [],
    guidance: null,
    policyDigest: live.options.policy.digest,
  };
  const summary = `unreadable ${printable(format)} answer: ${issue.code}`;
  await live.append([
    await receivedEvent(live, id, call),
    decisionEvent(live, id, decision, {
      action: { kind: "opaque", summary, cwd: null, effects: 0 },
      actionDigest: live.deps.keyedDigest(JSON.stringify(call.arguments)),
    }),
    closedEvent(id, "denied"),
  ]);
  return nothingRan({ id, call, summary, decision }, "denied", null, unreadable.reply);
}
