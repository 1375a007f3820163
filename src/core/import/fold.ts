// A call of another tool as the action that policy judges. Total: what is not understood is opaque, which no allow rule matches.
// Nothing is executed from it, so a tool that differs in small ways from ours is judged by what it touches.

import { printable, type JsonObject, type JsonValue } from "../shared/index.js";
import { joinPath, normalise, normalisePath, type Action, type FileOperation, type NormaliseContext } from "../action/index.js";
import type { ImportFormat } from "./form.js";
import { isObject, listAt, numberAt, textAt } from "./read.js";

/** What a call means depends on the folder it is made in, as for a call of our own. */
export type FoldContext = NormaliseContext;

/** The action of a call, and the folder it is made in; null: it only carries a thought or a plan. */
export type Folded = { readonly action: Action; readonly cwd: string } | null;

/** Tells whether the shell of a format goes on from call to call, with its folder and variables. */
export function keepsShell(format: ImportFormat): boolean {
  return format === "swe-agent" || format === "openhands" || format === "claude-code";
}

type Kind = "shell" | "stdin" | "code" | "read" | "write" | "append" | "replace" | "editor" | "patch" | "list" | "find" | "grep" | "fetch" | "search-web" | "plan" | "submit" | "swe";

/** Names in lower case. A name that is not here is not guessed. */
const KINDS: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  ...names("shell", "bash", "execute_bash", "terminal", "shell", "exec", "exec_command", "shell_command", "local_shell", "run_shell_command", "run_terminal_cmd", "container.exec", "run"),
  ...names("stdin", "write_stdin", "killshell", "bashoutput", "kill_session"),
  ...names("code", "execute_ipython_cell", "run_ipython", "python", "ipython"),
  ...names("read", "read", "readfile", "read_file", "notebookread", "view_image", "readmediafile", "read_many_files"),
  ...names("write", "write", "writefile", "write_file"),
  ...names("replace", "edit", "strreplacefile", "replace", "multiedit", "notebookedit", "edit_file", "search_replace"),
  ...names("editor", "str_replace_editor", "str_replace_based_edit_tool", "file_editor"),
  ...names("patch", "apply_patch"),
  ...names("list", "ls", "list_directory", "list_dir"),
  ...names("find", "glob"),
  ...names("grep", "grep", "search_file_content", "grep_search"),
  ...names("fetch", "webfetch", "web_fetch", "fetchurl", "browse", "browser_navigate"),
  ...names("search-web", "websearch", "google_web_search", "searchweb", "web_search"),
  ...names("plan", "todowrite", "todoread", "think", "update_plan", "task_tracker", "exitplanmode", "enterplanmode", "settodolist", "todolist", "write_todos", "report_intent"),
  ...names("submit", "submit", "finish", "stop", "complete_task", "mark_task_complete"),
  ...names("swe", "open", "goto", "scroll_up", "scroll_down", "create", "insert", "search_dir", "search_file", "find_file", "connect_start"),
]);

function names(kind: Kind, ...all: readonly string[]): readonly (readonly [string, Kind])[] {
  return all.map((name) => [name, kind] as const);
}

/** Folds a call. `edit` is SWE-agent's own command where the arguments hold a line of its shell. */
export function foldCall(call: { readonly tool: string; readonly arguments: JsonObject }, context: FoldContext): Folded {
  const { arguments: values } = call;
  const name = call.tool.toLowerCase();
  const kind = name === "edit" && isSweLine(values) ? "swe" : KINDS.get(name);
  const cwd = folderOf(values, context);
  const here = { ...context, cwd };
  const done = (action: Action): Folded => ({ action, cwd });
  switch (kind) {
    case undefined:
      return done(opaque(call.tool, `the tool \`${printable(call.tool)}\` is not known`));
    case "plan":
      return null;
    case "submit":
      return done({ kind: "submit", effects: [] });
    case "shell":
      return done(shellAction(call.tool, values, here));
    case "stdin":
      return done(opaque(call.tool, "it steers a process of an earlier call"));
    case "code":
      return done(argvAction(["python3", "-c", textAt(values, "code") ?? ""], here));
    case "editor":
      return done(editorAction(call, here));
    case "patch":
      return done(patchAction(call.tool, values, here));
    case "swe":
      return done(sweAction(name, values, here));
    case "read":
      return done(readAction(call.tool, values, here));
    case "write":
    case "append":
      return done(fileAction(call.tool, pathOf(values), textAt(values, "mode") === "append" ? ["write", "read"] : ["write"], here, { content: textAt(values, "content") ?? textAt(values, "file_text") ?? "" }));
    case "replace":
      return done(fileAction(call.tool, pathOf(values), ["write", "read"], here, replaced(values)));
    case "list":
      return done(argvAction(["ls", "--", pathOf(values) ?? textAt(values, "dir_path") ?? cwd], here));
    case "find":
      return done(argvAction(["find", textAt(values, "path") ?? textAt(values, "dir_path") ?? textAt(values, "directory") ?? cwd, "-path", textAt(values, "pattern") ?? "*"], here));
    case "grep":
      return done(argvAction(["grep", "-r", "-e", textAt(values, "pattern") ?? textAt(values, "query") ?? "", "--", textAt(values, "path") ?? textAt(values, "dir_path") ?? cwd], here));
    case "fetch":
      return done(fetchAction(call.tool, values, here));
    case "search-web":
      return done(searchAction(call.tool, values, here));
  }
}

function isSweLine(values: JsonObject): boolean {
  return textAt(values, "command") !== null && pathOf(values) === null;
}

function opaque(tool: string, why: string, effects: Action["effects"] = []): Action {
  return { kind: "opaque", tool, why, effects };
}

/** The folder a call names for itself, else the one it is made in. */
function folderOf(values: JsonObject, { cwd }: FoldContext): string {
  const named = textAt(values, "workdir") ?? textAt(values, "cwd") ?? textAt(values, "directory") ?? textAt(values, "working_directory") ?? textAt(values, "dir_path");
  return named === null ? cwd : (normalisePath(named, cwd) ?? cwd);
}

function pathOf(values: JsonObject): string | null {
  return textAt(values, "file_path") ?? textAt(values, "path") ?? textAt(values, "absolute_path") ?? textAt(values, "notebook_path") ?? textAt(values, "filename") ?? textAt(values, "filePath");
}

const SHELLS: ReadonlySet<string> = new Set(["bash", "sh", "zsh", "/bin/bash", "/bin/sh", "/bin/zsh", "/usr/bin/bash"]);
const SHELL_OPTIONS: ReadonlySet<string> = new Set(["-c", "-lc", "-ic", "-cl"]);

function shellAction(tool: string, values: JsonObject, context: FoldContext): Action {
  const raw = values["command"] ?? values["cmd"] ?? values["argv"];
  const action = Array.isArray(raw) ? wordsAction(tool, raw as readonly JsonValue[], context) : typeof raw === "string" ? textAction(raw, context) : opaque(tool, "it names no command");
  if (values["is_input"] === true || values["is_input"] === "true") return opaque(tool, "it is input for a process of an earlier call", action.effects);
  const wantsOut = values["dangerouslyDisableSandbox"] === true || values["with_escalated_permissions"] === true || textAt(values, "sandbox_permissions") === "require_escalated";
  return wantsOut ? opaque(tool, "it asks to run outside the agent's sandbox", action.effects) : action;
}

function wordsAction(tool: string, raw: readonly JsonValue[], context: FoldContext): Action {
  const words = raw.filter((word) => typeof word === "string");
  if (words.length !== raw.length) return opaque(tool, "a word of the command is no text");
  const [shell = "", option = "", text] = words;
  return words.length === 3 && text !== undefined && SHELLS.has(shell) && SHELL_OPTIONS.has(option) ? textAction(text, context) : argvAction(words, context);
}

function textAction(command: string, context: FoldContext): Action {
  return normalise({ id: "", role: null, tool: "bash", arguments: { command } }, context);
}

function argvAction(argv: readonly string[], context: FoldContext): Action {
  return normalise({ id: "", role: null, tool: "exec", arguments: { argv: [...argv] } }, context);
}

/** The editor with sub-commands: as our own, with a relative path made absolute, and without the rule that it stay inside the root. */
function editorAction(call: { readonly tool: string; readonly arguments: JsonObject }, context: FoldContext): Action {
  const { arguments: values } = call;
  const command = textAt(values, "command");
  const path = pathOf(values);
  if (command === "view") return fileAction(call.tool, path, ["read"], context);
  if (command === "create") return fileAction(call.tool, path, ["write"], context, { content: textAt(values, "file_text") ?? "" });
  if (command === "str_replace" || command === "insert") return fileAction(call.tool, path, ["write", "read"], context, replaced(values));
  if (command === "undo_edit") return fileAction(call.tool, path, ["write", "delete", "read"], context);
  return opaque(call.tool, `the editor command \`${printable(command ?? "")}\` is not known`);
}

function readAction(tool: string, values: JsonObject, context: FoldContext): Action {
  const many = listAt(values, "paths").filter((path) => typeof path === "string");
  return many.length > 0 ? argvAction(["cat", "--", ...many], context) : fileAction(tool, pathOf(values), ["read"], context);
}

/** What goes and what comes, of every edit that the call holds. */
function replaced(values: JsonObject): { readonly content: string; readonly before: string } {
  const list = [...listAt(values, "edits"), ...(Array.isArray(values["edit"]) ? listAt(values, "edit") : isObject(values["edit"]) ? [values["edit"]] : [])];
  const edits = list.length === 0 ? [values] : list;
  const join = (...keys: readonly string[]): string => edits.map((edit) => keys.map((key) => textAt(edit, key)).find((text) => text !== null) ?? "").join("\n");
  return { content: join("new_string", "new_str", "new", "insert_text", "new_source", "content", "replacement_text"), before: join("old_string", "old_str", "old") };
}

/** A file touched by a tool. `text` is what it writes there, for the rules about content. */
function fileAction(tool: string, named: string | null, operations: readonly FileOperation[], context: FoldContext, text?: { readonly content: string; readonly before?: string }): Action {
  if (named === null) return opaque(tool, "it names no file");
  const expanded = named === "~" || named.startsWith("~/") ? context.home + named.slice(1) : named;
  const path = normalisePath(expanded, context.cwd);
  if (path === null) return opaque(tool, `the path \`${printable(named)}\` cannot be read`);
  const effects = operations.map((operation) => ({ kind: "file" as const, operation, path, certainty: "exact" as const, recursive: false, by: tool.toLowerCase(), from: printable(`${tool} ${named}`) }));
  if (operations.length === 1 && operations[0] === "read") return { kind: "view", path, range: null, effects };
  if (text === undefined) return { kind: "edit", path, edit: { op: "undo" }, effects };
  return { kind: "edit", path, edit: text.before === undefined ? { op: "create", content: text.content, overwrite: true } : { op: "replace", search: text.before, replace: text.content }, effects };
}

/** One file of a patch. */
function patchAction(tool: string, values: JsonObject, context: FoldContext): Action {
  const path = pathOf(values);
  switch (textAt(values, "op")) {
    case "add":
      return fileAction(tool, path, ["write"], context, { content: textAt(values, "text") ?? "" });
    case "update":
      return fileAction(tool, path, ["write", "read"], context, { content: textAt(values, "text") ?? "", before: textAt(values, "old") ?? "" });
    case "delete":
      return argvAction(["rm", "--", path ?? ""], context);
    case "move":
      return argvAction(["mv", "--", path ?? "", textAt(values, "to") ?? ""], context);
    default:
      return opaque(tool, "the patch is not in the form of patches");
  }
}

/** A fetch: its address, or the first one its prompt names. */
function fetchAction(tool: string, values: JsonObject, context: FoldContext): Action {
  const url = textAt(values, "url") ?? /https?:\/\/[^\s"'<>]{1,2000}/u.exec(textAt(values, "prompt") ?? "")?.[0] ?? null;
  return url === null ? opaque(tool, "it names no address") : argvAction(["curl", "--", url], context);
}

/** A search in the web: a connection to nobody says where. */
function searchAction(tool: string, values: JsonObject, context: FoldContext): Action {
  const query = textAt(values, "query") ?? "";
  return { kind: "command", form: { argv: [tool, query] }, cwd: context.cwd, timeoutMs: null, effects: [{ kind: "connect", host: null, url: null, by: tool.toLowerCase(), from: printable(`${tool} ${query}`) }] };
}

/** A command of SWE-agent's bundles, told by the line that its shell ran. */
function sweAction(name: string, values: JsonObject, context: FoldContext): Action {
  const line = textAt(values, "command");
  const words = line === null ? wordsOf(values, name) : (context.split(line.split("\n", 1)[0] ?? "") ?? []);
  const file = textAt(values, "open_file");
  const [, first = null, second = null] = words;
  switch (name) {
    case "open":
    case "goto":
    case "scroll_up":
    case "scroll_down":
      return fileAction(name, name === "open" ? (first ?? file) : file, ["read"], context);
    case "create":
      return fileAction(name, first, ["write"], context, { content: "" });
    case "edit":
    case "insert":
      return fileAction(name, file ?? pathOf(values), ["write", "read"], context, { content: (line ?? "").split("\n").slice(1).join("\n"), before: "" });
    case "find_file":
      return argvAction(["find", second ?? textAt(values, "dir") ?? context.cwd, "-name", first ?? ""], context);
    case "search_dir":
      return argvAction(["grep", "-r", "-e", first ?? "", "--", second ?? textAt(values, "dir") ?? context.cwd], context);
    case "search_file":
      return argvAction(["grep", "-e", first ?? "", "--", second ?? file ?? joinPath(context.cwd, "*")], context);
    case "connect_start":
      return argvAction(["nc", first ?? "", second ?? ""], context);
    default:
      return opaque(name, "this command of the agent is not known");
  }
}

/** The same as words where the call came as arguments of a function. */
function wordsOf(values: JsonObject, name: string): readonly string[] {
  const line = numberAt(values, "line_number");
  const first = pathOf(values) ?? textAt(values, "file_name") ?? textAt(values, "search_term");
  return [name, ...(first === null ? [] : [first]), ...(line === null ? [] : [String(line)])];
}
