// Text that bash runs when it evaluates it as arithmetic, as a subscript or as a reference: `a[$(command)]`. Values count as well as words,
// since bash evaluates the text of a variable that it meets in an expression.

import { addOpaque, charge, type Run } from "./run.js";
import type { ShellState } from "./state.js";
import type { Field } from "./value.js";

/** Tells whether a text runs commands when bash evaluates it as arithmetic or as an array subscript. */
export function runsInArithmetic(text: string): boolean {
  return text.includes("[") && (text.includes("$(") || text.includes("`") || text.includes("${"));
}

/** Variables that are integers from the start: what is assigned to them is arithmetic. */
const INTEGERS = new Set(["RANDOM", "SRANDOM", "SECONDS", "OPTIND", "HISTCMD", "LINENO", "EPOCHSECONDS", "BASHPID", "PPID", "UID", "EUID", "BASH_SUBSHELL"]);

/** Tells whether what is assigned to a name is evaluated. */
export function isInteger(name: string): boolean {
  return INTEGERS.has(name);
}

/** An expression is evaluated here. Any variable that it may name may hold text that runs; that is then not followed. */
export function evaluatesArithmetic(run: Run, state: ShellState, from: string): void {
  if (run.opaque) return;
  charge(run, state.variables.size >> 5);
  const runs = (field: Field | null): boolean => field !== null && field.text !== null && runsInArithmetic(field.text);
  let found = state.positional?.some(runs) === true;
  for (const { value, list } of state.variables.values()) found ||= runs(value) || list?.some(runs) === true;
  for (const value of run.context.environment.values()) found ||= runsInArithmetic(value);
  if (found) addOpaque(run, "arithmetic while a variable holds a substitution in a subscript", from);
}

/** A text that bash evaluates itself. */
export function evaluatesText(run: Run, text: string | null, from: string): void {
  if (text !== null && runsInArithmetic(text)) addOpaque(run, "a subscript that holds a substitution", from);
}
