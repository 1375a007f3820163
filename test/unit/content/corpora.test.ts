// The finders against sets that others made: floors and ceilings, so that a change which finds less or cries more is seen.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { findInstructions, findObfuscation, findSmuggled } from "../../../src/core/content/index.js";

const CORPORA = join(import.meta.dirname, "..", "..", "..", "..", "shared", "corpora");
const isThere = existsSync(join(CORPORA, "guarddog-samples"));
const rows = <T>(file: string): readonly T[] => readFileSync(join(CORPORA, file), "utf8").split("\n").filter((line) => line !== "").map((line) => JSON.parse(line) as T);

describe.skipIf(!isThere)(`the corpora (${isThere ? "present" : "absent: skipped"})`, () => {
  it("code that hides itself is found in samples of malware, and in none of their innocent twins", () => {
    const samples = rows<{ readonly label: string; readonly file: string; readonly content: string }>("guarddog-samples/samples.jsonl");
    const found = (label: (one: string) => boolean) => samples.filter((one) => label(one.label) && findObfuscation(one.content).length > 0).length;
    expect(found((label) => label === "risky")).toBeGreaterThanOrEqual(10);
    expect(found((label) => label !== "risky")).toBe(0);
  });

  it("real commands and workflows hold none of it", () => {
    const texts = [...rows<{ readonly command: string }>("swebench-mini-gemini/commands.jsonl").map((one) => one.command), ...rows<{ readonly content: string }>("zizmor-workflows/workflows.jsonl").map((one) => one.content)];
    for (const find of [findInstructions, findObfuscation, findSmuggled]) expect(texts.filter((text) => find(text).length > 0)).toEqual([]);
  });
});
