// Where the engine finds the sandbox runtime. The engine mounts by its own paths, so when Ringfence itself runs in a container
// the runtime is put into the state folder, which is mounted there under its own path.

import { cp, mkdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { GuardError, printable } from "../../core/shared/index.js";

/**
 * The folder to mount. Outside a container it is the installation's own.
 * @param stateDir the state folder, at the same path on the engine's side
 * @param packaged the runtime of this installation
 * @param inContainer does Ringfence itself run in a container
 */
export async function runtimeFolder(stateDir: string, packaged: string, inContainer: boolean): Promise<string> {
  if (!inContainer) return packaged;
  const digest = await runtimeDigest(packaged);
  const target = join(stateDir, "runtime", digest);
  if (await isThere(join(target, "runtime.json"))) return target;
  const fresh = `${target}.${process.pid}`;
  try {
    await mkdir(join(stateDir, "runtime"), { recursive: true, mode: 0o755 });
    await cp(packaged, fresh, { recursive: true, force: true, preserveTimestamps: true });
    await rename(fresh, target).catch(async (error: NodeJS.ErrnoException) => {
      // Another process was first; what it made has the same digest.
      if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error;
    });
  } catch (cause) {
    throw new GuardError("STATE_UNUSABLE", `the sandbox runtime cannot be put into \`${printable(stateDir)}\``, { cause });
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
  return target;
}

/** Digest of a runtime folder, in hexadecimal digits. Throws RUNTIME_MISSING where there is none. */
export async function runtimeDigest(packaged: string): Promise<string> {
  try {
    const about: unknown = JSON.parse(await readFile(join(packaged, "runtime.json"), "utf8"));
    const digest = typeof about === "object" && about !== null && "digest" in about ? String(about.digest) : "";
    if (/^sha256:[0-9a-f]{64}$/u.test(digest)) return digest.slice("sha256:".length);
  } catch {
    // Told below.
  }
  throw new GuardError("RUNTIME_MISSING", `no sandbox runtime in \`${printable(packaged)}\``);
}

async function isThere(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null)) !== null;
}
