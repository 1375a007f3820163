// Package managers: what installs code from elsewhere, and what runs the project's own.

import { parseArguments } from "../arguments.js";
import { touch } from "../files.js";
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

function wordsBehind(call: Call, verb: string): Call["words"] {
  const at = call.words.findIndex((word, i) => i > 0 && word.text === verb);
  return call.words.slice(at + 1);
}

function addConnection(call: Call): void {
  addEffect(call.run, { kind: "connect", host: null, url: null, by: call.program.split(" ", 1)[0] ?? call.program, from: excerpt(call.from) });
}

function perform(call: Call, manager: PackageManager, kind: string): void {
  const own: Call = { ...call, program: call.program.split(" ", 1)[0] ?? call.program };
  switch (kind) {
    case "reads":
      return;
    case "queries":
      addConnection(own);
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
    case "writes":
      for (const file of manager.files) touch(own, "write", exact(file), false);
      return;
    case "fetches":
      addConnection(own);
      for (const folder of manager.folders) touch(own, "write", exact(folder), true);
      return;
    case "installs":
      addConnection(own);
      for (const folder of manager.folders) touch(own, "write", exact(folder), true);
      for (const file of manager.files) touch(own, "write", exact(file), false);
      runsCode(own, "project", null);
      return;
    default:
      runsCode(own, "program", null);
  }
}
