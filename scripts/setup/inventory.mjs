// The package list of an image, asked of the image itself once: dist/images/<id>.json. Sessions put it on record, `image sbom` writes it out.

import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { sha256 } from "./hash.mjs";
import { must, run } from "./run.mjs";

const LIST_MS = 60_000;
const ASK_MS = 30_000;

/** @typedef {ReturnType<typeof import("./paths.mjs").setupPaths>} Paths */

/** @param {Paths} paths @param {string} id */
function fileOf(paths, id) {
  return join(paths.inventories, `${id.replace(/^sha256:/, "")}.json`);
}

/** @param {Paths} paths @param {string} id */
export function isListed(paths, id) {
  return existsSync(fileOf(paths, id));
}

/**
 * Lists the images that are not listed yet, and forgets those that set-up no longer knows.
 * @param {Paths} paths @param {readonly string[]} ids @param {Record<string, string | undefined>} env
 */
export async function listImages(paths, ids, env) {
  mkdirSync(paths.inventories, { recursive: true });
  const known = new Set(ids.map((id) => basename(fileOf(paths, id))));
  for (const name of readdirSync(paths.inventories)) if (!known.has(name)) rmSync(join(paths.inventories, name), { force: true });
  await Promise.all(ids.filter((id) => !isListed(paths, id)).map((id) => listImage(paths, id, env)));
}

/** Name and version in place of a whole package.json; one that names no package is left without. @param {string} line */
function withoutJson(line) {
  if (!line.startsWith("npm\t")) return line;
  try {
    const { name, version } = JSON.parse(Buffer.from(line.slice(4), "base64").toString("utf8"));
    return typeof name === "string" && typeof version === "string" && !/\s/u.test(name + version) ? `npm\t${name}\t${version}` : "npm";
  } catch {
    return "npm";
  }
}

/** @param {Paths} paths @param {string} id @param {Record<string, string | undefined>} env */
async function listImage(paths, id, env) {
  const script = readFileSync(paths.inventoryScript, "utf8");
  const contained = ["--network", "none", "--user", "65534:65534", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--read-only", "--memory", "512m", "--pids-limit", "64"];
  const listed = await run(["docker", "run", "--rm", ...contained, "--label", "dev.ringfence.setup=inventory", "--entrypoint", "sh", id, "-c", script], { limitMs: LIST_MS, env, keepChars: 32 * 1024 * 1024 });
  // An image without a shell has no list: sessions on it say so.
  const listing = listed.code === 0 ? listed.stdout.split("\n").map(withoutJson).join("\n") : "";
  const layers = await must("asking for the layers of an image", ["docker", "image", "inspect", "--format", "{{json .RootFS.Layers}}", id], { limitMs: ASK_MS, env });
  const content = `sha256:${sha256(JSON.parse(layers.stdout).join("\n"))}`;
  const next = `${fileOf(paths, id)}.${process.pid}`;
  writeFileSync(next, `${JSON.stringify({ v: 1, id, content, listing })}\n`);
  renameSync(next, fileOf(paths, id));
}
