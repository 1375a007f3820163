// `find`: starting points, tests, and the actions that delete, write or run. Unknown words may be any action.

import { isDash, touch } from "../files.js";
import { addOpaque, SILENT, UNKNOWN_OUTPUT, type Call, type Output } from "../run.js";
import { below } from "../listing.js";
import { baseName } from "../../action/paths.js";
import { exact, globbed, UNKNOWN, type Field } from "../value.js";
import { inFolder } from "../roles.js";
import { fill } from "./xargs.js";
import { runInner } from "./wrappers.js";

const TAKES_ONE = new Set(["-name", "-iname", "-path", "-ipath", "-wholename", "-iwholename", "-regex", "-iregex", "-type", "-xtype", "-size", "-mtime", "-mmin", "-atime", "-amin", "-ctime", "-cmin", "-newer", "-anewer", "-cnewer", "-perm", "-user", "-group", "-uid", "-gid", "-maxdepth", "-mindepth", "-printf", "-links", "-inum", "-samefile", "-lname", "-ilname", "-fstype", "-regextype", "-used", "-context", "-newermt", "-newerct", "-newerat", "-D"]);
const WRITES = new Set(["-fprint", "-fprint0", "-fls", "-fprintf"]);
const RUNS = new Set(["-exec", "-execdir", "-ok", "-okdir"]);

/** `find [places] [expression]`. */
export function runFind(call: Call): Output {
  const words = call.words.slice(1);
  // An action that asks ends with `;` alone: without one `find` says so and does nothing.
  const asks = words.findIndex(({ text }) => text === "-ok" || text === "-okdir");
  if (asks >= 0 && words.every(({ text }) => text !== null) && !words.slice(asks).some(({ text }) => text === ";")) return SILENT;
  let i = 0;
  const places: Field[] = [];
  for (; i < words.length; i += 1) {
    const word = words[i];
    if (word === undefined) break;
    if (word.text !== null && (/^-[HLP]$/.test(word.text) || /^-O\d$/.test(word.text))) continue;
    if (word.text === "-D" || word.text === "-files0-from") {
      if (word.text === "-files0-from") places.push(UNKNOWN);
      i += 1;
      continue;
    }
    if (word.lead.startsWith("-") || word.lead === "(" || word.lead === "!" || word.lead === ",") break;
    if (word.text === null && word.glob === null && word.lead === "") addOpaque(call.run, "a word of `find` may be any action", call.from);
    places.push(word);
  }
  // No file has an empty name: of such a place `find` says so, and goes on to the next.
  const roots = places.length === 0 ? [exact(".")] : places.filter((place) => place.text !== "");
  // At depth 0 it looks at the places alone and opens none.
  const shallow = words.some(({ text }, at) => text === "-maxdepth" && words[at + 1]?.text === "0");
  for (const root of roots) if (!isDash(root)) touch(call, "read", root, !shallow);
  const found: Found = { name: null, printf: false, exact: true };
  while (i < words.length) i = expression(call, words, i, roots, found);
  if (roots.length === 0) return SILENT;
  if (found.printf) return UNKNOWN_OUTPUT;
  return { text: null, globs: matches(roots, found) };
}

/** What the tests so far say about the names found. */
interface Found {
  name: string | null;
  printf: boolean;
  /** No `-o`, `!` or the like: the name test holds for all that is found. */
  exact: boolean;
}

function expression(call: Call, words: readonly Field[], at: number, roots: readonly Field[], found: Found): number {
  const word = words[at];
  const text = word?.text ?? null;
  // A word that begins with no dash or bracket is no test and no action: `find` stops there.
  if (text === null && word !== undefined && word.lead !== "" && !/^[-(!,)]/.test(word.lead)) return at + 1;
  if (word === undefined || text === null) {
    addOpaque(call.run, "a word of `find` may be any action", call.from);
    return at + 1;
  }
  if (text === "-delete") {
    remove(call, roots, found);
    return at + 1;
  }
  if (WRITES.has(text)) {
    const file = words[at + 1];
    if (file !== undefined) touch(call, "write", file, false);
    return at + (text === "-fprintf" ? 3 : 2);
  }
  if (RUNS.has(text)) return execute(call, words, at, roots, found);
  if (text === "-o" || text === "-or" || text === "!" || text === "-not" || text === "," || text === "(") found.exact = false;
  if (text === "-printf" && !/^%p(?:\\n|\\0)$/.test(words[at + 1]?.text ?? "")) found.printf = true;
  if ((text === "-name" || text === "-iname") && found.name === null) found.name = words[at + 1]?.text ?? null;
  return at + (TAKES_ONE.has(text) ? 2 : 1);
}

/** A pattern of `find` that means the same to policy. */
const PLAIN = /^[\w.*?~#%,=: -]+$/;

/** Globs of what the tests let through. */
function matches(roots: readonly Field[], found: Found): readonly string[] | null {
  if (roots.length === 0) return [];
  const globs = below(roots);
  if (globs === null || found.name === null || !found.exact || !PLAIN.test(found.name)) return globs;
  return globs.map((glob) => `${glob}/${found.name ?? "*"}`);
}

function remove(call: Call, roots: readonly Field[], found: Found): void {
  if (found.name === null || !found.exact) {
    for (const root of roots) touch(call, "delete", root, true);
    return;
  }
  for (const glob of matches(roots, found) ?? []) touch(call, "delete", globbed(glob, "", true), false);
}

/** Most places whose finds are given to a command. */
const MAX_PLACES = 16;

function execute(call: Call, words: readonly Field[], at: number, roots: readonly Field[], found: Found): number {
  const inFolders = words[at]?.text === "-execdir" || words[at]?.text === "-okdir";
  let end = at + 1;
  while (end < words.length && words[end]?.text !== ";" && !(words[end]?.text === "+" && words[end - 1]?.text === "{}")) end += 1;
  const command = words.slice(at + 1, end);
  const [program] = command;
  if (program === undefined) return end + 1;
  if (program.text?.includes("{}") === true) {
    addOpaque(call.run, "`find` runs what it finds", call.from);
    return end + 1;
  }
  const globs = matches(roots, found) ?? ["/**"];
  if (globs.length > MAX_PLACES) addOpaque(call.run, "more places of `find` than are followed", call.from);
  for (const [i, glob] of globs.slice(0, MAX_PLACES).entries()) {
    const root = roots[i] ?? exact(".");
    const field = inFolders ? globbed(`./${found.exact && found.name !== null ? escapeName(found.name) : "*"}`, "./", false) : globbed(glob, "", false);
    const place = inFolders ? inFolder(call, globbedFolder(root)) : call;
    if (inFolders && changes(program)) touch({ ...call, program: baseName(program.text ?? "find") }, "write", globbed(glob, "", true), true);
    runInner(place, command.map((part) => fill(part, "{}", field)));
    // What lies deeper is named from its own folder: for the names found that is the same as by their whole path.
    if (inFolders) runInner(call, command.map((part) => fill(part, "{}", globbed(glob, "", false))));
  }
  return end + 1;
}

function escapeName(name: string): string {
  return PLAIN.test(name) ? name : "*";
}

/** Programs in `-execdir` run in folders that cannot be told; those that write are given the whole tree. */
function changes(program: Field): boolean {
  return program.text !== null && !READERS.has(baseName(program.text));
}

const READERS = new Set(["cat", "head", "tail", "grep", "ls", "stat", "wc", "file", "echo", "md5sum", "sha256sum", "basename", "pwd"]);

function globbedFolder(root: Field): Field {
  return root.text !== null ? exact(root.text) : UNKNOWN;
}
