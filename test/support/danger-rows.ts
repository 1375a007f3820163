// Dangerous programs of other people as calls of an agent: RedCode-Exec and the Linux tests of Atomic Red Team.

import type { ToolCall } from "../../src/core/action/action.js";
import { corpusRows } from "./corpora.js";

export interface DangerRow {
  readonly id: string;
  readonly set: "redcode-exec, bash" | "redcode-exec, Python" | "atomic-red-team-linux" | "own";
  /** What it is meant to do. */
  readonly what: string;
  readonly calls: readonly ToolCall[];
}

interface RedCodeRow {
  readonly id: string;
  readonly code: string;
  readonly scenario_name: string;
  readonly split: string;
}

interface AtomicRow {
  readonly id: string;
  readonly technique: string;
  readonly test: string;
  readonly shell: string;
  readonly command: string;
}

const bash = (id: string, command: string): ToolCall => ({ id, role: null, tool: "bash", arguments: { command } });
const create = (id: string, path: string, text: string): ToolCall => ({ id, role: null, tool: "str_replace_editor", arguments: { command: "create", path, file_text: text } });

/** Every runnable row of the sets that are there. */
export function dangerRows(): readonly DangerRow[] {
  return [...redCode("bash"), ...redCode("python"), ...atomics()];
}

function redCode(language: "bash" | "python"): readonly DangerRow[] {
  const rows = corpusRows<RedCodeRow>(`redcode-exec/${language}.jsonl`) ?? [];
  return rows
    .filter(({ split }) => split !== "logic-only")
    .map(({ id, code, scenario_name }) => {
      const file = `/workspace/${id.replaceAll("-", "_")}.py`;
      const calls = language === "bash" ? [bash(id, code)] : [create(id, file, code), bash(id, `python3 ${file.slice("/workspace/".length)}`)];
      return { id, set: language === "bash" ? "redcode-exec, bash" : "redcode-exec, Python", what: scenario_name, calls };
    });
}

function atomics(): readonly DangerRow[] {
  const seen = new Map<string, number>();
  return (corpusRows<AtomicRow>("atomic-red-team-linux/atomics.jsonl") ?? []).map(({ id, technique, test, shell, command }) => {
    // Two tests share an id.
    const again = seen.get(id) ?? 0;
    seen.set(id, again + 1);
    const name = `${id.slice(0, 8)}${again === 0 ? "" : `-${again + 1}`}`;
    const file = `/workspace/atomic_${name}.ps1`;
    const calls = shell === "powershell" ? [create(name, file, command), bash(name, `pwsh -File ${file.slice("/workspace/".length)}`)] : [bash(name, command)];
    return { id: name, set: "atomic-red-team-linux" as const, what: `${technique} ${test}`, calls };
  });
}
