// Package managers: what installs code from elsewhere, and what runs the project's own.

import { parseArguments } from "../arguments.js";
import { touch } from "../files.js";
import { compile } from "../model.js";
import { connectTo } from "../net.js";
import { PACKAGE_MANAGERS, type PackageManager } from "../models/packages.js";
import { runsCode, applyArguments } from "../roles.js";
import { addEffect, addOpaque, excerpt, UNKNOWN_OUTPUT, type Call, type Output } from "../run.js";
import { exact } from "../value.js";
import { runInner } from "./wrappers.js";

export const PACKAGE_MANAGER_NAMES: readonly string[] = [...PACKAGE_MANAGERS.keys()];

const ASKS = new Set(["--version", "--help", "-v", "-V", "-h"]);

/** Any package manager: its first operand says what it does. */
export function runPackageManager(call: Call): Output {
  const manager = PACKAGE_MANAGERS.get(call.program);
  if (manager === undefined) return UNKNOWN_OUTPUT;
  const parsed = parseArguments(call.words.slice(1), manager.model);
  applyArguments(call, manager.model, { ...parsed, uncertain: false });
  const [verb, ...rest] = parsed.operands;
  if (verb === undefined) {
    if (parsed.options.length === 0 || !parsed.options.every((option) => ASKS.has(option.name))) perform(call, manager, manager.bare);
    return UNKNOWN_OUTPUT;
  }
  if (verb.text === null && manager.verbs.size === 0 && manager.other === "runs") {
    perform(call, manager, "runs");
    return UNKNOWN_OUTPUT;
  }
  if (verb.text === null) {
    addOpaque(call.run, `which \`${call.program}\` command runs cannot be told`, call.from);
    return UNKNOWN_OUTPUT;
  }
  const kind = manager.verbs.get(verb.text);
  if (kind === "nested") return runPackageManager({ ...call, program: `${call.program} ${verb.text}`, words: [exact(call.program), ...wordsBehind(call, verb.text)] });
  if (kind === "exec") {
    runsCode(call, "project", null);
    addConnection(call);
    const command = wordsBehind(call, verb.text).filter((word, i, all) => !(word.text === "--" && i === all.findIndex((other) => other.text === "--")));
    const at = command.findIndex((word) => !word.lead.startsWith("-"));
    if (at >= 0) runInner(call, command.slice(at));
    return UNKNOWN_OUTPUT;
  }
  perform(call, manager, kind ?? manager.other);
  if (kind === undefined && manager.other === "exec") runInner(call, [verb, ...rest]);
  return UNKNOWN_OUTPUT;
}

const FILE_PACKAGES = compile("t*", "--root:C --admindir:C --instdir:C --dbpath:C --define:t --eval:t -E:t --queryformat:t --qf:t --prefix:t --relocate:t --excludepath:t -D:t", "");
/** Options of `dpkg` that only look, and those of `rpm`. */
const DPKG_CHANGES = /^(?:-i|--install|--unpack|--configure|--triggers-only|-r|--remove|-P|--purge|--set-selections|--clear-selections|--update-avail|--merge-avail|--clear-avail|--forget-old-unavail|-A|--record-avail|--add-architecture|--remove-architecture)$/;
const RPM_CHANGES = /^(?:-i|--install|-U|--upgrade|-F|--freshen|-e|--erase|--import|--initdb|--rebuilddb|--reinstall|--restore|--setperms|--setugids)$/;

/** `dpkg` and `rpm`: packages that lie in files, and questions about what is installed. */
export function runFilePackages(call: Call): Output {
  const parsed = parseArguments(call.words.slice(1), FILE_PACKAGES);
  applyArguments(call, FILE_PACKAGES, { ...parsed, uncertain: false });
  const names = new Set(parsed.options.map((option) => option.name));
  const asks = call.program === "rpm" && (names.has("-q") || names.has("--query") || names.has("-V") || names.has("--verify") || names.has("-K"));
  const changes = !asks && [...names].some((name) => (call.program === "rpm" ? RPM_CHANGES : DPKG_CHANGES).test(name));
  if (parsed.uncertain && !asks && !changes) addOpaque(call.run, `a word of \`${call.program}\` may be any option`, call.from);
  for (const word of parsed.operands) {
    if (/^(?:https?|ftp):\/\//.test(word.lead)) connectTo(call, null, word.text);
    else if (changes || names.has("-p") || names.has("-K") || names.has("-I") || names.has("-c") || names.has("--info") || names.has("--contents")) touch(call, "read", word, false);
  }
  if (call.program === "dpkg" && (names.has("-x") || names.has("-X") || names.has("-e") || names.has("--extract") || names.has("-R") || names.has("--raw-extract"))) {
    const [archive, folder] = parsed.operands;
    if (archive !== undefined) touch(call, "read", archive, false);
    touch(call, "create", folder ?? exact("DEBIAN"), true);
  }
  if (call.program === "dpkg" && (names.has("-b") || names.has("--build"))) touch(call, "write", parsed.operands[1] ?? exact("."), true);
  if (!changes) return UNKNOWN_OUTPUT;
  for (const folder of ["/usr", "/etc", "/var"]) touch(call, "write", exact(folder), true);
  runsCode(call, "program", null);
  return UNKNOWN_OUTPUT;
}

function wordsBehind(call: Call, verb: string): Call["words"] {
  const at = call.words.findIndex((word, i) => i > 0 && word.text === verb);
  return call.words.slice(at + 1);
}

function addConnection(call: Call): void {
  addEffect(call.run, { kind: "connect", host: null, url: null, by: call.program.split(" ", 1)[0] ?? call.program, from: excerpt(call.from) });
}

/** Where Node's package managers keep what is installed for all. */
const GLOBAL = "/usr/local/lib/node_modules";

function isGlobal({ program, words }: Call): boolean {
  return /^(?:npm|pnpm|cnpm|yarn)$/.test(program) && words.some(({ text }) => text === "-g" || text === "--global" || text === "--location=global" || (program === "yarn" && text === "global"));
}

function perform(call: Call, manager: PackageManager, kind: string): void {
  const own: Call = { ...call, program: call.program.split(" ", 1)[0] ?? call.program };
  switch (kind) {
    case "reads":
    case "queries":
      for (const file of manager.files) touch(own, "read", exact(file), false);
      if (kind === "queries") addConnection(own);
      return;
    case "exec":
      addConnection(own);
      runsCode(own, "project", null);
      return;
    case "runs":
      runsCode(own, "project", null);
      return;
    case "publishes":
      addConnection(own);
      runsCode(own, "project", null);
      return;
    case "removes":
      if (isGlobal(own)) touch(own, "write", exact(GLOBAL), true);
      for (const folder of manager.folders) touch(own, "write", exact(folder), true);
      for (const file of manager.files) touch(own, "write", exact(file), false);
      runsCode(own, "project", null);
      return;
    case "writes":
      for (const file of manager.files) touch(own, "write", exact(file), false);
      return;
    case "fetches":
      addConnection(own);
      for (const folder of manager.folders) touch(own, "write", exact(folder), true);
      return;
    case "installs":
      addConnection(own);
      if (isGlobal(own)) touch(own, "write", exact(GLOBAL), true);
      for (const folder of manager.folders) touch(own, "write", exact(folder), true);
      for (const file of manager.files) touch(own, "write", exact(file), false);
      runsCode(own, "project", null);
      return;
    default:
      runsCode(own, "program", null);
  }
}
