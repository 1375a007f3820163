// The workspace of an example: a published package with its history, made once and kept in the user's cache folder.

import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import { runHostCommand } from "./adapters/process/run.js";
import { packageFile } from "./adapters/system/package-root.js";
import { GuardError, printable } from "./core/shared/index.js";

const PREPARE_MS = 300_000;
const GIT_MS = 20_000;

/** The folder to play the example on. Made anew when a patch was applied to it, so that the recorded edits fit. */
export async function prepareExample(name: string, env: NodeJS.ProcessEnv, progress: (line: string) => void): Promise<string> {
  if (!/^[a-z][a-z0-9-]{0,40}$/u.test(name) || !existsSync(exampleTrajectory(name))) {
    throw new GuardError("USAGE_INVALID", `there is no example \`${printable(name)}\``, { hint: "the examples are the folders in examples/" });
  }
  const cache = env["XDG_CACHE_HOME"];
  const parent = join(cache !== undefined && isAbsolute(cache) ? cache : join(env["HOME"] ?? homedir(), ".cache"), "ringfence", "examples");
  const folder = join(parent, name);
  if (existsSync(folder)) {
    if (await isPristine(folder)) return folder;
    progress(`${folder} was changed since it was made; making it anew`);
  } else progress(`fetching ${name} from npm`);
  await mkdir(parent, { recursive: true });
  const fresh = join(parent, `.${name}.${process.pid}`);
  try {
    await rm(fresh, { recursive: true, force: true });
    const made = await runHostCommand({
      file: process.execPath,
      args: [packageFile("examples", "prepare.mjs"), name, fresh],
      environment: passed(env),
      timeoutMs: PREPARE_MS,
    });
    if (made.exitCode !== 0) {
      const reason = made.timedOut ? "it took too long" : printable(made.stderr.trim().split("\n").at(-1) ?? "", 200);
      throw new GuardError("USAGE_INVALID", `the example's package could not be fetched: ${reason}`, { hint: "the demo needs the npm registry once; is there a network?" });
    }
    await rm(folder, { recursive: true, force: true });
    await rename(fresh, folder);
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
  return folder;
}

/** The recorded session of an example. */
export function exampleTrajectory(name: string): string {
  return packageFile("examples", name, "session.kimi-dev.jsonl");
}

/** Is the working tree as committed. The folder is ours and its git settings are not used. */
async function isPristine(folder: string): Promise<boolean> {
  // Without optional locks a look writes nothing, the index included.
  const flags = ["--no-optional-locks", "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-C", folder];
  const status = await runHostCommand({ file: "git", args: [...flags, "status", "--porcelain"], environment: { GIT_CONFIG_NOSYSTEM: "1", GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_COUNT: "1", GIT_CONFIG_KEY_0: "safe.directory", GIT_CONFIG_VALUE_0: "*" }, timeoutMs: GIT_MS });
  return status.exitCode === 0 && status.stdout === "";
}

/** What npm and git need of the caller's environment: where home, proxy and registry settings are. */
function passed(env: NodeJS.ProcessEnv): Record<string, string> {
  const kept = Object.entries(env).filter(([key, value]) => value !== undefined && /^(?:HOME|PATH|TMPDIR|LANG|XDG_\w+|npm_config_\w+|NPM_CONFIG_\w+|https?_proxy|HTTPS?_PROXY|no_proxy|NO_PROXY|NODE_EXTRA_CA_CERTS|SSL_CERT_\w+)$/u.test(key));
  return Object.fromEntries(kept) as Record<string, string>;
}
