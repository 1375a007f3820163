// Forensic copies on disk: `forensic/`, or `forensic-CALL/` for a call that was ended, in the session's folder, apart from its layers, so that neither apply nor discard takes it away.
// Contents lie under their digest, never executable, never under a name of the agent's; the manifest tells which is which.

import { closeSync, constants, existsSync, openSync } from "node:fs";
import { join, relative } from "node:path";
import { GuardError, type Digest, type Hasher } from "../../core/shared/index.js";
import type { Forensics } from "../../ports/forensics.js";
import { ensurePrivateDir } from "../system/state-dir.js";
import { dataSync, syncFolder, writeWhole } from "./files.js";
import { sessionPaths } from "./paths.js";

/** @param stateDir real path of the private state folder */
export function createForensics(stateDir: string, hasher: Hasher): Forensics {
  return {
    keep: async (sessionId, call, files) => {
      const folder = join(sessionPaths(stateDir, sessionId).folder, call === null ? "forensic" : `forensic-${call}`);
      if (existsSync(folder)) throw new GuardError("STATE_UNUSABLE", "there is a forensic copy of this session already");
      ensurePrivateDir(folder);
      const written = new Set<Digest>();
      const entries: object[] = [];
      const sum = { files: 0, bytes: 0, left: 0 };
      for await (const { change, content, why } of files) {
        const digest = content === null ? null : hasher(content);
        if (content !== null && digest !== null) {
          if (!written.has(digest)) await writeFile(join(folder, digest.slice("sha256:".length)), content);
          written.add(digest);
          sum.files += 1;
          sum.bytes += content.byteLength;
        } else if (why !== null) sum.left += 1;
        const { path, operation, before, after } = change;
        entries.push({ path, operation, before, after, content: digest, ...(why === null ? {} : { left: why }) });
      }
      const manifest = new TextEncoder().encode(`${JSON.stringify({ v: 1, session: sessionId, ...(call === null ? {} : { call }), ...sum, changes: entries }, null, 1)}\n`);
      await writeFile(join(folder, "manifest.json"), manifest);
      syncFolder(folder);
      return { place: relative(stateDir, folder), digest: hasher(manifest), ...sum };
    },
  };
}

async function writeFile(path: string, bytes: Uint8Array): Promise<void> {
  const fd = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600);
  try {
    writeWhole(fd, bytes, null);
    await dataSync(fd);
  } finally {
    closeSync(fd);
  }
}
