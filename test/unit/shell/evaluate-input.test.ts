// What lines written to a running process may do: judged in the state that earlier lines left, never by halves.

import { describe, expect, it } from "vitest";
import { evaluateInput, type RunningProcess } from "../../../src/core/shell/index.js";
import type { ActionEffect } from "../../../src/core/action/index.js";

const CONTEXT = { cwd: "/workspace", home: "/home/agent", root: "/workspace", environment: new Map([["PATH", "/usr/bin:/bin"]]), environmentIsWhole: true };
const BASH: RunningProcess = { form: { argv: ["bash"] }, history: [], hasTerminal: false };
const PYTHON: RunningProcess = { form: { argv: ["python3", "-i"] }, history: [], hasTerminal: false };

const effects = (process: RunningProcess, text: string): readonly ActionEffect[] => evaluateInput(process, text, CONTEXT);
const deletes = (process: RunningProcess, text: string): readonly string[] => effects(process, text).flatMap((effect) => (effect.kind === "file" && effect.operation === "delete" ? [effect.path] : []));
const why = (process: RunningProcess, text: string): string | undefined => effects(process, text).flatMap((effect) => (effect.kind === "opaque-text" ? [effect.why] : []))[0];
const after = (process: RunningProcess, ...history: readonly string[]): RunningProcess => ({ ...process, history });

describe("a line for a shell", () => {
  it("means what the lines before it made of folder, variables, functions and aliases", () => {
    expect(deletes(BASH, "rm x\n")).toEqual(["/workspace/x"]);
    expect(deletes(after(BASH, "cd /tmp\n"), "rm x\n")).toContain("/tmp/x");
    expect(deletes(after(BASH, "D=/etc\n"), 'rm "$D/passwd"\n')).toEqual(["/etc/passwd"]);
    expect(deletes(after(BASH, "ls() { rm -r .git; }\n"), "ls\n")).toEqual(["/workspace/.git"]);
    expect(deletes(after({ ...BASH, hasTerminal: true }, "alias ls='rm -r .git'\n"), "ls\n")).toEqual(["/workspace/.git"]);
  });

  it("does again what it did before: an approval of the first is none of the second", () => {
    const first = effects(BASH, "git push\n");
    expect(effects(after(BASH, "X='git push'\n", "$X\n"), "$X\n").some((effect) => effect.kind === "exec" && effect.program === "git")).toBe(true);
    expect(effects(after(BASH, "git push\n"), "git push\n")).toEqual(first);
  });

  it.each([
    ["a part of a command", "if true; then\n"],
    ["a line that goes on in the next", "git push \\\n"],
    ["an open quote", "echo 'a\n"],
    ["a document without its end", "cat <<E\nx\n"],
  ])("%s is not judged by halves", (_what, text) => {
    expect(why(BASH, text)).toMatch(/all of its lines at once/u);
  });

  it("starts nothing that would read the lines after it", () => {
    for (const text of ["python3\n", "bash\n", "exec sh\n", "env node\n"]) expect(why(BASH, text), text).toMatch(/next lines/u);
    expect(why(BASH, "echo 'print(1)' | python3\n")).toBeUndefined();
  });

  it("on a terminal is neither completed nor taken from earlier lines", () => {
    const shell = { ...BASH, hasTerminal: true };
    expect(why(shell, "rm -r /work\t\n")).toMatch(/completes/u);
    for (const text of ["!!\n", "!rm\n", "^a^b\n", "echo !$\n"]) expect(why(shell, text), text).toMatch(/earlier lines/u);
    for (const text of ["! false\n", "[ a != b ]\n", "echo hi!\n"]) expect(why(shell, text), text).toBeUndefined();
    expect(why(BASH, "echo !x\n")).toBeUndefined();
  });

  it("is refused where the shell was given more than is judged", () => {
    expect(why(after(BASH, "#".repeat(40_000)), "ls\n")).toMatch(/open another/u);
  });

  it("cannot be told any more once an earlier one could not", () => {
    expect(why(after(BASH, 'eval "$(cat unknown)"\n'), "ls\n")).toMatch(/earlier line/u);
  });
});

describe("a line for another program", () => {
  it("is code that it reads, with what its literals say, also by names given to it before", () => {
    expect(effects(PYTHON, "print(1)\n")).toContainEqual(expect.objectContaining({ kind: "runs-code", source: "inline", code: "print(1)\n" }));
    expect(deletes(PYTHON, "import shutil; shutil.rmtree('/workspace/.git')\n")).toEqual(["/workspace/.git"]);
    expect(deletes(PYTHON, "import os; os.system('rm -rf /etc')\n")).toEqual(["/etc"]);
    expect(deletes(after(PYTHON, "import os\n"), "os.remove('a')\n")).toEqual(["/workspace/a"]);
    expect(deletes(after(PYTHON, "import os\n", "os.remove('a')\n"), "os.remove('a')\n")).toEqual(["/workspace/a"]);
  });

  it("is judged as input of whatever runs behind a wrapper, and of a program that nobody knows", () => {
    expect(deletes({ ...BASH, form: { shell: "cd sub && exec env A=1 bash" } }, "rm x\n")).toContain("/workspace/sub/x");
    expect(effects({ ...BASH, form: { argv: ["psql", "-h", "localhost"] } }, "drop table a;\n")).toEqual([{ kind: "runs-code", source: "stdin", program: "psql", code: "drop table a;\n", upstream: [], from: "drop table a;\n" }]);
  });
});

it("every text gets an answer in bounded time", () => {
  const long = after(BASH, ...Array.from({ length: 300 }, (_unused, line) => `v${line}=$(echo ${"x".repeat(60)})\n`));
  const start = performance.now();
  effects(long, `${"a;".repeat(7_000)}\n`);
  expect(performance.now() - start).toBeLessThan(4_000);
  expect(() => effects(PYTHON, "\ud800'\"$(`\n".repeat(500))).not.toThrow();
});
