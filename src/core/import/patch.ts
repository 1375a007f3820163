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
  const tool = draft.tool.toLowerCase();
  const text = tool === "apply_patch" ? patchText(draft.arguments) : SHELLS.has(tool) ? patchInShell(draft.arguments) : null;
  const files = text === null ? null : parsePatch(text);
  if (files === null || files.length === 0) return [draft];
  return files.map((file, index) => ({ ...draft, id: files.length === 1 ? draft.id : `${draft.id}#${index + 1}`, tool: "apply_patch", arguments: { ...file } satisfies JsonObject }));
}

const SHELLS: ReadonlySet<string> = new Set(["shell", "bash", "exec_command", "shell_command", "local_shell", "container.exec"]);
/** The whole of a shell text is one patch, given as a here-document whose text nothing is put into. */
const HEREDOC = /^\s*apply_patch\s*<<\s*(['"])([A-Za-z_]\w{0,40})\1[ \t]*\n([\s\S]*)$/u;

/** A patch that a shell is asked to run: as words, or as a text that is nothing else. */
function patchInShell(values: JsonObject): string | null {
  const command = values["command"] ?? values["cmd"];
  const words = Array.isArray(command) ? command : [command];
  if (words.length === 2 && words[0] === "apply_patch" && typeof words[1] === "string") return words[1];
  const text: unknown = words.at(-1);
  if (typeof text !== "string" || (words.length !== 1 && !(words.length === 3 && (words[1] === "-lc" || words[1] === "-c")))) return null;
  const [, , mark, body] = HEREDOC.exec(text) ?? [];
  if (mark === undefined || body === undefined) return null;
  const end = body.search(new RegExp(`^${mark}[ \\t]*$`, "mu"));
  // Something after the here-document would run, too.
  return end === -1 || body.slice(end).trim() !== mark ? null : body.slice(0, end);
}

function patchText(values: JsonObject): string | null {
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
