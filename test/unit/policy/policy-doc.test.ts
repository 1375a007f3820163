// The page for authors names every key that a policy file may have, and its example is a policy.

import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { checkCases, compilePolicy, policyJsonSchema } from "../../../src/core/policy/index.js";
import { formatIssue } from "../../../src/core/shared/index.js";
import { kimiDevPolicy } from "../../support/policy.js";
import { hash } from "./support.js";

const page = await readFile(new URL("../../../docs/policy.md", import.meta.url), "utf8");

function keysOf(schema: unknown, found: Set<string>): Set<string> {
  if (typeof schema !== "object" || schema === null) return found;
  for (const [key, value] of Object.entries(schema)) {
    if (key === "properties" && typeof value === "object" && value !== null) for (const name of Object.keys(value)) found.add(name);
    if (key === "enum" && Array.isArray(value)) for (const one of value) found.add(String(one));
    keysOf(value, found);
  }
  return found;
}

describe("docs/policy.md", () => {
  it("names every key and every choice of the schema", () => {
    const missing = [...keysOf(policyJsonSchema(), new Set())].filter((key) => !page.includes(`\`${key}\``) && !(/^L[1-7]$/.test(key) && page.includes("`L1` to `L7`")));
    expect(missing).toEqual([]);
  });

  it("shows policies that load with their examples, and cases that hold", async () => {
    const blocks = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => match[1] ?? "");
    const cases = blocks.find((block) => block.includes("cases:")) ?? "";
    const whole = blocks.filter((block) => block.includes("rules:")).map((block) => block.replace("extends: [kimi-dev]\n", ""));
    const parts = blocks.filter((block) => block.startsWith("  - id:")).map((block) => `version: 1\nid: part\ntitle: part\nrules:\n${block}`);
    expect([whole.length, parts.length]).toEqual([1, 1]);
    for (const text of [...whole, ...parts]) {
      const compiled = compilePolicy([{ name: "docs", text }], { hash });
      expect(compiled.ok ? [] : compiled.error.map(formatIssue)).toEqual([]);
    }
    expect(checkCases("docs", cases, await kimiDevPolicy())).toEqual({ cases: 2, failed: [] });
  });
});
