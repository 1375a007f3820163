// Who watches a call while it runs. A watcher changes nothing about the call.

import type { ProcessKey } from "../core/action/index.js";
import type { OutputSink } from "../ports/sandbox.js";

export interface CallHooks {
  /** Raw output as it arrives. What it throws ends the watching, not the call. */
  readonly output?: OutputSink;
  /** A terminal for a command, with a person at it. Left out: it has none, and no input. */
  readonly terminal?: CallTerminal;
  /** A person who gave the call, from another process; left out for the agent's own. What it gives reaches that person and no model. */
  readonly by?: string;
}

/** Who types while a call runs. */
export interface CallTerminal {
  readonly rows: number;
  readonly columns: number;
  /** Called when the command starts; the returned function when it has ended. */
  attach(to: TypedInput): () => void;
}

/** Where what is typed goes. */
export interface TypedInput {
  /** Judges a line, without its end, puts it on record and sends it. Why it was not sent; null when it was. Rejects when it cannot be recorded. */
  send(text: string): Promise<string | null>;
  press(key: ProcessKey): void;
  /** The terminal has another size: the program is told. */
  resize(rows: number, columns: number): void;
}
