// One evaluation under way: the effects found, the limits used up, and the doors back into the evaluator.

import { assertNever, LIMITS } from "../shared/index.js";
import type { Function as FunctionNode, ParsedScript } from "unbash";
import type { ActionEffect } from "../action/effects.js";
import type { ShellState } from "./state.js";
import type { PathKind, ShellContext } from "./types.js";
import type { Field } from "./value.js";

/** What a command reads from its standard input. */
export interface Stream {
  /** All of it, when certain. */
  readonly text: string | null;
  /** When each line is a path: globs that cover them. */
  readonly globs: readonly string[] | null;
  /** Programs that feed it through a pipe. */
  readonly upstream: readonly string[];
  /** The file it is redirected from. */
  readonly file: Field | null;
}

/** What a command writes to its standard output, as far as it can be told. */
export interface Output {
  readonly text: string | null;
  readonly globs: readonly string[] | null;
  /** The file that it hands on whole. */
  readonly file?: Field;
  /** `text` is only what some way prints: for following, not for believing. */
  readonly some?: boolean;
}

export const NO_INPUT: Stream = { text: null, globs: null, upstream: [], file: null };
export const UNKNOWN_OUTPUT: Output = { text: null, globs: null };
export const SILENT: Output = { text: "", globs: null };

/** Where in the nesting of shells a command stands. */
export interface Frame {
  /** The text that node positions index. */
  readonly source: string;
  readonly stdin: Stream;
  readonly depth: number;
  /** Read by `sh`, which may be another shell than bash. */
  readonly plain: boolean;
  /** States at `break`, `continue` and `return`, for the construct they leave. */
  readonly leaving: ShellState[] | null;
  /** Inside a loop of this shell, and inside a function or a sourced script. */
  readonly loop?: boolean;
  /** The line that `read` gets in the condition of a loop; null: some line. */
  readonly line?: string | null;
  readonly body?: boolean;
  /** What is printed becomes words or the input of something else. */
  readonly captured?: boolean;
}

/** The evaluation under way. */
export interface Run {
  readonly context: ShellContext;
  readonly effects: ActionEffect[];
  readonly seen: Set<string>;
  /** Programs started so far, in order, for `upstream`. */
  readonly started: string[];
  /** Functions being evaluated, innermost last. */
  readonly calls: string[];
  /** Scripts being followed. */
  readonly following: string[];
  /** Commands left that may be evaluated. */
  steps: number;
  /** Patterns met so far; each is judged against all that it may mean. */
  patterns: number;
  /** Characters left that may be parsed. */
  characters: number;
  /** Something may have changed files, so the caller's view of them no longer holds. */
  disturbed: boolean;
  opaque: boolean;
  /** A builtin that leaves a shell or loop may not do so (`enable -n exit`, `execfail`). */
  stays: boolean;
  /** Aliases may be expanded; one that cannot be told was defined; the list of earlier commands may hold something. */
  aliasing: boolean;
  unknownAlias: boolean;
  history: boolean;
  /** Some shell of this text may follow POSIX more closely than bash does by itself. */
  posix: boolean;
  /** `echo` may read backslashes (`xpg_echo`), and wildcards may mean names that begin with a dot (`dotglob`, `GLOBIGNORE`). */
  echoReads: boolean;
  dots: boolean;
  /** What a descriptor above 2 reads, where it is certain. */
  readonly descriptors: Map<number, Stream>;
  /** Absolute paths of the files that `exec` opened for writing, by descriptor or by the variable that holds it. */
  readonly sinks: Map<string, readonly string[]>;
  /** Some variable is an integer, so that every assignment may be arithmetic. */
  integers: boolean;
  /** Inputs of which something was read already. */
  readonly consumed: Set<Stream>;
  /** Texts that this very text wrote to files, by absolute path: scripts that it may run later. */
  readonly written: Map<string, string>;
  /** What is done with a text that goes into a `>(…)`, by its name; null: some text. */
  readonly feeds: Map<string, (text: string | null) => void>;
  /** Those of which it is not known yet what goes into them. */
  readonly unfed: Set<string>;
  /** Open process substitutions by their `/dev/fd` name. */
  readonly pipes: Map<string, Stream>;
  /** Evaluates a script that is part of the text, such as a substitution's. */
  readonly runScript: (script: ParsedScript, state: ShellState, frame: Frame) => Output;
  /** Evaluates a function's body in a state. */
  readonly runBody: (node: FunctionNode, state: ShellState, frame: Frame) => Output;
  /** Evaluates shell text in a state. */
  readonly runText: (text: string, state: ShellState, frame: Frame) => Output;
  /** Runs words as a command. */
  readonly runWords: (words: readonly Field[], state: ShellState, frame: Frame, from: string, lookup?: Lookup) => Output;
}

/** How a command's name is looked up: by everything, without functions and aliases, or as a program only. */
export type Lookup = "all" | "no-functions" | "programs";

/** A program call being modelled. */
export interface Call {
  readonly run: Run;
  readonly state: ShellState;
  readonly frame: Frame;
  /** Base name of the program. */
  readonly program: string;
  /** All words, the program first. */
  readonly words: readonly Field[];
  readonly from: string;
}

/** Most commands evaluated of one text; a guard against repetition by loops and functions. */
export const MAX_STEPS = 2_000;
/** Most different patterns of one text. */
const MAX_PATTERNS = 300;
/** Longest piece of text kept as the origin of an effect. */
const MAX_FROM = 200;

/** Cuts a piece of text to what an effect keeps of it. */
export function excerpt(text: string): string {
  return text.length > MAX_FROM ? `${text.slice(0, MAX_FROM)}…` : text;
}

/** Adds an effect once; past the limit the whole is opaque. */
export function addEffect(run: Run, effect: ActionEffect): void {
  if (effect.kind === "opaque-text") {
    addOpaque(run, effect.why, effect.from);
    return;
  }
  const key = keyOf(effect);
  if (run.seen.has(key)) return;
  if (run.effects.length >= LIMITS.effects - 1) {
    addOpaque(run, "more effects than the limit", effect.from);
    return;
  }
  if (effect.kind === "file" && effect.certainty === "pattern") {
    run.patterns += 1;
    if (run.patterns > MAX_PATTERNS) {
      addOpaque(run, "more patterns than the limit", effect.from);
      return;
    }
  }
  run.seen.add(key);
  run.effects.push(effect);
}

/** Says once that something cannot be told from the text. */
export function addOpaque(run: Run, why: string, from: string): void {
  if (run.opaque) return;
  run.opaque = true;
  run.effects.push({ kind: "opaque-text", why, from: excerpt(from) });
}

function keyOf(effect: ActionEffect): string {
  switch (effect.kind) {
    case "file":
      return `f${effect.operation}\0${effect.path}\0${effect.recursive ? "r" : ""}${effect.certainty}\0${effect.by}`;
    case "exec":
      return `x${effect.path ?? effect.program}\0${effect.argv.map((word) => (word === null ? "\x01" : word)).join("\0")}`;
    case "connect":
      return `c${effect.by}\0${effect.url ?? effect.host ?? ""}`;
    case "runs-code":
      return `r${effect.source}\0${effect.program}\0${effect.code ?? ""}\0${effect.upstream.join(" ")}`;
    case "environment":
      return `e${effect.name}\0${effect.value ?? "\x01"}`;
    case "opaque-text":
      return "o";
    default:
      return assertNever(effect);
  }
}

/** What a path is now: the caller's view, as long as nothing before it may have changed files. */
export function kindOf(run: Run, path: string): PathKind {
  if (run.disturbed) return "unknown";
  return run.context.exists?.(path) ?? "unknown";
}

/** Charges work that is more than one command's worth. */
export function charge(run: Run, steps: number): void {
  run.steps -= steps;
}

/** Takes one step; false (and opaque) when none is left. */
export function takeStep(run: Run, from: string): boolean {
  run.steps -= 1;
  if (run.steps >= 0) return true;
  addOpaque(run, "more commands than the limit", from);
  return false;
}

/** A frame one level deeper; null (and opaque) past the limit. */
export function deeper(run: Run, frame: Frame, from: string): Frame | null {
  if (frame.depth < LIMITS.shellDepth) return { ...frame, depth: frame.depth + 1 };
  addOpaque(run, "nested deeper than the limit", from);
  return null;
}
