// The shell's own state along one way through a script, and how two ways are joined. Mutable inside one evaluation only.

import type { Function as FunctionNode } from "unbash";
import { exact, joinFields, UNKNOWN_MANY, type Field } from "./value.js";

/** A variable. `value` null is certainly unset; `list` is an array's elements. */
export interface Variable {
  readonly value: Field | null;
  readonly list: readonly Field[] | null;
  readonly exported: boolean;
}

/** A function as defined, with the text its positions index. */
export interface FunctionBody {
  readonly node: FunctionNode;
  readonly source: string;
}

/** Everything a running shell carries from command to command. */
export interface ShellState {
  /** Possible working directories; null when it may be any. */
  cwds: readonly string[] | null;
  /** Directories the shell is still in, should the `cd` just evaluated fail; undefined when none did. */
  ifFailed: readonly string[] | null | undefined;
  previous: readonly string[] | null;
  variables: Map<string, Variable>;
  /** `$1` and on; null when unknown. */
  positional: readonly Field[] | null;
  functions: Map<string, FunctionBody>;
  aliases: Map<string, string>;
  /** Names that a link made by this very text stands for. */
  links: Map<string, string>;
  /** Values that `local` hides in the function under way; null outside one. */
  locals: Map<string, Variable | undefined> | null;
  /** Commands that `trap` keeps for later. */
  traps: readonly string[];
  errexit: boolean;
  lastpipe: boolean;
  /** No command follows on this way (`exit`, `return`, `break`). */
  ended: boolean;
  /** A name reference or the like: variables can no longer be told. */
  blurred: boolean;
}

/** A shell that has just started. */
export function freshState(cwds: readonly string[] | null): ShellState {
  return {
    cwds,
    ifFailed: undefined,
    previous: null,
    variables: new Map(),
    positional: [],
    functions: new Map(),
    aliases: new Map(),
    links: new Map(),
    locals: null,
    traps: [],
    errexit: false,
    lastpipe: false,
    ended: false,
    blurred: false,
  };
}

/** A copy that can go another way. */
export function fork(state: ShellState): ShellState {
  return {
    ...state,
    variables: new Map(state.variables),
    functions: state.functions.size === 0 ? new Map() : new Map(state.functions),
    aliases: state.aliases.size === 0 ? new Map() : new Map(state.aliases),
    links: state.links.size === 0 ? new Map() : new Map(state.links),
    locals: state.locals === null ? null : new Map(state.locals),
  };
}

/** Makes `target` equal to `source`. */
export function become(target: ShellState, source: ShellState): void {
  Object.assign(target, source);
}

/** Longest list of possible working directories kept apart. */
const MAX_CWDS = 4;

/** Directories of either way; null when too many to keep apart. */
export function joinCwds(a: readonly string[] | null, b: readonly string[] | null): readonly string[] | null {
  if (a === null || b === null) return null;
  if (a === b) return a;
  const out = [...a];
  for (const cwd of b) if (!out.includes(cwd)) out.push(cwd);
  return out.length > MAX_CWDS ? null : out;
}

/** What holds after either way; ways that have ended do not count unless both have. */
export function join(a: ShellState, b: ShellState): ShellState {
  if (a.ended && !b.ended) return b;
  if (b.ended && !a.ended) return a;
  const links = a.links.size === 0 ? b.links : new Map([...b.links, ...a.links]);
  return {
    cwds: joinCwds(a.cwds, b.cwds),
    ifFailed: undefined,
    previous: joinCwds(a.previous, b.previous),
    variables: joinVariables(a.variables, b.variables),
    positional: a.positional === b.positional ? a.positional : null,
    functions: a.functions.size >= b.functions.size ? a.functions : b.functions,
    aliases: a.aliases.size >= b.aliases.size ? a.aliases : b.aliases,
    links,
    locals: a.locals === null || b.locals === null ? a.locals : new Map([...b.locals, ...a.locals]),
    traps: a.traps.length >= b.traps.length ? a.traps : b.traps,
    errexit: a.errexit && b.errexit,
    lastpipe: a.lastpipe || b.lastpipe,
    ended: a.ended,
    blurred: a.blurred || b.blurred,
  };
}

function joinVariables(a: ReadonlyMap<string, Variable>, b: ReadonlyMap<string, Variable>): Map<string, Variable> {
  const out = new Map<string, Variable>();
  for (const [name, left] of a) {
    const right = b.get(name);
    if (right === left) out.set(name, left);
    else if (right === undefined) out.set(name, { value: UNKNOWN_MANY, list: null, exported: left.exported });
    else {
      const exported = left.exported || right.exported;
      out.set(name, { value: left.list === right.list ? joinFields(left.value, right.value) : UNKNOWN_MANY, list: left.list === right.list ? left.list : null, exported });
    }
  }
  for (const [name, right] of b) if (!a.has(name)) out.set(name, { value: UNKNOWN_MANY, list: null, exported: right.exported });
  return out;
}

/** Most variables told apart; past it none can be told. */
const MAX_VARIABLES = 150;

/** Sets a variable to one value, keeping its export mark. */
export function setVariable(state: ShellState, name: string, value: Field | null): void {
  if (state.variables.size >= MAX_VARIABLES && !state.variables.has(name)) state.blurred = true;
  if (state.blurred) return;
  const before = state.variables.get(name);
  state.variables.set(name, { value, list: null, exported: before?.exported ?? false });
}

/** Sets a variable to an array. */
export function setList(state: ShellState, name: string, list: readonly Field[] | null): void {
  if (state.variables.size >= MAX_VARIABLES && !state.variables.has(name)) state.blurred = true;
  if (state.blurred) return;
  state.variables.set(name, { value: list === null ? UNKNOWN_MANY : (list[0] ?? exact("")), list, exported: false });
}
