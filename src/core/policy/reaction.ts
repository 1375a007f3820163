// What a policy does when a session's score rises or its findings add up: data here, read by core/risk and done by the engine.

import type { SourceSpan, ThreatId } from "../shared/index.js";
import type { MaestroLayer, RuleRisk } from "./decision.js";

/** Mildest first: every change of the workspace needs a person, every call does, nothing goes on until a person says so, the session ends. */
export const REACTIONS = ["ask-writes", "ask", "pause", "stop"] as const;
export type ReactionKind = (typeof REACTIONS)[number];

/** How far a finding must have come to count, weakest first. */
export const REACTION_OUTCOMES = ["contained", "rejected", "blocked", "undone", "succeeded"] as const;
export type ReactionOutcome = (typeof REACTION_OUTCOMES)[number];

/** When it is due. Any one of a reaction's conditions is enough. */
export type ReactionCondition =
  /** The session's highest score, as shown, is at least this: `9.4`. */
  | { readonly on: "score"; readonly from: string }
  /** So many occurrences of findings that match. */
  | {
      readonly on: "findings";
      /** Rule globs and threat globs; both empty means any. */
      readonly rules: readonly string[];
      readonly threats: readonly string[];
      /** Least severity. */
      readonly severity: RuleRisk["severity"];
      readonly outcome: ReactionOutcome;
      readonly count: number;
    }
  /** One of these controls was lost while the session ran. */
  | { readonly on: "lost"; readonly controls: readonly string[] };

/** One reaction of a policy set. It happens once a session. */
export interface Reaction {
  readonly id: string;
  readonly kind: ReactionKind;
  readonly layer: MaestroLayer | null;
  readonly threats: readonly ThreatId[];
  readonly message: string;
  readonly when: readonly ReactionCondition[];
  readonly at: SourceSpan;
}

/** A reaction that has happened, as decisions go by it. */
export interface Reacted {
  readonly reaction: string;
  readonly kind: ReactionKind;
  readonly message: string;
  readonly layer: MaestroLayer | null;
  readonly threats: readonly ThreatId[];
}
