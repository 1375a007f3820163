// What `ringfence image` does: which images there are, building and checking them by set-up's own steps, and what is in one.

import { spawn } from "node:child_process";
import { join } from "node:path";
import { createDockerProvider } from "./adapters/docker/provider.js";
import { createImageFacts } from "./adapters/docker/image-facts.js";
import { currentLease } from "./adapters/system/lease.js";
import { packageFile } from "./adapters/system/package-root.js";
import { imageReference, isOwnName, ownImages, ownNameOf, type OwnImage } from "./compose-image-names.js";
import { installedVersion } from "./compose-policy.js";
import { openStore } from "./compose-store.js";
import { sbomOf } from "./core/image/index.js";
import { GuardError, printable } from "./core/shared/index.js";
import type { ImageFacts } from "./ports/images.js";

export interface ListedImage extends OwnImage {
  /** Null when it is not built. */
  readonly id: string | null;
  readonly content: string | null;
  readonly packages: number | null;
}

/** Every image of this installation, with what the engine has of it. */
export async function listImages(env: NodeJS.ProcessEnv): Promise<readonly ListedImage[]> {
  return withEngine(env, async ({ find, describe }) =>
    Promise.all(
      ownImages().map(async (image) => {
        const id = await find(image.reference);
        const facts = id === null ? null : await describe(id);
        return { ...image, id, content: facts?.content ?? null, packages: facts?.inventory?.packages.length ?? null };
      }),
    ),
  );
}

/** The bill of materials of an image, by its short name or any reference the engine knows. Throws IMAGE_MISSING, or USAGE_INVALID for one that cannot be listed. */
export async function imageSbom(image: string, env: NodeJS.ProcessEnv): Promise<object> {
  const reference = imageReference(image);
  return withEngine(env, async ({ find, describe }) => {
    const id = await find(reference);
    if (id === null) throw new GuardError("IMAGE_MISSING", `the engine has no image \`${printable(reference)}\``, isOwnName(image) ? { hint: `ringfence image build ${image}` } : {});
    const { content, inventory } = await describe(id);
    if (inventory === null) throw new GuardError("USAGE_INVALID", `\`${printable(reference)}\` does not tell what it holds`, { hint: "its packages are listed by a shell inside it; it has none, or lists more than is kept" });
    return sbomOf({ reference, id, content }, inventory, `ringfence ${installedVersion()}`);
  });
}

/** Builds what a session is asked to run on, when it is one of ours and not there yet. Progress goes to standard error. */
export async function ensureImage(image: string, env: NodeJS.ProcessEnv): Promise<void> {
  const name = ownNameOf(image);
  if (name === null) return;
  const found = await withEngine(env, ({ find }) => find(imageReference(name)));
  if (found !== null) return;
  const exit = await runImageScript(["build", name], "stderr");
  if (exit !== 0) throw new GuardError("IMAGE_MISSING", `the image \`${name}\` could not be built`, { hint: `ringfence image build ${name}` });
}

/**
 * `build` or `check` by set-up's own script, with its output where ours goes. Gives its exit code.
 * @param results where its results go
 */
export function runImageScript(words: readonly string[], results: "stdout" | "stderr"): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [packageFile("scripts", "image.mjs"), ...words], { stdio: ["ignore", results === "stdout" ? "inherit" : 2, "inherit"] });
    child.once("error", (cause) => reject(new GuardError("INTERNAL_BUG", "the set-up scripts are incomplete", { cause })));
    child.once("close", (code) => resolve(code ?? 130));
  });
}

interface Asking {
  readonly find: (reference: string) => Promise<string | null>;
  readonly describe: (id: string) => Promise<ImageFacts>;
}

async function withEngine<T>(env: NodeJS.ProcessEnv, work: (asking: Asking) => Promise<T>): Promise<T> {
  const { telemetry, stateDir, close } = await openStore(env);
  try {
    const lease = currentLease();
    const provider = createDockerProvider({ runtimeDir: packageFile("dist", "runtime"), lease, telemetry });
    const facts = createImageFacts({ docker: () => provider.client(), installed: packageFile("dist", "images"), kept: join(stateDir, "images"), script: packageFile("sandbox-images", "inventory.sh"), lease });
    return await work({ find: (reference) => provider.imageExists(reference), describe: (id) => facts.describe(id, new AbortController().signal) });
  } finally {
    await close();
  }
}
