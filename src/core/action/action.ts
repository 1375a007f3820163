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

/** What is done with a process that outlives its call. */
export type ProcessOp = "open" | "write" | "read" | "close" | "list";

/** A process handed over on purpose: opened by one call, used by later ones, frozen between them. */
export interface ProcessAction {
  readonly kind: "process";
  readonly op: ProcessOp;
  /** Of lower-case letters, digits, dots and dashes; empty for `list`. */
  readonly name: string;
  /** What is opened; null for every other op. */
  readonly form: CommandAction["form"] | null;
  /** Size of the terminal it is given; null for pipes. */
  readonly terminal: { readonly rows: number; readonly columns: number } | null;
  /** What is written, whole lines; null for every other op. */
  readonly input: string | null;
  /** A key of the terminal instead of text. */
  readonly key: ProcessKey | null;
  /** Its input ends after this. */
  readonly endsInput: boolean;
  /** The wait for output ends early when it holds this; null: when nothing comes for a moment. */
  readonly until: string | null;
  readonly waitMs: number;
  readonly cwd: string;
  readonly effects: readonly ActionEffect[];
}

/** Keys that interrupt, end the input, stop and quit. */
export type ProcessKey = "C-c" | "C-d" | "C-z" | "C-\\";

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

export type Action = CommandAction | ViewAction | EditAction | ProcessAction | SubmitAction | OpaqueAction;
