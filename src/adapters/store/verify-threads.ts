// Verifies a large ledger by several threads, each a piece at a time. Gives an answer only where all of it is sound; anything else is
// for the verification in order, which says what is wrong and where. Memory does not grow with the ledger.

import { existsSync, readSync } from "node:fs";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { joinSegments, LINE_BYTES, type ChainState, type Head, type Segment, type VerifyReport } from "../../core/ledger/index.js";
import type { SessionId } from "../../core/shared/index.js";
import { packageFile } from "../system/package-root.js";
import { sha256 } from "../system/hasher.js";
import type { Piece, WorkerTask } from "./verify-worker.js";

/** Below it the threads cost more than they save, in bytes. */
export const THREADS_FROM = 24 * 1024 * 1024;
const PIECE_BYTES = 8 * 1024 * 1024;
const LOOK_BYTES = 64 * 1024;
const MOST_THREADS = 8;
const LINE_FEED = 0x0a;

export interface ThreadedFile {
  readonly fd: number;
  readonly size: number;
  readonly session: SessionId;
  /** With checked signatures, of this session; at least one. */
  readonly heads: readonly Head[];
}

/** The answer for a sound ledger; null where it is not sound, or could not be told: by threads that are not there, for instance. */
export async function verifyByThreads(file: ThreadedFile): Promise<{ readonly report: VerifyReport; readonly state: ChainState } | null> {
  const program = workerFile();
  if (program === null) return null;
  const workerData: WorkerTask = { fd: file.fd, session: file.session, sizes: file.heads.map((head) => head.size) };
  const join = joinSegments({ hasher: sha256, session: file.session, heads: file.heads });
  const threads: Worker[] = [];
  const waiting = new Map<number, Segment>();
  let from = 0;
  let next = 0;
  let joined = 0;
  try {
    const drain = async (thread: Worker): Promise<boolean> => {
      for (;;) {
        const piece = pieceFrom(file, from);
        if (piece === null) return from === file.size;
        const number = next;
        next += 1;
        from += piece.bytes;
        const segment = await ask(thread, piece);
        if (segment === null) return false;
        waiting.set(number, segment);
        for (let due = waiting.get(joined); due !== undefined; due = waiting.get(joined)) {
          waiting.delete(joined);
          joined += 1;
          if (!join.add(due)) return false;
        }
      }
    };
    for (let n = 0; n < Math.min(MOST_THREADS, availableParallelism()); n += 1) threads.push(new Worker(program, { workerData }));
    const answers = await Promise.all(threads.map(drain));
    return answers.every((sound) => sound) ? join.finish() : null;
  } catch {
    return null; // a thread could not be started, or ended
  } finally {
    await Promise.all(threads.map((thread) => thread.terminate()));
  }
}

/** Where the thread's program is in this installation; null in a checkout that was not built. */
function workerFile(): string | null {
  const beside = fileURLToPath(new URL("verify-worker.js", import.meta.url));
  if (existsSync(beside)) return beside;
  const built = packageFile("dist", "lib", "adapters", "store", "verify-worker.js");
  return existsSync(built) ? built : null;
}

/** The next piece: whole lines, some mebibytes. Null at the end, or where a line is too long or has no end. */
function pieceFrom({ fd, size }: ThreadedFile, from: number): Piece | null {
  if (from >= size) return null;
  const look = Buffer.alloc(LOOK_BYTES);
  const farthest = Math.min(size, from + PIECE_BYTES + LINE_BYTES + 1);
  for (let at = Math.min(size, from + PIECE_BYTES) - 1; at < farthest; at += LOOK_BYTES) {
    const count = readSync(fd, look, 0, Math.min(LOOK_BYTES, size - at), at);
    const end = look.subarray(0, count).indexOf(LINE_FEED);
    if (end >= 0) return { from, bytes: at + end + 1 - from };
  }
  return null;
}

function ask(thread: Worker, piece: Piece): Promise<Segment | null> {
  return new Promise((resolve, reject) => {
    const onExit = (): void => reject(new Error("a thread ended"));
    const onMessage = (segment: Segment | null): void => {
      thread.off("error", reject).off("exit", onExit);
      resolve(segment);
    };
    thread.once("message", onMessage).once("error", reject).once("exit", onExit);
    thread.postMessage(piece);
  });
}
