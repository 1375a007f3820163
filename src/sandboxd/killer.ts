// The client of rf-kill: ends every process of the agent at once. Works also when no process can be started.

import { Socket } from "node:net";
import { KILLER_FD } from "./paths.js";

export interface Killer {
  /** Resolves once the signals were sent and the next killer stands, or could not be made. Orders are carried out in turn. */
  readonly killAll: () => Promise<void>;
  /** Resolves when the first killer stands. */
  readonly ready: Promise<void>;
  /** Resolves when no order is under way: a late signal of an old order would hit the next call. */
  readonly idle: () => Promise<void>;
}

/** Connects to the resident killer; `onLost` is called when it is gone, which ends the container. */
export function connectKiller(onLost: (reason: string) => void): Killer {
  const socket = new Socket({ fd: KILLER_FD, readable: true, writable: true });
  const waiting: (() => void)[] = [];
  const ready = new Promise<void>((resolve) => waiting.push(resolve));
  socket.on("data", (chunk: Buffer) => {
    for (let i = 0; i < chunk.length; i += 1) waiting.shift()?.();
  });
  socket.on("close", () => onLost("the killer is gone"));
  socket.on("error", (error) => onLost(error.message));
  const orders = { last: ready };
  return {
    ready,
    killAll: () => {
      orders.last = new Promise((resolve) => {
        waiting.push(resolve);
        socket.write("K");
      });
      return orders.last;
    },
    idle: () => orders.last,
  };
}
