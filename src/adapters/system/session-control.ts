// Orders to a session that another process runs: one small file each, in a private folder, taken away by the session when it has read it.
// Who can write there is the user whose sessions they are.

import { existsSync, mkdirSync, openSync, closeSync, readSync, readdirSync, rmSync, watch, writeFileSync, renameSync, constants } from "node:fs";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { isSessionId } from "../../core/shared/index.js";
import type { SessionControl, SessionOrder } from "../../ports/control.js";

/** Longest order, in bytes, and most of one session that wait. */
const MOST_BYTES = 4_096;
const MOST_WAITING = 16;
const ORDERS: ReadonlySet<unknown> = new Set(["pause", "resume"]);

/** Keeps orders in `<stateDir>/control/`. */
export function createSessionControl(stateDir: string): SessionControl {
  const folder = join(stateDir, "control");
  const make = (): void => void mkdirSync(folder, { recursive: true, mode: 0o700 });
  return {
    listen: (sessionId, take) => {
      make();
      const look = (): void => {
        for (const name of ordersFor(folder, sessionId)) {
          const order = readOrder(join(folder, name));
          rmSync(join(folder, name), { force: true });
          if (order !== null) take(order);
        }
      };
      const watcher = watch(folder, { persistent: false }, look);
      // Whoever cannot be told any more goes on unpaused.
      watcher.on("error", () => watcher.close());
      look();
      return () => {
        watcher.close();
        for (const name of ordersFor(folder, sessionId)) rmSync(join(folder, name), { force: true });
      };
    },
    give: (sessionId, order) => {
      make();
      const draft = join(folder, `.${randomBytes(8).toString("hex")}`);
      writeFileSync(draft, JSON.stringify(order), { mode: 0o600, flag: "wx" });
      renameSync(draft, join(folder, `${sessionId}.${String(Date.now()).padStart(15, "0")}${randomBytes(4).toString("hex")}`));
    },
  };
}

function ordersFor(folder: string, sessionId: string): readonly string[] {
  if (!isSessionId(sessionId) || !existsSync(folder)) return [];
  return readdirSync(folder).filter((name) => name.startsWith(`${sessionId}.`)).sort().slice(0, MOST_WAITING);
}

/** null for what is no order. */
function readOrder(path: string): SessionOrder | null {
  try {
    const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const bytes = Buffer.alloc(MOST_BYTES);
      const { order, by, reason } = JSON.parse(bytes.toString("utf8", 0, readSync(fd, bytes))) as Readonly<Record<string, unknown>>;
      if (!ORDERS.has(order) || typeof by !== "string") return null;
      return { order: order as SessionOrder["order"], by, reason: typeof reason === "string" ? reason : null };
    } finally {
      closeSync(fd);
    }
  } catch {
    // gone, or half an order: nobody's
    return null;
  }
}
