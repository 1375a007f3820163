// What a trace shows, held against what was told of a line: whose connection it is counts, as far as the trace tells.

import { describe, expect, it } from "vitest";
import { evaluateShell } from "../../../src/core/shell/index.js";
import { compare } from "../../support/trace/compare.js";

const told = (text: string) => ({ ...evaluateShell(text, { cwd: "/w", home: "/home/agent", root: "/w", environment: {}, environmentIsWhole: true }), root: "/w" });
const speaks = (...by: readonly string[]) => [{ kind: "connect" as const, to: "10.0.0.53", by: [...by] }];
const CURL = told("curl https://example.org/x");

describe("a connection in a trace", () => {
  it("is told where the program that was told makes it", () => {
    expect(compare(CURL, speaks("bash", "curl")).missed).toEqual([]);
  });

  it("is missed where another program makes it, or none was told", () => {
    expect(compare(CURL, speaks("bash", "nc")).missed).toEqual(["nc connects to 10.0.0.53"]);
    expect(compare(told("ls"), speaks("bash", "ls")).missed).toEqual(["ls connects to 10.0.0.53"]);
  });

  it("of a child whose making the trace does not hold any more may be that of a program that was told, but of no other line", () => {
    expect(compare(CURL, speaks()).missed).toEqual([]);
    expect(compare(told("ls"), speaks()).missed).toEqual([" connects to 10.0.0.53"]);
  });
});
