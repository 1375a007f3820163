// The shell's own state along one way through a script, and how two ways are joined. Mutable inside one evaluation only.

import type { Function as FunctionNode } from "unbash";
import { isDynamic } from "./dynamic.js";
import { joinFields, UNKNOWN_MANY, type Field } from "./value.js";

/** A variable. `value` null is certainly unset; `list` is an array's elements. */
export interface Variable {
  readonly value: Field | null;
  readonly list: readonly Field[] | null;
  readonly exported: boolean;
  /** `export -n`: a variable of the environment that programs no longer see. */
  readonly withheld?: boolean;
  /** Read-only, or shaped by an attribute (`declare -u`): what is assigned later cannot be told. */
  readonly loose?: boolean;
}

/** A function as defined, with the text its positions index. */
export interface FunctionBody {
  readonly node: FunctionNode;
  readonly source: string;
  /** What the name is on other ways: another function, none, or more than are kept apart. */
  readonly others?: readonly OtherBody[];
}

export type OtherBody = FunctionBody | "none" | "any";

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
  /** `set -u`: a variable that is not set ends the shell. */
  nounset: boolean;
  /** `set -a`: every variable set is exported. */
  allexport: boolean;
  /** Functions that child shells see (`export -f`). */
  shared: ReadonlySet<string>;
  lastpipe: boolean;
  /** No command follows on this way (`exit`, `return`, `break`). */
  ended: boolean;
  /** A name reference or the like: variables can no longer be told. */
  blurred: boolean;
  /** `BASH_ALIASES` or `BASH_CMDS` was assigned to: any name may run something else. */
  renamed: boolean;
}

const NO_NAMES: ReadonlySet<string> = new Set();

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
    nounset: false,
    allexport: false,
    shared: NO_NAMES,
    lastpipe: false,
    ended: false,
    blurred: false,
    renamed: false,
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
    functions: joinFunctions(a.functions, b.functions),
    aliases: a.aliases.size === 0 ? b.aliases : b.aliases.size === 0 ? a.aliases : new Map([...b.aliases, ...a.aliases]),
    links,
    locals: a.locals === null || b.locals === null ? a.locals : new Map([...b.locals, ...a.locals]),
    traps: a.traps === b.traps ? a.traps : [...new Set([...a.traps, ...b.traps])].slice(0, MAX_TRAPS),
    errexit: a.errexit && b.errexit,
    nounset: a.nounset && b.nounset,
    allexport: a.allexport || b.allexport,
    shared: a.shared === b.shared ? a.shared : new Set([...a.shared, ...b.shared]),
    lastpipe: a.lastpipe || b.lastpipe,
    ended: a.ended,
    blurred: a.blurred || b.blurred,
    renamed: a.renamed || b.renamed,
  };
}

/** Most handlers of `trap` kept. */
export const MAX_TRAPS = 20;

function joinFunctions(a: Map<string, FunctionBody>, b: Map<string, FunctionBody>): Map<string, FunctionBody> {
  if (a.size === 0 && b.size === 0) return a;
  const out = new Map<string, FunctionBody>();
  for (const [name, left] of a) {
    const right = b.get(name);
    out.set(name, right === left ? left : withOthers(left, right === undefined ? ["none"] : [right, ...(right.others ?? [])]));
  }
  for (const [name, right] of b) if (!a.has(name)) out.set(name, withOthers(right, ["none"]));
  return out;
}

/** Most functions of one name kept apart. */
const MAX_BODIES = 6;

function withOthers(body: FunctionBody, more: readonly OtherBody[]): FunctionBody {
  const others = [...new Set([...(body.others ?? []), ...more])].filter((one) => typeof one === "string" || one.node !== body.node);
  return others.length === 0 ? body : { ...body, others: others.length > MAX_BODIES ? ["any"] : others };
}

function joinVariables(a: ReadonlyMap<string, Variable>, b: ReadonlyMap<string, Variable>): Map<string, Variable> {
  const out = new Map<string, Variable>();
  for (const [name, left] of a) {
    const right = b.get(name);
    if (right === left) out.set(name, left);
    else if (right === undefined) out.set(name, { value: UNKNOWN_MANY, list: null, exported: left.exported, ...looseIf(left.loose) });
    else {
      const exported = left.exported || right.exported;
      out.set(name, { value: left.list === right.list ? joinFields(left.value, right.value) : UNKNOWN_MANY, list: left.list === right.list ? left.list : null, exported, ...looseIf(left.loose === true || right.loose === true) });
    }
  }
  for (const [name, right] of b) if (!a.has(name)) out.set(name, { value: UNKNOWN_MANY, list: null, exported: right.exported, ...looseIf(right.loose) });
  return out;
}

/** Most variables told apart; past it none can be told. */
const MAX_VARIABLES = 150;

/** bash's own tables of aliases and of programs' places: what is put there is run. */
const RENAMES = new Set(["BASH_ALIASES", "BASH_CMDS"]);

/** Sets a variable to one value, keeping its export mark. */
export function setVariable(state: ShellState, name: string, value: Field | null): void {
  if (RENAMES.has(name)) state.renamed = true;
  if (state.variables.size >= MAX_VARIABLES && !state.variables.has(name)) state.blurred = true;
  if (state.blurred || isDynamic(name)) return;
  const before = state.variables.get(name);
  if (before?.loose === true) state.variables.set(name, { ...before, value: UNKNOWN_MANY, list: null });
  else state.variables.set(name, { ...before, value, list: withFirst(before?.list ?? null, value), exported: (before?.exported ?? false) || state.allexport });
}

/** What is assigned to an array without a subscript is its first element; the others stay. */
function withFirst(list: readonly Field[] | null, value: Field | null): readonly Field[] | null {
  return list === null || value === null || list.length === 0 ? null : [{ ...value, many: false }, ...list.slice(1)];
}

/** Nothing is known of a variable any more; with a subscript the array it belongs to is meant. */
export function forget(state: ShellState, name: string): void {
  const plain = /^[A-Za-z_]\w*/.exec(name)?.[0];
  if (plain === undefined) state.blurred = true;
  else if (plain === name) setVariable(state, name, UNKNOWN_MANY);
  else setList(state, plain, null);
}

function looseIf(loose: boolean | undefined): { readonly loose?: true } {
  return loose === true ? { loose: true } : {};
}

/** Sets a variable to an array. */
export function setList(state: ShellState, name: string, list: readonly Field[] | null): void {
  if (RENAMES.has(name)) state.renamed = true;
  if (state.variables.size >= MAX_VARIABLES && !state.variables.has(name)) state.blurred = true;
  if (state.blurred) return;
  const before = state.variables.get(name);
  if (before?.loose === true) state.variables.set(name, { ...before, value: UNKNOWN_MANY, list: null });
  else state.variables.set(name, { ...before, value: list === null ? UNKNOWN_MANY : (list[0] ?? null), list, exported: before?.exported ?? false });
}
