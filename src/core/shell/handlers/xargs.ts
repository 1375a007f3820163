// `xargs` and `parallel`: a command whose last words come from standard input, where that can be told.

import { parseArguments } from "../arguments.js";
import { touch } from "../files.js";
import { below } from "../listing.js";
import { compile } from "../model.js";
import { applyArguments, runShellText } from "../roles.js";
import { addOpaque, NO_INPUT, UNKNOWN_OUTPUT, type Call, type Output } from "../run.js";
import { escapeGlob, exact, globbed, UNKNOWN, UNKNOWN_MANY, type Field } from "../value.js";
import { runInner } from "./wrappers.js";

const XARGS = compile("t*", "-a:r --arg-file:r -d:t --delimiter:t -E:t -e?:t -I:t!replace -i?:t!replace --replace?:t!replace -L:t -l?:t --max-lines?:t -n:t --max-args:t -P:t --max-procs:t -s:t --max-chars:t --process-slot-var:t -0 --null -r -t -p -x -o", "stops");

/** Most words taken from a certain text. */
const MAX_WORDS = 200;

/** The words `xargs` appends. */
function inputWords(call: Call, lines: boolean): readonly Field[] {
  const { stdin } = call.frame;
  if (stdin.text !== null) {
    if (/['"\\]/.test(stdin.text) && !lines) return [UNKNOWN_MANY];
    const words = (lines ? stdin.text.split("\n") : stdin.text.split(/[ \t\n\0]+/)).filter((word) => word !== "");
    return words.length > MAX_WORDS ? [UNKNOWN_MANY] : words.map(exact);
  }
  if (stdin.globs !== null && stdin.globs.length > 0) return stdin.globs.map((glob) => globbed(glob, "", true));
  return [UNKNOWN_MANY];
}

/** `xargs [options] command`. */
export function runXargs(call: Call): Output {
  const parsed = parseArguments(call.words.slice(1), XARGS);
  applyArguments(call, XARGS, parsed);
  if (parsed.uncertain && parsed.operands[0]?.text === null) {
    addOpaque(call.run, "what `xargs` runs cannot be told", call.from);
    return UNKNOWN_OUTPUT;
  }
  const command = parsed.operands.length === 0 ? [exact("echo")] : parsed.operands;
  const replace = parsed.options.find((option) => REPLACE.has(option.name));
  const fromFile = parsed.options.some((option) => option.name === "-a" || option.name === "--arg-file");
  const words = fromFile ? [UNKNOWN_MANY] : inputWords(call, replace !== undefined);
  const inner: Call = { ...call, frame: { ...call.frame, stdin: NO_INPUT } };
  if (replace === undefined) return { text: null, globs: runInner(inner, [...command, ...words]).globs };
  const mark = replace.value?.text === "" || replace.value === null ? "{}" : (replace.value?.text ?? "{}");
  for (const word of words.slice(0, 64)) runInner(inner, command.map((part) => fill(part, mark, word)));
  return UNKNOWN_OUTPUT;
}

const REPLACE = new Set(["-I", "-i", "--replace"]);

/** Puts an input word in the place of the mark. */
export function fill(part: Field, mark: string, word: Field): Field {
  if (part.text === null || !part.text.includes(mark)) return part;
  if (word.text !== null) return exact(part.text.split(mark).join(word.text));
  if (part.text === mark) return { ...word, many: false };
  const at = part.text.indexOf(mark);
  if (word.glob === null || part.text.indexOf(mark, at + 1) >= 0) return { ...UNKNOWN, lead: part.text.slice(0, at) };
  const before = part.text.slice(0, at);
  const after = part.text.slice(at + mark.length);
  const glob = word.glob.endsWith("**") && after !== "" && !after.startsWith("/") ? `${word.glob}/*${escapeGlob(after)}` : word.glob + escapeGlob(after);
  if (before !== "" && word.glob.startsWith("**") && !before.endsWith("/")) return { ...UNKNOWN, lead: before };
  return globbed(escapeGlob(before) + glob, before, false);
}

/** `{2}` takes from one of several inputs. */
const NUMBERED = /\{[-\d=]/;
const PARALLEL = compile("t*", "-a:r --arg-file:r -j:t --jobs:t -P:t -I:t -S:t --sshlogin:t -n:t -N:t -L:t -X -m --colsep:t -C:t -d:t --delimiter:t --joblog:w --results:C --tmpdir:t --delay:t --timeout:t --retries:t --halt:t --workdir:p --tagstring:t --block:t --env:t", "stops");

/** `parallel [options] command ::: words`: the command is shell text. */
export function runParallel(call: Call): Output {
  const parsed = parseArguments(call.words.slice(1), PARALLEL);
  applyArguments(call, PARALLEL, parsed);
  const at = parsed.operands.findIndex((word) => word.text !== null && /^::::?\+?$/.test(word.text));
  const command = at < 0 ? parsed.operands : parsed.operands.slice(0, at);
  const given = at >= 0 && parsed.operands[at]?.text === ":::" ? parsed.operands.slice(at + 1) : inputWords(call, true);
  if (parsed.options.some((option) => option.name === "-S" || option.name === "--sshlogin")) addOpaque(call.run, "`parallel` on other machines", call.from);
  const text = command.every((word) => word.text !== null) ? command.map((word) => word.text ?? "").join(" ") : null;
  if (text === null || parsed.uncertain || NUMBERED.test(text)) addOpaque(call.run, "what `parallel` runs cannot be told", call.from);
  else if (text === "") for (const word of given.slice(0, 64)) runShellText(call, word);
  else {
    for (const word of given.slice(0, 64)) {
      runFilled(call, text, word);
      if (command.length > 1) runInner({ ...call, frame: { ...call.frame, stdin: NO_INPUT } }, command.map((part) => fill(part, "{}", word)));
    }
  }
  return UNKNOWN_OUTPUT;
}

function runFilled(call: Call, text: string, word: Field): void {
  const filled = /\{[./#%]*\}/.test(text) ? text : `${text} {}`;
  if (word.text !== null) runShellText(call, exact(filled.replace(/\{[./#%]*\}/g, `'${word.text.replaceAll("'", "'\\''")}'`)));
  else if (word.glob !== null && /^[\w*./-]+$/.test(word.glob) && !word.glob.startsWith("-")) runShellText(call, exact(filled.replace(/\{[./#%]*\}/g, word.glob)));
  else runShellText(call, exact(filled.replace(/\{[./#%]*\}/g, '"$RINGFENCE_UNKNOWN"')));
}

const FD = compile("t R*", "-x!each --exec!each -X!batch --exec-batch!batch -e:t --extension:t -t:t --type:t -d:t --max-depth:t --min-depth:t --exact-depth:t -E:t --exclude:t -S:t --size:t -c:t --color:t --base-directory:p --search-path:R -j:t --threads:t --changed-within:t --changed-before:t -o:t --owner:t --ignore-file:r --format:t --max-results:t", "");
const RUNS = new Set(["-x", "--exec", "-X", "--exec-batch"]);

/** `fd pattern [places] [-x command]`: what stands behind `-x` is run on each name found. */
export function runFd(call: Call): Output {
  const words = call.words.slice(1);
  const at = words.findIndex((word) => word.text !== null && RUNS.has(word.text));
  const parsed = parseArguments(at < 0 ? words : words.slice(0, at), FD);
  applyArguments(call, FD, parsed);
  if (parsed.uncertain) addOpaque(call.run, "a word of `fd` may run a command", call.from);
  const places = parsed.operands.slice(1);
  if (places.length === 0) touch(call, "read", exact("."), true);
  const globs = below(places) ?? ["/**"];
  if (at < 0) return { text: null, globs };
  const command = words.slice(at + 1, words.findIndex((word, index) => index > at && word.text === ";") < 0 ? undefined : words.findIndex((word, index) => index > at && word.text === ";"));
  for (const glob of globs.slice(0, 16)) {
    const found = globbed(glob, "", false);
    const marked = command.some((part) => part.text?.includes("{") === true);
    runInner({ ...call, frame: { ...call.frame, stdin: NO_INPUT } }, marked ? command.map((part) => (part.text !== null && /\{[^}]*\}/.test(part.text) ? fill(exact(part.text.replace(/\{[^}]*\}/g, "{}")), "{}", found) : part)) : [...command, { ...found, many: true }]);
  }
  return UNKNOWN_OUTPUT;
}
