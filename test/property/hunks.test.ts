// Laws of taking a text over hunk by hunk, over arbitrary texts: nothing but the chosen hunks changes, in any order, and what
// was taken can be told again from the text alone.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hunksTaken, takeHunks, textDiff } from "../../src/core/reconcile/hunks.js";
import { whyMoved, withHunks } from "../../src/core/reconcile/partial.js";

const bytes = (text: string): Uint8Array => Buffer.from(text, "latin1");
const text = (content: Uint8Array): string => Buffer.from(content).toString("latin1");

/** Few different lines, so that hunks look alike; any of the awkward ends. */
const line = fc.constantFrom("a", "b", "", "}", "x\r", "\xff\xfe", "--- a/x", "@@ -1 +1 @@", "\\ No newline at end of file");
const lines = fc.array(line, { maxLength: 60 });
const ended = fc.tuple(lines, fc.boolean()).map(([all, isEnded]) => all.join("\n") + (isEnded && all.length > 0 ? "\n" : ""));
/** A text and what some edits of its lines make of it, so that there are several hunks with common lines between. */
const edited = fc
  .tuple(fc.array(line, { minLength: 1, maxLength: 80 }), fc.array(fc.tuple(fc.nat(80), fc.constantFrom("delete", "insert", "replace"), fc.nat(9)), { maxLength: 8 }), fc.boolean(), fc.boolean())
  .map(([all, edits, oldEnd, nextEnd]) => {
    const numbered = all.map((each, index) => `${each} ${Math.floor(index / 3)}`);
    const next = [...numbered];
    for (const [at, kind, what] of edits) next.splice(at % (next.length + 1), kind === "insert" ? 0 : 1, ...(kind === "delete" ? [] : [`new ${what}`]));
    return [numbered.join("\n") + (oldEnd ? "\n" : ""), next.join("\n") + (nextEnd ? "\n" : "")] as const;
  });
const pair = fc.oneof(edited, fc.tuple(ended, ended));

describe("hunks", () => {
  it("all of them give the next text and none the old one", () => {
    fc.assert(
      fc.property(pair, ([old, next]) => {
        const diff = textDiff(old, next);
        expect(takeHunks(diff, () => true)).toBe(next);
        expect(takeHunks(diff, () => false)).toBe(old);
        expect(diff.hunks.map(({ number }) => number)).toEqual(diff.hunks.map((_, index) => index + 1));
      }),
      { numRuns: 400 },
    );
  });

  it("what is taken can be told from the text, or is refused: never told wrong", () => {
    fc.assert(
      fc.property(pair, fc.array(fc.boolean(), { maxLength: 12 }), ([old, next], picks) => {
        const diff = textDiff(old, next);
        const chosen = new Set(diff.hunks.filter((_, index) => picks[index] === true).map(({ number }) => number));
        const some = takeHunks(diff, (number) => chosen.has(number));
        const told = hunksTaken(diff, some);
        if (told.ok) expect([...told.value].sort()).toEqual([...chosen].sort());
        else expect(told.error.line).toBe(0);
      }),
      { numRuns: 400 },
    );
  });

  it("taken one at a time, in any order, they give the next text", () => {
    fc.assert(
      fc.property(edited, fc.infiniteStream(fc.nat()), ([old, next], chance) => {
        const sides = { before: bytes(old), after: bytes(next) };
        const left = textDiff(old, next).hunks.map(({ number }) => number);
        let now = old;
        while (left.length > 0) {
          const [number = 0] = left.splice((chance.next().value ?? 0) % left.length, 1);
          const made = withHunks({ ...sides, now: bytes(now) }, [number]);
          if (!made.ok) return;
          now = text(made.value);
        }
        expect(now).toBe(next);
      }),
      { numRuns: 200 },
    );
  });

  it("a line of somebody else is refused and named", () => {
    fc.assert(
      fc.property(edited, fc.nat(90), ([old, next], at) => {
        const now = old.split("\n");
        const index = at % now.length;
        now[index] = `${now[index]} and the user's own`;
        const why = whyMoved({ before: bytes(old), after: bytes(next), now: bytes(now.join("\n")) });
        if (old !== next) expect(why).toMatch(/^line \d+ is neither/);
      }),
      { numRuns: 200 },
    );
  });
});
