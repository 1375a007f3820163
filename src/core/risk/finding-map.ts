// Findings by rule, in groups, so that one more costs a copy of its group and not of all. Never changed after it is made.

import type { RiskFinding } from "./finding.js";

const GROUPS = 16;

/** Which group of findings a rule belongs to: the sum of its code units, so it hangs on nothing else. */
export function groupOf(rule: string): number {
  let sum = 0;
  for (let index = 0; index < rule.length; index += 1) sum += rule.charCodeAt(index);
  return sum % GROUPS;
}

/** A map that gives another one for each change. */
export class FindingMap implements ReadonlyMap<string, RiskFinding> {
  readonly #groups: readonly ReadonlyMap<string, RiskFinding>[];
  readonly size: number;

  private constructor(groups: readonly ReadonlyMap<string, RiskFinding>[], size: number) {
    this.#groups = groups;
    this.size = size;
  }

  static readonly empty: FindingMap = new FindingMap(Array.from({ length: GROUPS }, () => new Map<string, RiskFinding>()), 0);

  /** The map with one finding as it now is. */
  with(finding: RiskFinding): FindingMap {
    const index = groupOf(finding.rule);
    const group = this.#groups[index] ?? new Map<string, RiskFinding>();
    return new FindingMap(this.#groups.with(index, new Map(group).set(finding.rule, finding)), this.size + (group.has(finding.rule) ? 0 : 1));
  }

  /** The map with each finding changed; a change keeps the rule. */
  mapped(change: (finding: RiskFinding) => RiskFinding): FindingMap {
    return new FindingMap(this.#groups.map((group) => new Map([...group].map(([rule, finding]) => [rule, change(finding)]))), this.size);
  }

  get(rule: string): RiskFinding | undefined {
    return this.#groups[groupOf(rule)]?.get(rule);
  }

  has(rule: string): boolean {
    return this.#groups[groupOf(rule)]?.has(rule) === true;
  }

  forEach(visit: (finding: RiskFinding, rule: string, map: ReadonlyMap<string, RiskFinding>) => void): void {
    for (const group of this.#groups) for (const [rule, finding] of group) visit(finding, rule, this);
  }

  *entries(): MapIterator<[string, RiskFinding]> {
    for (const group of this.#groups) yield* group.entries();
  }

  *keys(): MapIterator<string> {
    for (const group of this.#groups) yield* group.keys();
  }

  *values(): MapIterator<RiskFinding> {
    for (const group of this.#groups) yield* group.values();
  }

  [Symbol.iterator](): MapIterator<[string, RiskFinding]> {
    return this.entries();
  }
}
