// What set-up remembers in the state folder: which images it made and which checkouts use which. Written whole or not at all.

import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { readJson } from "./hash.mjs";

/**
 * @typedef {object} SetupRecord
 * @property {readonly string[]} made image tags made with this state folder
 * @property {Readonly<Record<string, readonly string[]>>} checkouts which tags each checkout uses
 * @property {Readonly<Record<string, string>>} told notes that were shown once, by checkout
 */

/** @param {string} file @returns {SetupRecord} */
export function readRecord(file) {
  const value = readJson(file);
  const texts = (/** @type {unknown} */ list) => (Array.isArray(list) ? list.filter((item) => typeof item === "string") : []);
  const checkouts = Object.entries(value?.checkouts ?? {}).map(([path, tags]) => /** @type {const} */ ([path, texts(tags)]));
  const told = Object.entries(value?.told ?? {}).filter(([, text]) => typeof text === "string");
  return { made: texts(value?.made), checkouts: Object.fromEntries(checkouts), told: Object.fromEntries(told) };
}

/** @param {string} file @param {SetupRecord} record */
export function writeRecord(file, record) {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const next = `${file}.${process.pid}`;
  writeFileSync(next, `${JSON.stringify(record, null, 2)}\n`, { mode: 0o600 });
  renameSync(next, file);
}
