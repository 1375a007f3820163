// Language interpreters: inline code, modules, scripts, code from standard input. Their code is recorded, not judged here.

import { parseArguments, type Arguments } from "../arguments.js";
import { touch } from "../files.js";
import { readInlineCode } from "./inline-code.js";
import { compile, type Model } from "../model.js";
import { connectTo, hostOf } from "../net.js";
import { applyArguments, runShellText, runsCode } from "../roles.js";
import { UNKNOWN_OUTPUT, type Call, type Output } from "../run.js";
import { scriptTextOf } from "../scripts.js";
import { dropPrefix, exact, type Field } from "../value.js";
import { runLoader } from "./dotenv.js";

type Row = readonly [names: string, options: string];

/** Options as each interpreter reads them; all stop at the script. `i` is inline code, `x` a file that is run. */
const ROWS: readonly Row[] = [
  ["python pypy python2 ipython", "-c:i!ends -m:t!module!ends -W:t -X:t --check-hash-based-pycs:t"],
  ["node nodejs bun deno tsx ts-node", "-e:i --eval:i -p:i --print:i -pe:i -r:x --require:x --import:x --loader:x --experimental-loader:x -C:t --conditions:t --env-file:r --env-file-if-exists:r --input-type:t --max-old-space-size:t --inspect-port:t --title:t"],
  ["perl", "-e:i -E:i -I:t -M:t -m:t -x?:t -0?:t -l?:t -i?:t!inplace -F:t -C?:t -D?:t -V?:t -d?:t"],
  ["ruby jruby", "-e:i -I:t -r:t -C:p -E:t -i?:t!inplace -F:t -K?:t -x?:t -0?:t -T?:t -W?:t"],
  ["php", "-r:i -f:x -B:i -R:i -E:i -F:x -c:r -d:t -z:t -S:t -t:t"],
  ["lua luajit", "-e:i -l:t"],
  ["tclsh wish expect", "-c:i -f:x"],
  ["Rscript", "-e:i"],
  ["R", "-e:i -f:x --file:x"],
  ["julia", "-e:i -E:i --eval:i --print:i -L:x --load:x"],
  ["guile racket", "-e:i -c:i -l:x -s:x"],
  ["osascript", "-e:i -l:t"],
  ["gdb lldb", "-ex:i -eval-command:i -x:x -iex:i -o:i --batch"],
  ["groovy scala kotlin jshell elixir erl ghci runghc swift gjs octave octave-cli maxima gnuplot", "-e:i -eval:i --eval:i --execute:i"],
];

const MODELS: ReadonlyMap<string, Model> = new Map(
  ROWS.flatMap(([names, options]) => {
    const model = compile("t*", options, names.startsWith("gdb") ? "stops one-dash" : "stops");
    return names.split(" ").map((name): [string, Model] => [name, model]);
  }),
);

export const INTERPRETER_NAMES: readonly string[] = [...MODELS.keys(), "python3", "pypy3", "perl5"];

/** Python modules that run the project's own code. */
const PROJECT_MODULES = new Set(["pytest", "unittest", "tox", "nox", "nose", "nose2", "build", "setuptools", "hatch", "flit", "poetry", "sphinx", "mypy", "pylint", "coverage", "django", "flask", "IPython", "jupyter", "doctest", "trial", "behave", "robot", "pre_commit"]);
/** Python modules that do no more than their words say. */
const PLAIN_MODULES = new Set(["json.tool", "py_compile", "compileall", "tokenize", "ast", "dis", "this", "calendar", "platform", "site", "sysconfig", "timeit.help", "pyflakes", "pycodestyle", "flake8", "black", "isort", "ruff", "autopep8"]);

/** Perl's `-n` and `-p`, also among other letters: the operands are files it reads. */
const LOOPS = /^-[a-zA-Z]*[np]/;

function modelOf(program: string): Model | undefined {
  return MODELS.get(program) ?? MODELS.get(program.replace(/-?\d[\d.]*$/, ""));
}

/** Any interpreter. */
export function runInterpreter(call: Call): Output {
  const model = modelOf(call.program);
  if (model === undefined) return UNKNOWN_OUTPUT;
  const words = dropRun(call);
  const parsed = parseArguments(words, model);
  applyArguments(call, model, parsed);
  // Modules that put `.env` into the environment before anything else runs.
  if (parsed.options.some(({ value }) => /^dotenv\/(?:config|load)$/.test(value?.text ?? ""))) touch(call, "read", exact(".env"), false);
  for (const option of parsed.options) if (option.role === "i" && option.value?.text != null) readInlineCode(call, option.value.text);
  if (/^(?:expect|tclsh|wish)$/.test(call.program)) for (const option of parsed.options) for (const match of option.role === "i" ? (option.value?.text ?? "").matchAll(/\b(?:spawn|exec|system)\s+([^;\n\]$]+)/g) : []) runShellText(call, exact(match[1] ?? ""));
  if (parsed.marks.has("module")) return runModule(call, parsed);
  if (isPython(call.program) && parsed.options[0]?.name === "-V") return UNKNOWN_OUTPUT;
  if (onlyAsks(parsed)) return UNKNOWN_OUTPUT;
  const [script] = parsed.operands;
  fetched(call, words);
  if (parsed.options.some((option) => option.role === "i")) {
    const loops = parsed.options.some(({ name }) => LOOPS.test(name));
    for (const file of parsed.operands) {
      if (loops && /^(?:perl|ruby)/.test(call.program)) touch(call, "read", file, false);
      if (parsed.marks.has("inplace")) touch(call, "write", file, false);
    }
    return UNKNOWN_OUTPUT;
  }
  if (parsed.marks.has("inplace")) for (const file of parsed.operands.slice(1)) touch(call, "write", file, false);
  if (script === undefined || script.text === "-" || script.text === "/dev/stdin") return runInput(call);
  const pipe = script.text === null ? undefined : call.run.pipes.get(script.text);
  if (pipe !== undefined) return runInput({ ...call, frame: { ...call.frame, stdin: pipe } });
  touch(call, "read", script, false);
  runsCode(call, "file", script.text);
  const text = scriptTextOf(call, script);
  if (text !== null) readInlineCode(call, text);
  return UNKNOWN_OUTPUT;
}

/** `deno run x`, `bun run x`: the subcommand is no script. */
function dropRun(call: Call): readonly Field[] {
  const words = call.words.slice(1);
  const verb = words[0]?.text;
  if (call.program === "deno" && (verb === "run" || verb === "eval" || verb === "test")) return words.slice(1);
  if (call.program === "bun" && verb === "run") return words.slice(1);
  return words;
}

/** Verbs of `deno` and `bun` that install, and words of theirs that name code elsewhere. */
const INSTALLS = new Set(["install", "i", "add", "a", "cache", "upgrade", "update", "outdated", "publish"]);
const ELSEWHERE = /^(?:https?:\/\/|npm:|jsr:)/;

/** Those two fetch what they are told to run, and install. */
function fetched(call: Call, words: readonly Field[]): void {
  if (call.program !== "deno" && call.program !== "bun") return;
  for (const word of words) if (ELSEWHERE.test(word.lead)) connectTo(call, word.lead.startsWith("http") ? hostOf(word.lead, word.text !== null) : null, word.text);
  const verb = words[0]?.text ?? "";
  if (INSTALLS.has(verb)) connectTo(call, null, null);
  // A runner looks for what is installed first.
  if (call.program === "bun" && (verb === "x" || verb === "create")) connectTo({ ...call, program: "bunx" }, null, null);
}

function isPython(program: string): boolean {
  return program.startsWith("python") || program.startsWith("pypy");
}

const ASKS = new Set(["--version", "--help", "-V", "-h", "-v", "-VV"]);

function onlyAsks(parsed: Arguments): boolean {
  return parsed.operands.length === 0 && parsed.options.length > 0 && parsed.options.every((option) => ASKS.has(option.name));
}

function runInput(call: Call): Output {
  const { stdin } = call.frame;
  if (stdin.text !== null) {
    runsCode(call, "inline", stdin.text);
    readInlineCode(call, stdin.text);
  } else if (stdin.file !== null) {
    if (stdin.upstream.length > 0) runsCode(call, "stdin", null);
    else runsCode(call, "file", stdin.file.text);
    const text = scriptTextOf(call, stdin.file);
    if (text !== null) readInlineCode(call, text);
  }
  else runsCode(call, "stdin", null);
  return UNKNOWN_OUTPUT;
}

/** `python -m http.server --directory folder`: everything below it is given out. */
function serveFolder(call: Call): void {
  const at = call.words.findIndex(({ text }) => text === "-d" || text === "--directory");
  const joined = call.words.find(({ lead }) => lead.startsWith("--directory="));
  touch(call, "read", (joined === undefined ? call.words[at < 0 ? call.words.length : at + 1] : dropPrefix(joined, "--directory=")) ?? exact("."), true);
}

/** `python -m tarfile -e archive folder`. */
function unpack(call: Call, words: readonly Field[]): void {
  const at = words.findIndex(({ text }) => text === "-e" || text === "--extract");
  if (at >= 0) touch(call, "create", words[at + 2] ?? exact("."), true);
}

function runModule(call: Call, parsed: Arguments): Output {
  const module = parsed.options.find((option) => option.name === "-m")?.value ?? null;
  const name = module?.text ?? null;
  const top = name?.split(".")[0] ?? "";
  if (name !== null && (name === "pip" || name === "pipx" || name === "uv" || name === "venv" || name === "virtualenv" || name === "ensurepip")) {
    const at = call.words.findIndex((word) => word === module);
    return call.run.runWords([{ ...call.words[at], text: name, glob: null, lead: name, many: false }, ...call.words.slice(at + 1)], call.state, { ...call.frame, depth: call.frame.depth + 1 }, call.from, "programs");
  }
  if (name === "dotenv") return runLoader({ ...call, program: "dotenv", words: [exact("dotenv"), ...call.words.slice(call.words.findIndex((word) => word === module) + 1)] });
  if (name === "http.server") serveFolder(call);
  // What stands behind a module is a file as often as not; then it is read.
  if (!PROJECT_MODULES.has(top)) for (const word of call.words.slice(call.words.findIndex((one) => one === module) + 1)) if (!word.lead.startsWith("-")) touch(call, "read", word, name === "tarfile" || name === "zipfile");
  if (name === "tarfile" || name === "zipfile") unpack(call, call.words);
  if (name === "http.server" || name === "pdb" || name === "cProfile" || name === "trace" || name === "timeit") runsCode(call, "project", name);
  else if (name !== null && PLAIN_MODULES.has(name)) runsCode(call, "program", name);
  else if (PROJECT_MODULES.has(top)) runsCode(call, "project", name);
  else runsCode(call, name === null ? "program" : "project", name);
  return UNKNOWN_OUTPUT;
}
