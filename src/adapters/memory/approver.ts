// A scripted approver: answers in order, then rejects. For tests, and for recorded sessions that carry their answers.

import type { ApprovalOutcome, ApprovalRequest, Approver } from "../../ports/approver.js";

export interface ScriptedApprover extends Approver {
  /** Every request seen, oldest first. */
  readonly requests: readonly ApprovalRequest[];
}

/** Gives the answers in order; when none is left, nobody answers and the call is refused. */
export function createScriptedApprover(answers: readonly ApprovalOutcome["outcome"][], by: string = "script"): ScriptedApprover {
  const requests: ApprovalRequest[] = [];
  const left = [...answers];
  return {
    requests,
    request: async (request, signal) => {
      requests.push(request);
      if (signal.aborted) return { outcome: "expired", by: "timer", detail: "no answer in time" };
      const next = left.shift();
      return next === undefined ? { outcome: "unavailable", by: "nobody", detail: "no answer left" } : { outcome: next, by, detail: null };
    },
  };
}
