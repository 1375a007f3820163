// A random file put into the writable layer before it is mounted and read back from inside: proof that the engine mounted
// this very folder, and not one of the same name on another machine.

import { randomBytes } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { lchown, open, unlink } from "node:fs/promises";
import { join } from "node:path";
import { GuardError, printable } from "../../core/shared/index.js";

const NAME = /^\.ringfence-nonce-[0-9a-f]{32}$/;

export interface Nonce {
  readonly name: string;
  readonly content: string;
  /** True while the file still stands in the upper layer. */
  readonly stays: () => boolean;
  /** Takes it away from outside; only while the layer is not mounted. Never rejects. */
  readonly remove: () => Promise<void>;
}

/** Writes the nonce as the agent's own file, so that it can be taken away through the mount. Clears what a crash left. */
export async function placeNonce(upper: string, uid: number, gid: number): Promise<Nonce> {
  const name = `.ringfence-nonce-${randomBytes(16).toString("hex")}`;
  const content = randomBytes(32).toString("hex");
  const path = join(upper, name);
  try {
    for (const old of readdirSync(upper).filter((entry) => NAME.test(entry))) await unlink(join(upper, old));
    const file = await open(path, "wx", 0o600);
    try {
      await file.writeFile(content);
    } finally {
      await file.close();
    }
    if (process.getuid?.() === 0) await lchown(path, uid, gid);
  } catch (cause) {
    throw new GuardError("SANDBOX_FAILED", `cannot write in the session's layer \`${printable(upper)}\``, { cause });
  }
  return {
    name,
    content,
    stays: () => existsSync(path),
    remove: () => unlink(path).catch(() => undefined),
  };
}
