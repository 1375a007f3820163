// A session's changes as one patch in git's form, byte for byte applicable with `git apply` or `patch -p1`. Works on
// bytes, one character each, so that no encoding is guessed. Folders, special files and set-id bits never get into it.

import { LIMITS } from "../shared/index.js";
import type { Change, Entry } from "./change.js";
import { textDiff } from "./hunks.js";
import { encodeName } from "./names.js";
import { fileLineName, quotePath } from "./quote-path.js";

/** One change with its content. A side's bytes are null where there is none, or where it was too large to read. */
export interface PatchInput {
  readonly change: Change;
  readonly before: Uint8Array | null;
  readonly after: Uint8Array | null;
}

export interface RenderedPatch {
  readonly bytes: Uint8Array;
  /** Changes that the patch cannot carry, with the reason: `Binary files differ` lines, special files, folders by themselves. */
  readonly omitted: readonly { readonly path: string; readonly reason: string }[];
}

type Side = { readonly mode: string; readonly text: string | null };
type Piece = { readonly text: string; readonly omitted: string | null };

/** Renders changes in the given order. `numbered` writes each hunk's number where readers of patches expect a heading. */
export function renderPatch(inputs: readonly PatchInput[], options: { readonly numbered?: boolean } = {}): RenderedPatch {
  const omitted: { path: string; reason: string }[] = [];
  const chunks: Uint8Array[] = [];
  for (const input of inputs) {
    const piece = renderOne(input, options.numbered === true);
    if (piece.text !== "") chunks.push(toBytes(piece.text));
    if (piece.omitted !== null) omitted.push({ path: input.change.path, reason: piece.omitted });
  }
  return { bytes: concat(chunks), omitted };
}

function renderOne(input: PatchInput, numbered: boolean): Piece {
  const { path, before, after } = input.change;
  const special = [before, after].find((entry) => entry !== null && isSpecial(entry));
  if (special !== undefined && special !== null) return { text: "", omitted: `a ${special.kind} cannot be in a patch` };
  const old = sideOf(before, input.before);
  const next = sideOf(after, input.after);
  if (old === null && next === null) return { text: "", omitted: after === null || before !== null ? null : "an empty folder cannot be in a patch" };
  // A file that became a link, or the reverse, is two changes to git.
  if (old !== null && next !== null && old.mode.slice(0, 3) !== next.mode.slice(0, 3)) {
    const gone = renderSides(path, old, null, numbered);
    const come = renderSides(path, null, next, numbered);
    return { text: gone.text + come.text, omitted: gone.omitted ?? come.omitted };
  }
  return renderSides(path, old, next, numbered);
}

function isSpecial(entry: Entry): boolean {
  return entry.kind === "fifo" || entry.kind === "socket" || entry.kind === "device";
}

/** Null for nothing and for a folder, which git does not know. */
function sideOf(entry: Entry | null, content: Uint8Array | null): Side | null {
  if (entry === null || entry.kind === "directory") return null;
  if (entry.kind === "symlink") return { mode: "120000", text: toText(encodeName(entry.target ?? "")) };
  const text = content === null || content.length > LIMITS.patchBytes ? null : toText(content);
  return { mode: (entry.mode & 0o100) === 0 ? "100644" : "100755", text };
}

function renderSides(path: string, old: Side | null, next: Side | null, numbered: boolean): Piece {
  let head = `diff --git ${quotePath("a/", path)} ${quotePath("b/", path)}\n`;
  if (old === null && next !== null) head += `new file mode ${next.mode}\n`;
  else if (old !== null && next === null) head += `deleted file mode ${old.mode}\n`;
  else if (old !== null && next !== null && old.mode !== next.mode) head += `old mode ${old.mode}\nnew mode ${next.mode}\n`;
  const oldText = old === null ? "" : old.text;
  const nextText = next === null ? "" : next.text;
  const oldName = old === null ? "/dev/null" : fileLineName("a/", path);
  const nextName = next === null ? "/dev/null" : fileLineName("b/", path);
  if (oldText === null || nextText === null || isBinary(oldText) || isBinary(nextText)) {
    const reason = oldText === null || nextText === null ? "too large for a patch" : "binary";
    return { text: `${head}Binary files ${oldName.trimEnd()} and ${nextName.trimEnd()} differ\n`, omitted: reason };
  }
  if (oldText === nextText) {
    const same = old !== null && next !== null && old.mode === next.mode;
    return { text: same ? "" : head, omitted: same ? "only permission bits that git does not keep differ" : null };
  }
  return { text: `${head}--- ${oldName}\n+++ ${nextName}\n${hunks(oldText, nextText, numbered)}`, omitted: null };
}

/** Does a text hold what no reader of patches takes as a line. */
export function isBinary(text: string): boolean {
  return text.includes("\0");
}

function hunks(oldText: string, nextText: string, numbered: boolean): string {
  let out = "";
  for (const hunk of textDiff(oldText, nextText).hunks) {
    const heading = numbered ? ` hunk ${hunk.number}` : "";
    out += `@@ -${range(hunk.oldAt, hunk.oldCount)} +${range(hunk.nextAt, hunk.nextCount)} @@${heading}\n`;
    for (const line of hunk.lines) out += `${line}\n`;
  }
  return out;
}

/** Lines in a header count from 1; an empty range names the line before it. */
function range(at: number, count: number): string {
  const start = count === 0 ? at : at + 1;
  return count === 1 ? `${start}` : `${start},${count}`;
}

/** Bytes as text, one character each. */
export function toText(bytes: Uint8Array): string {
  const slice = 8_192;
  let out = "";
  for (let index = 0; index < bytes.length; index += slice) out += String.fromCharCode(...bytes.subarray(index, index + slice));
  return out;
}

/** The bytes of such a text. */
export function toBytes(text: string): Uint8Array {
  const out = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index += 1) out[index] = text.charCodeAt(index);
  return out;
}

function concat(chunks: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let offset = 0;
  for (const chunk of chunks) {
    out.set(chunk, offset);
    offset += chunk.length;
  }
  return out;
}
