// Programs that take the text of commands in a form of their own: terminal multiplexers, line editors, `cmake -E`, text of `make`.

import { parseArguments } from "../arguments.js";
import { touch } from "../files.js";
import { compile } from "../model.js";
import { MODELS } from "../models/index.js";
import { applyArguments, runShellText, runsCode } from "../roles.js";
import { UNKNOWN_OUTPUT, type Call, type Output } from "../run.js";
import { scriptTextOf } from "../scripts.js";
import { exact, UNKNOWN, type Field } from "../value.js";

function joined(words: readonly Field[]): Field {
  return words.every(({ text }) => text !== null) ? exact(words.map(({ text }) => text).join(" ")) : UNKNOWN;
}

const TMUX = compile("t*", "-S:t -L:t -f:x -c:s", "stops");
const TMUX_VERB = compile("t*", "-c:t -e:t -F:t -n:t -s:t -t:t -x:t -y:t -l:t -p:t -w:t -h:t -T:t -N:t -E -d -D -A -P -X -b -k -a -v -Z -I -C -R -M", "stops");

/** `tmux new-session 'text'`, `tmux send-keys 'text' Enter`. */
export function runTmux(call: Call): Output {
  const parsed = parseArguments(call.words.slice(1), TMUX);
  applyArguments(call, TMUX, { ...parsed, uncertain: false });
  runsCode(call, "program", null);
  const [verb, ...rest] = parsed.operands;
  const words = parseArguments(rest, TMUX_VERB).operands;
  if (/^(?:new|new-session|neww|new-window|splitw|split-window|respawnp|respawn-pane|respawnw|respawn-window|run|run-shell|popup|display-popup|if|if-shell|pipep|pipe-pane)$/.test(verb?.text ?? "") && words.length > 0) runShellText(call, joined(words));
  if (/^send(?:-keys)?$/.test(verb?.text ?? "")) runShellText(call, joined(words.filter(({ text }) => !/^(?:Enter|C-[a-z]|M-[a-z]|Space|Escape|Tab)$/i.test(text ?? ""))));
  return UNKNOWN_OUTPUT;
}

const SCREEN = compile("t*", "-c:x -S:t -s:t -t:t -T:t -h:t -e:t -p:t -r?:t -X!orders", "stops");

/** `screen -dm program words`; `-X stuff 'text'` types into another. */
export function runScreen(call: Call): Output {
  const parsed = parseArguments(call.words.slice(1), SCREEN);
  applyArguments(call, SCREEN, { ...parsed, uncertain: false });
  runsCode(call, "program", null);
  if (parsed.operands.length === 0) return UNKNOWN_OUTPUT;
  if (!parsed.marks.has("orders")) call.run.runWords(parsed.operands, call.state, { ...call.frame, depth: call.frame.depth + 1 }, call.from, "programs");
  else if (/^(?:stuff|exec|screen)$/.test(parsed.operands[0]?.text ?? "")) runShellText(call, joined(parsed.operands.slice(1)));
  return UNKNOWN_OUTPUT;
}

/** `ed`: orders come on its input. */
export function runEd(call: Call): Output {
  const model = MODELS.get("ed");
  if (model === undefined) return UNKNOWN_OUTPUT;
  applyArguments(call, model, parseArguments(call.words.slice(1), model));
  runsCode(call, "program", null);
  lineOrders(call);
  return UNKNOWN_OUTPUT;
}

/** An order of `ed` and `ex` that takes in a file. */
export const ORDERS_READ = /^[\s:\d,.$%]*(?:r|read|e|E|edit|sp|split|vs|vsplit|tabe|tabedit|view|so|source)!?\s+([^\s!|]+)\s*$/;
/** Most orders looked at. */
const MAX_ORDERS = 200;

/** `!text`, `w file`, `w !text`, `r !text` among the lines that `ed` and `ex` are given. */
export function lineOrders(call: Call): void {
  for (const line of call.frame.stdin.text?.split("\n").slice(0, MAX_ORDERS) ?? []) {
    const shell = /^[\s:\d,.$%]*(?:w|r|e|read|write|edit)?\s*!\s*(.+)$/.exec(line)?.[1];
    const file = /^[\s:\d,.$%]*(?:w|W|wq|write|sav(?:eas)?)!?\s+(?:>>\s*)?([^\s!>]\S*)\s*$/.exec(line)?.[1];
    if (shell !== undefined) runShellText(call, exact(shell));
    if (file !== undefined) touch(call, "write", exact(file), false);
    const read = ORDERS_READ.exec(line)?.[1];
    if (read !== undefined) touch(call, "read", exact(read), false);
  }
}

/** What the commands of `cmake -E` do, by the program that does the same. */
const CMAKE: ReadonlyMap<string, readonly string[]> = new Map([
  ["rm", ["rm"]],
  ["remove", ["rm"]],
  ["remove_directory", ["rm", "-r"]],
  ["copy", ["cp"]],
  ["copy_if_different", ["cp"]],
  ["copy_directory", ["cp", "-r"]],
  ["copy_directory_if_different", ["cp", "-r"]],
  ["rename", ["mv"]],
  ["make_directory", ["mkdir", "-p"]],
  ["touch", ["touch"]],
  ["touch_nocreate", ["touch", "-c"]],
  ["create_symlink", ["ln", "-s"]],
  ["create_hardlink", ["ln"]],
  ["cat", ["cat"]],
  ["tar", ["tar"]],
  ["env", ["env"]],
  ["time", []],
]);

/** `cmake`: runs the project; `-E` is a tool box of its own. */
export function runCmake(call: Call): Output {
  const model = MODELS.get("cmake");
  if (model === undefined) return UNKNOWN_OUTPUT;
  const [option, tool, ...rest] = call.words.slice(1);
  if (option?.text === "-E") {
    const program = CMAKE.get(tool?.text ?? "");
    const inner = { ...call.frame, depth: call.frame.depth + 1 };
    if (program !== undefined) call.run.runWords([...program.map(exact), ...rest], call.state, inner, call.from, "programs");
    else if (tool?.text === "chdir") runShellText(call, joined([exact("cd"), ...rest.slice(0, 1), exact("&&"), ...rest.slice(1)]));
    else runsCode(call, "program", null);
    return UNKNOWN_OUTPUT;
  }
  applyArguments(call, model, parseArguments(call.words.slice(1), model));
  runsCode(call, "project", null);
  return UNKNOWN_OUTPUT;
}

/** `m4`: macros that start a command or take in a file, as far as they stand in its input or in files that can be seen. */
export function runM4(call: Call): Output {
  const model = MODELS.get("m4");
  if (model === undefined) return UNKNOWN_OUTPUT;
  const parsed = parseArguments(call.words.slice(1), model);
  applyArguments(call, model, parsed);
  runsCode(call, "program", null);
  const seen = parsed.operands.map((file) => scriptTextOf(call, file));
  for (const text of [...seen, call.frame.stdin.text]) {
    for (const match of text?.matchAll(/\be?syscmd\(\s*[`[]*([^)'\]\n]{1,1000})/g) ?? []) runShellText(call, exact(match[1] ?? ""));
    for (const match of text?.matchAll(/\bs?(?:include|undivert)\(\s*[`[]*([^)'\]\n]{1,1000})/g) ?? []) touch(call, "read", exact(match[1] ?? ""), false);
  }
  return UNKNOWN_OUTPUT;
}

/** Recipes and `$(shell …)` in the text of a makefile, as far as they need nothing that `make` puts in. */
export function runRecipes(call: Call, text: string): void {
  for (const match of [...text.matchAll(/^(?:\t|[^\s#][^:=\n]*::?[^=;\n]*;)[ \t]*[-@+]*([^\n$]+)$/gm)].slice(0, MAX_ORDERS)) runShellText(call, exact(match[1] ?? ""));
  for (const match of [...text.matchAll(/\$(?:\(shell\s([^$()]+)\)|\{shell\s([^$}]+)\})|^[^\s#:=]+\s*!=\s*([^\n$]+)$/gm)].slice(0, MAX_ORDERS)) runShellText(call, exact(match[1] ?? match[2] ?? match[3] ?? ""));
  for (const match of [...text.matchAll(/\$\(file\s*<\s*([^()\s]+(?:\(HOME\)[^()\s]*)?)/g)].slice(0, MAX_ORDERS)) touch(call, "read", exact((match[1] ?? "").replace("$(HOME)", call.run.context.home)), false);
}
