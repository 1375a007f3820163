// A thread that verifies pieces of a ledger for verify-threads.ts: it reads them from the open file by itself, one at a time.

import { readSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import { createSegmentReader } from "../../core/ledger/index.js";
import type { SessionId } from "../../core/shared/index.js";
import { sha256 } from "../system/hasher.js";
import { decodeUtf8 } from "./utf8.js";

/** What a thread is told when it starts. */
export interface WorkerTask {
  readonly fd: number;
  readonly session: SessionId;
  readonly sizes: readonly number[];
}

/** A piece of the file: whole lines. */
export interface Piece {
  readonly from: number;
  readonly bytes: number;
}

serve(workerData as WorkerTask);

function serve({ fd, session, sizes }: WorkerTask): void {
  const readSegment = createSegmentReader({ hasher: sha256, session, decode: decodeUtf8, sizes });
  let room = Buffer.alloc(0);
  parentPort?.on("message", ({ from, bytes }: Piece) => {
    if (room.length < bytes) room = Buffer.alloc(bytes);
    let at = 0;
    while (at < bytes) {
      const count = readSync(fd, room, at, bytes - at, from + at);
      if (count === 0) break;
      at += count;
    }
    parentPort?.postMessage(at === bytes ? readSegment(room.subarray(0, bytes)) : null);
  });
}
