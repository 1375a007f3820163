// What a step did to the workspace, and how the workspace stood after it, for looking at. Texts are redacted before they come here.

import type { Change } from "../reconcile/change.js";

/** One changed file of a call. */
export interface FileDiff {
  readonly path: string;
  readonly operation: Change["operation"];
  /** A unified diff; null where there is none to show, and then `why`. */
  readonly diff: string | null;
  readonly why: string | null;
}

export interface StepFiles {
  /** What the call changed, as far as it is shown. */
  readonly diffs: readonly FileDiff[];
  /** Changed names that are not shown. */
  readonly more: number;
  /** All that differed from the user's folder once the call had ended, sorted by path, as far as it is shown. */
  readonly workspace: readonly Pick<Change, "path" | "operation">[];
  /** Names of it that are not shown. */
  readonly rest: number;
}

/** Which line of a diff is what. */
export function diffLineKind(line: string): "add" | "delete" | "place" | "plain" {
  if (/^(?:\+\+\+|---) /u.test(line)) return "plain";
  if (line.startsWith("@@")) return "place";
  return line.startsWith("+") ? "add" : line.startsWith("-") ? "delete" : "plain";
}
