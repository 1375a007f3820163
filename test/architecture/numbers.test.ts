// A number and its noun agree: what is counted in a text goes through `count`, so that nobody reads of `1 calls`.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const SRC = join(import.meta.dirname, "..", "..", "src");
const NOUNS = ["answers", "bytes", "calls", "changes", "characters", "events", "files", "findings", "folders", "hunks", "lines", "messages", "names", "paths", "places", "programs", "questions", "reasons", "records", "refusals", "results", "rules", "sessions", "spans"];
/** A value and one of the nouns behind it, where it is not a limit (many of them, always), nor said to be compared with one. */
const UNCOUNTED = new RegExp(String.raw`\$\{(?!count\()[^{}]*\} (?:more )?(?:${NOUNS.join("|")})\b`, "u");
const MANY = /(?:more|larger|longer|deeper) than |at most|are allowed|LIMITS\.|\b[A-Z]{2,}_[A-Z]+\b/u;

describe("texts", () => {
  it("count with the helper that knows one from several", () => {
    const sources = readdirSync(SRC, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".ts"));
    const lines = sources.flatMap((path) => readFileSync(join(SRC, path), "utf8").split("\n").map((text, at) => ({ text, at: `${path}:${at + 1}` })));
    expect(lines.length).toBeGreaterThan(10_000);
    expect(lines.filter(({ text }) => UNCOUNTED.test(text) && !MANY.test(text)).map(({ at }) => at)).toEqual([]);
  });
});
