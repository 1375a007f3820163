// The sessions in examples/ and the page about the formats say what the codecs do.

import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { detectFormat, parseTrajectory, TOOL_NAMES, type Repository } from "../../../src/core/action/index.js";

const at = (path: string) => new URL(`../../../${path}`, import.meta.url);
const read = (path: string) => readFileSync(at(path), "utf8");

describe("an example session", () => {
  test.each([
    ["minimist", ["index.js", "package.json", "test/proto.js"], 24],
    ["qs", ["lib/parse.js", "lib/utils.js", "test/parse.js"], 15],
    ["shell-quote", ["index.js", "test/quote.js"], 11],
  ])("of %s is read without an error", (name, files, calls) => {
    const text = read(`examples/${name}/session.kimi-dev.jsonl`);
    const repository: Repository = { root: "/workspace", fileExists: (path) => files.includes(path) };
    const parsed = [...parseTrajectory(text, "kimi-dev", repository)];
    expect(parsed.filter((line) => !line.calls.ok)).toEqual([]);
    expect(parsed.flatMap((line) => (line.calls.ok ? line.calls.value : [])).length).toBe(calls);
    expect(detectFormat(text.split("\n"))).toBe("kimi-dev");
  });

  test("with malformed answers gives the code that each note names, and no call", () => {
    const text = read("examples/minimist/malformed.kimi-dev.jsonl");
    const repository: Repository = { root: "/workspace", fileExists: (path) => path === "index.js" };
    const codes = [...parseTrajectory(text, "kimi-dev", repository)].map(({ calls }) => (calls.ok ? calls.value : calls.error.code));
    expect(codes).toEqual(text.trim().split("\n").map((line) => /"note":"([A-Z_]+)/.exec(line)?.[1]));
  });
});

describe("the page about the formats", () => {
  const page = read("docs/agent-formats.md");

  test("lists every code of a refusal, and no other", () => {
    const root = "src/core/action";
    const sources = readdirSync(at(root), { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));
    const inSource = new Set(sources.flatMap((name) => [...read(`${root}/${name}`).matchAll(/"((?:KIMI|LINE|EDIT|VIEW|TRAJECTORY)_[A-Z_]+)"/g)].map(([, code]) => code)));
    const inTables = new Set([...page.matchAll(/^\| `([A-Z]+_[A-Z_]+)` \|/gm)].map(([, code]) => code));
    expect([...inTables].sort()).toEqual([...inSource].sort());
  });

  test("names every tool", () => {
    expect(TOOL_NAMES.filter((tool) => !page.includes(`\`${tool}\``))).toEqual([]);
  });
});
