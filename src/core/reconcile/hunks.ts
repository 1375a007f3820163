// The difference between two texts as numbered hunks, and the text that some of them make. Works on bytes, one character
// each: what is not taken stays byte for byte as it was. The numbers are those `diff` shows.

import { structuredPatch } from "diff";
import { LIMITS, type Result } from "../shared/index.js";

/** Lines `[oldAt, oldAt + oldCount)` of the old text become lines `[nextAt, nextAt + nextCount)` of the next. From 0. */
export interface Hunk {
  /** From 1, in the order of the text. */
  readonly number: number;
  readonly oldAt: number;
  readonly oldCount: number;
  readonly nextAt: number;
  readonly nextCount: number;
  /** As in a patch, each with its mark before it and without a line end. */
  readonly lines: readonly string[];
}

/** Lines keep their ends; the last has none where the text has none. */
export interface TextDiff {
  readonly old: readonly string[];
  readonly next: readonly string[];
  readonly hunks: readonly Hunk[];
}

/** Lines around a change that a hunk shows. */
const CONTEXT = 3;
const NO_NEWLINE = "\\ No newline at end of file";
/** Ways of reading a text that are followed at once; a text with more is not told. */
const MOST_READINGS = 64;

/** The hunks from one text to another; one of all lines where a text is empty or the difference is too costly to find. */
export function textDiff(oldText: string, nextText: string): TextDiff {
  const old = splitLines(oldText);
  const next = splitLines(nextText);
  if (oldText === nextText) return { old, next, hunks: [] };
  if (old.length === 0 || next.length === 0) return { old, next, hunks: [wholeHunk(old, next)] };
  const patch = structuredPatch("", "", oldText, nextText, "", "", { context: CONTEXT, maxEditLength: LIMITS.patchEdits });
  if (patch === undefined) return { old, next, hunks: [wholeHunk(old, next)] };
  const hunks = patch.hunks.map((hunk, index) => ({ number: index + 1, oldAt: hunk.oldStart - 1, oldCount: hunk.oldLines, nextAt: hunk.newStart - 1, nextCount: hunk.newLines, lines: hunk.lines }));
  return { old, next, hunks };
}

/** The old text with the chosen hunks taken: all of them give the next text, none the old one. */
export function takeHunks(diff: TextDiff, chosen: (number: number) => boolean): string {
  const out: string[] = [];
  let at = 0;
  for (const hunk of diff.hunks) {
    const lines = chosen(hunk.number) ? diff.next.slice(hunk.nextAt, hunk.nextAt + hunk.nextCount) : diff.old.slice(hunk.oldAt, hunk.oldAt + hunk.oldCount);
    out.push(diff.old.slice(at, hunk.oldAt).join(""), lines.join(""));
    at = hunk.oldAt + hunk.oldCount;
  }
  return out.join("") + diff.old.slice(at).join("");
}

/** One way to read a text as the old one with some hunks taken. */
interface Reading {
  readonly taken: readonly number[];
  /** Another choice of hunks gives the same lines. */
  readonly twofold: boolean;
}

/**
 * Which hunks are taken in a text that is the old one but for them. Exact or not at all: a text that differs anywhere else
 * is refused with the first line, from 1, that is neither the old text's nor the next one's; one that several choices give, with 0.
 */
export function hunksTaken(diff: TextDiff, text: string): Result<ReadonlySet<number>, { readonly line: number }> {
  const lines = splitLines(text);
  let readings = new Map<number, Reading>([[0, { taken: [], twofold: false }]]);
  let reached = 0;
  let at = 0;
  const fits = (offset: number, from: readonly string[], start: number, count: number): boolean => {
    for (let index = 0; index < count; index += 1) {
      if (lines[offset + index] !== from[start + index]) {
        reached = Math.max(reached, offset + index);
        return false;
      }
    }
    return true;
  };
  for (const hunk of diff.hunks) {
    const after = new Map<number, Reading>();
    const add = (offset: number, reading: Reading): void => {
      after.set(offset, after.has(offset) ? { ...reading, twofold: true } : reading);
    };
    const gap = hunk.oldAt - at;
    for (const [offset, reading] of readings) {
      if (!fits(offset, diff.old, at, gap)) continue;
      if (fits(offset + gap, diff.old, hunk.oldAt, hunk.oldCount)) add(offset + gap + hunk.oldCount, reading);
      if (fits(offset + gap, diff.next, hunk.nextAt, hunk.nextCount)) add(offset + gap + hunk.nextCount, { ...reading, taken: [...reading.taken, hunk.number] });
    }
    if (after.size > MOST_READINGS) return { ok: false, error: { line: 0 } };
    readings = after;
    at = hunk.oldAt + hunk.oldCount;
  }
  const rest = diff.old.length - at;
  const whole = [...readings].filter(([offset]) => fits(offset, diff.old, at, rest) && offset + rest === lines.length).map(([, reading]) => reading);
  const [only, second] = whole;
  if (only === undefined) return { ok: false, error: { line: Math.min(reached, lines.length) + 1 } };
  return second !== undefined || only.twofold ? { ok: false, error: { line: 0 } } : { ok: true, value: new Set(only.taken) };
}

/** Lines with their ends. */
function splitLines(text: string): readonly string[] {
  const lines = text.split("\n");
  const last = lines.pop() ?? "";
  const ended = lines.map((line) => `${line}\n`);
  return last === "" ? ended : [...ended, last];
}

/** Everything old goes, everything new comes. */
function wholeHunk(old: readonly string[], next: readonly string[]): Hunk {
  return { number: 1, oldAt: 0, oldCount: old.length, nextAt: 0, nextCount: next.length, lines: [...marked("-", old), ...marked("+", next)] };
}

function marked(mark: string, lines: readonly string[]): readonly string[] {
  return lines.flatMap((line) => (line.endsWith("\n") ? [`${mark}${line.slice(0, -1)}`] : [`${mark}${line}`, NO_NEWLINE]));
}
