// What lines written to a running process may do, judged after all that it was given before. For a bash whose state is known the lines are
// evaluated in that state; for any other program as what it reads from standard input. Total, like all of shell evaluation.

import { parse } from "unbash";
import type { ActionEffect } from "../action/effects.js";
import { baseName } from "../action/paths.js";
import { LIMITS } from "../shared/index.js";
import { evaluate } from "./evaluate-shell.js";
import { addOpaque, excerpt, MAX_STEPS, type Frame, type Run, type Stream } from "./run.js";
import { simpleWords } from "./simple-words.js";
import type { ShellState } from "./state.js";
import { textProblem } from "./text-limits.js";
import type { ShellContext } from "./types.js";
import { exact } from "./value.js";

/** How a process was started, and what it was given since. */
export interface RunningProcess {
  readonly form: { readonly shell: string } | { readonly argv: readonly string[] };
  /** Whole lines, oldest first, as they were judged and written. */
  readonly history: readonly string[];
  readonly hasTerminal: boolean;
}

/** Options under which bash reads its lines as it does without any. */
const PLAIN_OPTIONS = new Set(["--norc", "--noprofile", "--noediting", "-i", "-s"]);
/** What an interactive shell puts earlier lines in the place of. */
const HISTORY_EXPANSION = /![^\s=(]|^\^/mu;

/** Effects of `text`, whole lines, in order of first appearance. The process's own start is not among them. */
export function evaluateInput(running: RunningProcess, text: string, context: ShellContext): readonly ActionEffect[] {
  const words = "argv" in running.form ? running.form.argv : simpleWords(running.form.shell);
  const program = baseName(words?.[0] ?? "");
  const isShell = words !== null && (program === "bash" || program === "sh") && words.slice(1).every((word) => PLAIN_OPTIONS.has(word));
  const isInteractive = isShell && (running.hasTerminal || words.includes("-i"));
  const problem = problemOf(text, { isShell, isInteractive, hasTerminal: running.hasTerminal });
  const effects = isShell ? ofShell(running, text, context, { plain: program !== "bash", isInteractive }) : ofProgram(running, program, text, context);
  return problem === null ? effects : [...effects.filter(({ kind }) => kind !== "opaque-text"), { kind: "opaque-text", why: problem, from: excerpt(text) }];
}

/** Why the lines cannot be judged by themselves, or null. */
function problemOf(text: string, { isShell, isInteractive, hasTerminal }: { readonly isShell: boolean; readonly isInteractive: boolean; readonly hasTerminal: boolean }): string | null {
  if (hasTerminal && text.includes("\t")) return "a tab on a terminal completes names";
  if (!isShell) return null;
  if (isInteractive && HISTORY_EXPANSION.test(text)) return "an interactive shell puts earlier lines in its place";
  return textProblem(text) !== null || isWhole(text) ? null : "it is no whole command; write all of its lines at once";
}

/** A word that nobody writes. */
const NEXT = "ringfence-next-line";

/** Tells whether a shell that has read the lines waits for a new command: then a word behind them is one by itself. */
function isWhole(text: string): boolean {
  const script = parse(`${text}${NEXT}\n`);
  const last = script.commands.at(-1)?.command;
  return (script.errors ?? []).length === 0 && last?.type === "Command" && last.pos === text.length && last.name?.value === NEXT && last.prefix.length + last.suffix.length === 0;
}

interface ShellKind {
  readonly plain: boolean;
  readonly isInteractive: boolean;
}

/** In the state that earlier lines left. What an earlier line left unknown makes every later one so. */
function ofShell({ history }: RunningProcess, text: string, context: ShellContext, { plain, isInteractive }: ShellKind): readonly ActionEffect[] {
  if (history.reduce((sum, line) => sum + line.length, text.length) > LIMITS.processHistoryChars) return [{ kind: "opaque-text", why: "more was written to this shell than is judged; open another", from: excerpt(text) }];
  const { effects } = evaluate(context, text, (run, state, frame) => {
    if (isInteractive) run.aliasing = true;
    for (const line of history) runAnew(run, line, state, { ...frame, plain });
    const wasOpaque = run.opaque;
    startAnew(run);
    run.runText(text, state, { ...frame, plain });
    if (wasOpaque) addOpaque(run, "an earlier line of this shell could not be told", text);
    for (const trap of state.traps) run.runText(trap, state, { ...frame, plain });
    if (state.functions.has("command_not_found_handle")) run.runWords([exact("command_not_found_handle")], state, frame, "command_not_found_handle");
    // A program that reads its code from where the shell reads its lines would get the next ones.
    const reader = run.effects.find((effect) => effect.kind === "runs-code" && effect.source === "stdin" && effect.upstream.length === 0);
    if (reader !== undefined) addOpaque(run, "what it starts would read the shell's next lines; open it as a process of its own", text);
  });
  return effects;
}

function runAnew(run: Run, text: string, state: ShellState, frame: Frame): void {
  run.steps = MAX_STEPS;
  run.characters += text.length;
  run.runText(text, state, frame);
}

/** Forgets what was seen so far, but not the shell's state: the same line, written twice, does twice what it does. */
function startAnew(run: Run): void {
  run.effects.length = 0;
  run.seen.clear();
  run.started.length = 0;
  run.steps = MAX_STEPS;
  run.patterns = 0;
  run.opaque = false;
}

/** As what it reads from its input: what the line says by itself, and what it says after all that was written before. */
function ofProgram({ form, history }: RunningProcess, program: string, text: string, context: ShellContext): readonly ActionEffect[] {
  const reading = (input: string): readonly ActionEffect[] => {
    const stdin: Stream = { text: input, globs: null, upstream: [], file: null };
    return evaluate(context, text, (run, state, frame) => {
      if ("shell" in form) run.runText(form.shell, state, { ...frame, stdin });
      else run.runWords(form.argv.map(exact), state, { ...frame, stdin }, form.argv.slice(0, 20).join(" "), "programs");
    }).effects;
  };
  const earlier = history.join("").slice(-LIMITS.processHistoryChars);
  const found = new Map<string, ActionEffect>();
  const add = (effects: readonly ActionEffect[], without: readonly ActionEffect[]): void => {
    const known = new Set(without.map(keyOf));
    for (const effect of effects) if (!known.has(keyOf(effect))) found.set(keyOf(effect), effect);
  };
  add(reading(text), reading(""));
  if (earlier !== "") add(reading(`${earlier}${text}`), reading(earlier));
  if (found.size > 0) return [...found.values()];
  return [{ kind: "runs-code", source: "stdin", program: program === "" ? "a shell command" : program, code: text, upstream: [], from: excerpt(text) }];
}

function keyOf(effect: ActionEffect): string {
  return JSON.stringify(effect);
}
