// What an agent's own program puts around the output of a command, in each format's own words, is no output.

import { describe, expect, it } from "vitest";
import { printedOutput, shownOutput, type ImportFormat } from "../../../src/core/import/index.js";

const cases: readonly (readonly [ImportFormat, string, string | null])[] = [
  ["codex", "Exit code: 0\nWall time: 0.1 seconds\nOutput:\none\ntwo\n", "one\ntwo\n"],
  ["codex", "Exit code: 1\nWall time: 3 seconds\nTotal output lines: 2\nOutput:\nOutput:\nx", "Output:\nx"],
  ["codex", "Chunk ID: 1a2b3c\nWall time: 0.0510 seconds\nProcess exited with code 0\nOriginal token count: 5\nOutput:\none\n", "one\n"],
  ["codex", "Chunk ID: 1a2b3c\nWall time: 1.0 seconds\nProcess running with session ID 7\nOutput:\nfirst part", null],
  ["codex", "one\nOutput:\n", "one\nOutput:\n"],
  ["gemini-cli", "Command: ls\nDirectory: (root)\nOutput: a\nb\nError: (none)\nExit Code: 0\nSignal: 0\nBackground PIDs: (none)\nProcess Group PGID: 80859", "a\nb"],
  ["gemini-cli", "Command: ls\nDirectory: (root)\nStdout: a\nb\nStderr: warn\nError: (none)\nExit Code: 2\nSignal: (none)\nBackground PIDs: (none)\nProcess Group PGID: 5", "a\nb\nwarn"],
  ["gemini-cli", "Output: (empty)\nProcess Group PGID: 20496", ""],
  ["gemini-cli", "Command: cat a.txt\nExit Code: 3", null],
  ["gemini-cli", "a\nb", "a\nb"],
  ["claude-code", "Exit code 2\nls: no such file", "ls: no such file"],
  ["claude-code", "Error: Exit code 1", ""],
  ["claude-code", "a\nShell cwd was reset to /home/u/p", "a"],
  ["claude-code", "(Bash completed with no output)", ""],
  ["openhands", "\r\nroot@bcd3959393a1:/workspace # ", "\r"],
  ["openhands", "a\n[Python Interpreter: /usr/bin/python]\nroot@b365937733b2:/workspace # \n[Command -1 finished with exit code 0]", "a"],
  ["chat", "Hello\n[The command completed with exit code 0.]\n[Current working directory: /a b]\n[Python interpreter: /x/.venv/bin/python]\n[Command finished with exit code 0]", "Hello"],
  ["chat", "[INFO] ok\n[x]", "[INFO] ok\n[x]"],
  ["swe-agent", "Your command ran successfully and did not produce any output.\n(Open file: n/a)\n(Current directory: /repo)\nbash-$", ""],
  ["swe-agent", "a\n(Open file: n/a)\n(Current directory: /repo)\nbash-$\n\n", "a"],
  ["swe-agent", "8.2\n", "8.2\n"],
  ["kimi-wire", "Command executed successfully.", ""],
  ["kimi-wire", "Command failed with exit code: 1.", ""],
  ["mini-swe-agent", "Exit code 2\nx", "Exit code 2\nx"],
  ["atif", "Exit code: 0\nWall time: 1 s\nOutput:\nx", "Exit code: 0\nWall time: 1 s\nOutput:\nx"],
];

describe("the output of a command in the words of another tool", () => {
  it.each(cases)("%s: %j", (format, claimed, printed) => {
    expect(printedOutput(format, claimed)).toBe(printed);
  });

  it("takes time in proportion to its length", () => {
    const long = `${"[Command finished with exit code 0]\n".repeat(20_000)}${"Command: \nOutput: ".repeat(20_000)}x`;
    const before = performance.now();
    for (const [format] of cases) printedOutput(format, long);
    expect(performance.now() - before).toBeLessThan(5_000);
  });

  it("mini-swe-agent does not show the sign that ends it", () => {
    expect(shownOutput("mini-swe-agent", "COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT\ndiff --git a b\n")).toBe("diff --git a b\n");
    expect(shownOutput("mini-swe-agent", "one\nCOMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT\n")).toBe("one\nCOMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT\n");
    expect(shownOutput("codex", "COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT\n")).toBe("COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT\n");
  });
});
