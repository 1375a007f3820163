// Loads the built command line: the files of dist/cli, each with what V8 made of it before (`x.cjs.v8`) where that fits this Node.
// What does not fit is compiled anew; it is slower and the same. Used by the launcher and by the build.

"use strict";

const { readFileSync } = require("node:fs");
const { dirname, join } = require("node:path");
const { Script } = require("node:vm");

const ENTRY = "main.cjs";

/** What was compiled of a file before, or undefined. @param {string} file */
function compiledBefore(file) {
  try {
    return readFileSync(`${file}.v8`);
  } catch {
    return undefined;
  }
}

/** As `pathToFileURL`, for the absolute paths of this installation. @param {string} file */
function fileUrl(file) {
  return `file://${file.split("/").map(encodeURIComponent).join("/")}`;
}

/**
 * The exports of the built entry.
 * @param {string} folder dist/cli
 * @param {(file: string, script: import("node:vm").Script) => void} [seen] told of every file that is loaded
 */
function loadCli(folder, seen) {
  const loaded = new Map();
  const load = (/** @type {string} */ file) => {
    const known = loaded.get(file);
    if (known !== undefined) return known.exports;
    const module = { exports: {} };
    loaded.set(file, module);
    const script = new Script(readFileSync(file, "utf8"), { filename: file, cachedData: compiledBefore(file) });
    seen?.(file, script);
    const folder = dirname(file);
    const requireHere = (/** @type {string} */ name) => (name.startsWith("./") || name.startsWith("../") ? load(join(folder, name)) : require(name));
    script.runInThisContext().call(module.exports, module.exports, requireHere, module, file, folder, fileUrl(file));
    return module.exports;
  };
  return load(join(folder, ENTRY));
}

module.exports = { loadCli };
