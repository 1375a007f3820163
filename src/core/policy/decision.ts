// The answer of policy: a value with reasons, never an exception.

import type { SessionHistory } from "./history.js";
import type { Digest, Issue, Role, SourceSpan, ThreatId } from "../shared/index.js";

/** Ordered: `allow < ask < deny`; the strictest wins. */
export type DecisionEffect = "allow" | "ask" | "deny";

/** MAESTRO layer a rule answers, or `X` for cross-layer threats. */
export type MaestroLayer = "L1" | "L2" | "L3" | "L4" | "L5" | "L6" | "L7" | "X";

/** What a rule's match is evidence of, for the risk score. Asserted, versioned in the pack. */
export interface RuleRisk {
  readonly severity: "info" | "low" | "medium" | "high" | "critical";
  /** Reviewed CVSS v4.0 vector of the finding, `CVSS:4.0/…`, or null: the catalogue row of the severity is used. */
  readonly cvss: string | null;
  /** AIVSS factor evidence: factor key (`tools`, `autonomy`, `self_mod` …) to weight in (0,1]. */
  readonly factors: Readonly<Record<string, number>>;
}

/** One rule that contributed. */
export interface Reason {
  readonly rule: string;
  readonly effect: DecisionEffect;
  readonly layer: MaestroLayer | null;
  readonly threats: readonly ThreatId[];
  readonly message: string;
  /** What would be allowed instead, or null. */
  readonly allowed: string | null;
  /** What it matched, printable: a path, a command word, an endpoint. */
  readonly subject: string;
  readonly at: SourceSpan | null;
  readonly risk: RuleRisk | null;
}

/** What an enforcer must do for an allowed action, or refuse it. */
export type Obligation =
  | { readonly kind: "no-egress" }
  | { readonly kind: "timeout"; readonly ms: number }
  /** End the call when it has written more than so many bytes, as far as the sandbox can tell while it runs. */
  | { readonly kind: "bytes-written"; readonly bytes: number };

export interface Decision {
  readonly effect: DecisionEffect;
  /** Strictest first. An allow carries the allow rules that covered it. A refusal with no matching rule carries rule `default-deny`. */
  readonly reasons: readonly Reason[];
  readonly obligations: readonly Obligation[];
  /** What went wrong while deciding; any makes the effect `deny`. */
  readonly errors: readonly Issue[];
  /** A hint to the model: what to do instead, or null. */
  readonly guidance: string | null;
  readonly policyDigest: Digest;
  /** What rules in shadow mode would have asked or denied. They decide nothing; left out when there are none. */
  readonly shadow?: readonly Reason[];
  /**
   * Of a call that is allowed because a container holds it: what its text, or the text of the code it runs, says that a rule speaks
   * against or watches for. Evidence for the score, no refusal; left out when there is nothing.
   */
  readonly noted?: readonly Reason[];
  /** Steps of the policy's sequences and counts that the action is, by key; left out when there are none. For the history of later calls. */
  readonly marks?: readonly string[];
}

/** What a decision may depend on besides the action. Plain data: the same context gives the same decision. */
export interface DecisionContext {
  readonly role: Role | null;
  /** Where the workspace is mounted, `/workspace` by default. */
  readonly root: string;
  readonly cwd: string;
  /** The agent's home inside the sandbox. */
  readonly home: string;
  /** `attested`: a tested container holds the action; `none`: nothing does. */
  readonly containment: "attested" | "none";
  /** What the session did before; left out for an action judged by itself. */
  readonly history?: SessionHistory;
}
