// What an agent asked for, in our words: the tool call as received, and the action that policy sees.

import type { JsonObject, Role } from "../shared/index.js";
import type { ActionEffect } from "./effects.js";

/** A request as received from the agent; untrusted. */
export interface ToolCall {
  /** The agent's own id of the call; a label, never a key. */
  readonly id: string;
  readonly role: Role | null;
  readonly tool: string;
  readonly arguments: JsonObject;
}

/** A command. `text` is what a `bash --noprofile --norc -c` runs; `argv` runs words as they are, without a shell. */
export interface CommandAction {
  readonly kind: "command";
  readonly form: { readonly shell: string } | { readonly argv: readonly string[] };
  /** Absolute path inside the sandbox. */
  readonly cwd: string;
  readonly timeoutMs: number | null;
  readonly effects: readonly ActionEffect[];
}

/** A file looked at by a tool. */
export interface ViewAction {
  readonly kind: "view";
  readonly path: string;
  /** First and last line, from 1; -1 is the end. */
  readonly range: readonly [number, number] | null;
  readonly effects: readonly ActionEffect[];
}

/** How an edit changes a file. `replace` needs exactly one match. */
export type Edit =
  | { readonly op: "create"; readonly content: string; readonly overwrite: boolean }
  | { readonly op: "replace"; readonly search: string; readonly replace: string }
  | { readonly op: "insert"; readonly afterLine: number; readonly text: string }
  | { readonly op: "undo" };

/** A file changed by a tool. */
export interface EditAction {
  readonly kind: "edit";
  readonly path: string;
  readonly edit: Edit;
  readonly effects: readonly ActionEffect[];
}

/** The agent says it is done. */
export interface SubmitAction {
  readonly kind: "submit";
  readonly effects: readonly ActionEffect[];
}

/** A call that could not be understood; never matched by an allow rule. */
export interface OpaqueAction {
  readonly kind: "opaque";
  readonly tool: string;
  readonly why: string;
  readonly effects: readonly ActionEffect[];
}

export type Action = CommandAction | ViewAction | EditAction | SubmitAction | OpaqueAction;
