// Makes `ringfence` and `npx ringfence` work in every folder: links in npm's global folder, as `npm link` makes them.
// Never replaces a program of that name that is not a Ringfence.

import { accessSync, constants, existsSync, lstatSync, mkdirSync, readlinkSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { readJson } from "./hash.mjs";
import { which } from "./machine.mjs";
import { run } from "./run.mjs";

/**
 * @typedef {{readonly kind: "done"} | {readonly kind: "link", readonly prefix: string, readonly replaces: string | null}
 *   | {readonly kind: "blocked", readonly reason: string, readonly command: string}} LinkStep
 */

/**
 * Where the links stand, without asking npm when they are right already.
 * @param {{readonly launcher: string, readonly checkout: string, readonly env?: Readonly<Record<string, string | undefined>>, readonly prefix?: string | null}} where
 * @returns {Promise<LinkStep>}
 */
export async function planLink({ launcher, checkout, env = process.env, prefix }) {
  const own = realOf(launcher) ?? launcher;
  const found = which("ringfence", env);
  if (found !== null && realOf(found) === own) return { kind: "done" };
  const folder = prefix ?? (await npmPrefix(env));
  if (folder === null) return { kind: "blocked", reason: "npm does not say where its global programs are", command: `ln -s ${launcher} /usr/local/bin/ringfence` };
  const bin = join(folder, "bin", "ringfence");
  const owner = ownerOf(bin);
  if (owner === own) return { kind: "done" };
  if (owner !== null && !isRingfence(owner)) {
    return { kind: "blocked", reason: `${bin} is another program and stays`, command: `ln -s ${launcher} SOME_FOLDER_OF_YOUR_PATH/ringfence` };
  }
  const folders = [join(folder, "bin"), join(folder, "lib", "node_modules")];
  if (!folders.every(canWrite)) return { kind: "blocked", reason: `you may not write in ${folder}`, command: `cd ${checkout} && sudo npm link --ignore-scripts` };
  return { kind: "link", prefix: folder, replaces: owner !== null && existsSync(owner) ? owner : null };
}

/**
 * @param {{readonly prefix: string, readonly checkout: string}} where
 */
export function makeLink({ prefix, checkout }) {
  const moduleLink = join(prefix, "lib", "node_modules", "ringfence");
  const bin = join(prefix, "bin", "ringfence");
  mkdirSync(dirname(moduleLink), { recursive: true });
  mkdirSync(dirname(bin), { recursive: true });
  if (lstatOf(moduleLink)?.isSymbolicLink() !== false) {
    rmSync(moduleLink, { force: true });
    symlinkSync(checkout, moduleLink);
    replace(bin, join(relative(dirname(bin), moduleLink), "bin", "ringfence.mjs"));
  } else {
    replace(bin, join(checkout, "bin", "ringfence.mjs")); // a real global installation stays where it is
  }
}

/** @param {string} link @param {string} target */
function replace(link, target) {
  rmSync(link, { force: true });
  symlinkSync(target, link);
}

/** @param {Readonly<Record<string, string | undefined>>} env */
async function npmPrefix(env) {
  const result = await run(["npm", "prefix", "--global"], { limitMs: 20_000, cwd: "/", env: { ...env } });
  const prefix = result.stdout.trim();
  return result.code === 0 && prefix.startsWith("/") ? prefix : null;
}

/** What a name in a program folder leads to; a link to nothing leads to where it points; null when the name is free. @param {string} path */
function ownerOf(path) {
  const stat = lstatOf(path);
  if (stat === null) return null;
  return realOf(path) ?? (stat.isSymbolicLink() ? resolve(dirname(path), readlinkSync(path)) : path);
}

/** Ours is a launcher in a folder whose package is called ringfence, or a dangling link to such a place. @param {string} target */
function isRingfence(target) {
  if (!target.endsWith("/bin/ringfence.mjs")) return false;
  return !existsSync(target) || readJson(join(dirname(target), "..", "package.json"))?.name === "ringfence";
}

/** @param {string} path */
function realOf(path) {
  try {
    return realpathSync(path);
  } catch {
    return null;
  }
}

/** @param {string} path */
function lstatOf(path) {
  return lstatSync(path, { throwIfNoEntry: false }) ?? null;
}

/** The nearest folder that exists decides. @param {string} folder @returns {boolean} */
function canWrite(folder) {
  if (!existsSync(folder)) return dirname(folder) !== folder && canWrite(dirname(folder));
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
