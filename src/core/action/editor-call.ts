// A call of the file editor as an action. The path it names is normalised once; that same path is judged and used.

import { err, ok, printable, type JsonObject, type Result } from "../shared/index.js";
import type { Action, Edit, EditAction, OpaqueAction, ViewAction } from "./action.js";
import { readArguments, type ArgumentReader } from "./argument-reader.js";
import type { ActionEffect, FileOperation } from "./effects.js";
import { isInside, normalisePath } from "./paths.js";
import { pathProblem } from "./well-formed.js";

/** Where a path is read from. All three are absolute and normalised. */
export interface Surroundings {
  readonly root: string;
  readonly cwd: string;
  readonly home: string;
}

/** What an editor command asks for, before its path is known to be usable. */
type Wish = { readonly kind: "view"; readonly range: ViewAction["range"] } | { readonly kind: "edit"; readonly edit: Edit };

/** An action that no allow rule matches. */
export function opaque(tool: string, why: string, effects: readonly ActionEffect[] = []): OpaqueAction {
  return { kind: "opaque", tool, why, effects };
}

/**
 * The action of `view`, `create`, `str_replace`, `insert` or `undo_edit`.
 * @param tool the name the agent used, for effects and reasons
 */
export function editorAction(tool: string, values: JsonObject, surroundings: Surroundings): Action {
  const reader = readArguments(values);
  reader.ignore("security_risk", "summary");
  const command = reader.text("command");
  const path = reader.text("path");
  const wish = readWish(command, reader);
  const problem = reader.problem();
  if (!wish.ok && command !== "") return opaque(tool, wish.error, attempted(tool, path, surroundings));
  if (!wish.ok || problem !== null) return opaque(tool, problem ?? "the argument `command` is empty", attempted(tool, path, surroundings));
  return fileAction({ tool, label: command, path, wish: wish.value, surroundings });
}

/** The action of `open`: a file looked at, from a line on. */
export function openAction(tool: string, values: JsonObject, surroundings: Surroundings): Action {
  const reader = readArguments(values);
  const path = reader.text("path");
  const line = reader.optionalWhole("line_number");
  const problem = reader.problem() ?? (line !== null && line < 1 ? "the argument `line_number` must be 1 or more" : null);
  if (problem !== null) return opaque(tool, problem, attempted(tool, path, surroundings));
  return fileAction({ tool, label: "view", path, wish: { kind: "view", range: line === null ? null : [line, -1] }, surroundings });
}

function readWish(command: string, reader: ArgumentReader): Result<Wish, string> {
  switch (command) {
    case "view":
      return ok({ kind: "view", range: reader.optionalRange("view_range") });
    case "create":
      return ok({ kind: "edit", edit: { op: "create", content: reader.text("file_text"), overwrite: false } });
    case "str_replace": {
      const search = reader.text("old_str");
      return ok({ kind: "edit", edit: { op: "replace", search, replace: reader.optionalText("new_str") ?? "" } });
    }
    case "insert":
      return readInsert(reader);
    case "undo_edit":
      return ok({ kind: "edit", edit: { op: "undo" } });
    default:
      return err(`the editor command \`${printable(command)}\` is not known`);
  }
}

function readInsert(reader: ArgumentReader): Result<Wish, string> {
  const afterLine = reader.whole("insert_line");
  const newer = reader.optionalText("insert_text");
  const older = reader.optionalText("new_str");
  if (newer !== null && older !== null) return err("the arguments `insert_text` and `new_str` are both given");
  const text = newer ?? older;
  if (text === null) return err("the argument `insert_text` is missing");
  if (afterLine < 0) return err("the argument `insert_line` must be 0 or more");
  return ok({ kind: "edit", edit: { op: "insert", afterLine, text } });
}

interface FileWish {
  readonly tool: string;
  readonly label: string;
  readonly path: string;
  readonly wish: Wish;
  readonly surroundings: Surroundings;
}

function fileAction({ tool, label, path, wish, surroundings }: FileWish): ViewAction | EditAction | OpaqueAction {
  const usable = usablePath(path, surroundings, wish.kind);
  if (!usable.ok) return opaque(tool, usable.error, attempted(tool, path, surroundings, operationsOf(wish)));
  const effects = effectsOn(usable.value, tool, `${tool} ${label} ${path}`, operationsOf(wish));
  return wish.kind === "view"
    ? { kind: "view", path: usable.value, range: wish.range, effects }
    : { kind: "edit", path: usable.value, edit: wish.edit, effects };
}

/**
 * Changing a text needs it read, and what is wrong with the change tells about its content: both are effects. Undoing the
 * creation of a file deletes it.
 */
function operationsOf(wish: Wish): readonly FileOperation[] {
  if (wish.kind === "view") return ["read"];
  if (wish.edit.op === "create") return wish.edit.overwrite ? ["write"] : ["create"];
  return wish.edit.op === "undo" ? ["write", "delete", "read"] : ["write", "read"];
}

function usablePath(path: string, surroundings: Surroundings, kind: Wish["kind"]): Result<string, string> {
  const problem = pathProblem(path);
  if (problem !== null) return err(problem);
  const shown = printable(path);
  if (!path.startsWith("/")) return err(`the path \`${shown}\` is not absolute; it must begin with \`${surroundings.root}/\``);
  const normal = normalisePath(path, surroundings.cwd);
  if (normal === null || !isInside(normal, surroundings.root)) return err(`the path \`${shown}\` is outside \`${surroundings.root}\``);
  if (kind === "edit" && (normal === surroundings.root || path.endsWith("/"))) return err(`the path \`${shown}\` is a folder`);
  return ok(normal);
}

/** Effects of a call that is refused: what it tried to touch, so that rules can say what it was. */
function attempted(tool: string, path: string, surroundings: Surroundings, operations: readonly FileOperation[] = ["read"]): readonly ActionEffect[] {
  const expanded = path === "~" || path.startsWith("~/") ? surroundings.home + path.slice(1) : path;
  const normal = normalisePath(expanded, surroundings.cwd);
  return normal === null ? [] : effectsOn(normal, tool, `${tool} ${path}`, operations);
}

function effectsOn(path: string, by: string, from: string, operations: readonly FileOperation[]): readonly ActionEffect[] {
  return operations.map((operation) => ({ kind: "file", operation, path, certainty: "exact", recursive: false, by, from: printable(from) }));
}
