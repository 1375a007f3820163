// `parallel` and `fd -x`: commands into which each of many words is put, at marks that stand for a part of it.

import { parseArguments, type Arguments } from "../arguments.js";
import { touch } from "../files.js";
import { below } from "../listing.js";
import { compile } from "../model.js";
import { applyArguments, runShellText } from "../roles.js";
import { addOpaque, NO_INPUT, UNKNOWN_OUTPUT, type Call, type Output } from "../run.js";
import { exact, globbed, UNKNOWN, UNKNOWN_MANY, type Field } from "../value.js";
import { runInner } from "./wrappers.js";
import { divisionOf, fill, inputWords } from "./xargs.js";

/** `{2}` takes from one of several inputs. */
const NUMBERED = /\{[-+\d=]/;
const PARALLEL = compile("t*", "-a:r --arg-file:r -j:t --jobs:t -P:t --max-procs:t -I:t -S:t --sshlogin:t -n:t -N:t -L:t -X -m --colsep:t -C:t -d:t --delimiter:t --joblog:w --results:C --tmpdir:t --delay:t --timeout:t --retries:t --halt:t --workdir:p --tagstring:t --block:t --env:t --load:t --memfree:t --nice:t", "stops");
/** Options after which it is still one word a command, put where the marks are. */
const PLAIN = /^-(?:[ajPdrktuvq0]|-(?:arg-file|jobs|max-procs|delimiter|null|joblog|results|tmpdir|delay|timeout|retries|halt|workdir|tag|tagstring|env|load|memfree|nice|keep-order|bar|progress|eta|verbose|dry-run|will-cite|line-buffer|group|ungroup|no-notice|silent|shuf|resume|no-run-if-empty|quote))$/;
/** `{}`, `{.}` without the ending, `{/}` the name, `{//}` the folder, `{/.}` the name without the ending. */
const MARK = /\{(?:|\.|\/|\/\/|\/\.|[#%])\}/g;

/** `parallel [options] command ::: words`: the command is shell text. */
export function runParallel(call: Call): Output {
  const parsed = parseArguments(call.words.slice(1), PARALLEL);
  applyArguments(call, PARALLEL, parsed);
  const separators = parsed.operands.flatMap((word, index) => (word.text !== null && /^::::?\+?$/.test(word.text) ? [index] : []));
  const at = separators[0] ?? -1;
  const command = at < 0 ? parsed.operands : parsed.operands.slice(0, at);
  const text = command.every((word) => word.text !== null) ? command.map((word) => word.text ?? "").join(" ") : null;
  if (text === null || parsed.uncertain || NUMBERED.test(text) || separators.length > 1 || parsed.options.some(({ name }) => !PLAIN.test(name))) addOpaque(call.run, "what `parallel` runs cannot be told", call.from);
  else {
    const given = wordsOf(call, parsed, at);
    if (text === "") for (const word of given) runShellText(call, word);
    else {
      for (const word of given) {
        runFilled(call, text, word);
        if (command.length > 1) runInner({ ...call, frame: { ...call.frame, stdin: NO_INPUT } }, command.map((part) => fill(part, "{}", word)));
      }
    }
  }
  return UNKNOWN_OUTPUT;
}

function wordsOf(call: Call, parsed: Arguments, at: number): readonly Field[] {
  if (at >= 0) return parsed.operands[at]?.text === ":::" ? parsed.operands.slice(at + 1) : [UNKNOWN_MANY];
  const fromFile = parsed.options.some(({ name }) => name === "-a" || name === "--arg-file");
  return fromFile ? [UNKNOWN_MANY] : inputWords(call, divisionOf(parsed, { at: "\n" }));
}

function runFilled(call: Call, text: string, word: Field): void {
  const filled = MARK.test(text) ? text : `${text} {}`;
  MARK.lastIndex = 0;
  const put = (mark: string): string => {
    if (word.text !== null && mark !== "{#}" && mark !== "{%}") return `'${partOf(word.text, mark).replaceAll("'", "'\\''")}'`;
    if (mark === "{}" && word.glob !== null && /^[\w*./-]+$/.test(word.glob) && !word.glob.startsWith("-")) return word.glob;
    // A word that is never known, but one.
    return '"$!"';
  };
  runShellText(call, exact(filled.replace(MARK, put)));
}

function partOf(word: string, mark: string): string {
  const slash = word.lastIndexOf("/");
  const name = word.slice(slash + 1);
  const without = (text: string): string => text.replace(/\.[^/.]*$/, "");
  switch (mark) {
    case "{.}":
      return without(word);
    case "{/}":
      return name;
    case "{//}":
      return slash < 0 ? "." : word.slice(0, slash);
    case "{/.}":
      return without(name);
    default:
      return word;
  }
}

const FD = compile("t R*", "-x!each --exec!each -X!batch --exec-batch!batch -e:t --extension:t -t:t --type:t -d:t --max-depth:t --min-depth:t --exact-depth:t -E:t --exclude:t -S:t --size:t -c:t --color:t --base-directory:p --search-path:R -j:t --threads:t --changed-within:t --changed-before:t -o:t --owner:t --ignore-file:r --format:t --max-results:t", "");
/** Most places of `fd` followed. */
const MAX_GLOBS = 16;
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
  if (globs.length > MAX_GLOBS) addOpaque(call.run, "more places than are followed", call.from);
  for (const glob of globs.slice(0, MAX_GLOBS)) {
    const found = globbed(glob, "", false);
    const marked = command.some((part) => part.text?.includes("{") === true);
    const put = (part: Field): Field => (part.text !== null && /\{[^}]+\}/.test(part.text) ? { ...UNKNOWN, lead: part.text.slice(0, part.text.indexOf("{")) } : fill(part, "{}", found));
    runInner({ ...call, frame: { ...call.frame, stdin: NO_INPUT } }, marked ? command.map(put) : [...command, { ...found, many: true }]);
  }
  return UNKNOWN_OUTPUT;
}
