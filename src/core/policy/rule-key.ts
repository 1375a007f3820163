// What a matcher asks for, in the form an index needs. Plain data; says nothing about whether it matches.

import type { FileOperation } from "../action/effects.js";
import type { PathGlob, Places } from "./match-path.js";

/** The program or variable that an effect must have for a matcher to match. */
export interface NameKey {
  readonly kind: "exec" | "runs-code" | "environment";
  /** Word globs; empty means any. */
  readonly names: readonly string[];
}

/** The files that an effect must be about. */
export interface FileKey {
  readonly kind: "file";
  readonly operations: readonly FileOperation[];
  /** Null means any path. */
  readonly paths: readonly PathGlob[] | null;
  /** A tree above a path counts too. */
  readonly trees: boolean;
  /** What a pattern can be is asked of `paths` alone. False where it is asked of a folder above or of what it covers. */
  readonly meets: boolean;
  readonly places: Places;
}

/** An index may use it or not: asking the matcher of every effect of its kind comes to the same. */
export type RuleKey = NameKey | FileKey | { readonly kind: "connect" | "opaque-text" | "content" };
