// Where things are: the checkout, the state folder, the files set-up writes. Changes nothing.

import { homedir } from "node:os";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** The checkout this script belongs to. */
export const CHECKOUT = resolve(dirname(fileURLToPath(import.meta.url)), "..", "..");

/**
 * The state folder: `$RINGFENCE_HOME`, else `$XDG_STATE_HOME/ringfence`, else `~/.local/state/ringfence`.
 * A relative value is ignored, as the XDG base directory specification asks.
 * @param {Readonly<Record<string, string | undefined>>} env
 * @param {string} [home]
 * @returns {string} absolute path
 */
export function stateFolder(env, home = homedir()) {
  const own = env["RINGFENCE_HOME"];
  if (own !== undefined && isAbsolute(own)) return resolve(own);
  const xdg = env["XDG_STATE_HOME"];
  if (xdg !== undefined && isAbsolute(xdg)) return join(xdg, "ringfence");
  return join(home, ".local", "state", "ringfence");
}

/**
 * Every path set-up uses.
 * @param {{readonly checkout?: string, readonly env?: Readonly<Record<string, string | undefined>>}} [options]
 */
export function setupPaths({ checkout = CHECKOUT, env = process.env } = {}) {
  const state = stateFolder(env);
  return {
    checkout,
    state,
    record: join(state, "setup.json"),
    lock: join(state, "setup.lock"),
    log: join(state, "setup.log"),
    engineFolder: join(state, "engine"),
    engineLog: join(state, "engine", "dockerd.log"),
    engineRecord: join(state, "engine", "dockerd.json"),
    cache: join(state, "cache"),
    lockfile: join(checkout, "package-lock.json"),
    modules: join(checkout, "node_modules"),
    modulesStamp: join(checkout, "node_modules", ".ringfence-lock"),
    images: join(checkout, "sandbox-images"),
    inventoryScript: join(checkout, "sandbox-images", "inventory.sh"),
    inventories: join(checkout, "dist", "images"),
    imagesManifest: join(checkout, "dist", "images.json"),
    dist: join(checkout, "dist"),
    runtime: join(checkout, "dist", "runtime"),
    runtimeStamp: join(checkout, "dist", ".runtime-stamp"),
    runtimeBuilder: join(checkout, "scripts", "runtime", "build.mjs"),
    buildStamp: join(checkout, "dist", ".build-stamp"),
    launcher: join(checkout, "bin", "ringfence.mjs"),
  };
}
