// An action in words a person can check: everything that will run or change, escaped, in one text.

import type { Action, ProcessAction } from "../core/action/action.js";
import { assertNever, printable, printableBlock } from "../core/shared/index.js";

const SUMMARY = 400;

/** The action as text; with the default limit a summary of one line. */
export function describeAction(action: Action, limit: number = SUMMARY): string {
  const text = (value: string): string => (limit === SUMMARY ? printable(value, SUMMARY) : printableBlock(value));
  switch (action.kind) {
    case "command":
      return "shell" in action.form ? text(action.form.shell) : text(action.form.argv.map(quoteWord).join(" "));
    case "view":
      return `view ${printable(action.path)}${action.range === null ? "" : ` lines ${action.range[0]} to ${action.range[1]}`}`;
    case "edit":
      return limit === SUMMARY ? `${action.edit.op} ${printable(action.path)}` : `${action.edit.op} ${printable(action.path)}\n${editText(action)}`;
    case "process":
      return text(describeProcess(action));
    case "submit":
      return "submit";
    case "opaque":
      return `${printable(action.tool)}: ${printable(action.why)}`;
    default:
      return assertNever(action);
  }
}

function describeProcess({ op, name, form, terminal, input, key, endsInput }: ProcessAction): string {
  if (op === "list") return "list processes";
  if (op === "open") return `open process ${name}${terminal === null ? "" : " on a terminal"}: ${form === null ? "" : "shell" in form ? form.shell : form.argv.map(quoteWord).join(" ")}`;
  if (op !== "write") return `${op} process ${name}`;
  return key === null ? `write to ${name}: ${input ?? ""}${endsInput ? " (and end its input)" : ""}` : `press ${key} in ${name}`;
}

function editText(action: Extract<Action, { kind: "edit" }>): string {
  const { edit } = action;
  switch (edit.op) {
    case "create":
      return prefixed("+", edit.content);
    case "replace":
      return `${prefixed("-", edit.search)}\n${prefixed("+", edit.replace)}`;
    case "insert":
      return `after line ${edit.afterLine}\n${prefixed("+", edit.text)}`;
    case "undo":
      return "the last edit of this file";
    default:
      return assertNever(edit);
  }
}

function prefixed(mark: string, block: string): string {
  return printableBlock(block)
    .split("\n")
    .map((line) => `${mark}${line}`)
    .join("\n");
}

/** A word as a person would quote it for bash. */
export function quoteWord(word: string): string {
  return /^[\w@%+=:,./-]+$/u.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
