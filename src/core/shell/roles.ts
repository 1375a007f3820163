// Gives a program's words their effects by role. One meaning a role, the same for every program.

import { addEnvironment } from "./assign.js";
import { destinations, isDash, touch } from "./files.js";
import type { Arguments } from "./arguments.js";
import { addConnect, connectRemote, isRemote, localFile } from "./net.js";
import { LISTS, touchListed } from "./lists.js";
import type { Model, Role } from "./model.js";
import { addEffect, addOpaque, deeper, excerpt, type Call } from "./run.js";
import { applySetting } from "./settings.js";
import { fork } from "./state.js";
import { baseName, joinPath, normalisePath } from "../action/paths.js";
import { dropPrefix, exact, UNKNOWN, type Field } from "./value.js";
import { COPY, noteText } from "./written.js";

/** Applies one role to one word. `tree`: the program was told to work on whole trees. */
export function applyRole(call: Call, role: Role, word: Field, tree: boolean): void {
  switch (role) {
    case "t":
    case "p":
    case "o":
      return;
    case "r":
      if (!isDash(word)) touch(call, "read", word, tree);
      return;
    case "R":
      if (!isDash(word)) touch(call, "read", word, true);
      return;
    case "w":
      if (!isDash(word)) touch(call, "write", word, tree);
      return;
    case "c":
      touch(call, "create", word, false);
      return;
    case "C":
      touch(call, "create", word, true);
      return;
    case "d":
      touch(call, "delete", word, tree);
      return;
    case "D":
      touch(call, "delete", word, true);
      return;
    case "m":
      touch(call, "metadata", word, tree);
      return;
    case "x":
      if (!isDash(word)) touch(call, "read", word, false);
      runsCode(call, "file", word.text);
      return;
    case "i": {
      runsCode(call, "inline", word.text);
      // Editors, debuggers and database shells start a shell with `!` or `.shell`.
      const command = word.text === null ? null : (/^\s*(?::?!|\\!|shell\s|\.(?:shell|system)\s)(.+)$/s.exec(word.text)?.[1] ?? null);
      if (command !== null) runShellText(call, exact(command));
      return;
    }
    case "s":
      runShellText(call, word);
      return;
    case "u":
      addConnect(call, word);
      return;
    case "h":
    case "H":
      applyRemote(call, word, role === "h" ? "R" : "C");
      return;
    case "a":
    case "f":
      applyUpload(call, role, word);
      return;
    case "v":
      applyVariable(call, word);
      return;
  }
}

function applyRemote(call: Call, word: Field, local: Role): void {
  if (isRemote(word)) connectRemote(call, word);
  else applyRole(call, local, localFile(word), true);
}

function applyUpload(call: Call, role: "a" | "f", word: Field): void {
  const at = role === "a" ? 0 : word.lead.indexOf("=") + 1;
  const sign = word.lead[at];
  if (sign !== "@" && !(role === "f" && sign === "<")) return;
  const file = dropPrefix(word, word.lead.slice(0, at + 1));
  if (file === null) return;
  const path = file.text === null ? file : exact(file.text.split(";")[0] ?? "");
  if (!isDash(path)) touch(call, "read", path, false);
}

function applyVariable(call: Call, word: Field): void {
  const at = word.lead.indexOf("=");
  if (at <= 0) return;
  const value = dropPrefix(word, word.lead.slice(0, at + 1)) ?? UNKNOWN;
  addEnvironment(call.run, word.lead.slice(0, at), value, call.from);
  applySetting(call, word.lead.slice(0, at), value, call.from);
}

/** Records that code runs which is not judged as text. */
export function runsCode(call: Call, source: "file" | "inline" | "stdin" | "project" | "program", code: string | null): void {
  const upstream = source === "stdin" ? call.frame.stdin.upstream : [];
  addEffect(call.run, { kind: "runs-code", source, program: call.program, code, upstream, from: excerpt(call.from) });
  call.run.disturbed = true;
}

/** Evaluates a word as text for `sh -c`, in a shell of its own. */
export function runShellText(call: Call, word: Field): void {
  if (word.text === null) {
    addOpaque(call.run, `\`${call.program}\` runs shell text that cannot be told`, call.from);
    return;
  }
  const inner = deeper(call.run, call.frame, call.from);
  if (inner !== null) call.run.runText(word.text, fork(call.state), { ...inner, leaving: null, loop: false, body: false, plain: true });
}

/** Gives all words of a parsed command line their effects. */
export function applyArguments(call: Call, model: Model, parsed: Arguments): void {
  const { operands, marks, options } = parsed;
  if (parsed.uncertain && model.risky) addOpaque(call.run, `a word of \`${call.program}\` may be any option`, call.from);
  const at = folderOption(parsed);
  const there = at === null ? call : inFolder(call, at);
  const tree = marks.has("tree");
  let dest: Field | null = null;
  for (const option of options) {
    if (option.role === null || option.value === null) continue;
    if (LISTS.has(option.name)) touchListed(there, option.value, tree);
    if (option.role === "o") dest = option.value;
    else applyRole(there, option.role, option.value, tree);
  }
  switch (model.layout) {
    case "copy":
    case "move":
    case "link":
      applyTransfer(there, model.layout, operands, dest, parsed);
      return;
    case "remote":
      applyRemoteCopy(there, operands, marks);
      return;
    case "roles": {
      const head = marks.has("nofirst") ? model.head.slice(1) : model.head;
      for (const [i, word] of operands.entries()) {
        const role = head[i] ?? model.rest;
        // What is packed, or written over, and then removed.
        if ((role === "R" && marks.has("remove")) || (role === "w" && marks.has("delete"))) touch(there, "delete", word, role === "R");
        if (role !== null && !(marks.has("dry") && (role === "d" || role === "D"))) applyRole(there, role, word, tree);
      }
      if (dest !== null) applyRole(there, "C", dest, true);
    }
  }
}

/** `scp` and `rsync`: the last operand is the target, on either side. */
function applyRemoteCopy(call: Call, operands: readonly Field[], marks: ReadonlySet<string>): void {
  const target = operands.length > 1 ? operands[operands.length - 1] : undefined;
  for (const source of target === undefined ? operands : operands.slice(0, -1)) {
    applyRemote(call, source, "R");
    if (marks.has("remove") && !isRemote(source)) touch(call, "delete", source, true);
  }
  if (target === undefined) return;
  if (isRemote(target)) {
    connectRemote(call, target);
    return;
  }
  touch(call, "write", target, true);
  if (marks.has("delete")) touch(call, "delete", target, true);
}

function folderOption(parsed: Arguments): Field | null {
  let folder: Field | null = null;
  for (const option of parsed.options) if (option.role === "p" && option.value !== null) folder = option.value;
  return folder;
}

/** The same call as if started in another folder. */
export function inFolder(call: Call, folder: Field): Call {
  const state = fork(call.state);
  if (folder.text === null) state.cwds = null;
  else if (folder.text.startsWith("/")) state.cwds = [normalisePath(folder.text, "/") ?? "/"];
  else if (state.cwds !== null) state.cwds = state.cwds.map((cwd) => normalisePath(folder.text ?? "", cwd) ?? cwd);
  return { ...call, state };
}

function applyTransfer(call: Call, layout: "copy" | "move" | "link", operands: readonly Field[], dest: Field | null, parsed: Arguments): void {
  const { marks } = parsed;
  const sources = dest === null && operands.length > 1 ? operands.slice(0, -1) : operands;
  const target = dest ?? (operands.length > 1 ? operands[operands.length - 1] : layout === "link" ? exact(".") : undefined);
  if (target?.text === "") return;
  const tree = marks.has("tree") || layout === "move";
  const folder = (dest !== null || sources.length > 1) && !marks.has("nofolder");
  for (const source of sources) {
    // No file has an empty name, and no link leads to one.
    if (source.text === "") continue;
    if (layout === "link" || marks.has("linking")) linkSource(call, source, marks.has("symbolic"));
    else if (!marks.has("makes")) touch(call, "read", source, tree);
    if (layout === "move") touch(call, "delete", source, true);
    if (target === undefined) continue;
    const places = marks.has("nofolder") ? [target] : destinations(call, marks.has("parents") ? null : source, target, folder || (layout === "link" && operands.length === 1), tree);
    for (const place of places) touch(call, layout === "link" || marks.has("makes") ? "create" : "write", place, tree);
    for (const place of places) {
      if (layout === "link" || marks.has("linking")) rememberLink(call, source, place, marks.has("symbolic"));
      else if (layout === "move") rememberLink(call, source, place, false);
      else if (call.frame.stdin.text !== null && INPUT.has(source.text ?? "")) noteText(call, place, call.frame.stdin.text);
      else rememberCopy(call, source, place);
    }
    if (marks.has("parents") && source.text !== null && target.text !== null) touch(call, "write", exact(joinPath(target.text, source.text)), tree);
  }
}

/** Names of a program's own input. */
const INPUT = new Set(["/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"]);

function linkSource(call: Call, source: Field, symbolic: boolean): void {
  if (!symbolic) touch(call, "read", source, false);
}

/** Most links and copies of one command that are followed. */
const MAX_LINKS = 32;

/** Later paths through a link of this text mean its target too. */
function rememberLink(call: Call, source: Field, place: Field, symbolic: boolean): void {
  const { state } = call;
  if (source.text === null || place.text === null || state.cwds === null) return;
  if (state.links.size >= MAX_LINKS) {
    addOpaque(call.run, "more links than are followed", call.from);
    return;
  }
  for (const cwd of state.cwds) {
    const link = normalisePath(place.text, cwd);
    const base = symbolic && link !== null ? (normalisePath("..", link) ?? cwd) : cwd;
    const target = normalisePath(source.text, base);
    if (link !== null && target !== null && link !== target && baseName(link) !== "") state.links.set(link, target);
  }
}

/** A program copied under another name stays that program. */
function rememberCopy(call: Call, source: Field, place: Field): void {
  const { state } = call;
  if (source.text === null || place.text === null || state.cwds === null || state.links.size >= MAX_LINKS) return;
  for (const cwd of state.cwds) {
    const target = normalisePath(source.text, cwd);
    const copy = normalisePath(place.text, cwd);
    if (target !== null && copy !== null) state.links.set(`${COPY}${copy}`, target);
  }
}
