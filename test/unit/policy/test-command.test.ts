// What counts as a change of how tests are run: in package.json and pyproject.toml, whole or in pieces.

import { describe, expect, it } from "vitest";
import { changesTests } from "../../../src/core/policy/test-command.js";

const whole = (before: unknown, after: unknown) => changesTests("package.json", JSON.stringify(before), JSON.stringify(after), "whole");
const piece = (before: string, after: string) => changesTests("a/package.json", before, after, "part");
const toml = (before: string, after: string) => changesTests("pyproject.toml", before, after, "whole");

describe("a whole package.json", () => {
  const base = { name: "a", version: "1.0.0", scripts: { test: "npm run lint && run-s check:*", lint: "eslint .", "check:a": "tape a", build: "tsc" } };
  const scripts = (more: Readonly<Record<string, unknown>>) => ({ ...base, scripts: { ...base.scripts, ...more } });

  it("changes the tests with the test script, what runs before and after it, and what it names at any depth", () => {
    expect(whole(base, scripts({ test: "true" }))).toBe(true);
    expect(whole(base, scripts({ pretest: "x" }))).toBe(true);
    expect(whole(base, scripts({ "test:unit": "x" }))).toBe(true);
    expect(whole(base, scripts({ lint: "true" }))).toBe(true);
    expect(whole(base, scripts({ prelint: "x" }))).toBe(true);
    expect(whole(base, scripts({ "check:a": "true" }))).toBe(true);
    expect(whole(base, { ...base, scripts: undefined })).toBe(true);
    expect(whole(base, { ...base, scripts: [] })).toBe(true);
  });

  it("changes the tests with a runner's settings", () => {
    for (const key of ["jest", "mocha", "ava", "tap", "c8", "nyc"]) expect([key, whole(base, { ...base, [key]: {} })]).toEqual([key, true]);
    expect(whole({ ...base, nyc: { lines: 90 } }, { ...base, nyc: { lines: 1 } })).toBe(true);
  });

  it("does not change them with a version, a dependency or a script that no test names", () => {
    expect(whole(base, { ...base, version: "1.0.1" })).toBe(false);
    expect(whole(base, { ...base, dependencies: { b: "1" } })).toBe(false);
    expect(whole(base, scripts({ build: "tsc -b" }))).toBe(false);
    expect(whole({ name: "a" }, { name: "b" })).toBe(false);
  });

  it("changes them when it comes, goes or cannot be read", () => {
    const text = JSON.stringify(base);
    expect(changesTests("package.json", "", text, "whole")).toBe(true);
    expect(changesTests("package.json", text, "", "whole")).toBe(true);
    expect(changesTests("package.json", '{"name":"a"}', "", "whole")).toBe(false);
    expect(changesTests("package.json", text, "{", "whole")).toBe(true);
    expect(changesTests("package.json", text, "[]", "whole")).toBe(true);
    expect(changesTests("package.json", text, `\ufeff${text}`, "whole")).toBe(false);
    expect(changesTests("package.json", "", "", "unreadable")).toBe(true);
  });

  it("is read as npm reads it: of a key given twice the last one counts, and names of objects' own kind are plain names", () => {
    expect(changesTests("package.json", '{"scripts":{"test":"tape"}}', '{"scripts":{"test":"tape"},"scripts":{"test":"true"}}', "whole")).toBe(true);
    expect(changesTests("package.json", '{"scripts":{"test":"constructor __proto__"}}', '{"scripts":{"test":"constructor __proto__","__proto__":"true"}}', "whole")).toBe(true);
  });

  it("is compared in a moment with very many scripts, and with names in a ring", () => {
    const many = Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`s${index}`, `npm run s${index + 1}`]));
    expect(whole({ scripts: { ...many, test: "npm run s0" } }, { scripts: { ...many, test: "npm run s0", s19999: "x" } })).toBe(true);
    expect(whole({ scripts: { test: "npm run a", a: "npm run test" } }, { scripts: { test: "npm run a", a: "npm run test" } })).toBe(false);
  });

  it("is not any other file", () => {
    expect(changesTests("package-lock.json", "", '{"scripts":{"test":"x"}}', "whole")).toBe(false);
    expect(changesTests("xpackage.json", "", '{"scripts":{"test":"x"}}', "unreadable")).toBe(false);
  });
});

describe("a piece of a package.json", () => {
  it("changes the tests when it shows a deciding key with another value", () => {
    expect(piece('"test": "tape test/*.js"', '"test": "true"')).toBe(true);
    expect(piece('"version": "1"', '"version": "1",\n"posttest": "true"')).toBe(true);
    expect(piece("", '"\\u0074est" : "true"')).toBe(true);
    expect(piece('"test": "tape"', "")).toBe(true);
    expect(piece("{}", '{ "jest": { "bail": 0 } }')).toBe(true);
  });

  it("does not when the deciding keys in it stay as they are", () => {
    expect(piece('"version": "1",\n"test": "tape"', '"version": "2",\n"test": "tape"')).toBe(false);
    expect(piece("tape", "true")).toBe(false);
  });
});

describe("a pyproject.toml", () => {
  const base = '[project]\nname = "a"\nversion = "1"\n\n[tool.pytest.ini_options]\naddopts = "-q"\ntestpaths = [\n  "tests",\n]\n\n[tool.black]\nline-length = 99\n';

  it("changes the tests with the tables and keys of runners and coverage", () => {
    expect(toml(base, base.replace('"-q"', '"--co"'))).toBe(true);
    expect(toml(base, base.replace('"tests"', '"none"'))).toBe(true);
    expect(toml(base, `${base}[tool.coverage.report]\nfail_under = 0\n`)).toBe(true);
    expect(toml(base, `tool.pytest.ini_options.addopts = "x"\n${base}`)).toBe(true);
    expect(toml(base, `[tool]\npytest = { ini_options = {} }\n${base}`)).toBe(true);
    expect(toml(base, "")).toBe(true);
  });

  it("does not with other tables", () => {
    expect(toml(base, base.replace('"1"', '"2"').replace("99", "80"))).toBe(false);
    expect(toml(base, base.replace("\n", "\r\n"))).toBe(false);
  });

  it("is not led astray by what looks like a table inside a value", () => {
    const hidden = (value: string) => `[tool.pytest.ini_options]\nx = ${value}\naddopts = "-q"\n`;
    for (const value of ['"""\n[tool.black]\n"""', "'''\n[tool.black]\n'''", "[\n[tool.black],\n]", '"""\n\\"""\n[tool.black]\n"""']) {
      expect([value, toml(hidden(value), hidden(value).replace("-q", "--co"))]).toEqual([value, true]);
    }
  });
});
