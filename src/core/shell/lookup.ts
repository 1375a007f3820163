// What a variable, digit or special parameter holds. Bash sets some by itself; of the rest, the environment tells all or a part.

import type { Word } from "unbash";
import { isDynamic } from "./dynamic.js";
import type { Run } from "./run.js";
import type { ShellState } from "./state.js";
import { exact, NUMBER, SOME_NAME, UNKNOWN_MANY, type Field } from "./value.js";

/** A parameter's value: null is certainly unset; a list is `$@` or an array with `[@]`. */
export interface Parameter {
  readonly value: Field | null;
  readonly list: readonly Field[] | null;
  /** The word that stands for it (`${x:-word}`), to be expanded where it is, with its own quotes. */
  readonly operand?: Word;
}

export const NOTHING: Parameter = { value: null, list: null };
export const UNKNOWN_PARAMETER: Parameter = { value: UNKNOWN_MANY, list: null };

/** A parameter with one value. */
export function single(value: Field | null): Parameter {
  return { value, list: null };
}

/** Numbers of one or more digits, always set. */
const NUMBERS = new Set(["?", "$", "#", "RANDOM", "SRANDOM", "SECONDS", "EPOCHSECONDS", "LINENO", "UID", "EUID", "PPID", "BASHPID", "SHLVL", "BASH_SUBSHELL", "OPTIND", "OPTERR"]);
/** Names without a slash, always set. */
const NAMES = new Set(["HOSTNAME", "HOSTTYPE", "MACHTYPE", "OSTYPE", "BASH_VERSION"]);
/** Other variables that bash sets by itself, always or in passing. */
const OWN = new Set(["BASH", "BASH_ALIASES", "BASH_CMDS", "BASH_EXECUTION_STRING", "BASH_LOADABLES_PATH", "BASH_REMATCH", "COLUMNS", "LINES", "COMPREPLY", "COPROC", "COPROC_PID", "HISTFILE", "MAPFILE", "OPTARG", "POSIXLY_CORRECT", "PS1", "PS2", "PS4", "REPLY", "READLINE_LINE", "SHELL", "TERM", "PATH", "auto_resume"]);

/** Looks a plain name, digit or special parameter up. */
export function lookUp(run: Run, state: ShellState, name: string): Parameter {
  if (state.blurred) return UNKNOWN_PARAMETER;
  const variable = state.variables.get(name);
  if (variable !== undefined) return single(variable.value);
  const first = name.charCodeAt(0);
  if (first >= 48 && first <= 57) return positional(state, Number(name));
  switch (name) {
    case "@":
    case "*":
      return state.positional === null ? UNKNOWN_PARAMETER : { value: null, list: state.positional };
    case "#":
      return single(state.positional === null || state.positional.some((field) => field.many) ? NUMBER : exact(String(state.positional.length)));
    case "-":
    case "!":
      return UNKNOWN_PARAMETER;
    case "HOME":
      return single(exact(run.context.environment.get("HOME") ?? run.context.home));
    case "PWD":
      return single(state.cwds?.length === 1 ? exact(state.cwds[0] ?? "/") : UNKNOWN_MANY);
    case "OLDPWD":
      return single(state.previous?.length === 1 ? exact(state.previous[0] ?? "/") : UNKNOWN_MANY);
    case "IFS":
      return single(exact(" \t\n"));
    default:
      return inherited(run, name);
  }
}

function inherited(run: Run, name: string): Parameter {
  if (NUMBERS.has(name)) return single(NUMBER);
  const value = run.context.environment.get(name);
  if (value !== undefined) return single(exact(value));
  if (NAMES.has(name)) return single(SOME_NAME);
  if (run.context.environmentIsWhole !== true || OWN.has(name) || isDynamic(name)) return UNKNOWN_PARAMETER;
  return NOTHING;
}

function positional(state: ShellState, index: number): Parameter {
  // The name the shell was started by; followed scripts and `sh -c text name` set it.
  if (index === 0) return single(exact("bash"));
  if (state.positional === null) return UNKNOWN_PARAMETER;
  const before = state.positional.slice(0, index);
  if (before.some((field) => field.many)) return UNKNOWN_PARAMETER;
  return single(state.positional[index - 1] ?? null);
}
