// Package managers: what installs code from elsewhere, and what runs the project's own.

import { parseArguments } from "../arguments.js";
import { asksHelp } from "../asks.js";
import { touch } from "../files.js";
import { compile } from "../model.js";
import { connectTo } from "../net.js";
import { PACKAGE_MANAGERS, type PackageManager } from "../models/packages.js";
import { runsCode, runShellText, applyArguments } from "../roles.js";
import { addEffect, addOpaque, excerpt, UNKNOWN_OUTPUT, type Call, type Output } from "../run.js";
import { exact, UNKNOWN, type Field } from "../value.js";
import { loadFolder } from "./dotenv.js";
import { runInner } from "./wrappers.js";

export const PACKAGE_MANAGER_NAMES: readonly string[] = [...PACKAGE_MANAGERS.keys()];

const ASKS = new Set(["--version", "--help", "-v", "-V", "-h"]);

/** Any package manager: its first operand says what it does. */
export function runPackageManager(call: Call): Output {
  const manager = PACKAGE_MANAGERS.get(call.program);
  if (manager === undefined) return UNKNOWN_OUTPUT;
  const parsed = parseArguments(call.words.slice(1), manager.model);
  const [verb, ...rest] = parsed.operands;
  const kind = verb?.text == null ? undefined : manager.verbs.get(verb.text);
  // Behind these the words are another program's.
  if (kind !== "exec" && kind !== "starts") applyArguments(call, manager.model, { ...parsed, uncertain: false });
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
  if (kind === "nested") return runPackageManager({ ...call, program: `${call.program} ${verb.text}`, words: [exact(call.program), ...wordsBehind(call, verb.text)] });
  const offline = isOffline(call, manager, parsed.options) || installsLocal(call, parsed.options, rest);
  if (kind === "exec" || kind === "starts" || (kind === "makes" && rest.length > 0)) {
    const own: Call = { ...call, program: call.program.split(" ", 1)[0] ?? call.program };
    runsCode(own, "project", null);
    // A runner looks for what is installed first: policy tells it from an installation by the verb.
    if (kind !== "starts" && !offline) addConnection({ ...call, program: `${own.program} ${kind === "makes" ? "exec" : verb.text}` }, true);
    if (call.program === "direnv" && rest[0] !== undefined) loadFolder(call, rest[0]);
    if (kind !== "makes") runStarted(own, wordsBehind(call, verb.text));
    return UNKNOWN_OUTPUT;
  }
  if (asksHelp(call.words) || isRefused(call, verb.text, rest)) return UNKNOWN_OUTPUT;
  if (verb.text === "hash" && /^pip\d*$/.test(call.program)) for (const file of rest) touch(call, "read", file, false);
  for (const file of settingsOf(call, verb.text, rest)) touch(call, "write", file, false);
  perform(call, manager, kind === "makes" ? "writes" : parsed.marks.has("lists") ? "reads" : (kind ?? manager.other), offline);
  if (kind === undefined && manager.other === "exec") runInner(call, [verb, ...rest]);
  return UNKNOWN_OUTPUT;
}

/** Options of `npm exec`, `uv run`, `poetry run`, `conda run` and their like in front of the command. */
const STARTED = compile("t*", "-c:s --call:s --shell:x -p:t --package:t -w:t --workspace:t --workspaces --filter:t -F:t --with:t --with-editable:R --with-requirements:r --python:t -n:t --name:t --prefix:t --project:t --directory:t --extra:t --group:t --only-group:t --env-file:r --index:u --index-url:u --registry:u -y --yes -q --quiet -v --verbose --no-install --no-sync --frozen --locked --offline --isolated --no-project --active --no-capture-output --live-stream -s --script -m --module --parallel -r --recursive", "stops");

/** Their first word may be a folder, a version or a toolchain. */
const NAMES_PLACE = new Set(["direnv", "mise", "nvm", "fnm", "asdf", "volta", "rustup"]);

/** The command behind such a verb. Behind an option that is not known the next word may be its value or the command: both count. */
function runStarted(call: Call, words: Call["words"]): void {
  let left = words;
  for (let turn = 0; turn < MAX_COMMANDS && left.length > 0; turn += 1) {
    const parsed = parseArguments(left, STARTED);
    applyArguments(call, STARTED, { ...parsed, operands: [] });
    const command = left.slice(parsed.firstOperand);
    const [program] = command;
    if (program === undefined) return;
    if (/\s/.test(program.text ?? "")) runShellText(call, command.every(({ text }) => text !== null) ? exact(command.map(({ text }) => text).join(" ")) : UNKNOWN);
    runInner(call, command);
    const before = left.slice(0, parsed.firstOperand);
    const isKnown = (turn > 0 || !NAMES_PLACE.has(call.program)) && before.every((word) => !word.lead.startsWith("-") || word.lead === "--" || word.lead.includes("=") || STARTED.options.has(word.lead));
    const later = command.findIndex((word) => word.text === "--");
    if (isKnown && later < 0) return;
    left = isKnown ? command.slice(later + 1) : command.slice(1);
  }
}

/** Most words of one command that may be its beginning. */
const MAX_COMMANDS = 4;

/** `npm config set`, `pip config set` and their kin write the settings that say where code comes from. */
function settingsOf(call: Call, verb: string, [first]: readonly Field[]): readonly Field[] {
  const home = (name: string): Field => exact(`${call.run.context.home}/${name}`);
  if (call.program === "nix registry") return /^(?:add|remove|pin)$/.test(verb) ? [home(".config/nix/registry.json")] : [];
  const order = verb === "config" ? (first?.text ?? "") : verb;
  if (!(verb === "config" ? /^(?:set|delete|rm|unset|edit|fix)$/ : /^set$/).test(order)) return [];
  if (/^(?:npm|pnpm|cnpm)$/.test(call.program)) return [call.words.some(({ text }) => text === "--location=project" || text === "-L=project") ? exact(".npmrc") : home(".npmrc")];
  if (verb !== "config") return [];
  if (call.program === "yarn") return [exact(".yarnrc.yml"), home(".yarnrc")];
  // `pip config edit` starts an editor and writes nothing itself.
  if (!/^pip\d?$/.test(call.program) || order === "edit") return [];
  const has = (option: string): boolean => call.words.some(({ text }) => text === option);
  return [has("--global") ? exact("/etc/pip.conf") : has("--site") ? exact("/usr/pip.conf") : home(".config/pip/pip.conf")];
}

/** What ends with an error before anything is looked for: `npm star` without a package, `go get` of a path whose first part is no host. */
function isRefused(call: Call, verb: string, operands: readonly Field[]): boolean {
  if (call.program === "npm" && (verb === "star" || verb === "unstar")) return operands.length === 0;
  return call.program === "go" && verb === "get" && operands.length > 0 && operands.every(({ text }) => text !== null && /^[a-z][\w-]*\/[\w/-]*$/i.test(text));
}

/** `pip install --no-deps` of wheels that lie here or, told to build with what is installed, of folders that do: nothing is looked for elsewhere. */
function installsLocal(call: Call, options: readonly { readonly name: string; readonly value: Field | null }[], operands: readonly Field[]): boolean {
  if (!/^(?:pip\d?|uv pip)$/.test(call.program) || !options.some(({ name }) => name === "--no-deps")) return false;
  const builds = options.some(({ name }) => name === "--no-build-isolation");
  const targets = [...operands, ...options.flatMap(({ name, value }) => (name === "-e" || name === "--editable" ? [value ?? UNKNOWN] : []))];
  const isHere = ({ text }: Field): boolean => text !== null && /^(?:\.|\/|[^:@]*\/|[^:@/]*\.whl$)/.test(text) && !text.includes("://") && (builds || text.endsWith(".whl"));
  return targets.length > 0 && targets.every(isHere) && !options.some(({ name }) => /^(?:-r|-c|--requirement|--constraint|-i|--index-url|--extra-index-url)$/.test(name));
}

/** Told to stay away from the network, and given no address that it would fetch all the same. */
function isOffline(call: Call, manager: PackageManager, options: readonly { readonly name: string }[]): boolean {
  return options.some(({ name }) => manager.offline.has(name)) && call.words.every(({ text }) => text !== null && !/:\/\/|^git\+|@(?:https?|git|ssh):|^-?-(?:r|c|requirement|constraint)/.test(text));
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

/** @param verb whether the verb is part of who connects */
function addConnection(call: Call, verb = false): void {
  addEffect(call.run, { kind: "connect", host: null, url: null, by: verb ? call.program : (call.program.split(" ", 1)[0] ?? call.program), from: excerpt(call.from) });
}

/** Where Node's package managers keep what is installed for all. */
const GLOBAL = "/usr/local/lib/node_modules";

function isGlobal({ program, words }: Call): boolean {
  return /^(?:npm|pnpm|cnpm|yarn)$/.test(program) && words.some(({ text }) => text === "-g" || text === "--global" || text === "--location=global" || (program === "yarn" && text === "global"));
}

function perform(call: Call, manager: PackageManager, kind: string, offline = false): void {
  const own: Call = { ...call, program: call.program.split(" ", 1)[0] ?? call.program };
  const connects = (): void => {
    if (!offline) addConnection(own);
  };
  switch (kind) {
    case "reads":
    case "queries":
      for (const file of manager.files) touch(own, "read", exact(file), false);
      if (kind === "queries") connects();
      return;
    case "exec":
      connects();
      runsCode(own, "project", null);
      return;
    case "runs":
      runsCode(own, "project", null);
      return;
    case "publishes":
      connects();
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
      connects();
      for (const folder of manager.folders) touch(own, "write", exact(folder), true);
      return;
    case "installs":
      connects();
      if (isGlobal(own)) touch(own, "write", exact(GLOBAL), true);
      for (const folder of manager.folders) touch(own, "write", exact(folder), true);
      for (const file of manager.files) touch(own, "write", exact(file), false);
      runsCode(own, "project", null);
      return;
    default:
      runsCode(own, "program", null);
  }
}
