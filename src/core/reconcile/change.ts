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

/**
 * What stands in the way of an attempt. `read-only-mount`: a name of the user's shown read-only; `held-place`: a place kept before
 * anything is there; `mount-point`: a folder above one of these, which cannot be removed or renamed; `mask`: a name that is not
 * there for the agent; `read-only-root`: the container's own files, the kernel's and the guard's; `no-network`; `no-capability`: a
 * system call that the agent's user and the filter do not have; `process-boundary`: a process of another user.
 */
export type HeldBy = "read-only-mount" | "held-place" | "mount-point" | "mask" | "read-only-root" | "no-network" | "no-capability" | "process-boundary";

/**
 * Who tells of an attempt. `text`: the text of the call as it was judged, whether or not the program came so far. `program`: its own
 * output, which it may write as it likes: never more than a report.
 */
export type ToldBy = "text" | "program";

/** An attempt that left nothing to compare, and what held it. */
export interface Held {
  readonly by: HeldBy;
  /** What is held: a name of the workspace, an absolute path outside of it, an endpoint, a command. */
  readonly name: string;
  readonly told: readonly ToldBy[];
  /** The kernel's refusal as the program printed it (`EROFS`); left out when it printed none. */
  readonly error?: string;
  /** In the last of a list that was cut: how many further names were met. */
  readonly more?: number;
}

/** A change that policy does not allow, or that cannot be explained; an attempt at one, where `held` says what stood in its way. */
export interface Finding {
  /** Rule id, or `reconcile.*` for findings of the comparison itself. */
  readonly rule: string;
  readonly layer: MaestroLayer | null;
  readonly threats: readonly ThreatId[];
  readonly message: string;
  readonly path: string;
  /** `read` only of an attempt. */
  readonly operation: Change["operation"] | "read";
  /** Was the change undone and the undoing read back; of an output: was it not given as it was; of an attempt: true, nothing came of it; of a program: it was ended before its first instruction. */
  readonly reverted: boolean;
  readonly risk: RuleRisk | null;
  /** Left out for a change. `output`: what the call printed; `session`: what it came to; `path` is then empty. `attempt`: see `held`. `program`: one that really ran, or was about to. */
  readonly about?: "output" | "session" | "attempt" | "program";
  /** Of an attempt alone. */
  readonly held?: Held;
}
