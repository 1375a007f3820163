// Removing a session for good. First the receipt, durable; then the folder, by one rename, so that a crash leaves a session whole or gone.

import { closeSync, constants, existsSync, fsyncSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { openReceipt, sealReceipt, type Receipt } from "../../core/bundle/receipt.js";
import type { Signer } from "../../core/ledger/index.js";
import { isSessionId, type SessionId } from "../../core/shared/index.js";
import { checkEd25519, sha256 } from "../system/hasher.js";
import { createSystemClock } from "../system/clock.js";
import { ensurePrivateDir } from "../system/state-dir.js";
import { openOwnFile, syncFolder, writeWhole } from "./files.js";
import { sessionPaths } from "./paths.js";

const GONE = ".gone-";

/** Removes what a prune that was cut off left. */
export function pruneFolders(stateDir: string): void {
  const sessions = join(stateDir, "sessions");
  if (!existsSync(sessions)) return;
  for (const name of readdirSync(sessions)) if (name.startsWith(GONE) && isSessionId(name.slice(GONE.length))) rmSync(join(sessions, name), { recursive: true, force: true });
}

/** Writes the receipt of a session that is to go. @returns where, relative to the state folder */
export function writeReceipt(stateDir: string, what: Omit<Receipt, "prunedAt">, signer: Signer): string {
  const folder = join(stateDir, "receipts");
  ensurePrivateDir(folder);
  const name = `receipts/${what.session}.dsse.json`;
  const fd = openOwnFile(join(stateDir, name), constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC);
  try {
    writeWhole(fd, Buffer.from(sealReceipt({ ...what, prunedAt: createSystemClock().now() }, signer, sha256), "utf8"), null);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  syncFolder(folder);
  return name;
}

/** What the receipt of a session says, checked with the key; null where there is none, or it is not ours. */
export function readReceipt(stateDir: string, session: SessionId, publicKey: Uint8Array): Receipt | null {
  try {
    return openReceipt(readFileSync(join(stateDir, "receipts", `${session}.dsse.json`), "utf8"), session, publicKey, { check: checkEd25519, hasher: sha256 });
  } catch {
    return null;
  }
}

/** Removes the session's folder. Its signed head stays where it is. */
export function removeSession(stateDir: string, id: SessionId): void {
  const { folder, sessions } = sessionPaths(stateDir, id);
  const gone = join(sessions, `${GONE}${id}`);
  renameSync(folder, gone);
  syncFolder(sessions);
  rmSync(gone, { recursive: true, force: true });
}
