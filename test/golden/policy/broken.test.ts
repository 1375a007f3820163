// Broken policy files and what is said of each: the place, the line, and what to do. errors.txt holds the answers, word for word.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { issueText } from "../../../src/compose-policy.js";
import { compilePolicy } from "../../../src/core/policy/index.js";
import type { Issue } from "../../../src/core/shared/index.js";
import { hash } from "../../unit/policy/support.js";

const FOLDER = import.meta.dirname;
const files = readdirSync(FOLDER).filter((name) => name.endsWith(".yaml")).sort();
const answers = new Map(readFileSync(join(FOLDER, "errors.txt"), "utf8").split(/^== /m).slice(1).map((part) => [part.slice(0, part.indexOf("\n")), part.slice(part.indexOf("\n") + 1).trimEnd()]));

function issuesOf(name: string, text: string): readonly Issue[] {
  const compiled = compilePolicy([{ name, text }], { hash, profiles: ["kimi-dev"] });
  return compiled.ok ? [] : compiled.error;
}

describe("a broken policy file", () => {
  it("is one of ten kinds or more", () => expect(files.length).toBeGreaterThanOrEqual(10));

  it.each(files)("%s is told with its place, its line and what to do", (name) => {
    const issues = issuesOf(name, readFileSync(join(FOLDER, name), "utf8"));
    expect(issues.length).toBeGreaterThan(0);
    expect(issues.filter((issue) => issue.at?.file !== name || issue.excerpt === undefined || issue.hint === undefined).map((issue) => issue.message)).toEqual([]);
    expect(issues.map(issueText).join("\n").trimEnd()).toBe(answers.get(name));
  });

  it("that only means to take long is refused, the small ones at once", () => {
    const bomb = `version: 1\nid: x\ntitle: x\na: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c,*c,*c]\nrules: []\n`;
    const deep = `version: 1\nid: x\ntitle: x\nrules: ${"[".repeat(5_000)}${"]".repeat(5_000)}\n`;
    const start = performance.now();
    for (const text of [bomb, deep]) expect(issuesOf("x.yaml", text).length).toBeGreaterThan(0);
    expect(performance.now() - start).toBeLessThan(5_000);
  });

  it("is not one that extends itself or its own descendant: files only add up", () => {
    const extending = (id: string, other: string): string => `version: 1\nid: ${id}\ntitle: x\nextends: [${other}]\nrules: []\n`;
    expect(compilePolicy([{ name: "a", text: extending("a", "b") }, { name: "b", text: extending("b", "a") }], { hash }).ok).toBe(true);
    expect(compilePolicy([{ name: "a", text: extending("a", "a") }], { hash }).ok).toBe(true);
  });
});
