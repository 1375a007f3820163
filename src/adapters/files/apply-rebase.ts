// What a selection means for the files as they are now: chosen hunks become content, and a file of which some hunks were
// taken before is still the session's to complete. Only looks; the plan checks everything again.

import type { Change, Entry } from "../../core/reconcile/change.js";
import { whyMoved, withHunks, type HunkChoice, type Selection, type Sides } from "../../core/reconcile/index.js";
import { GuardError, LIMITS, printable, type Digest } from "../../core/shared/index.js";
import type { Workspace } from "../../ports/workspace.js";
import { digestOf } from "./entry.js";
import type { Preimages } from "./preimages.js";
import { rawFromPath } from "./raw-path.js";
import { readBelow, type Content } from "./read-content.js";

export interface Rebased {
  readonly changes: readonly Change[];
  /** Content in place of the session's, by path. */
  readonly contents: ReadonlyMap<string, Uint8Array>;
  /** Why a path does not fit. */
  readonly reasons: ReadonlyMap<string, string>;
}

/** Files a look keeps in memory before it writes them to the store. */
const BATCH_BYTES = 4 * 1024 * 1024;

/**
 * The changes as they apply to the user's files now, the selected hunks instead of whole files. What text files held before
 * the session goes to the store on the way, so that later hunks of them can still be told. Throws USAGE_INVALID for a hunk
 * that there is not, APPLY_CONFLICT never: that is the plan's to say.
 */
export async function rebaseSelection(workspace: Workspace, changes: readonly Change[], selection: Selection, kept: Preimages): Promise<Rebased> {
  const chosen = new Map(selection.hunks.map((choice) => [choice.path, choice]));
  const whole = new Set(selection.paths);
  const contents = new Map<string, Uint8Array>();
  const reasons = new Map<string, string>();
  const keep = createKeeper(kept);
  const rebaseOne = async (change: Change): Promise<Change> => {
    const choice = chosen.get(change.path);
    if (choice !== undefined) checkWhole(change, choice);
    if ((choice === undefined && !whole.has(change.path)) || !isTextual(change)) return change;
    const now = lookAt(workspace.path, change.path);
    const isUnmoved = now?.entry.digest === change.before.digest;
    if (isUnmoved) keep(now.content);
    const part = change.operation === "modify" ? choice : undefined;
    if (isUnmoved && part === undefined) return change;
    const sides = now === null ? null : await sidesOf(workspace, change, now, kept);
    if (sides === null || now === null) return change;
    const why = whyMoved(sides);
    if (why !== null) reasons.set(change.path, why);
    if (part === undefined || why !== null) return why === null ? { ...change, before: now.entry } : change;
    const made = withHunks(sides, part.numbers);
    if (!made.ok) throw new GuardError("USAGE_INVALID", `\`${printable(change.path)}\`: ${made.error}`, { hint: "`ringfence diff` shows the hunks with their numbers" });
    contents.set(change.path, made.value);
    // The mode is the whole file's: hunks are content alone.
    return { ...change, before: now.entry, after: { ...now.entry, bytes: made.value.length, digest: digestOf(made.value) } };
  };
  const out: Change[] = [];
  for (const change of changes) out.push(await rebaseOne(change));
  keep(null);
  return { changes: out, contents, reasons };
}

/** Puts contents into the store in batches; null ends it. */
function createKeeper(kept: Preimages): (content: Uint8Array | null) => void {
  const waiting: Uint8Array[] = [];
  let bytes = 0;
  return (content) => {
    if (content !== null) waiting.push(content);
    bytes += content?.length ?? BATCH_BYTES;
    if (bytes < BATCH_BYTES) return;
    kept.keep(waiting.splice(0));
    bytes = 0;
  };
}

/** The file three times; null where one of them is not to be had, or it is as the session left it already. The plan tells which. */
async function sidesOf(workspace: Workspace, change: Textual, now: Content, kept: Preimages): Promise<Sides | null> {
  if (now.entry.kind !== "file" || change.after === null || now.entry.digest === change.after.digest) return null;
  const before = now.entry.digest === change.before.digest ? now.content : await kept.load(change.before.digest);
  const after = await workspace.readChanged(change.path, LIMITS.patchBytes);
  if (before === null || after === null || after.entry.digest !== change.after.digest) return null;
  return { before, after: after.content, now: now.content };
}

type Textual = Change & { readonly before: Entry & { readonly digest: Digest } };

/** A text file that was there before: the only kind whose content is needed again. */
function isTextual(change: Change): change is Textual {
  const { before, after } = change;
  if (before?.kind !== "file" || before.digest === null || before.bytes > LIMITS.patchBytes) return false;
  return after === null || (after.kind === "file" && after.digest !== null && after.bytes <= LIMITS.patchBytes);
}

/** A file that came or went has one hunk, which is all of it; what is no text has none. */
function checkWhole(change: Change, choice: HunkChoice): void {
  const kinds = [change.before?.kind ?? "file", change.after?.kind ?? "file"];
  const fail = (why: string): never => {
    throw new GuardError("USAGE_INVALID", `\`${printable(change.path)}\`: ${why}`, { hint: "name it with --path" });
  };
  if (kinds.some((kind) => kind !== "file")) fail("it has no hunks");
  if (change.operation === "metadata") fail("only its permissions changed");
  if (change.operation === "modify" && !isTextual(change)) fail("it is too large to be parted");
  if (change.operation !== "modify" && choice.numbers.some((number) => number !== 1)) fail("it has 1 hunk");
}

function lookAt(folder: string, path: string): Content | null {
  try {
    const found = readBelow(folder, rawFromPath(path), LIMITS.patchBytes);
    return found === "missing" || found === "whiteout" ? null : found;
  } catch {
    // Grown past the limit, or not readable: the plan looks again and says so.
    return null;
  }
}
