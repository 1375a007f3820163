// A patch in Codex' own form as one call a file, so that each file is judged by itself. What is no such patch stays one call.

import type { JsonObject } from "../shared/index.js";
import type { CallDraft } from "./collector.js";

const BEGIN = "*** Begin Patch";
const END = "*** End Patch";
const MAX_FILES = 1_000;

interface FilePatch {
  readonly op: "add" | "update" | "delete" | "move";
  readonly path: string;
  readonly to?: string;
  /** Lines that go, and lines that come. */
  readonly old: string;
  readonly text: string;
}

/** The calls of a draft: several where it is a patch of several files, else the draft. */
export function patchCalls(draft: CallDraft): readonly CallDraft[] {
  if (draft.tool.toLowerCase() !== "apply_patch" && draft.tool.toLowerCase() !== "shell") return [draft];
  const text = patchText(draft.arguments);
  const files = text === null ? null : parsePatch(text);
  if (files === null || files.length === 0) return [draft];
  return files.map((file, index) => ({ ...draft, id: files.length === 1 ? draft.id : `${draft.id}#${index + 1}`, tool: "apply_patch", arguments: { ...file } satisfies JsonObject }));
}

function patchText(values: JsonObject): string | null {
  const { command } = values;
  if (Array.isArray(command) && command.length === 2 && command[0] === "apply_patch" && typeof command[1] === "string") return command[1];
  const text = values["input"] ?? values["patch"] ?? values["unparsed"];
  return typeof text === "string" ? text : null;
}

/** The files of a patch, or null when one line of it has no place in the form. */
export function parsePatch(text: string): readonly FilePatch[] | null {
  const lines = text.replaceAll("\r\n", "\n").trim().split("\n");
  if (lines[0]?.trim() !== BEGIN || lines.at(-1)?.trim() !== END) return null;
  const files: { op: FilePatch["op"]; path: string; to?: string; old: string[]; text: string[] }[] = [];
  for (const line of lines.slice(1, -1)) {
    const head = /^\*\*\* (Add|Update|Delete) File: (.+)$/u.exec(line);
    const file = files.at(-1);
    if (head !== null) {
      if (files.length >= MAX_FILES) return null;
      files.push({ op: head[1] === "Add" ? "add" : head[1] === "Update" ? "update" : "delete", path: head[2] ?? "", old: [], text: [] });
    } else if (file === undefined) {
      return null;
    } else if (line.startsWith("*** Move to: ") && file.op === "update") {
      file.op = "move";
      file.to = line.slice("*** Move to: ".length);
    } else if (line === "*** End of File" || line.startsWith("@@")) {
      continue;
    } else if (line.startsWith("+")) file.text.push(line.slice(1));
    else if (line.startsWith("-")) file.old.push(line.slice(1));
    else if (line === "" || line.startsWith(" ")) {
      file.old.push(line.slice(1));
      file.text.push(line.slice(1));
    } else return null;
  }
  return files.map(({ old, text: lines2, ...file }) => ({ ...file, old: old.join("\n"), text: lines2.join("\n") }));
}
