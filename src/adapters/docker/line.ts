// A direct line into a sandbox: a socket in a folder of its own that the container sees, so that neither the engine nor its shim is in
// the path of a call. Taken by the first who comes, before any process of the agent lives; then the name is gone and nobody listens.

import { randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import type { LeaseState } from "../system/lease.js";

/** Longest path a socket can have, with its end. */
const MOST_PATH = 107;
/** Its name in the folder; sandboxd knows the same. */
const SOCKET = "s";
const LEASE = ".lease";

export interface DirectLine {
  /** The folder to mount. */
  readonly folder: string;
  /** Called once with the connection, if one comes. */
  readonly onConnect: (take: (socket: Socket) => void) => void;
  /** Nobody can connect any more. Idempotent. */
  readonly stopListening: () => void;
  /** Removes what is left. Never throws. Call when the container is gone. */
  readonly remove: () => void;
}

/** Opens a line below a private folder of ours; null where none can be had, which costs time and nothing else. */
export async function openLine(lineDir: string, lease: string): Promise<DirectLine | null> {
  const folder = join(lineDir, randomBytes(8).toString("hex"));
  const path = join(folder, SOCKET);
  if (Buffer.byteLength(path) > MOST_PATH) return null;
  const remove = (): void => {
    for (const name of [folder, `${folder}${LEASE}`]) rmSync(name, { recursive: true, force: true });
  };
  try {
    mkdirSync(lineDir, { recursive: true, mode: 0o700 });
    // The owner is named first, so that a folder without one never is.
    writeFileSync(`${folder}${LEASE}`, lease, { mode: 0o600 });
    mkdirSync(folder, { mode: 0o755 });
    chmodSync(folder, 0o755);
    const server = await listen(path);
    // The guard is another user; on this machine the folder above keeps everybody else out.
    chmodSync(path, 0o666);
    const taker: { take: ((socket: Socket) => void) | null } = { take: null };
    const stopListening = (): void => {
      server.close();
      rmSync(path, { force: true });
    };
    server.on("connection", (socket) => {
      stopListening();
      if (taker.take === null) socket.destroy();
      else taker.take(socket);
      taker.take = null;
    });
    return { folder, onConnect: (take) => (taker.take = take), stopListening, remove };
  } catch {
    remove();
    return null;
  }
}

function listen(path: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.maxConnections = 1;
    server.once("error", reject);
    server.listen(path, () => resolve(server));
  });
}

/** Removes the folders of owners that are dead. Never throws. */
export function reapLines(lineDir: string, stateOf: (lease: string) => LeaseState): void {
  try {
    for (const name of readdirSync(lineDir).filter((entry) => entry.endsWith(LEASE))) {
      const file = join(lineDir, name);
      if (stateOf(readFileSync(file, "utf8")) !== "dead") continue;
      rmSync(file.slice(0, -LEASE.length), { recursive: true, force: true });
      rmSync(file, { force: true });
    }
  } catch {
    // There is no such folder, or another command was first.
  }
}
