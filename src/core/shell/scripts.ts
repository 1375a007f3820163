// Scripts that a command runs: their text is followed where the caller can show it. Never read from anywhere else.

import { normalisePath } from "../action/paths.js";
import { touch } from "./files.js";
import { runsCode } from "./roles.js";
import { addOpaque, deeper, UNKNOWN_OUTPUT, type Call, type Output } from "./run.js";
import { fork } from "./state.js";
import { exact, type Field } from "./value.js";
import { COPY } from "./written.js";

const SHELL_LINE = /^#!\s*(?:\/usr\/bin\/env\s+(?:-S\s+)?)?(?:\S*\/)?(?:ba|da|a|z|k)?sh\b/;

/** Follows a file run as a program, when it is a shell script that can be seen. */
export function followFile(call: Call, path: string, args: readonly Field[]): void {
  const text = textOf(call, path);
  if (text === null || (text.startsWith("#!") && !SHELL_LINE.test(text))) return;
  if (text.startsWith("\x7fELF") || text.includes("\0")) return;
  runScriptText(call, path, text, args, false);
}

/** Follows a script given to a shell. */
export function followScript(call: Call, script: Field, args: readonly Field[]): boolean {
  if (script.text === null) return false;
  let seen = false;
  for (const cwd of script.text.startsWith("/") ? ["/"] : (call.state.cwds ?? [])) {
    const path = normalisePath(script.text, cwd);
    const text = path === null ? null : textOf(call, path);
    if (path === null || text === null) continue;
    runScriptText(call, path, text, args, false);
    seen = true;
  }
  return seen;
}

/** The text of a script in another language, by the word that names it; null where it cannot be seen. */
export function scriptTextOf(call: Call, script: Field): string | null {
  if (script.text === null) return null;
  for (const cwd of script.text.startsWith("/") ? ["/"] : (call.state.cwds ?? [])) {
    const path = normalisePath(script.text, cwd);
    const text = path === null ? null : textOf(call, path);
    if (text !== null) return text;
  }
  return null;
}

function textOf(call: Call, path: string): string | null {
  const { run, state } = call;
  const own = run.written.get(path);
  if (own !== undefined) return own;
  const source = state.links.get(path) ?? state.links.get(COPY + path);
  const copied = source === undefined ? null : (run.written.get(source) ?? run.context.readText?.(source) ?? null);
  return copied ?? run.context.readText?.(path) ?? null;
}

function runScriptText(call: Call, path: string, text: string, args: readonly Field[], here: boolean): void {
  const { run } = call;
  if (run.following.includes(path)) {
    addOpaque(run, "a script that runs itself", call.from);
    return;
  }
  const inner = deeper(run, call.frame, call.from);
  if (inner === null) return;
  run.following.push(path);
  const state = here ? call.state : fork(call.state);
  const { positional } = state;
  if (!here || args.length > 0) state.positional = args;
  if (!here) state.variables.set("0", { value: exact(path), list: null, exported: false });
  run.runText(text, state, { ...inner, leaving: here ? [] : null, loop: false, body: here });
  if (here) {
    state.positional = positional;
    state.ended = false;
  }
  run.following.pop();
}

/** `source file` and `. file`: the script runs in this very shell. */
export function sourceScript(call: Call): Output {
  const words = call.words[1]?.text === "--" ? call.words.slice(2) : call.words.slice(1);
  const [script, ...args] = words;
  if (script === undefined) return UNKNOWN_OUTPUT;
  const pipe = script.text === null ? undefined : call.run.pipes.get(script.text);
  if (pipe !== undefined || script.text === "/dev/stdin") {
    const stream = pipe ?? call.frame.stdin;
    const inner = deeper(call.run, call.frame, call.from);
    if (stream.text !== null && inner !== null) call.run.runText(stream.text, call.state, inner);
    else if (stream.file !== null && inner !== null) return sourceScript({ ...call, frame: inner, words: [exact("."), stream.file, ...args] });
    else {
      runsCode({ ...call, frame: { ...call.frame, stdin: stream } }, "stdin", null);
      call.state.blurred = true;
    }
    return UNKNOWN_OUTPUT;
  }
  if (script.text === null) {
    addOpaque(call.run, "a sourced file that cannot be told", call.from);
    call.state.blurred = true;
    return UNKNOWN_OUTPUT;
  }
  // What the command itself did before may have changed the script: it is followed all the same, and not believed.
  const { disturbed } = call.run;
  touch(call, "read", script, false);
  runsCode(call, "file", script.text);
  let seen = false;
  for (const cwd of script.text.startsWith("/") ? ["/"] : (call.state.cwds ?? [])) {
    const path = normalisePath(script.text, cwd);
    const text = path === null ? null : textOf(call, path);
    if (path === null || text === null) continue;
    runScriptText(call, path, text, args, true);
    seen = true;
  }
  if (!seen || disturbed) call.state.blurred = true;
  return UNKNOWN_OUTPUT;
}

