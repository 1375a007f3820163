// What a played session stopped, a line a rule: the rule, the MAESTRO threat it answers, and how.

import type { Observation } from "../../../compose.js";
import { groupFindings } from "./findings.js";
import { cut, pad, textWidth } from "./layout.js";
import type { Sheet } from "./step.js";

interface Stop {
  readonly threat: string;
  refused: number;
  notApproved: number;
  undone: number;
  /** Attempts that the kernel held, reported ones too. */
  held: number;
}

export interface Stopped {
  readonly add: (observation: Observation) => void;
  readonly lines: (sheet: Sheet) => readonly string[];
}

export function createStopped(): Stopped {
  const stops = new Map<string, Stop>();
  const of = (rule: string, threats: readonly string[]): Stop => {
    const known = stops.get(rule);
    if (known !== undefined) return known;
    const fresh = { threat: (threats.find((threat) => threat.startsWith("maestro:")) ?? "").slice("maestro:".length), refused: 0, notApproved: 0, undone: 0, held: 0 };
    stops.set(rule, fresh);
    return fresh;
  };
  return {
    add: ({ outcome, decision, findings }) => {
      // One call counts once, under the rule that comes first.
      const first = decision.reasons.find((reason) => reason.effect === decision.effect);
      if (first !== undefined && outcome === "denied") of(first.rule, first.threats).refused += 1;
      if (first !== undefined && outcome === "rejected") of(first.rule, first.threats).notApproved += 1;
      for (const group of groupFindings(findings)) {
        if (group.about === "attempt") of(group.rule, group.threats).held += group.paths.length;
        else if (group.reverted) of(group.rule, group.threats).undone += group.paths.length;
      }
    },
    lines: (sheet) => table(sheet, stops),
  };
}

function table({ width, paint }: Sheet, stops: ReadonlyMap<string, Stop>): readonly string[] {
  const rows = [...stops].map(([rule, stop]) => ({ rule, threat: stop.threat, how: howText(stop) }));
  if (rows.length === 0) return [];
  const longest = (texts: readonly string[]): number => Math.max(...texts.map(textWidth));
  const rule = longest(["rule", ...rows.map((row) => row.rule)]);
  const how = longest(["how", ...rows.map((row) => row.how)]);
  const threat = Math.min(longest(["MAESTRO threat", ...rows.map((row) => row.threat)]), Math.max(20, width - rule - how - 6));
  const row = (cells: readonly [string, string, string], colours: readonly ((text: string) => string)[]): string => {
    const texts = [pad(cells[0], rule), pad(cut(cells[1], threat), threat), cells[2]];
    return `  ${texts.map((text, index) => (colours[index] ?? String)(text)).join("  ").trimEnd()}`;
  };
  return [row(["rule", "MAESTRO threat", "how"], [paint.dim, paint.dim, paint.dim]), ...rows.map((one) => row([one.rule, one.threat, one.how], [paint.bold, paint.cyan, String]))];
}

function howText({ refused, notApproved, undone, held }: Stop): string {
  const times = (count: number): string => (count === 1 ? "" : ` ${count} times`);
  const parts = [refused === 0 ? "" : `refused${times(refused)}`, notApproved === 0 ? "" : `not approved${times(notApproved)}`, undone === 0 ? "" : `${undone} path${undone === 1 ? "" : "s"} undone`, held === 0 ? "" : `held by the sandbox${times(held)}`];
  return parts.filter((part) => part !== "").join(", ");
}
