// Orders of a person to a session that another process runs.

import type { JsonObject } from "../core/shared/index.js";

export interface PauseOrder {
  readonly order: "pause" | "resume";
  /** Who gives it; recorded, never trusted. */
  readonly by: string;
  readonly reason: string | null;
}

/** Something about one process of the session; answered under `id`. */
export interface ProcessOrder {
  readonly order: "process";
  readonly by: string;
  readonly id: string;
  /** `call`: a call of the tool `process` with these arguments, judged like the agent's own. `end`: the process of that name is ended. */
  readonly what: { readonly call: JsonObject } | { readonly end: string };
  /** Not begun, and given up, after this long. */
  readonly withinMs: number;
}

export type SessionOrder = PauseOrder | ProcessOrder;

/** What came of a process order. */
export type OrderAnswer =
  | { readonly ok: true; readonly ended: boolean }
  | {
      readonly ok: true;
      readonly call: string;
      /** As of `call.closed`. */
      readonly outcome: string;
      readonly exitCode: number | null;
      /** Redacted, cut in the middle past the limit. */
      readonly stdout: string;
      readonly stderr: string;
      /** All of it in one text, with why it was refused. */
      readonly message: string;
    }
  | { readonly ok: false; readonly code: string; readonly message: string };

export interface SessionControl {
  /** Hands on orders for a session, in order, until the returned function is called. Never keeps the process alive. */
  listen(sessionId: string, take: (order: SessionOrder) => void): () => void;
  /** Leaves an order for whoever runs the session. */
  give(sessionId: string, order: SessionOrder): void;
  /** Leaves the answer to a process order. */
  answer(sessionId: string, id: string, answer: OrderAnswer): void;
  /** Takes the answer away; null as long as there is none. */
  takeAnswer(sessionId: string, id: string): OrderAnswer | null;
}
