// What was really changed: differences between two looks at the workspace, and what is wrong with them.

import type { Digest, ThreatId } from "../shared/index.js";
import type { MaestroLayer, RuleRisk } from "../policy/decision.js";

export type FileKind = "file" | "directory" | "symlink" | "fifo" | "socket" | "device";

/** What is known of one name. */
export interface Entry {
  readonly kind: FileKind;
  /** Permission bits, without type; set-id bits are shown, never applied. */
  readonly mode: number;
  readonly bytes: number;
  /** Content digest of a regular file, target text digest of a link; null where too large or not a file. */
  readonly digest: Digest | null;
  /** Link target as text; null when not a link. */
  readonly target: string | null;
}

/** One name that differs. Path is relative to the workspace root, `/`-separated, bytes outside UTF-8 as `\xNN`. */
export interface Change {
  readonly path: string;
  readonly operation: "create" | "modify" | "delete" | "metadata";
  readonly before: Entry | null;
  readonly after: Entry | null;
}

/** A change that policy does not allow, or that cannot be explained. */
export interface Finding {
  /** Rule id, or `reconcile.*` for findings of the comparison itself. */
  readonly rule: string;
  readonly layer: MaestroLayer | null;
  readonly threats: readonly ThreatId[];
  readonly message: string;
  readonly path: string;
  readonly operation: Change["operation"];
  /** Was the change undone and the undoing read back; of an output: was it not given as it was. */
  readonly reverted: boolean;
  readonly risk: RuleRisk | null;
  /** Left out for a change. `output`: what the call printed; `session`: what it came to. `path` is then empty. */
  readonly about?: "output" | "session";
}
