// Contents that a session made where this machine cannot see, kept by digest in the session's folder: one file each, holes as
// holes. Written part by part, and believed only once its digest is the one that was told.

import { createHash, type Hash } from "node:crypto";
import { closeSync, constants, ftruncateSync, mkdirSync, openSync, readdirSync, renameSync, statSync, unlinkSync, writeSync } from "node:fs";
import { join } from "node:path";
import { GuardError, type Digest } from "../../core/shared/index.js";
import type { ContentSink } from "./look.js";
import { errorCode } from "./system-error.js";

export interface ContentStore {
  has(digest: Digest): boolean;
  /** Takes one content. Throws SANDBOX_BROKEN when it is not what `digest` says, STATE_UNUSABLE when the disk refuses. */
  receive(digest: Digest): ContentSink;
  /** Opens one for reading; the caller closes it. Throws STATE_UNUSABLE when it is not there. */
  open(digest: Digest): number;
  /** Forgets all but these. */
  retain(digests: ReadonlySet<Digest>): void;
  /** Bytes of all contents, holes counted. */
  bytes(): number;
}

const NAME = /^[0-9a-f]{64}$/;
const ZEROS = new Uint8Array(1024 * 1024);

/** @param folder made when first needed */
export function openContentStore(folder: string): ContentStore {
  const sizes = listed(folder);
  let count = 0;
  const attempt = <T>(work: () => T): T => {
    try {
      return work();
    } catch (error) {
      if (error instanceof GuardError) throw error;
      throw new GuardError("STATE_UNUSABLE", `what the session changed cannot be kept: ${errorCode(error) || "failed"}`, { cause: error });
    }
  };
  return {
    has: (digest) => sizes.has(nameOf(digest)),
    bytes: () => [...sizes.values()].reduce((sum, size) => sum + size, 0),
    open: (digest) => attempt(() => openSync(join(folder, nameOf(digest)), constants.O_RDONLY | constants.O_NOFOLLOW)),
    retain: (digests) => {
      const wanted = new Set([...digests].map(nameOf));
      for (const name of sizes.keys()) {
        if (wanted.has(name)) continue;
        sizes.delete(name);
        attempt(() => unlinkSync(join(folder, name)));
      }
    },
    receive: (digest) => {
      count += 1;
      const path = join(folder, `new-${process.pid}-${count}`);
      const hash = createHash("sha256");
      let fd: number | null = null;
      let at = 0;
      const file = (): number => {
        if (fd !== null) return fd;
        mkdirSync(folder, { recursive: true, mode: 0o700 });
        fd = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW, 0o600);
        return fd;
      };
      return {
        part: (offset, bytes) =>
          attempt(() => {
            if (offset < at) throw new GuardError("SANDBOX_BROKEN", "the parts of a file came out of order");
            addZeros(hash, offset - at);
            for (let done = 0; done < bytes.length; ) done += writeSync(file(), bytes, done, bytes.length - done, offset + done);
            hash.update(bytes);
            at = offset + bytes.length;
          }),
        end: (size) =>
          attempt(() => {
            if (size < at) throw new GuardError("SANDBOX_BROKEN", "a file is shorter than its parts");
            addZeros(hash, size - at);
            ftruncateSync(file(), size);
            closeSync(file());
            const made: Digest = `sha256:${hash.digest("hex")}`;
            if (made !== digest) {
              unlinkSync(path);
              throw new GuardError("SANDBOX_BROKEN", "a file is not what was told of it");
            }
            renameSync(path, join(folder, nameOf(digest)));
            sizes.set(nameOf(digest), size);
          }),
      };
    },
  };
}

function listed(folder: string): Map<string, number> {
  try {
    const names = readdirSync(folder);
    return new Map(names.filter((name) => NAME.test(name)).map((name) => [name, statSync(join(folder, name)).size]));
  } catch (error) {
    if (errorCode(error) === "ENOENT") return new Map();
    throw new GuardError("STATE_UNUSABLE", `what the session changed cannot be read: ${errorCode(error)}`, { cause: error });
  }
}

function nameOf(digest: Digest): string {
  const name = digest.slice("sha256:".length);
  if (!NAME.test(name)) throw new GuardError("INTERNAL_BUG", "a digest of another form");
  return name;
}

function addZeros(hash: Hash, bytes: number): void {
  for (let left = bytes; left > 0; left -= ZEROS.length) hash.update(left < ZEROS.length ? ZEROS.subarray(0, left) : ZEROS);
}
