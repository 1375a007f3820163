// Who is asked when policy says `ask`. Contract: test/contract/approver.contract.ts.

import type { Digest, Role } from "../core/shared/index.js";
import type { Reason } from "../core/policy/decision.js";

/** What an approver sees. All text is printable; what is shown is what runs. */
export interface ApprovalRequest {
  readonly actionDigest: Digest;
  readonly policyDigest: Digest;
  readonly role: Role | null;
  readonly tool: string;
  /** The whole command or edit, escaped, never cut. */
  readonly action: string;
  readonly cwd: string | null;
  readonly reasons: readonly Reason[];
}

export interface ApprovalOutcome {
  readonly outcome: "approved" | "rejected" | "expired" | "unavailable";
  readonly by: string;
  readonly detail: string | null;
}

/** Answers; never throws and never hangs past `signal`. Anything but `approved` refuses. */
export interface Approver {
  request(request: ApprovalRequest, signal: AbortSignal): Promise<ApprovalOutcome>;
}
