// Many judged calls as one table: from what to what, by which rule, in how many sessions.

import type { DecisionEffect, MaestroLayer } from "../policy/index.js";
import type { Redecided, Verdict } from "./redecide.js";

/** How often a rule of the new policy decides. */
export interface RuleCount {
  readonly rule: string;
  readonly effect: DecisionEffect;
  readonly layer: MaestroLayer | null;
  readonly message: string;
  readonly calls: number;
  readonly sessions: number;
  /** Calls whose decision it changes. */
  readonly changed: number;
  /** The first few, as `session/call`. */
  readonly examples: readonly string[];
}

export interface RedecideSummary {
  readonly sessions: number;
  readonly calls: number;
  /** Calls by decision before, then after. */
  readonly matrix: Readonly<Record<Verdict, Readonly<Record<Verdict, number>>>>;
  readonly stricter: number;
  readonly looser: number;
  /** Calls of which one of the two cannot be told. */
  readonly unknown: number;
  readonly rules: readonly RuleCount[];
  /** The calls whose decision is another now, in order; at most as many as are kept. */
  readonly changes: readonly Redecided[];
  /** Changes past the limit of those kept. */
  readonly more: number;
}

const RANK: Readonly<Record<DecisionEffect, number>> = { allow: 0, ask: 1, deny: 2 };
const EXAMPLES = 3;

/** Which way a decision moved; null where it did not, or cannot be told. */
export function moveOf({ before, after }: Pick<Redecided, "before" | "after">): "stricter" | "looser" | null {
  if (before === after || before === "unknown" || after === "unknown") return null;
  return RANK[after] > RANK[before] ? "stricter" : "looser";
}

/** A sum under way: sessions are added one after the other, and not held. */
export interface Summariser {
  add(session: readonly Redecided[]): void;
  result(): RedecideSummary;
}

/** Starts a sum. @param kept most changed calls held */
export function createSummariser(kept: number = 10_000): Summariser {
  const empty = (): Record<Verdict, number> => ({ allow: 0, ask: 0, deny: 0, unknown: 0 });
  const matrix: Record<Verdict, Record<Verdict, number>> = { allow: empty(), ask: empty(), deny: empty(), unknown: empty() };
  const rules = new Map<string, { rule: string; effect: DecisionEffect; layer: MaestroLayer | null; message: string; calls: number; sessions: Set<string>; changed: number; examples: string[] }>();
  const changes: Redecided[] = [];
  const counts = { sessions: 0, calls: 0, stricter: 0, looser: 0, unknown: 0, more: 0 };
  const addRules = (one: Redecided): void => {
    if (one.after === "allow" || one.after === "unknown") return;
    for (const { rule, effect, layer, message } of one.rulesAfter) {
      const known = rules.get(rule) ?? { rule, effect, layer, message, calls: 0, sessions: new Set<string>(), changed: 0, examples: [] };
      known.calls += 1;
      known.sessions.add(one.session);
      if (moveOf(one) !== null) known.changed += 1;
      if (known.examples.length < EXAMPLES) known.examples.push(`${one.session}/${one.call}`);
      rules.set(rule, known);
    }
  };
  return {
    add: (session) => {
      counts.sessions += 1;
      for (const one of session) {
        counts.calls += 1;
        matrix[one.before][one.after] += 1;
        const move = moveOf(one);
        if (move !== null) counts[move] += 1;
        if (one.before === "unknown" || one.after === "unknown") counts.unknown += 1;
        addRules(one);
        if (one.before === one.after) continue;
        if (changes.length < kept) changes.push(one);
        else counts.more += 1;
      }
    },
    result: () => ({
      ...counts,
      matrix,
      changes,
      rules: [...rules.values()].map((one) => ({ ...one, sessions: one.sessions.size })).sort((a, b) => RANK[b.effect] - RANK[a.effect] || b.calls - a.calls || (a.rule < b.rule ? -1 : 1)),
    }),
  };
}

