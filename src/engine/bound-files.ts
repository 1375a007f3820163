// The files whose content an approval is bound to: what a command would run, as it lies in the workspace while nobody can change it.

import type { Action } from "../core/action/action.js";
import { filesRun, isInside } from "../core/action/index.js";
import { LIMITS, printable, printableBlock, type Digest } from "../core/shared/index.js";
import { within } from "./deadline.js";
import type { LiveSession } from "./live.js";
import { inWorkspace } from "./perform.js";

/** One file that a command would run. */
export interface BoundFile {
  /** Absolute, inside. */
  readonly path: string;
  /** Of its content; null where there is no regular file of the workspace at that name: then `state` says what there is. */
  readonly digest: Digest | null;
  readonly state: "file" | "missing" | "link" | "not-a-file" | "refused" | "outside";
  /** Its text for a person to read, secrets taken out; null where it is long, no text, or not there. */
  readonly text: string | null;
}

/** Longest text shown with a question, in bytes. */
const SHOWN_BYTES = 16 * 1024;

/**
 * The files that an action would run. A text instead says why no approval can be bound to them. Only what lies in the workspace
 * can change between two calls, through the user's own folder; the rest of the sandbox is its own and nobody is in it.
 */
export async function boundFiles(live: LiveSession, action: Action): Promise<readonly BoundFile[] | string> {
  if (action.kind !== "command" && action.kind !== "process") return [];
  const paths = filesRun(action.effects, action.cwd);
  if (paths.length > LIMITS.boundFiles) return `it runs more than ${LIMITS.boundFiles} files`;
  const found: BoundFile[] = [];
  for (const path of paths) {
    const file = await look(live, path);
    if (file === null) return `\`${printable(path)}\` is too large to approve`;
    found.push(file);
  }
  return found;
}

/** What is different now, in words; null when nothing is. */
export function changedSince(before: readonly BoundFile[], now: readonly BoundFile[] | string): string | null {
  if (typeof now === "string") return now;
  const known = new Map(now.map((file) => [file.path, file]));
  const changed = before.find((file) => known.get(file.path)?.digest !== file.digest || known.get(file.path)?.state !== file.state);
  if (changed !== undefined) return `\`${printable(changed.path)}\` was changed after it was shown`;
  return now.length === before.length ? null : "it runs other files now";
}

async function look(live: LiveSession, path: string): Promise<BoundFile | null> {
  const { root } = live.options.defaults;
  if (!isInside(path, root)) return { path, digest: null, state: "outside", text: null };
  const { filesMs, graceMs } = live.deadlines;
  const work = live.sandbox.readFile(inWorkspace(root, path), LIMITS.boundFileBytes, AbortSignal.timeout(filesMs));
  const read = await within(work, filesMs + graceMs, "looking at a file that a command runs");
  if (!read.ok) return read.reason === "too-large" ? null : { path, digest: null, state: read.reason, text: null };
  return { path, digest: live.deps.hasher(read.content), state: "file", text: read.content.byteLength <= SHOWN_BYTES ? shown(live, read.content) : null };
}

function shown(live: LiveSession, content: Uint8Array): string | null {
  try {
    return printableBlock(live.deps.redactor.text(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(content)));
  } catch {
    return null;
  }
}
