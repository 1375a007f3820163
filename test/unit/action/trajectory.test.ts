// Trajectory files line by line: our own form, strict JSON, numbers of lines, detection of the format.

import { describe, expect, test } from "vitest";
import { detectFormat, isTrajectoryFormat, parseJsonlLine, parseTrajectory, parseTrajectoryLine, type Repository } from "../../../src/core/action/index.js";
import { LIMITS } from "../../../src/core/shared/index.js";

const repository: Repository = { root: "/workspace", fileExists: () => true };
const CALL = '{"id":"1","role":"bugfixer","tool":"bash","arguments":{"command":"ls"}}';
const KIMI = '{"role":"bugfixer","stage":1,"content":"```\\nindex.js\\n```"}';

const codeOf = (text: string) => {
  const parsed = parseJsonlLine(text, 3);
  return parsed.ok ? parsed.value : parsed.error.code;
};

describe("a line of our own form", () => {
  test("is a call", () => {
    expect(parseJsonlLine(CALL, 1)).toEqual({ ok: true, value: { id: "1", role: "bugfixer", tool: "bash", arguments: { command: "ls" } } });
  });

  test("may leave out role and arguments, carry a note, and give the arguments as a text", () => {
    const bare = { ok: true, value: { id: "1", role: null, tool: "submit", arguments: {} } };
    expect(parseJsonlLine('{"id":"1","tool":"submit","note":"done"}\r', 1)).toEqual(bare);
    expect(parseJsonlLine('{"id":"1","role":null,"tool":"submit","arguments":"{}"}', 1)).toEqual(bare);
  });

  test("keeps keys such as `__proto__` as plain keys", () => {
    const parsed = parseJsonlLine('{"id":"1","tool":"t","arguments":{"__proto__":{"polluted":true},"constructor":1}}', 1);
    expect(parsed.ok && Object.keys(parsed.value.arguments)).toEqual(["__proto__", "constructor"]);
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });

  test.each([
    ["text", "ls -la", "LINE_NOT_JSON"],
    ["two objects", `${CALL}${CALL}`, "LINE_NOT_JSON"],
    ["a comment", `// ${CALL}`, "LINE_NOT_JSON"],
    ["a list", `[${CALL}]`, "LINE_NOT_OBJECT"],
    ["a key twice", '{"id":"1","tool":"bash","tool":"submit","arguments":{}}', "LINE_DUPLICATE_KEY"],
    ["a key twice, once escaped", '{"id":"1","tool":"bash","arguments":{"command":"ls","\\u0063ommand":"rm"}}', "LINE_DUPLICATE_KEY"],
    ["a key twice in a list", '{"id":"1","tool":"bash","arguments":{"x":[{"a":1,"a" : 2}]}}', "LINE_DUPLICATE_KEY"],
    ["a key twice in arguments given as text", '{"id":"1","tool":"bash","arguments":"{\\"a\\":1,\\"a\\":2}"}', "LINE_DUPLICATE_KEY"],
    ["arguments as text that is a list", '{"id":"1","tool":"bash","arguments":"[]"}', "LINE_NOT_OBJECT"],
    ["deep nesting", `{"id":"1","tool":"t","arguments":{"x":${"[".repeat(100)}${"]".repeat(100)}}}`, "LINE_TOO_DEEP"],
    ["very deep nesting", "[".repeat(1_000_000), "LINE_TOO_DEEP"],
    ["too many characters", `"${"x".repeat(LIMITS.callBytes)}"`, "LINE_TOO_LARGE"],
    ["no id", '{"tool":"bash","arguments":{}}', "LINE_FIELD"],
    ["an id that is a number", '{"id":1,"tool":"bash","arguments":{}}', "LINE_FIELD"],
    ["an id with a line feed", '{"id":"1\\n2","tool":"bash","arguments":{}}', "LINE_FIELD"],
    ["no tool", '{"id":"1","arguments":{}}', "LINE_FIELD"],
    ["a role that is a list", '{"id":"1","role":["bugfixer"],"tool":"bash","arguments":{}}', "LINE_FIELD"],
    ["arguments that are a list", '{"id":"1","tool":"bash","arguments":["ls"]}', "LINE_FIELD"],
    ["an unknown field", '{"id":"1","tool":"bash","arguments":{},"argument":{}}', "LINE_FIELD"],
    ["an inherited tool", '{"id":"1","__proto__":{"tool":"bash"}}', "LINE_FIELD"],
  ])("with %s is refused", (_name, text, code) => {
    expect(codeOf(text)).toBe(code);
  });

  test("takes quotes, brackets and colons inside texts as text", () => {
    const values = { command: `a "b": {[ \\" c \\\\`, [`k"\\: {`]: ":", b: "\\" };
    expect(parseJsonlLine(JSON.stringify({ id: "1", tool: "t", arguments: values }), 1)).toMatchObject({ ok: true, value: { arguments: values } });
  });

  test("that is wrong is named with its number, printable", () => {
    expect(parseJsonlLine('{"id":"1","tool":"t","\\u001b[2J":1}', 7)).toMatchObject({
      ok: false,
      error: { code: "LINE_FIELD", line: 7, message: "the field `\\x1b[2J` is not known", escape: false, answerLine: null, block: null },
    });
  });
});

describe("a trajectory", () => {
  test("gives its lines in order with their numbers; blank lines count; a bad line does not end it", () => {
    const lines = [...parseTrajectory(`${CALL}\n\n  \nnonsense\r\n${CALL}\r\n`, "jsonl", repository)];
    expect(lines.map(({ line, calls }) => [line, calls.ok ? calls.value.length : calls.error.code])).toEqual([[1, 1], [4, "LINE_NOT_JSON"], [5, 1]]);
  });

  test("is read line by line as it is asked for, so that the repository may change meanwhile", () => {
    const files = new Set<string>();
    const reader = parseTrajectory([KIMI, KIMI], "kimi-dev", { root: "/workspace", fileExists: (path) => files.has(path) });
    expect(reader.next().value).toMatchObject({ line: 1, calls: { ok: false } });
    files.add("index.js");
    expect(reader.next().value).toMatchObject({ line: 2, calls: { ok: true } });
  });

  test("of the Kimi-Dev form may mix answers and calls; our own form may not", () => {
    expect([...parseTrajectory([KIMI, CALL], "kimi-dev", repository)].map(({ calls }) => calls.ok)).toEqual([true, true]);
    expect([...parseTrajectory([KIMI, CALL], "jsonl", repository)].map(({ calls }) => calls.ok)).toEqual([false, true]);
  });

  test("ends at the limit of lines with an error", () => {
    const lines = [...parseTrajectory(`${CALL}\n`.repeat(LIMITS.trajectoryLines + 5), "jsonl", repository)];
    expect(lines.length).toBe(LIMITS.trajectoryLines + 1);
    expect(lines.at(-1)).toMatchObject({ calls: { ok: false, error: { code: "TRAJECTORY_TOO_LONG" } } });
  });

  test("has nothing for a blank line", () => {
    expect(parseTrajectoryLine(" \r", 1, "jsonl", repository)).toBeNull();
  });
});

describe("the format", () => {
  test.each([
    [[CALL], "jsonl"],
    [["", KIMI], "kimi-dev"],
    [[CALL, KIMI], "kimi-dev"],
    [['{"role":"harness","run":"npm test"}'], "kimi-dev"],
    [["nonsense", CALL], "jsonl"],
    [["nonsense", "[]", '{"a":1}'], null],
    [[], null],
  ])("of %j is %s", (lines, format) => {
    expect(detectFormat(lines)).toBe(format);
  });

  test("is one of two names", () => {
    expect(["jsonl", "kimi-dev", "JSONL", "constructor"].map(isTrajectoryFormat)).toEqual([true, true, false, false]);
  });
});
