// Fetches Node and npm for the sandbox image and the runtime: registry packages, checked against the folder's lockfile.

import { chmodSync, copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { sha256 } from "./hash.mjs";
import { must } from "./run.mjs";

const FETCH_MS = 10 * 60_000;
const NPM_ARCH = { amd64: "x64", arm64: "arm64" };

/** @type {Map<string, Promise<string>>} fetches under way, so that two steps that need one payload share it */
const underWay = new Map();

/**
 * Makes sure the payload of an image folder is in the cache and returns its folder: `node_modules` with Node and npm.
 * @param {{readonly folder: string, readonly arch: "amd64" | "arm64", readonly cache: string, readonly signal?: AbortSignal, readonly note?: (text: string) => void, readonly log?: string}} work
 * @returns {Promise<string>}
 */
export function fetchPayload(work) {
  const target = payloadFolder(work);
  if (existsSync(nodeBinary(target, work.arch))) return Promise.resolve(target);
  work.note?.("fetching Node and npm");
  const running = underWay.get(target) ?? fetchInto(target, work).finally(() => underWay.delete(target));
  underWay.set(target, running);
  return running;
}

/** @param {string} target @param {Parameters<typeof fetchPayload>[0]} work */
async function fetchInto(target, { folder, arch, signal, log }) {
  const building = `${target}.${process.pid}`;
  rmSync(building, { recursive: true, force: true });
  mkdirSync(building, { recursive: true, mode: 0o700 });
  try {
    for (const name of ["package.json", "package-lock.json"]) copyFileSync(join(folder, name), join(building, name));
    const argv = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--os=linux", `--cpu=${NPM_ARCH[arch]}`, "--libc=glibc"];
    await must("fetching Node and npm for the sandbox image", argv, { limitMs: FETCH_MS, cwd: building, signal, log });
    rmSync(target, { recursive: true, force: true });
    renameSync(building, target);
  } finally {
    rmSync(building, { recursive: true, force: true });
  }
  return target;
}

/** @param {{readonly folder: string, readonly arch: string, readonly cache: string}} where */
export function payloadFolder({ folder, arch, cache }) {
  return join(cache, `payload-${arch}-${sha256(readFileSync(join(folder, "package-lock.json"))).slice(0, 16)}`);
}

/** The Linux Node binary in a fetched payload. @param {string} payload @param {"amd64" | "arm64"} arch */
export function nodeBinary(payload, arch) {
  return join(payload, "node_modules", `node-linux-${NPM_ARCH[arch]}`, "bin", "node");
}

/**
 * Lays the payload out as it will lie under /usr/local of the image.
 * @param {string} payload @param {"amd64" | "arm64"} arch @param {string} into
 */
export function layOutPayload(payload, arch, into) {
  mkdirSync(join(into, "bin"), { recursive: true });
  mkdirSync(join(into, "lib", "node_modules"), { recursive: true });
  copyFileSync(nodeBinary(payload, arch), join(into, "bin", "node"));
  chmodSync(join(into, "bin", "node"), 0o755);
  cpSync(join(payload, "node_modules", "npm"), join(into, "lib", "node_modules", "npm"), { recursive: true });
  for (const name of ["npm", "npx"]) {
    const script = join(into, "lib", "node_modules", "npm", "bin", `${name}-cli.js`);
    chmodSync(script, 0o755);
    symlinkSync(`../lib/node_modules/npm/bin/${name}-cli.js`, join(into, "bin", name));
  }
}
