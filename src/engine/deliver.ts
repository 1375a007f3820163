// What of a call's output the model is given: redacted first, then as the rules about outputs say.

import { judgeOutput, type DecisionContext } from "../core/policy/index.js";
import type { Finding } from "../core/reconcile/change.js";
import type { LiveSession } from "./live.js";

export interface Delivered {
  readonly stdout: string;
  readonly stderr: string;
  /** One for each rule that found something; marked, masked or withheld, the text was not given as it was. */
  readonly findings: readonly Finding[];
}

/** Judges both streams, already redacted and cut for the model. */
export function deliver(live: LiveSession, streams: { readonly stdout: string; readonly stderr: string }, context: DecisionContext): Delivered {
  const [stdout, stderr] = [judgeOutput(live.options.policy, streams.stdout, context), judgeOutput(live.options.policy, streams.stderr, context)];
  const found = new Map<string, Finding>();
  for (const { reasons, delivery } of [stdout, stderr]) {
    for (const { rule, layer, threats, message, subject, risk } of reasons) {
      if (!found.has(rule)) found.set(rule, { rule, layer, threats, message: `${message} (${delivery}: ${live.deps.redactor.text(subject)})`, path: "", operation: "modify", reverted: true, risk, about: "output" });
    }
  }
  return { stdout: stdout.text, stderr: stderr.text, findings: [...found.values()] };
}
