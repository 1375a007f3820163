// Orders to a session that another process runs: one small file each, in a private folder, taken away by the session when it has read it;
// an answer is a file too, taken away by whoever asked. Who can write there is the user whose sessions they are.

import { existsSync, mkdirSync, openSync, closeSync, readSync, readdirSync, rmSync, statSync, watch, writeFileSync, renameSync, constants } from "node:fs";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { isSessionId, type JsonObject } from "../../core/shared/index.js";
import type { OrderAnswer, SessionControl, SessionOrder } from "../../ports/control.js";

/** Longest order and longest answer, in bytes, and most orders of one session that wait. */
const MOST_BYTES = 256 * 1024;
const MOST_ANSWER_BYTES = 4 * 1024 * 1024;
const MOST_WAITING = 16;
/** An answer that nobody took is taken away after this long. */
const UNCLAIMED_MS = 600_000;
const ANSWER_ID = /^[0-9a-f]{16}$/u;
const ANSWERS = "answer.";

/** Keeps orders in `<stateDir>/control/`. */
export function createSessionControl(stateDir: string): SessionControl {
  const folder = join(stateDir, "control");
  const put = (name: string, value: object): void => {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const draft = join(folder, `.${randomBytes(8).toString("hex")}`);
    writeFileSync(draft, JSON.stringify(value), { mode: 0o600, flag: "wx" });
    renameSync(draft, join(folder, name));
  };
  return {
    listen: (sessionId, take) => {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      removeUnclaimed(folder);
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
    give: (sessionId, order) => put(`${sessionId}.${String(Date.now()).padStart(15, "0")}${randomBytes(4).toString("hex")}`, order),
    answer: (sessionId, id, answer) => {
      if (ANSWER_ID.test(id)) put(`${ANSWERS}${sessionId}.${id}`, answer);
    },
    takeAnswer: (sessionId, id) => {
      const path = join(folder, `${ANSWERS}${sessionId}.${id}`);
      if (!ANSWER_ID.test(id) || !existsSync(path)) return null;
      const answer = readJson(path, MOST_ANSWER_BYTES);
      rmSync(path, { force: true });
      return typeof answer?.["ok"] === "boolean" ? (answer as unknown as OrderAnswer) : null;
    },
  };
}

function removeUnclaimed(folder: string): void {
  for (const name of readdirSync(folder).filter((one) => one.startsWith(ANSWERS))) {
    const path = join(folder, name);
    const written = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
    if (written !== undefined && Date.now() - written > UNCLAIMED_MS) rmSync(path, { force: true });
  }
}

function ordersFor(folder: string, sessionId: string): readonly string[] {
  if (!isSessionId(sessionId) || !existsSync(folder)) return [];
  return readdirSync(folder).filter((name) => name.startsWith(`${sessionId}.`)).sort().slice(0, MOST_WAITING);
}

/** null for what is no order. */
function readOrder(path: string): SessionOrder | null {
  const { order, by, reason, id, what, withinMs } = readJson(path, MOST_BYTES) ?? {};
  if (typeof by !== "string") return null;
  if (order === "pause" || order === "resume") return { order, by, reason: typeof reason === "string" ? reason : null };
  if (order !== "process" || typeof id !== "string" || !ANSWER_ID.test(id) || !isRecord(what) || typeof withinMs !== "number" || !(withinMs > 0)) return null;
  if (typeof what["end"] === "string") return { order, by, id, what: { end: what["end"] }, withinMs };
  return isRecord(what["call"]) ? { order, by, id, what: { call: what["call"] as JsonObject }, withinMs } : null;
}

/** null for what is gone, too long, or half written: nobody's. */
function readJson(path: string, mostBytes: number): Readonly<Record<string, unknown>> | null {
  try {
    const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const bytes = Buffer.alloc(mostBytes);
      const value: unknown = JSON.parse(bytes.toString("utf8", 0, readSync(fd, bytes)));
      return isRecord(value) ? value : null;
    } finally {
      closeSync(fd);
    }
  } catch {
    return null;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
