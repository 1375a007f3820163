import { describe, expect, it } from "vitest";
import { compileGlob, globProblem, isOutside, subjectOf, takesWhole } from "../../../src/core/policy/match-path.js";
import type { FileEffect } from "../../../src/core/action/effects.js";
import { file } from "./support.js";

const places = { root: "/workspace", home: "/home/agent" };
const hits = (glob: string, path: string, more: Partial<FileEffect> = {}): boolean => compileGlob(glob, places).hits(subjectOf(file("delete", path, more)));
const looks = (glob: string, path: string): boolean => compileGlob(glob, places).hits(subjectOf(file("read", path, { certainty: "pattern" })));
const below = (glob: string, path: string): boolean => compileGlob(glob, places).hitsBelow(subjectOf(file("delete", path, { recursive: true })));
const covers = (glob: string, path: string, more: Partial<FileEffect> = {}): boolean => compileGlob(glob, places).covers(subjectOf(file("write", path, more)));

describe("a glob of a deny or ask rule", () => {
  it.each([
    ["./.git/hooks/**", "/workspace/.git/hooks/pre-commit"],
    ["./.git/hooks/**", "/workspace/.git/hooks"],
    ["./.git/hooks/**", "/workspace/.GIT/Hooks/x"],
    ["./.git/hooks/**", "/workspace/.g\u200bit/hooks/x"],
    ["**/.env", "/workspace/a/b/.env"],
    ["**/.env", "/workspace/\uff0e\uff25nv"],
    ["~/.ssh/**", "/home/agent/.ssh/id_rsa"],
    [".", "/workspace"],
    ["~", "/home/agent"],
    ["**", "/etc/passwd"],
    ["./**/{a,b}.py", "/workspace/x/b.py"],
    ["./café", "/workspace/cafe\u0301"],
  ])("%s names %s", (glob, path) => {
    expect(hits(glob, path)).toBe(true);
  });

  it.each([
    ["./.git/hooks/**", "/workspace/.git/config"],
    ["./.git/hooks/**", "/other/.git/hooks/x"],
    ["**/.env", "/workspace/.envrc"],
    ["./src/*", "/workspace/src/a/b"],
    ["./a[1].py", "/workspace/a2.py"],
  ])("%s does not name %s", (glob, path) => {
    expect(hits(glob, path)).toBe(false);
  });

  it.each([
    ["./.github/workflows/**", "/workspace"],
    ["./.github/workflows/**", "/workspace/.github"],
    ["**/.git/hooks/**", "/workspace/sub/.git"],
    ["./.github/workflows/**", "/"],
  ])("%s lies below the folder %s", (glob, path) => {
    expect(below(glob, path)).toBe(true);
  });

  it.each([
    ["**/.env", "/workspace/build"],
    ["./.github/workflows/**", "/workspace/src"],
    ["./**/secret/x", "/workspace/build"],
  ])("%s does not make the folder %s protected", (glob, path) => {
    expect(below(glob, path)).toBe(false);
  });

  it.each([
    ["./.git/hooks/**", "/workspace/.git/hooks/*"],
    ["./.git/config", "/workspace/.git/*"],
    ["**/*.yml", "/workspace/**/*.yml"],
    ["./.github/workflows/**", "/workspace/.github/*"],
    ["./.github/workflows/**", "/workspace/.g*/work?lows/ci.yml"],
    ["**/.env", "/workspace/.[e]nv"],
    ["./.git/config", "/workspace/.GIT/c*"],
  ])("%s meets the pattern %s of a change", (glob, pattern) => {
    expect(hits(glob, pattern, { certainty: "pattern" })).toBe(true);
  });

  it.each([
    ["./.git/config", "/workspace/*"],
    ["./Jenkinsfile", "/workspace/*"],
    ["**/.git/config", "/tmp/**"],
    ["./.git/hooks/**", "/workspace/**/*.pyc"],
    ["./a.js", "/workspace/*.py"],
  ])("%s does not meet the pattern %s of a change", (glob, pattern) => {
    expect(hits(glob, pattern, { certainty: "pattern" })).toBe(false);
  });

  it.each([
    ["**/.env.*", "/workspace/.env*", true],
    ["**/id_rsa", "/**/id_rsa", true],
    ["**/*.pem", "/workspace/**/*.pem", true],
    ["~/.ssh/**", "/home/agent/.ssh/*", true],
    ["**/id_rsa", "/workspace/**/*.py", false],
    ["**/.env", "/workspace/*", false],
    ["**/credentials.json", "/workspace/*.json", false],
    ["~/.ssh/**", "/**", false],
  ])("looking with a wildcard: %s against %s is %s", (glob, pattern, expected) => {
    expect(looks(glob, pattern)).toBe(expected);
  });

  it("keeps a root with glob characters literal", () => {
    const glob = compileGlob("./a", { root: "/w[1]*", home: "/home/agent" });
    expect([glob.hits(subjectOf(file("write", "/w[1]*/a"))), glob.hits(subjectOf(file("write", "/w1x/a")))]).toEqual([true, false]);
  });
});

describe("a glob of an allow rule", () => {
  it.each([
    ["./**", "/workspace/a/.b", {}],
    ["./**", "/workspace", { recursive: true }],
    ["./**/tests/**", "/workspace/a/tests", { recursive: true }],
    ["./**/tests/**", "/workspace/tests/unit", { recursive: true }],
    ["./**", "/workspace/src/*.py", { certainty: "pattern" }],
    ["/**", "/**", { certainty: "pattern", recursive: true }],
    ["./*", "/workspace/x*", { certainty: "pattern" }],
  ] as const)("%s covers %s", (glob, path, more) => {
    expect(covers(glob, path, more)).toBe(true);
  });

  it.each([
    ["./src/**", "/workspace/SRC/a", {}],
    ["./**/tests", "/workspace/tests", { recursive: true }],
    ["./**/*.py", "/workspace/tests.py", { recursive: true }],
    ["./src/**", "/workspace", { recursive: true }],
    ["./src/**", "/workspace/*/a", { certainty: "pattern" }],
    ["./**", "/**", { certainty: "pattern" }],
    ["./*.py", "/workspace/x*", { certainty: "pattern" }],
    ["./src", "/workspace/src", { recursive: true }],
  ] as const)("%s does not cover %s", (glob, path, more) => {
    expect(covers(glob, path, more)).toBe(false);
  });
});

describe("what a delete takes in", () => {
  const whole = (path: string, more: Partial<FileEffect>): boolean => takesWhole(subjectOf(file("delete", path, more)), compileGlob(".", places));

  it("is the whole folder for its tree, for all names in it, and for a search over it", () => {
    expect([whole("/workspace", { recursive: true }), whole("/workspace/*", { certainty: "pattern", recursive: true }), whole("/workspace/**", { certainty: "pattern" })]).toEqual([true, true, true]);
  });

  it("is not the whole folder for some names in it", () => {
    expect([whole("/workspace/*.pyc", { certainty: "pattern" }), whole("/workspace/build", { recursive: true }), whole("/workspace/build/*", { certainty: "pattern" })]).toEqual([false, false, false]);
  });

  it("is outside unless every name lies in the workspace, a temporary folder or the home folder", () => {
    const outside = (path: string, more: Partial<FileEffect> = {}): boolean => isOutside(subjectOf(file("delete", path, more)), places);
    expect([outside("/workspace/a"), outside("/tmp/a"), outside("/home/agent/a"), outside("/workspace2"), outside("/"), outside("/*/a", { certainty: "pattern" })]).toEqual([false, false, false, true, true, true]);
  });
});

describe("a glob that could not be enforced is refused", () => {
  it.each([
    ["", "is empty"],
    ["src/**", "no anchor"],
    ["./a/../b", "`.` or `..` inside"],
    ["./a/", "ends in a slash"],
    ["./a**b", "inside a name"],
    ["./[[:upper:]]x", "letter case"],
    ["./a[b", "unclosed"],
    ["./{a,b", "unclosed"],
    ["./{0..999}", "patterns or more"],
    ["./a\u200bb", "invisible"],
  ])("%s", (glob, message) => {
    expect(globProblem(glob)?.message).toContain(message);
  });
});
