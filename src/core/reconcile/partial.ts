// What a file becomes when some of its hunks are taken over, given how it is now. A three-way comparison that is exact or
// refused: every line must be the one from before the session or the one the session left.

import { LIMITS, count, type Result } from "../shared/index.js";
import { hunksTaken, takeHunks, textDiff, type TextDiff } from "./hunks.js";
import { isBinary, toBytes, toText } from "./patch.js";

/** One file three times: before the session, as the session left it, and as it is in the user's folder now. */
export interface Sides {
  readonly before: Uint8Array;
  readonly after: Uint8Array;
  readonly now: Uint8Array;
}

/** The difference of a file by hunks; null where it is taken over as a whole only: bytes that are no text, or too many. */
export function fileDiff(before: Uint8Array, after: Uint8Array): TextDiff | null {
  if (before.length > LIMITS.patchBytes || after.length > LIMITS.patchBytes) return null;
  const [old, next] = [toText(before), toText(after)];
  return isBinary(old) || isBinary(next) ? null : textDiff(old, next);
}

/** The file with these hunks taken, besides those that are taken already. The error is the reason, for a person. */
export function withHunks(sides: Sides, numbers: readonly number[]): Result<Uint8Array, string> {
  const diff = fileDiff(sides.before, sides.after);
  if (diff === null) return { ok: false, error: "it is no text, or too large: take it over as a whole" };
  const unknown = numbers.find((number) => number > diff.hunks.length);
  if (unknown !== undefined) return { ok: false, error: `it has ${count(diff.hunks.length, "hunk")}, and none with the number ${unknown}` };
  const taken = takenIn(diff, sides.now);
  if (!taken.ok) return taken;
  const wanted = new Set(numbers);
  return { ok: true, value: toBytes(takeHunks(diff, (number) => wanted.has(number) || taken.value.has(number))) };
}

/** Why a file as it is now is not the file before the session with some of its hunks taken; null when it is. */
export function whyMoved(sides: Sides): string | null {
  if (isSame(sides.now, sides.before)) return null;
  const diff = fileDiff(sides.before, sides.after);
  if (diff === null) return "its content changed";
  const taken = takenIn(diff, sides.now);
  return taken.ok ? null : taken.error;
}

function takenIn(diff: TextDiff, now: Uint8Array): Result<ReadonlySet<number>, string> {
  if (now.length > LIMITS.patchBytes) return { ok: false, error: "its content changed" };
  const taken = hunksTaken(diff, toText(now));
  if (taken.ok) return taken;
  const { line } = taken.error;
  return { ok: false, error: line === 0 ? "it cannot be told which of its hunks are taken" : `line ${line} is neither as before the session nor as the session left it` };
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
