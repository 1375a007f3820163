// What in a project file decides how tests are run and what counts as passing, and whether a change touches it. Reads texts
// as npm and pytest do; what cannot be read counts as touched.

import { tomlTestLines } from "./test-command-toml.js";

/** Whether the texts are whole files or pieces of one; `unreadable` is a link, a binary or too large a file. */
export type Extent = "part" | "whole" | "unreadable";

/** Scripts that `npm test` and its usual companions run. Others count when one of these names them. */
const TEST_SCRIPT = /^(?:pre|post)?tests?(?:$|[:_.-])/iu;

/** Keys of package.json that test runners and coverage tools read. */
const RUNNER_KEYS: ReadonlySet<string> = new Set([
  "jest", "mocha", "ava", "tap", "tape", "c8", "nyc", "vitest", "jasmine", "qunit", "karma", "cypress", "playwright", "lab", "uvu", "wtr", "testplane", "bun", "tsd",
]);

/** Past this many scripts all of them count, so that following their names stays cheap. */
const MAX_FOLLOWED = 500;

/** Tells whether a file of this path has something that decides the tests. Others are judged by path alone. */
export function isProjectFile(path: string): boolean {
  const name = path.slice(path.lastIndexOf("/") + 1);
  return name === "package.json" || name === "pyproject.toml";
}

/**
 * Tells whether going from one text to the other changes how tests are run or what counts as passing. For pieces only what
 * stands in them is compared, so that an untouched test command around a changed version is no change.
 */
export function changesTests(path: string, before: string, after: string, extent: Extent): boolean {
  if (!isProjectFile(path)) return false;
  if (extent === "unreadable") return true;
  if (path.endsWith(".toml")) return !same(tomlTestLines(before), tomlTestLines(after));
  const [old, now] = [manifestParts(before), manifestParts(after)];
  if (old !== null && now !== null && !same(old, now)) return true;
  if (extent === "part") return !same(pieceParts(before), pieceParts(after));
  // Nothing vouches for what is in a file that is no JSON.
  return old === null || now === null;
}

type Parts = ReadonlyMap<string, string>;

/** The deciding parts of a package.json; null when it is none. An empty text has none. */
function manifestParts(text: string): Parts | null {
  if (text.trim() === "") return new Map();
  try {
    const value: unknown = JSON.parse(text.replace(/^\ufeff/u, ""));
    if (!isRecord(value)) return null;
    const parts = new Map<string, string>();
    for (const [key, held] of Object.entries(value)) if (RUNNER_KEYS.has(key)) parts.set(key, JSON.stringify(held));
    const scripts = new Map(Object.entries(isRecord(value["scripts"]) ? value["scripts"] : {}));
    for (const name of followed(scripts)) parts.set(`scripts.${name}`, JSON.stringify(scripts.get(name)));
    return parts;
  } catch {
    return null;
  }
}

/** The test scripts and all that they name, with what npm runs before and after each. */
function followed(scripts: ReadonlyMap<string, unknown>): ReadonlySet<string> {
  const names = [...scripts.keys()];
  if (names.length > MAX_FOLLOWED) return new Set(names);
  const found = new Set<string>();
  const waiting = names.filter((name) => TEST_SCRIPT.test(name));
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (found.has(name)) continue;
    found.add(name);
    const words = new Set(String(scripts.get(name)).match(/[\w@:./-]+/gu) ?? []);
    // `run-s check:*` names every script that begins so.
    const begins = [...words].filter((word) => word.endsWith(":"));
    const isNamed = (other: string): boolean => words.has(other) || begins.some((start) => other.startsWith(start));
    waiting.push(...names.filter((other) => isNamed(other) || other === `pre${name}` || other === `post${name}`));
  }
  return found;
}

/** Deciding keys that a piece of a package.json shows, with the value as far as its line goes. */
function pieceParts(text: string): Parts {
  const parts = new Map<string, string>();
  for (const [, key = "", value = ""] of text.matchAll(/"((?:[^"\\\n]|\\.){1,80})"\s*:\s*("(?:[^"\\\n]|\\.)*"|[^\n]*)/gu)) {
    const name = unescaped(key);
    if (TEST_SCRIPT.test(name) || RUNNER_KEYS.has(name)) parts.set(name, value.trim());
  }
  return parts;
}

/** `"\u0074est"` is `test` too. */
function unescaped(key: string): string {
  try {
    return String(JSON.parse(`"${key}"`));
  } catch {
    return key;
  }
}

function same(left: Parts, right: Parts): boolean {
  return left.size === right.size && [...left].every(([key, value]) => right.get(key) === value);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
