// `cd`, `pushd`, `popd`: the working directories a shell may be in afterwards, also should the change fail.

import { normalisePath } from "../action/paths.js";
import { madeFolder } from "./made-folder.js";
import { charge, kindOf, SILENT, UNKNOWN_OUTPUT, type Call, type Output } from "./run.js";
import { joinCwds } from "./state.js";
import { lookUp } from "./parameter.js";
import type { Field } from "./value.js";

function operand(call: Call): Field | undefined {
  for (let i = 1; i < call.words.length; i += 1) {
    const word = call.words[i];
    if (word?.text === "--") return call.words[i + 1];
    if (word?.text != null && word.text.length > 1 && /^-[LPe@n]+$/.test(word.text)) continue;
    return word;
  }
  return undefined;
}

/** `cd`. */
export function changeDirectory(call: Call): Output {
  const { state } = call;
  const target = operand(call);
  if (target?.text === "") return SILENT;
  const home = lookUp(call.run, state, "HOME").value;
  const goal = target ?? home;
  const before = state.cwds;
  if (goal?.text === "-") moveTo(call, state.previous, true);
  else if (goal?.text != null && !goal.many) moveTo(call, resolve(call, goal.text), false);
  else if (goal?.glob != null && state.links.size === 0 && madeFolder(goal) !== null) moveTo(call, resolve(call, madeFolder(goal) ?? "/"), true);
  else moveTo(call, null, true);
  state.previous = before;
  state.variables.delete("PWD");
  state.variables.delete("OLDPWD");
  return target?.text === "-" ? UNKNOWN_OUTPUT : SILENT;
}

function resolve(call: Call, text: string): readonly string[] | null {
  const usesPath = !text.startsWith("/") && !text.startsWith(".") && (call.state.variables.has("CDPATH") || call.run.context.environment.has("CDPATH"));
  if (usesPath) return null;
  if (text.startsWith("/")) {
    const path = normalisePath(text, call.state.cwds?.[0] ?? "/");
    return path === null ? null : [linked(call, path)];
  }
  if (call.state.cwds === null) return null;
  const out: string[] = [];
  for (const cwd of call.state.cwds) {
    const path = normalisePath(text, cwd);
    if (path === null) return null;
    out.push(linked(call, path));
  }
  return out;
}

function linked(call: Call, path: string): string {
  return call.state.links.get(path) ?? path;
}

function moveTo(call: Call, goals: readonly string[] | null, mayFail: boolean): void {
  const { state } = call;
  const before = state.cwds;
  charge(call.run, (goals?.[0]?.length ?? 0) >> 7);
  state.cwds = goals;
  const sure = !mayFail && goals !== null && goals.every((goal) => goal === "/" || kindOf(call.run, goal) === "directory");
  state.ifFailed = sure ? undefined : before;
}

/** `pushd`. */
export function pushDirectory(call: Call): Output {
  const target = operand(call);
  if (target === undefined || /^[-+]\d/.test(target.lead)) {
    moveTo(call, null, true);
    return UNKNOWN_OUTPUT;
  }
  changeDirectory(call);
  return UNKNOWN_OUTPUT;
}

/** `popd`: back to the directory before, or any of those visited. */
export function popDirectory(call: Call): Output {
  const { state } = call;
  const goals = state.previous === null ? null : joinCwds(state.previous, state.cwds);
  moveTo(call, goals, true);
  return UNKNOWN_OUTPUT;
}
