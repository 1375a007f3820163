// The corpus itself; its forms are run by the soak suite `destructive`.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { destructiveForms } from "../../support/destructive.js";

const forms = destructiveForms();
const family = (letter: string, to: number): readonly string[] => Array.from({ length: to }, (_unused, index) => `${letter}${index + 1}`);

/** Ids between two marks of the page on security. */
function listed(name: string): readonly string[] {
  const page = readFileSync(join(import.meta.dirname, "../../../docs/security.md"), "utf8");
  const block = new RegExp(`<!-- ${name} -->([\\s\\S]*?)<!-- end -->`, "u").exec(page)?.[1] ?? "";
  return [...block.matchAll(/`([A-Z]\d\d)`/gu)].map(([, id = ""]) => id);
}

describe("the destructive corpus", () => {
  it("has at least a hundred forms, each with a name and a text of its own", () => {
    expect(forms.length).toBeGreaterThanOrEqual(100);
    expect(new Set(forms.map(({ id }) => id)).size).toBe(forms.length);
    expect(new Set(forms.map(({ text }) => text)).size).toBe(forms.length);
  });

  it("names of each form what must be found, but for those that docs/security.md lists", () => {
    expect(forms.filter(({ finds }) => finds !== "nothing" && !/^[a-z-]+ \S/u.test(finds)).map(({ id }) => id)).toEqual([]);
    expect(forms.filter(({ finds }) => finds !== "nothing").length).toBeGreaterThanOrEqual(100);
    expect(listed("silent")).toEqual(forms.filter(({ finds }) => finds === "nothing").map(({ id }) => id));
    expect(listed("reported")).toEqual(forms.filter(({ told }) => told === "program").map(({ id }) => id));
  });

  it("covers every family of commands and of files; F16, a rule that cannot be held, is an error at load and has tests of its own", () => {
    const wanted = [...family("X", 15), ...family("F", 17).filter((name) => name !== "F16")];
    const covered = new Set(forms.map((form) => form.family));
    expect(wanted.filter((name) => !covered.has(name))).toEqual([]);
    expect([...covered].filter((name) => !wanted.includes(name))).toEqual([]);
  });
});
