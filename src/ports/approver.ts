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
  /** Files that it would run. The approval holds for these contents; text is escaped, null where it is long or no text. */
  readonly files: readonly { readonly path: string; readonly digest: Digest | null; readonly state: string; readonly text: string | null }[];
  readonly reasons: readonly Reason[];
  /** How often the very same was rejected before in this session. */
  readonly rejectedBefore: number;
}

export interface ApprovalOutcome {
  readonly outcome: "approved" | "rejected" | "expired" | "unavailable";
  readonly by: string;
  readonly detail: string | null;
  /** What the answer is about, where it comes by a way on which answers could be mixed up: an answer about another action is none. */
  readonly actionDigest?: Digest;
}

/** Answers; never throws and never hangs past `signal`. Anything but `approved` refuses. */
export interface Approver {
  request(request: ApprovalRequest, signal: AbortSignal): Promise<ApprovalOutcome>;
}
