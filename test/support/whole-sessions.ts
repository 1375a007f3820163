// Whole sessions of agents at work on real bugs, as calls with what they printed: SWE-bench sessions of the shared corpora, and a session
// made of each QuixBugs program. Nothing in them is an attack.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { ToolCall } from "../../src/core/action/index.js";
import { corpusPath, corpusRows } from "./corpora.js";

export interface WholeCall {
  readonly call: ToolCall;
  /** What the recorded command printed; null where the session is made and nothing was recorded. */
  readonly stdout: string | null;
  readonly exitCode: number;
}

export interface WholeSession {
  readonly id: string;
  readonly set: "swebench" | "quixbugs";
  readonly root: string;
  /** The user's files by path. */
  readonly files: Readonly<Record<string, string>>;
  readonly calls: readonly WholeCall[];
}

/** Every session there is; none where the corpora are not beside the checkout. */
export function wholeSessions(): readonly WholeSession[] {
  return [...swebench(), ...quixbugs()];
}

interface Message {
  readonly role: string;
  readonly content: unknown;
}

function swebench(): readonly WholeSession[] {
  const folder = corpusPath("swebench-mini-gemini/full");
  if (folder === null) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith(".traj.json"))
    .sort()
    .map((name): WholeSession => {
      const { messages } = JSON.parse(readFileSync(join(folder, name), "utf8")) as { readonly messages: readonly Message[] };
      const calls = messages.flatMap((message, index): readonly WholeCall[] => {
        const command = message.role === "assistant" ? /```bash\s*\n([\s\S]*?)\n```/u.exec(textOf(message))?.[1] : undefined;
        if (command === undefined) return [];
        const answer = messages[index + 1];
        const said = answer === undefined ? "" : textOf(answer);
        const stdout = /<output>\n?([\s\S]*?)<\/output>/u.exec(said)?.[1] ?? "";
        return [{ call: { id: String(index), role: null, tool: "bash", arguments: { command } }, stdout, exitCode: Number(/<returncode>(-?\d+)/u.exec(said)?.[1] ?? 0) }];
      });
      return { id: name.slice(0, -".traj.json".length), set: "swebench", root: "/testbed", files: {}, calls };
    });
}

function textOf({ content }: Message): string {
  return typeof content === "string" ? content : JSON.stringify(content);
}

interface QuixRow {
  readonly id: string;
  readonly name: string;
  readonly buggy: string;
  readonly correct: string;
  readonly pytest: string | null;
}

function quixbugs(): readonly WholeSession[] {
  return (corpusRows<QuixRow>("quixbugs/python.jsonl") ?? []).map(({ id, name, buggy, correct, pytest }): WholeSession => {
    const root = "/workspace";
    const program = `${name}.py`;
    const bash = (command: string): WholeCall => ({ call: { id: command.slice(0, 20), role: null, tool: "bash", arguments: { command } }, stdout: null, exitCode: 0 });
    const editor = (args: Readonly<Record<string, string>>): WholeCall => ({ call: { id: args["command"] ?? "", role: null, tool: "str_replace_editor", arguments: args }, stdout: null, exitCode: 0 });
    const old = buggy.trim() === "" ? buggy : buggy;
    return {
      id,
      set: "quixbugs",
      root,
      files: { [program]: buggy, [`test_${name}.py`]: pytest ?? `from ${name} import *\n` },
      calls: [
        bash("git status && ls -la"),
        editor({ command: "view", path: `${root}/${program}` }),
        bash(`python3 -m pytest -q test_${name}.py`),
        bash(`grep -n "def " ${program} && sed -n 1,40p ${program}`),
        editor({ command: "create", path: `${root}/reproduce.py`, file_text: `from ${name} import *\nprint(${name})\n` }),
        bash("python3 reproduce.py"),
        editor({ command: "str_replace", path: `${root}/${program}`, old_str: old, new_str: correct }),
        bash(`python3 -m pytest -q test_${name}.py`),
        bash("rm reproduce.py"),
        bash(`git diff -- ${program}`),
        { call: { id: "submit", role: null, tool: "submit", arguments: {} }, stdout: null, exitCode: 0 },
      ],
    };
  });
}
