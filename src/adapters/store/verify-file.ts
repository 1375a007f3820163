// Verifies a ledger file that may lie anywhere: a copy, an export, evidence from another machine.

import { closeSync, constants, fstatSync, openSync } from "node:fs";
import type { VerifyReport } from "../../core/ledger/index.js";
import { GuardError, isSessionId, printable, type Hasher, type SessionId } from "../../core/shared/index.js";
import { readUpTo, systemCode } from "./files.js";
import { decodeUtf8, readCheckpointFile, verifyOpenFile } from "./read.js";

const TAIL_FORM = /"session":"(ses_[a-z0-9]{4,40})","time":"[^"]*","type":"[^"]*","v":1\}/g;
const LOOK_BYTES = 8 * 1024 * 1024;

export interface VerifyFileOptions {
  readonly publicKey: Uint8Array;
  readonly hasher: Hasher;
  /** Paths of checkpoints to hold the file against; null to look for them. */
  readonly checkpoints: readonly string[] | null;
  /** Heads known from elsewhere, as text: each has to hold besides. */
  readonly expected: readonly string[];
  readonly headOf: (session: SessionId) => string | null;
}

/** @throws GuardError SESSION_NOT_FOUND when there is no such file; STATE_UNUSABLE when it cannot be read */
export async function verifyFile(path: string, options: VerifyFileOptions): Promise<VerifyReport> {
  const fd = openFile(path);
  try {
    const { session, notes } = findHeads(fd, path, options);
    const { report } = await verifyOpenFile(fd, { checkpoints: [...notes, ...options.expected], publicKey: options.publicKey, session, hasher: options.hasher });
    return report;
  } finally {
    closeSync(fd);
  }
}

function openFile(path: string): number {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    if (systemCode(cause) === "ENOENT") throw new GuardError("SESSION_NOT_FOUND", `there is no file \`${printable(path)}\``, { cause });
    throw new GuardError("STATE_UNUSABLE", `file \`${printable(path)}\` cannot be opened`, { cause });
  }
  if (fstatSync(fd).isFile()) return fd;
  closeSync(fd);
  throw new GuardError("USAGE_INVALID", `\`${printable(path)}\` is not a file`);
}

/** The heads that vouch for a file, and whose they are. A file's own word about its session only chooses where to look. */
function findHeads(fd: number, path: string, options: VerifyFileOptions): { readonly session: SessionId | null; readonly notes: readonly string[] } {
  if (options.checkpoints !== null) {
    const notes = options.checkpoints.map((file) => {
      const note = readCheckpointFile(file);
      if (note === null) throw new GuardError("USAGE_INVALID", `there is no checkpoint \`${printable(file)}\``);
      return note;
    });
    return { session: null, notes };
  }
  const session = sessionNamed(fd) ?? sessionInPath(path);
  const own = session === null ? null : options.headOf(session);
  if (own !== null) return { session, notes: [own] };
  const beside = readCheckpointFile(`${path}.checkpoint`);
  return { session: null, notes: beside === null ? [] : [beside] };
}

/** The session that most of the first records name: one changed byte must not lead to another head. */
function sessionNamed(fd: number): SessionId | null {
  const counts = new Map<string, number>();
  const text = decodeUtf8(readUpTo(fd, LOOK_BYTES)) ?? Buffer.from(readUpTo(fd, LOOK_BYTES)).toString("latin1");
  for (const [, id = ""] of text.matchAll(TAIL_FORM)) counts.set(id, (counts.get(id) ?? 0) + 1);
  const [best] = [...counts].sort((a, b) => b[1] - a[1]);
  return best !== undefined && isSessionId(best[0]) ? best[0] : null;
}

/** An emptied ledger still lies in the folder of its session. */
function sessionInPath(path: string): SessionId | null {
  const parts = path.split("/").reverse();
  return parts.find((part): part is SessionId => isSessionId(part)) ?? null;
}
