// Totality: whatever the text, an answer within the limits, and past a limit an opaque one.

import { describe, expect, test } from "vitest";
import { LIMITS } from "../../../src/core/shared/index.js";
import { evaluateArgv, evaluateShell } from "../../../src/core/shell/index.js";
import { aContext, touches } from "./support.js";

const times = (piece: string, count: number) => piece.repeat(count);

describe("past a limit the answer is opaque", () => {
  test.each<[string, string]>([
    ["one million characters", times("rm x;", 200_000)],
    ["one character more than the limit", `: ${times("a", LIMITS.commandChars - 1)}`],
    ["ten thousand open substitutions", times("$(", 10_000)],
    ["ten thousand nested substitutions", times("$(a ", 10_000) + times(")", 10_000)],
    ["nesting just over the depth", times("$(a ", LIMITS.shellDepth + 2) + times(")", LIMITS.shellDepth + 2)],
    ["a thousand nested parameter expansions", times("${a:-", 1_000) + times("}", 1_000)],
    ["ten thousand open backquotes", times("`a ", 9_999)],
    ["ten thousand commands", times("a;", 10_000)],
    ["ten thousand pipes", `${times("a|", 10_000)}a`],
    ["loops within loops", `${times("for i in 1 2 3 4 5 6 7 8 9; do ", 8)}rm $i;${times("done;", 8)}`],
    ["evals within evals", `eval ${times("eval ", 100)} rm x`],
    ["wrappers within wrappers", `${times("env ", 100)}rm x`],
    ["more effects than the limit", `rm ${Array.from({ length: 7_000 }, (_, i) => `f${i}`).join(" ")}`],
    ["ten thousand here-documents", `cat ${times("<<E ", 9_000)}`],
    ["loops within loops whose bodies the parser gave up on", `${times("for i in 1 2; do ", 1_000)}ls${times("; done", 1_000)}`],
    ["a thousand arithmetic brackets", times("$[", 1_000)],
    ["more functions than the limit", Array.from({ length: 600 }, (_, i) => `f${i}() { :; };`).join("")],
    ["more patterns than the limit", `rm ${Array.from({ length: 400 }, (_, i) => `f${i}*`).join(" ")}`],
    ["a program name that no file can have", `${times("a", LIMITS.pathChars + 1)} x`],
    ["text that grows by doubling", `a=xxxxxxxxxx;${times("a=$a$a;", 40)}rm $a`],
    ["a NUL", "rm a\0b"],
    ["lines of which the shell does not parse the last", "rm x\nif"],
    ["an unclosed quote below a line that runs", "ls\nrm 'x"],
  ])("%s", (_, text) => {
    const { opaque, effects } = evaluateShell(text, aContext());
    expect(opaque).toBe(true);
    expect(effects.length).toBeLessThanOrEqual(LIMITS.effects);
    expect(effects.filter((effect) => effect.kind === "opaque-text")).toHaveLength(1);
  });

  test("the limits themselves are still inside", () => {
    expect(evaluateShell(`: ${times("a", LIMITS.commandChars - 2)}`, aContext()).opaque).toBe(false);
    expect(evaluateShell(times("$(a ", 20) + times(")", 20).replace(/^/, ""), aContext()).effects.some((effect) => effect.kind === "exec")).toBe(true);
    expect(evaluateShell(times("true;", 1_500), aContext()).opaque).toBe(false);
    expect(evaluateShell(`${times("true;", 60)} rm x`, aContext()).opaque).toBe(false);
  });

  test("what was read before an error is still told", () => {
    expect(touches("rm x\nif")).toEqual(["opaque", "delete /w/x"]);
  });

  test("the origin of an effect is cut short", () => {
    const [effect] = evaluateShell(`rm ${times("x", 3_000)}`, aContext()).effects;
    expect(effect?.from.length).toBeLessThanOrEqual(201);
  });

  test("argv has the same limits", () => {
    expect(evaluateArgv(["rm", times("x", LIMITS.commandChars)], aContext()).opaque).toBe(true);
    expect(evaluateArgv(["rm", "a\0b"], aContext()).opaque).toBe(true);
    expect(evaluateArgv(["env", ...Array.from({ length: 100 }, () => "env"), "rm", "x"], aContext()).opaque).toBe(true);
  });
});

describe("hostile names", () => {
  test("a variable named like an object's method is a variable", () => {
    expect(touches("constructor=rm; $constructor x; __proto__=rm; $__proto__ x")).toEqual(["delete /w/x"]);
    expect(touches("hasOwnProperty x")).toEqual(["code program hasOwnProperty"]);
  });

  test("a carriage return is part of the word, as bash has it", () => {
    expect(touches("rm\r x")).toEqual(["code program rm\r"]);
  });

  test("look-alike letters are other programs", () => {
    expect(touches("\u0433m x")).toEqual(["code program \u0433m"]);
    expect(touches("r\u200bm x")).toEqual(["code program r\u200bm"]);
  });

  test("path names that no file can have are opaque", () => {
    expect(touches(`rm ${times("a/", 3_000)}`)).toContain("opaque");
  });
});
