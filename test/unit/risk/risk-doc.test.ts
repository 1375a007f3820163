// docs/risk.md against the code: generated tables, and words that claim more than is known.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { docTables } from "./doc-tables.js";

const ROOT = join(import.meta.dirname, "../../..");
const PAGE = readFileSync(join(ROOT, "docs/risk.md"), "utf8");

function block(name: string): string | undefined {
  return new RegExp(`<!-- ${name} -->\n([\\s\\S]*?)\n<!-- end -->`).exec(PAGE)?.[1];
}

describe("docs/risk.md", () => {
  it.each([...docTables()])("has the %s that the code computes", (name, expected) => {
    expect(block(name)).toBe(expected);
  });

  it("has no generated block that nothing computes", () => {
    const names = [...PAGE.matchAll(/<!-- ([a-z-]+) -->/g)].map(([, name]) => name).filter((name) => name !== "end");
    expect(new Set(names)).toEqual(new Set(docTables().keys()));
    expect(names.length).toBe(docTables().size);
  });
});

describe("the live score's words", () => {
  it("claim no measurement behind asserted weights", () => {
    const folder = join(ROOT, "src/core/risk");
    const texts = [PAGE, ...readdirSync(folder).map((file) => readFileSync(join(folder, file), "utf8"))];
    expect(texts.filter((text) => /\b(?:calibrated|validated|normative|proven)\b/i.test(text))).toEqual([]);
  });
});
