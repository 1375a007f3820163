// Digests of files and folders: what decides whether a step has something to do. Reads only.

import { createHash } from "node:crypto";
import { existsSync, lstatSync, readFileSync, readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";

/** @param {string | Uint8Array} data */
export function sha256(data) {
  return createHash("sha256").update(data).digest("hex");
}

/**
 * One digest over files and folders: paths, kinds, the executable bit and content; not times, not owners. What is
 * missing counts as missing, so that its appearance changes the digest.
 * @param {string} root @param {readonly string[]} names relative to root
 * @param {(path: string) => boolean} [skip] by path relative to root
 */
export function hashTree(root, names, skip = () => false) {
  const hash = createHash("sha256");
  const visit = (/** @type {string} */ name) => {
    if (skip(name)) return;
    const path = join(root, name);
    if (!existsSync(path)) return void hash.update(`- ${name}\n`);
    const stat = lstatSync(path);
    if (stat.isSymbolicLink()) return void hash.update(`l ${name} ${readlinkSync(path)}\n`);
    if (stat.isDirectory()) {
      for (const entry of readdirSync(path).sort()) visit(`${name}/${entry}`);
      return;
    }
    hash.update(`f ${name} ${(stat.mode & 0o100) !== 0 ? "x" : "-"} ${sha256(readFileSync(path))}\n`);
  };
  for (const name of names) visit(name);
  return hash.digest("hex");
}

/** @param {string} path @returns {string | null} content, or null when it cannot be read */
export function readText(path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}

/** @param {string} path @returns {any} the parsed content, or null when missing or not JSON */
export function readJson(path) {
  const text = readText(path);
  if (text === null) return null;
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
