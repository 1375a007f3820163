// Entry points of shell evaluation. Total: every text gets an answer within the limits; what cannot be told is opaque.

import { parse, type ParsedScript } from "unbash";
import { LIMITS } from "../shared/index.js";
import { runWords } from "./command.js";
import { globOfMade } from "./made-folder.js";
import { usesBashOnly } from "./plain-sh.js";
import { addOpaque, MAX_STEPS, NO_INPUT, UNKNOWN_OUTPUT, type Frame, type Output, type Run } from "./run.js";
import { evaluateFunctionBody, evaluateScript } from "./statements.js";
import { fork, freshState, type ShellState } from "./state.js";
import { textProblem } from "./text-limits.js";
import type { Evaluation, ShellContext } from "./types.js";
import { exact } from "./value.js";

/** Characters parsed of one command, nested scripts counted again. */
const MAX_PARSED = 250_000;

function newRun(context: ShellContext): Run {
  const run: Run = {
    context,
    effects: [],
    seen: new Set(),
    started: [],
    calls: [],
    following: [],
    written: new Map(),
    pipes: new Map(),
    feeds: new Map(),
    unfed: new Set(),
    descriptors: new Map(),
    sinks: new Map(),
    posix: false,
    echoReads: false,
    dots: false,
    consumed: new Set(),
    steps: MAX_STEPS,
    patterns: 0,
    characters: MAX_PARSED,
    disturbed: false,
    opaque: false,
    integers: false,
    stays: false,
    aliasing: false,
    unknownAlias: false,
    history: false,
    runScript: (script, state, frame) => evaluateScript(script, run, state, frame),
    runBody: (node, state, frame) => evaluateFunctionBody(node, run, state, frame),
    runText: (text, state, frame) => runText(text, run, state, frame),
    runWords: (words, state, frame, from, lookup) => runWords(words, run, state, frame, from, lookup),
  };
  return run;
}

function runText(text: string, run: Run, state: ShellState, frame: Frame): Output {
  run.characters -= text.length;
  if (text.length > LIMITS.commandChars || run.characters < 0) {
    addOpaque(run, "text longer than the limit", text);
    return UNKNOWN_OUTPUT;
  }
  const problem = textProblem(text);
  if (problem !== null) {
    addOpaque(run, problem, text);
    return UNKNOWN_OUTPUT;
  }
  const script = parse(text);
  if (!frame.plain && !run.aliasing && state.aliases.size === 0 && isRefused(text, script)) return evaluateRefused(script, run, state, { ...frame, source: text });
  if (frame.plain && usesBashOnly(script, text)) addOpaque(run, "bash-only syntax given to `sh`", text);
  return evaluateScript(script, run, state, { ...frame, source: text });
}

/** Nothing runs of a text that bash does not parse. What could be read of it is judged all the same, but not called opaque. */
function evaluateRefused(script: ParsedScript, run: Run, state: ShellState, frame: Frame): Output {
  const { opaque } = run;
  run.opaque = true;
  evaluateScript(script, run, fork(state), frame);
  run.opaque = opaque;
  return UNKNOWN_OUTPUT;
}

const PARSED_DIFFERENTLY = /[\n\r]|\[\[|\(\(|[<>]\(|\$[{['"]|\\$|\b(?:case|coproc|function|select)\b/;

/** Longest text of which it is said that bash does not parse it. */
const MAX_REFUSED = 2_000;

/**
 * Tells whether bash will certainly not parse a text, so that nothing of it runs. Of several lines the first may run before the
 * error is met; conditions, arithmetic, `case`, expansions and substitutions are where parsers differ (`fi<(ls)` is a word); and a limit of
 * the parser is no error of the text.
 */
function isRefused(text: string, script: ParsedScript): boolean {
  const errors = script.errors ?? [];
  return errors.length > 0 && text.length <= MAX_REFUSED && !PARSED_DIFFERENTLY.test(text) && !errors.some((error) => error.message.startsWith("maximum"));
}

/** Evaluates what `bash --noprofile --norc -c text` may do, without running any of it. */
export function evaluateShell(text: string, context: ShellContext): Evaluation {
  return evaluate(context, text, (run, state, frame) => {
    run.runText(text, state, frame);
    const after = { ...fork(state), ended: false };
    for (const trap of state.traps) run.runText(trap, fork(after), frame);
    const notFound = state.functions.has("command_not_found_handle");
    if (notFound) run.runWords([exact("command_not_found_handle")], after, frame, "command_not_found_handle");
  });
}

/** Evaluates what running these words, without a shell, may do. */
export function evaluateArgv(argv: readonly string[], context: ShellContext): Evaluation {
  const from = argv.slice(0, 20).join(" ");
  return evaluate(context, from, (run, state, frame) => {
    let length = 0;
    for (const word of argv) length += word.length;
    if (length > LIMITS.commandChars || argv.length === 0) addOpaque(run, "no command, or one longer than the limit", from);
    else if (argv.some((word) => word.includes("\0"))) addOpaque(run, "text with a NUL", from);
    else run.runWords(argv.map(exact), state, frame, from, "programs");
  });
}

/** Runs `body` on a new evaluation; whatever goes wrong on the way makes it opaque. */
export function evaluate(context: ShellContext, from: string, body: (run: Run, state: ShellState, frame: Frame) => void): Evaluation {
  const run = newRun(context);
  const state = freshState([context.cwd]);
  const frame: Frame = { source: from, stdin: NO_INPUT, depth: 0, plain: false, leaving: null };
  try {
    body(run, state, frame);
  } catch {
    // The parser or this walk ran out of stack, or met a form it does not know: what was found stands, the rest is unknown.
    addOpaque(run, "text too involved to evaluate", from);
    return { effects: run.effects, cwdAfter: null, environmentAfter: new Map(), opaque: true };
  }
  if (run.steps < 0) addOpaque(run, "more commands than the limit", from);
  const [cwd] = state.cwds ?? [];
  return {
    effects: run.effects,
    cwdAfter: state.cwds?.length === 1 && cwd !== undefined && globOfMade(cwd) === null && !run.opaque ? cwd : null,
    environmentAfter: exported(state, context),
    opaque: run.opaque,
  };
}

function exported(state: ShellState, context: ShellContext): ReadonlyMap<string, string | null> {
  const out = new Map<string, string | null>();
  for (const [name, variable] of state.variables) {
    if (!variable.exported && !context.environment.has(name)) continue;
    const text = variable.value?.text ?? null;
    if (text !== context.environment.get(name) || text === null) out.set(name, text);
  }
  return out;
}
