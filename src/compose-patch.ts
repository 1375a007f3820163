// A session's changes as a patch with numbered hunks, and the hunks of one file for a person to pick from.

import { binaryPatch } from "./adapters/files/binary-patch.js";
import type { Preimages } from "./adapters/files/preimages.js";
import { parentOf } from "./core/action/index.js";
import type { Change } from "./core/reconcile/change.js";
import { fileDiff, renderPatch, type PatchInput, type RenderedPatch } from "./core/reconcile/index.js";
import { LIMITS } from "./core/shared/index.js";
import type { Workspace } from "./ports/workspace.js";

/** Where the two sides of a change are read. */
export interface PatchSources {
  readonly workspace: Workspace;
  /** What files held before they were taken over. */
  readonly kept: Preimages;
}

/** One hunk to choose or leave. */
export interface HunkView {
  readonly number: number;
  /** Its lines as in a patch, as text; bytes outside UTF-8 are replaced, for this is only to be looked at. */
  readonly lines: readonly string[];
  readonly added: number;
  readonly removed: number;
}

/** All changes as one patch that git takes. */
export async function reviewPatch(sources: PatchSources, changes: readonly Change[]): Promise<RenderedPatch> {
  // A new folder comes with what is in it, which is a change of its own.
  const filled = new Set(changes.flatMap(({ path, after }) => (after === null ? [] : [parentOf(path)])));
  const isFilled = ({ path, before, after }: Change): boolean => before === null && after?.kind === "directory" && filled.has(path);
  const parts: RenderedPatch[] = [];
  for (const change of changes) if (!isFilled(change)) parts.push(await patchOf(sources, change));
  return joined(parts);
}

/** The hunks of a changed file; none for one that is taken over as a whole only. */
export async function reviewHunks(sources: PatchSources, change: Change | undefined): Promise<readonly HunkView[]> {
  if (change === undefined || change.operation !== "modify") return [];
  const { before, after } = await sidesOf(sources, change);
  const diff = before === null || after === null ? null : fileDiff(before, after);
  return (diff?.hunks ?? []).map(({ number, lines }) => ({
    number,
    lines: lines.map((line) => Buffer.from(line, "latin1").toString("utf8")),
    added: lines.filter((line) => line.startsWith("+")).length,
    removed: lines.filter((line) => line.startsWith("-")).length,
  }));
}

/** One change as a patch. Bytes that are no text, and files too large for a diff by lines, are carried whole. */
async function patchOf(sources: PatchSources, change: Change): Promise<RenderedPatch> {
  const input = await sidesOf(sources, change);
  const lost = [change.before, change.after].some((entry, index) => entry?.kind === "file" && (index === 0 ? input.before : input.after) === null);
  if (lost) return { bytes: new Uint8Array(0), omitted: [{ path: change.path, reason: tooLarge(change) ? "too large for a patch" : "the folder's own file changed since the session" }] };
  const rendered = renderPatch([input], { numbered: true });
  const text = Buffer.from(rendered.bytes).toString("latin1");
  const mark = /^Binary files .* differ\n/mu.exec(text);
  if (mark === null || [change.before, change.after].some((side) => side?.kind === "symlink")) return rendered;
  return { bytes: Buffer.from(text.slice(0, mark.index) + binaryPatch(input.before, input.after), "latin1"), omitted: [] };
}

/** A change that the patch would only mention makes git refuse all of it: such a one is left out and named. */
function joined(parts: readonly RenderedPatch[]): RenderedPatch {
  const carried = parts.filter(({ bytes }) => !/^Binary files .* differ$/mu.test(Buffer.from(bytes.subarray(0, 16_384)).toString("latin1")));
  return { bytes: Buffer.concat(carried.map(({ bytes }) => bytes)), omitted: parts.flatMap(({ omitted }) => omitted) };
}

function tooLarge({ before, after }: Change): boolean {
  return [before, after].some((entry) => (entry?.bytes ?? 0) > LIMITS.compareBytes);
}

/** Both contents as they were recorded; null where there is none, or it is another one by now and was not kept. */
async function sidesOf({ workspace, kept }: PatchSources, change: Change): Promise<PatchInput> {
  const { path, before, after } = change;
  if (tooLarge(change)) return { change, before: null, after: null };
  const old = before?.kind === "file" ? await workspace.readBase(path, LIMITS.compareBytes).catch(() => null) : null;
  const isOld = old !== null && old.entry.digest === before?.digest;
  const stored = isOld || before?.kind !== "file" || before.digest === null ? null : await kept.load(before.digest);
  const next = after?.kind === "file" ? await workspace.readChanged(path, LIMITS.compareBytes) : null;
  return { change, before: isOld ? old.content : stored, after: next?.content ?? null };
}
