// What an image holds, asked of the image once: a listing in a container of its own, without rights and network. What set-up listed is
// read from the installation, the rest is kept in the state folder under the image's id, which is a digest.

import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import type Docker from "dockerode";
import { parseInventory } from "../../core/image/index.js";
import type { Digest } from "../../core/shared/index.js";
import type { ImageCatalogue, ImageFacts } from "../../ports/images.js";
import { engineCall } from "./engine-call.js";
import { labelsOf } from "./labels.js";
import { removeContainer } from "./remove.js";

export interface ImageFactsOptions {
  /** The engine, when it is first needed. */
  readonly docker: () => Promise<Docker>;
  /** Folder of what set-up listed. */
  readonly installed: string;
  /** Folder for what is listed here. */
  readonly kept: string;
  /** The script that lists; read when it is needed. */
  readonly script: string;
  readonly lease: string;
}

interface Listed {
  readonly v: 1;
  readonly id: string;
  readonly content: Digest | null;
  /** What the script printed, with name and version in place of each package.json; empty when it could not be run. */
  readonly listing: string;
}

const STEP_MS = 30_000;
const LIST_MS = 60_000;
const MOST_BYTES = 32 * 1024 * 1024;
const MEMORY = 512 * 1024 * 1024;
const ID = /^sha256:[0-9a-f]{64}$/u;

export function createImageFacts(options: ImageFactsOptions): ImageCatalogue {
  const known = new Map<string, Promise<ImageFacts>>();
  return {
    describe: (id, signal) => {
      const before = known.get(id);
      if (before !== undefined) return before;
      const asked = factsOf(options, id, signal);
      known.set(id, asked);
      asked.catch(() => known.delete(id));
      return asked;
    },
  };
}

async function factsOf(options: ImageFactsOptions, id: string, signal: AbortSignal): Promise<ImageFacts> {
  if (!ID.test(id)) return { id, content: null, inventory: null };
  const name = `${id.slice("sha256:".length)}.json`;
  const found = read(join(options.installed, name), id) ?? read(join(options.kept, name), id) ?? keep(options.kept, name, await list(options, id, signal));
  return { id, content: found.content, inventory: parseInventory(found.listing) };
}

function read(file: string, id: string): Listed | null {
  try {
    const value = JSON.parse(readFileSync(file, "utf8")) as Listed;
    return value.v === 1 && value.id === id && typeof value.listing === "string" ? value : null;
  } catch {
    // Not listed there.
    return null;
  }
}

function keep(folder: string, name: string, listed: Listed): Listed {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const next = join(folder, `${name}.${randomBytes(6).toString("hex")}`);
  writeFileSync(next, `${JSON.stringify(listed)}\n`, { mode: 0o600 });
  renameSync(next, join(folder, name));
  return listed;
}

async function list({ docker: connect, script, lease }: ImageFactsOptions, id: string, signal: AbortSignal): Promise<Listed> {
  const docker = await connect();
  const { RootFS } = await engineCall({ what: "looking at the image", limitMs: STEP_MS, signal }, () => docker.getImage(id).inspect());
  const layers = RootFS?.Layers ?? [];
  const content: Digest | null = layers.length === 0 ? null : `sha256:${createHash("sha256").update(layers.join("\n")).digest("hex")}`;
  const name = `ringfence-list-${randomBytes(6).toString("hex")}`;
  const listing = await run(docker, name, id, readFileSync(script, "utf8"), labelsOf("image-list", lease), signal);
  return { v: 1, id, content, listing: listing.split("\n").map(withoutJson).join("\n") };
}

/** A package.json names a package only with both name and version; those of test folders and the like have neither, and are left out. */
function withoutJson(line: string): string {
  if (!line.startsWith("npm\t")) return line;
  try {
    const { name, version } = JSON.parse(Buffer.from(line.slice(4), "base64").toString("utf8")) as { readonly name?: unknown; readonly version?: unknown };
    return typeof name === "string" && typeof version === "string" && !/\s/u.test(name + version) ? `npm\t${name}\t${version}` : "npm";
  } catch {
    return "npm";
  }
}

/** What the script printed in the image; empty when it did not come to its end. Rejects when the engine fails, or it was cancelled. */
async function run(docker: Docker, name: string, image: string, script: string, labels: Record<string, string>, signal: AbortSignal): Promise<string> {
  const HostConfig = { NetworkMode: "none", ReadonlyRootfs: true, CapDrop: ["ALL"], SecurityOpt: ["no-new-privileges"], Memory: MEMORY, MemorySwap: MEMORY, PidsLimit: 64, LogConfig: { Type: "none", Config: {} } };
  const container = await engineCall({ what: "listing the packages of the image", limitMs: STEP_MS, signal }, () =>
    docker.createContainer({ name, Image: image, User: "65534:65534", Entrypoint: ["sh"], Cmd: ["-c", script], Env: [], Labels: labels, Healthcheck: { Test: ["NONE"] }, AttachStdout: true, HostConfig }),
  );
  try {
    const stream = await engineCall({ what: "listing the packages of the image", limitMs: STEP_MS, signal }, () => container.attach({ stream: true, stdout: true }));
    const text = gather(docker, stream);
    // No such program: the image has no shell, and no list.
    const started = await engineCall({ what: "listing the packages of the image", limitMs: STEP_MS, signal }, () => container.start().then(() => true, () => false));
    if (!started) return "";
    const { StatusCode } = (await engineCall({ what: "listing the packages of the image", limitMs: LIST_MS, signal }, () => container.wait())) as { StatusCode: number };
    return StatusCode === 0 ? await engineCall({ what: "listing the packages of the image", limitMs: STEP_MS, signal }, () => text) : "";
  } finally {
    await removeContainer(docker, name);
  }
}

/** Standard output to its end; more than is kept is dropped, and the list is then not whole. */
function gather(docker: Docker, stream: NodeJS.ReadableStream): Promise<string> {
  const out = new PassThrough();
  const chunks: Buffer[] = [];
  let size = 0;
  out.on("data", (chunk: Buffer) => {
    size += chunk.length;
    if (size <= MOST_BYTES) chunks.push(chunk);
  });
  docker.modem.demuxStream(stream, out, new PassThrough().resume());
  return new Promise((resolve) => {
    const end = (): void => resolve(Buffer.concat(chunks).toString("utf8"));
    stream.once("end", end).once("close", end).once("error", end);
  });
}
