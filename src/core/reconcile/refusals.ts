// The kernel's refusals as programs print them. What a program prints is its own word: it is read for reports, never believed.

import { LIMITS } from "../shared/index.js";

/** Errors that a name which is held gives. */
export type KernelError = "EROFS" | "EBUSY" | "EACCES" | "EPERM" | "EXDEV" | "EISDIR" | "EEXIST" | "ENOENT";

export interface ReportedRefusal {
  readonly error: KernelError;
  /** Words of the line that may be names. */
  readonly words: readonly string[];
}

/**
 * The texts of the C libraries, without their first letter, which some languages write small; and the names themselves. `File
 * exists` counts only of an opening: what opens and meets that asked to make the file.
 */
const TEXTS: readonly (readonly [text: string, error: KernelError])[] = [
  ["ead-only file system", "EROFS"],
  ["esource busy", "EBUSY"],
  ["ermission denied", "EACCES"],
  ["peration not permitted", "EPERM"],
  ["ross-device link", "EXDEV"],
  ["s a directory", "EISDIR"],
  ["annot open: File exists", "EEXIST"],
  ["o such file or directory", "ENOENT"],
  ["EROFS", "EROFS"],
  ["EBUSY", "EBUSY"],
];

/** Longest line looked at, and most words of one, in characters and words. */
const LINE = 4_096;
const WORDS = 24;

/** Quoted as GNU, git, Python and Node quote. No form begins again inside itself, so that a line is read once. */
const QUOTED = /'([^']+)'|"([^"]+)"|‘([^‘’]+)’|`([^`']+)'/gu;
const AROUND = "()\"'`‘’,;:";

/** Reads at most `LIMITS.refusals` refusals out of one output. */
export function readRefusals(text: string): readonly ReportedRefusal[] {
  const known = TEXTS.filter(([words]) => text.includes(words));
  if (known.length === 0) return [];
  const found: ReportedRefusal[] = [];
  for (const line of text.split("\n")) {
    if (line.length > LINE) continue;
    const error = known.find(([words]) => line.includes(words))?.[1];
    if (error === undefined) continue;
    found.push({ error, words: wordsOf(line) });
    if (found.length >= LIMITS.refusals) break;
  }
  return found;
}

function wordsOf(line: string): readonly string[] {
  const words = new Set<string>();
  for (const match of line.matchAll(QUOTED)) words.add(match[1] ?? match[2] ?? match[3] ?? match[4] ?? "");
  // What stands between colons, which bash and many others do not quote.
  for (const piece of line.split(": ")) words.add(piece.trim());
  for (const word of line.split(/\s+/u)) words.add(bare(word));
  words.delete("");
  return [...words].slice(0, WORDS);
}

/** A word without what stands around it. */
function bare(word: string): string {
  let start = 0;
  let end = word.length;
  while (start < end && AROUND.includes(word.charAt(start))) start += 1;
  while (end > start && AROUND.includes(word.charAt(end - 1))) end -= 1;
  return word.slice(start, end);
}
