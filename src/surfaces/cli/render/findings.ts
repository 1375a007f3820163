// What reconciliation found after a call, one line a rule in place of one a path.

import { count, printable } from "../../../core/shared/index.js";
import { heldText, type Finding } from "../../../core/reconcile/index.js";
import type { Palette } from "../io.js";
import { aboutText, threatText } from "./text.js";

/** Findings of one rule with one fate. */
export interface FindingGroup {
  readonly rule: string;
  /** Left out for changes. */
  readonly about?: Finding["about"];
  readonly threats: readonly string[];
  readonly message: string;
  readonly reverted: boolean;
  readonly paths: readonly string[];
  /** What happened where, in a few words: `delete of .git and 27 paths in it`; of attempts, what held the first. */
  readonly where: string;
}

/** Groups in the order in which each rule came first. */
export function groupFindings(findings: readonly Finding[]): readonly FindingGroup[] {
  const groups = new Map<string, Finding[]>();
  for (const finding of findings) {
    const key = `${finding.rule} ${finding.reverted} ${finding.about ?? ""}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [finding]);
    else group.push(finding);
  }
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const { rule, threats, message, reverted, about } = first;
    return [{ rule, ...(about === undefined ? {} : { about }), threats, message, reverted, paths: group.map(({ path }) => path), where: whereOf(group) }];
  });
}

/** One group in one line: what was undone or stays, under which rule, for which threats. */
export function groupLine({ about, rule, threats, message, reverted, where }: FindingGroup, paint: Palette): string {
  const shown = threats.length === 0 ? "" : ` ${paint.cyan(`[${threatText(threats)}]`)}`;
  if (about === "attempt") return `${paint.green("held")}: ${where}: ${paint.bold(printable(rule, 120))}${shown} ${printable(message, 300)}`;
  if (about !== undefined) return `${paint.yellow(aboutText(about, reverted))}: ${paint.bold(printable(rule, 120))}${shown} ${printable(message, 300)}`;
  return `${reverted ? paint.green("undone") : paint.red("not undone")}: ${where}: ${paint.bold(printable(rule, 120))}${shown} ${printable(message, 300)}`;
}

function whereOf(group: readonly Finding[]): string {
  const [one] = group;
  if (one?.held !== undefined) return `${heldText({ ...one, held: one.held })}${group.length === 1 ? "" : `; and ${group.length - 1} more`}`;
  const operations = new Set(group.map(({ operation }) => operation));
  const [only] = operations;
  const what = operations.size === 1 && only !== undefined ? VERB[only] : "change";
  const paths = [...new Set(group.map(({ path }) => path))];
  const [first = ""] = paths;
  if (paths.length === 1) return first === "" ? "the whole call" : `${what} of ${shown(first)}`;
  const folder = commonFolder(paths);
  if (paths.includes(folder)) return `${what} of ${shown(folder)} with ${count(paths.length - 1, "path")} in it`;
  return folder === "" ? `${what} of ${shown(first)} and ${paths.length - 1} more` : `${what} of ${count(paths.length, "path")} in ${shown(folder)}`;
}

const VERB = { create: "creation", modify: "change", delete: "deletion", metadata: "change of mode", read: "reading" } as const;

function shown(path: string): string {
  return printable(path, 80);
}

/** The deepest path that all of these are or lie in; empty when there is none. */
function commonFolder(paths: readonly string[]): string {
  const split = paths.map((path) => path.split("/"));
  const first = split[0] ?? [];
  let length = first.length;
  for (const parts of split) {
    let same = 0;
    while (same < length && parts[same] === first[same]) same += 1;
    length = same;
  }
  return first.slice(0, length).join("/");
}
