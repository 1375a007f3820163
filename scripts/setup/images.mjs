// Builds the sandbox images on the engine, checks each from inside, and tags it only when the check holds.

import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { SetupError } from "./errors.mjs";
import { layOutPayload, fetchPayload } from "./payload.mjs";
import { makeRootfs } from "./rootfs.mjs";
import { must, run } from "./run.mjs";

const BUILD_MS = 15 * 60_000;
const CHECK_MS = 2 * 60_000;
const ASK_MS = 30_000;

/**
 * @typedef {object} ImagesWork
 * @property {ReturnType<typeof import("./images-plan.mjs").planImages>} plan
 * @property {"amd64" | "arm64"} arch the engine's
 * @property {import("./machine.mjs").Machine} machine
 * @property {Record<string, string | undefined>} env in which `docker` talks to the engine
 * @property {string} cache
 * @property {string} log
 * @property {boolean} refresh build anew though nothing changed
 * @property {readonly string[]} names which images; their parents must be there or among them
 * @property {AbortSignal} [signal]
 * @property {(text: string) => void} note
 */

/**
 * The image ids behind tags; a tag the engine lacks is missing in the map.
 * @param {readonly string[]} tags @param {Record<string, string | undefined>} env
 * @returns {Promise<ReadonlyMap<string, string>>}
 */
export async function imageIds(tags, env) {
  const result = await run(["docker", "image", "ls", "--no-trunc", "--format", "{{.Repository}}:{{.Tag}} {{.ID}}", "--filter", "reference=ringfence/*"], { limitMs: ASK_MS, env });
  if (result.code !== 0) throw new SetupError("the engine does not list its images", { detail: result.stderr.trim(), hint: "is the engine well? try `docker images`" });
  const all = new Map(result.stdout.split("\n").map((line) => /** @type {[string, string]} */ (line.trim().split(" "))));
  return new Map(tags.flatMap((tag) => (all.has(tag) ? [[tag, all.get(tag) ?? ""]] : [])));
}

/** The engine's architecture in Debian's words. @param {Record<string, string | undefined>} env */
export async function engineArch(env) {
  const result = await must("asking the engine for its architecture", ["docker", "version", "--format", "{{.Server.Os}} {{.Server.Arch}}"], { limitMs: ASK_MS, env });
  const [os, arch] = result.stdout.trim().split(" ");
  if (os === "linux" && (arch === "amd64" || arch === "arm64")) return arch;
  throw new SetupError(`the engine runs ${os}/${arch}; sandboxes need linux/amd64 or linux/arm64`, { hint: "choose another engine with DOCKER_HOST or `docker context use`" });
}

/**
 * Builds what is missing, root first.
 * @param {ImagesWork} work
 * @returns {Promise<readonly string[]>} the tags made
 */
export async function buildImages(work) {
  const { plan, env, signal, log, note } = work;
  const present = work.refresh ? new Map() : await imageIds([plan.rootfs.tag, ...plan.images.map((image) => image.tag)], env);
  /** @type {string[]} */
  const made = [];
  const missing = plan.images.filter((image) => work.names.includes(image.name) && !present.has(image.tag));
  const payloads = fetchPayloads(missing, work); // while the root is made
  payloads.catch(() => undefined); // told below
  const builder = await builderEnv(env);
  if (!present.has(plan.rootfs.tag) && missing.some((image) => image.parentTag === plan.rootfs.tag)) {
    await makeRootfs({ ...plan.rootfs, arch: work.arch, machine: work.machine, env: builder, signal, note, log });
    made.push(plan.rootfs.tag);
  }
  for (const image of missing) {
    note(`building ${image.name}`);
    await buildOne(image, (await payloads).get(image.name) ?? null, { ...work, env: builder });
    made.push(image.tag);
  }
  return made;
}

/** @param {readonly import("./images-plan.mjs").PlannedImage[]} images @param {ImagesWork} work */
async function fetchPayloads(images, work) {
  /** @type {Map<string, string>} */
  const payloads = new Map();
  for (const image of images) {
    if (image.payload === "npm") payloads.set(image.name, await fetchPayload({ ...work, folder: image.payloadOf === null ? image.folder : join(dirname(image.folder), image.payloadOf) }));
  }
  return payloads;
}

/** @param {import("./images-plan.mjs").PlannedImage} image @param {string | null} payload @param {ImagesWork} work */
async function buildOne(image, payload, { arch, env, signal, log, note, refresh }) {
  const context = mkdtempSync(join(tmpdir(), "ringfence-image-"));
  try {
    cpSync(image.folder, context, { recursive: true, filter: (path) => basename(path) !== "node_modules" });
    writeFileSync(join(context, "packages.txt"), image.packages.map((name) => `${name}\n`).join(""));
    if (payload !== null) {
      mkdirSync(join(context, "payload"));
      layOutPayload(payload, arch, join(context, "payload"));
    }
    const idFile = join(context, ".id");
    const argv = ["docker", "build", "--iidfile", idFile, "--network", "host", "--build-arg", `PARENT=${image.parentTag}`, "--label", `dev.ringfence.image=${image.name}`, ...(refresh ? ["--no-cache"] : []), context];
    await must(`building the image ${image.name}`, argv, { limitMs: BUILD_MS, env, signal, log, onLine: (line) => /^(step |#\d+ \[|get:|setting up)/i.test(line) && note(`${image.name}: ${line}`) });
    const id = readFileSync(idFile, "utf8").trim();
    note(`checking ${image.name}`);
    const wrong = await checkImage(image, id, { env, signal, log });
    if (wrong !== null) throw new SetupError(`the image ${image.name} was built but is not what it should be`, { detail: wrong, hint: "nothing was tagged; a package may have changed: see the set-up log" });
    await must(`naming the image ${image.name}`, ["docker", "tag", id, image.tag], { limitMs: ASK_MS, env, signal });
  } finally {
    rmSync(context, { recursive: true, force: true });
  }
}

/**
 * Runs check.sh inside, without a network, after asking for every tool that image.json promises.
 * @param {import("./images-plan.mjs").ImageSpec} image @param {string} id
 * @param {{readonly env: Record<string, string | undefined>, readonly signal?: AbortSignal, readonly log?: string}} options
 * @returns {Promise<string | null>} null when all of it holds; else what the check printed
 */
export async function checkImage(image, id, options) {
  const tools = image.tools.map((tool) => `command -v ${tool} >/dev/null || { echo "not so: ${tool} is there" >&2; exit 1; }`).join("\n");
  const user = `[ "$(id -u ${image.user.name})" = ${image.user.uid} ] || { echo "not so: the user ${image.user.name}" >&2; exit 1; }`;
  const script = `${tools}\n${user}\n${readFileSync(join(image.folder, "check.sh"), "utf8")}`;
  const argv = ["docker", "run", "--rm", "--network", "none", "--label", "dev.ringfence.setup=check", id, "bash", "-c", script];
  const result = await run(argv, { limitMs: CHECK_MS, ...options });
  if (result.code === 0) return null;
  if (options.signal?.aborted) throw new SetupError(`checking the image ${image.name} was interrupted`, { exit: 130 });
  return `${result.stdout}${result.stderr}`.trim() || `the check ended with code ${result.code ?? "none"}`;
}

/**
 * `ringfence/<name>:latest` points at the content tag, for people and scripts.
 * @param {readonly import("./images-plan.mjs").PlannedImage[]} images @param {Record<string, string | undefined>} env
 */
export async function tagLatest(images, env) {
  const ids = await imageIds(images.flatMap((image) => [image.tag, latest(image.name)]), env);
  for (const image of images) {
    const id = ids.get(image.tag);
    if (id !== undefined && ids.get(latest(image.name)) !== id) await must("tagging an image", ["docker", "tag", image.tag, latest(image.name)], { limitMs: ASK_MS, env });
  }
}

/** @param {string} name */
export function latest(name) {
  return `ringfence/${name}:latest`;
}

/**
 * Removes superseded tags; an image a container still uses stays, without a word.
 * @param {readonly string[]} tags @param {Record<string, string | undefined>} env
 */
export async function removeImages(tags, env) {
  for (const tag of [...tags].reverse()) await run(["docker", "rmi", tag], { limitMs: ASK_MS, env });
}

/** BuildKit with the engine's own builder where the client has it; the classic builder elsewhere. @param {Record<string, string | undefined>} env */
export async function builderEnv(env) {
  const buildx = await run(["docker", "buildx", "version"], { limitMs: ASK_MS, env });
  return buildx.code === 0 ? { ...env, DOCKER_BUILDKIT: "1", BUILDX_BUILDER: "default", BUILDKIT_PROGRESS: "plain" } : { ...env, DOCKER_BUILDKIT: "0" };
}
