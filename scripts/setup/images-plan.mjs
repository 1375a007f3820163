// Reads sandbox-images/ and works out each image's content tag. Reads files only; asks no engine.

import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { SetupError } from "./errors.mjs";
import { hashTree, readJson, sha256 } from "./hash.mjs";

/** Changed when the way images are built changes, so that the next set-up builds them anew. */
const RECIPE = "1";
const ROOTFS = "rootfs";
export const SUITE = "bookworm";

/**
 * @typedef {object} ImageSpec
 * @property {string} name
 * @property {readonly string[]} parents exactly one; "rootfs" is the plain Debian root
 * @property {readonly string[]} packages Debian packages, written to packages.txt in the build context
 * @property {string | null} payload "npm": Node and npm by the folder's lockfile, in payload/
 * @property {string | null} payloadOf the image whose lockfile it is; null for its own
 * @property {boolean} onDemand built when it is first asked for, not by set-up
 * @property {string} summary
 * @property {readonly string[]} tools commands that must be there
 * @property {{readonly name: string, readonly uid: number, readonly gid: number, readonly home: string}} user
 * @property {string} folder
 *
 * @typedef {ImageSpec & {readonly tag: string, readonly parentTag: string}} PlannedImage
 */

/**
 * Every image folder, parents before children.
 * @param {string} folder
 * @returns {readonly ImageSpec[]}
 */
export function readImageSpecs(folder) {
  const specs = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(folder, entry.name, "image.json")))
    .map((entry) => parseSpec(readJson(join(folder, entry.name, "image.json")), join(folder, entry.name), entry.name));
  return inOrder(specs);
}

/** @param {any} value @param {string} folder @param {string} name @returns {ImageSpec} */
function parseSpec(value, folder, name) {
  const wrong = (/** @type {string} */ what) => new SetupError(`sandbox-images/${name}/image.json: ${what}`, { exit: 70 });
  const texts = (/** @type {unknown} */ list) => Array.isArray(list) && list.every((item) => typeof item === "string" && /^[a-z0-9][a-z0-9+._-]*$/i.test(item));
  if (value === null || typeof value !== "object") throw wrong("is missing or not JSON");
  if (value.name !== name || !/^[a-z0-9][a-z0-9-]*$/.test(name)) throw wrong("`name` must be the folder's name");
  if (!texts(value.parents) || value.parents.length !== 1) throw wrong("`parents` must name one image");
  if (!texts(value.tools)) throw wrong("`tools` must be a list of commands");
  if (value.packages !== undefined && !texts(value.packages)) throw wrong("`packages` must be a list of Debian packages");
  if (value.payload !== undefined && value.payload !== "npm") throw wrong("`payload` can only be \"npm\"");
  if (value.payloadOf !== undefined && !texts([value.payloadOf])) throw wrong("`payloadOf` must name an image");
  if (value.onDemand !== undefined && typeof value.onDemand !== "boolean") throw wrong("`onDemand` is true or false");
  if (typeof value.user?.uid !== "number" || typeof value.user?.name !== "string") throw wrong("`user` needs a name and a uid");
  return { name, parents: value.parents, packages: value.packages ?? [], payload: value.payload ?? null, payloadOf: value.payloadOf ?? null, onDemand: value.onDemand ?? false, summary: String(value.summary ?? ""), tools: value.tools, user: value.user, folder };
}

/** @param {readonly ImageSpec[]} specs @returns {readonly ImageSpec[]} */
function inOrder(specs) {
  const done = new Set([ROOTFS]);
  /** @type {ImageSpec[]} */
  const order = [];
  while (order.length < specs.length) {
    const next = specs.find((spec) => !done.has(spec.name) && spec.parents.every((parent) => done.has(parent)));
    if (next === undefined) throw new SetupError("sandbox-images: the parents of an image are missing or form a circle", { exit: 70 });
    done.add(next.name);
    order.push(next);
  }
  return order;
}

/**
 * The tag of the plain root and of every image: a digest over the recipe, the folder, the architecture and the parent's tag.
 * @param {{readonly folder: string, readonly arch: string, readonly source: string}} options `source`: where the root comes from, when the user set it
 * @returns {{readonly rootfs: {readonly tag: string, readonly packages: readonly string[]}, readonly images: readonly PlannedImage[]}}
 */
export function planImages({ folder, arch, source }) {
  const specs = readImageSpecs(folder);
  // A bootstrapped root already gets the packages of the first image: one run of apt instead of two.
  const packages = specs.filter((spec) => spec.parents[0] === ROOTFS).flatMap((spec) => spec.packages).sort();
  const rootfs = { tag: tagOf(ROOTFS, [RECIPE, SUITE, arch, source, ...packages]), packages };
  const tags = new Map([[ROOTFS, rootfs.tag]]);
  const images = specs.map((spec) => {
    const parentTag = tags.get(spec.parents[0] ?? "") ?? "";
    const payload = spec.payloadOf === null ? [] : [hashTree(join(folder, spec.payloadOf), ["package.json", "package-lock.json"])];
    const tag = tagOf(spec.name, [RECIPE, arch, parentTag, hashTree(spec.folder, readdirSync(spec.folder).sort()), ...payload]);
    tags.set(spec.name, tag);
    return { ...spec, tag, parentTag };
  });
  return { rootfs, images };
}

/** @param {string} name @param {readonly string[]} parts */
function tagOf(name, parts) {
  return `ringfence/${name}:${sha256(JSON.stringify(parts)).slice(0, 16)}`;
}

/**
 * Which of the image tags that set-up made may go: made with this state folder, used by no checkout that is still there.
 * @param {{readonly made: readonly string[], readonly checkouts: Readonly<Record<string, readonly string[]>>, readonly exists?: (path: string) => boolean}} record
 * @returns {readonly string[]}
 */
export function supersededTags({ made, checkouts, exists = existsSync }) {
  const used = new Set(Object.entries(checkouts).flatMap(([checkout, tags]) => (exists(checkout) ? tags : [])));
  return [...new Set(made)].filter((tag) => tag.startsWith("ringfence/") && !used.has(tag));
}
