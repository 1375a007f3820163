// Turns "this program touches that word" into file effects with absolute paths. Never asks the file system itself.

import { LIMITS } from "../shared/index.js";
import type { FileOperation } from "../action/effects.js";
import { baseName, joinPath, normalisePath } from "../action/paths.js";
import { globOfMade } from "./made-folder.js";
import { addEffect, addOpaque, excerpt, kindOf, type Call } from "./run.js";
import { escapeGlob, exact, globbed, type Field } from "./value.js";

/** Covers every path. */
export const ANYWHERE = "/**";

const NOT_FILES = new Set([
  "/dev/null", "/dev/stdin", "/dev/stdout", "/dev/stderr", "/dev/tty", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/ptmx",
]);

function isDevice(path: string): boolean {
  if (!path.startsWith("/dev/") && !path.startsWith("/proc/self/fd/")) return false;
  return NOT_FILES.has(path) || path.startsWith("/dev/fd/") || path.startsWith("/proc/self/fd/");
}

/** Operations that only look: an unknown path of theirs is a pattern over everything, not opaque. */
function onlyReads(operation: FileOperation): boolean {
  return operation === "read";
}

/** Records that a program touches a file, or with `recursive` the tree below it. `-` as a path is the caller's matter. */
export function touch(call: Call, operation: FileOperation, field: Field, recursive: boolean): void {
  if (call.run.effects.length >= LIMITS.effects - 1) {
    addOpaque(call.run, "more effects than the limit", call.from);
    return;
  }
  if (field.text !== null) touchText(call, operation, field.text, recursive);
  else if (field.glob !== null) touchGlob(call, operation, field.glob, recursive);
  else touchUnknown(call, operation);
}

function touchUnknown(call: Call, operation: FileOperation): void {
  if (onlyReads(operation)) add(call, operation, ANYWHERE, "pattern", true);
  else addOpaque(call.run, `\`${call.program}\` changes a path that cannot be told`, call.from);
}

function touchText(call: Call, operation: FileOperation, text: string, recursive: boolean): void {
  if (text === "") return;
  const { run, state } = call;
  if (text.includes("\0") || text.length > 4096) {
    addOpaque(run, "a path no file can have", call.from);
    return;
  }
  const absolute = text.charCodeAt(0) === 47;
  if (!absolute && state.cwds === null) {
    touchUnknown(call, operation);
    return;
  }
  for (const cwd of absolute ? ["/"] : (state.cwds ?? [])) {
    const path = normalisePath(text, absolute ? (state.cwds?.[0] ?? "/") : cwd);
    if (path === null || isDevice(path)) continue;
    add(call, operation, path, "exact", recursive);
    if (state.links.size === 0) continue;
    throughLinks(call, operation, path, recursive);
    const other = text.includes("..") ? pastLinks(state.links, absolute ? text : `${cwd}/${text}`) : path;
    if (other !== path && !isDevice(other)) {
      add(call, operation, other, "exact", recursive);
      throughLinks(call, operation, other, recursive);
    }
  }
}

/** The folder above a link is the one above its target: `link/..` by the kernel's reading. */
function pastLinks(links: ReadonlyMap<string, string>, path: string): string {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") parts.push(part);
    else {
      const real = oneHop(links, `/${parts.join("/")}`);
      if (real !== null) parts.splice(0, parts.length, ...real.split("/").filter((name) => name !== ""));
      parts.pop();
    }
  }
  return `/${parts.join("/")}`;
}

/** A path below a link that this same text makes stands for the link's target too. */
function throughLinks(call: Call, operation: FileOperation, path: string, recursive: boolean): void {
  let current = path;
  for (let hops = 0; hops < 8; hops += 1) {
    const next = oneHop(call.state.links, current);
    if (next === null || next === current) return;
    add(call, operation, next, "exact", recursive);
    current = next;
  }
}

function oneHop(links: ReadonlyMap<string, string>, path: string): string | null {
  for (const [link, target] of links) {
    if (path === link) return target;
    if (path.charCodeAt(link.length) === 47 && path.startsWith(link)) return normalisePath(joinPath(target, path.slice(link.length + 1)), "/");
  }
  return null;
}

function touchGlob(call: Call, operation: FileOperation, glob: string, recursive: boolean): void {
  const absolute = glob.charCodeAt(0) === 47;
  const { cwds } = call.state;
  if (!absolute && cwds === null) {
    touchUnknown(call, operation);
    return;
  }
  for (const cwd of absolute ? ["/"] : (cwds ?? [])) {
    const path = normalisePath(glob, escapeGlob(cwd));
    if (path === null) touchUnknown(call, operation);
    else add(call, operation, path, "pattern", recursive);
  }
}

function add(call: Call, operation: FileOperation, path: string, certainty: "exact" | "pattern", recursive: boolean): void {
  const made = globOfMade(path);
  if (made !== null) addEffect(call.run, { kind: "file", operation, path: certainty === "exact" ? `${made.slice(0, made.indexOf("*") + 1)}${escapeGlob(made.slice(made.indexOf("*") + 1))}` : made, certainty: "pattern", recursive, by: call.program, from: excerpt(call.from) });
  else addEffect(call.run, { kind: "file", operation, path, certainty, recursive, by: call.program, from: excerpt(call.from) });
  if (!onlyReads(operation)) call.run.disturbed = true;
}

/** Tells whether a word stands for standard input or output, not for a file. */
export function isDash(field: Field): boolean {
  return field.text === "-";
}

/**
 * The places a source ends up at when copied to `target`: the target itself, and, when that may be a folder, the name inside.
 */
export function destinations(call: Call, source: Field | null, target: Field, surelyFolder: boolean, tree: boolean = false): readonly Field[] {
  if (target.text === "") return [];
  const inside = source === null ? null : insideFolder(source, target);
  if (surelyFolder) return inside === null ? [target] : [inside];
  const kind = targetKind(call, target, tree);
  if (kind === "no-folder" || inside === null) return [target];
  return kind === "folder" ? [inside] : [target, inside];
}

/** With a slash behind it a target is a folder, unless a whole tree is put there that may become it. */
function targetKind(call: Call, target: Field, tree: boolean): "folder" | "no-folder" | "unknown" {
  if (target.text === null) return "unknown";
  if ((target.text.endsWith("/") && !tree) || target.text === "." || target.text === ".." || target.text.endsWith("/.") || target.text.endsWith("/..")) return "folder";
  const cwds = call.state.cwds;
  if (cwds === null || cwds.length !== 1) return "unknown";
  const path = normalisePath(target.text, cwds[0] ?? "/");
  const kind = path === null ? "unknown" : kindOf(call.run, path);
  if (kind === "unknown") return "unknown";
  return kind === "directory" ? "folder" : "no-folder";
}

function insideFolder(source: Field, target: Field): Field | null {
  if (target.text === null && target.glob === null) return null;
  const name = source.text !== null ? baseName(source.text) : null;
  if (name === "" || name === "." || name === "..") return target;
  if (target.text !== null && name !== null) return exact(joinPath(target.text, name));
  const folder = target.text !== null ? escapeGlob(target.text) : (target.glob ?? "");
  const last = name !== null ? escapeGlob(name) : source.glob !== null ? baseName(source.glob) : "*";
  return globbed(joinPath(folder, last), target.lead, source.many);
}
