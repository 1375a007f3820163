// The sandbox runtime for an engine that does not see this machine's files: a layer of its own over the session's image, made
// once an engine and image, named by what is in it. An image is there whole or not at all, so no half-filled one is ever used.

import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import type Docker from "dockerode";
import { TAR_END, tarHeader, tarPadding } from "../../core/archive/index.js";
import { GuardError, printable } from "../../core/shared/index.js";
import { engineCall, statusOf } from "./engine-call.js";
import { runtimeDigest } from "./runtime-folder.js";
import { BASE_LABEL, RUNTIME_LABEL, RUNTIME_REPOSITORY } from "./stale-images.js";

const STEP_MS = 60_000;
const SEND_MS = 300_000;
const DIGITS = 16;

export interface RuntimeImageInput {
  readonly docker: Docker;
  /** Id of the session's image. */
  readonly imageId: string;
  readonly runtimeDir: string;
  /** For what is made on the way, so that it is found after a crash. */
  readonly labels: Readonly<Record<string, string>>;
  /** Name of the container that is made on the way; it never runs. */
  readonly name: string;
  readonly signal: AbortSignal;
}

/** Id of an image that is the session's with the runtime in it. Makes it where it is not there. */
export async function runtimeImage(input: RuntimeImageInput): Promise<string> {
  const { docker, imageId, runtimeDir, labels, name, signal } = input;
  const digest = await runtimeDigest(runtimeDir);
  const tag = `${imageId.replace("sha256:", "").slice(0, DIGITS)}-${digest.slice(0, DIGITS)}`;
  const found = await find(docker, `${RUNTIME_REPOSITORY}:${tag}`, signal);
  if (found !== null && found.labels[BASE_LABEL] === imageId && found.labels[RUNTIME_LABEL] === digest) return found.id;
  const container = await engineCall({ what: "making the runtime's layer", limitMs: STEP_MS, signal }, (abortSignal) =>
    docker.createContainer({ name, Image: imageId, Entrypoint: ["/never"], Labels: { ...labels }, NetworkDisabled: true, HostConfig: { NetworkMode: "none" }, abortSignal }),
  );
  try {
    await engineCall({ what: "sending the sandbox runtime", limitMs: SEND_MS, signal }, (abortSignal) => container.putArchive(Readable.from(packRuntime(runtimeDir)), { path: "/", abortSignal }));
    const changes = `LABEL ${BASE_LABEL}=${imageId} ${RUNTIME_LABEL}=${digest}`;
    await engineCall({ what: "keeping the runtime's layer", limitMs: SEND_MS, signal }, (abortSignal) => container.commit({ repo: RUNTIME_REPOSITORY, tag, changes, pause: false, abortSignal }));
  } finally {
    await container.remove({ force: true, v: true }).catch(() => undefined);
  }
  const made = await find(docker, `${RUNTIME_REPOSITORY}:${tag}`, signal);
  if (made === null || made.labels[RUNTIME_LABEL] !== digest) throw new GuardError("SANDBOX_FAILED", "the engine did not keep the sandbox runtime");
  return made.id;
}

async function find(docker: Docker, reference: string, signal: AbortSignal): Promise<{ readonly id: string; readonly labels: Readonly<Record<string, string>> } | null> {
  return engineCall({ what: `looking for the image ${printable(reference)}`, limitMs: STEP_MS, signal }, async () => {
    try {
      const { Id, Config } = await docker.getImage(reference).inspect();
      return { id: Id, labels: Config?.Labels ?? {} };
    } catch (cause) {
      if (statusOf(cause) === 404) return null;
      throw cause;
    }
  });
}

/** The runtime's folder as an archive; everything in it belongs to root, and only root may write it. */
function* packRuntime(folder: string): Generator<Uint8Array> {
  const head = (name: string, kind: "file" | "directory", mode: number, bytes: number): Uint8Array => tarHeader({ name, kind, mode, uid: 0, gid: 0, bytes, modifiedMs: 0, target: "" });
  const pending: { readonly path: string; readonly name: string }[] = [{ path: folder, name: ".ringfence" }];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const stats = statSync(next.path);
    if (stats.isDirectory()) {
      yield head(next.name, "directory", 0o755, 0);
      for (const name of readdirSync(next.path).sort()) pending.push({ path: join(next.path, name), name: `${next.name}/${name}` });
      continue;
    }
    const content = readFileSync(next.path);
    yield head(next.name, "file", (stats.mode & 0o111) === 0 ? 0o644 : 0o755, content.length);
    yield content;
    yield tarPadding(content.length);
  }
  yield TAR_END;
}
