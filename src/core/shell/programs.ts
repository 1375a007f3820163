// Finds out which program a command starts and gives it its effects: a handler, a model, or unknown code.

import { LIMITS } from "../shared/index.js";
import { baseName, normalisePath, parentOf } from "../action/paths.js";
import { parseArguments, type Arguments } from "./arguments.js";
import { asksHelp, asksVersion, staysHere } from "./asks.js";
import { touch } from "./files.js";
import { addExec } from "./started.js";
import { HANDLERS } from "./handlers.js";
import { below } from "./listing.js";
import { touchListed } from "./lists.js";
import type { Model } from "./model.js";
import { MODELS } from "./models/index.js";
import { applyArguments, runsCode } from "./roles.js";
import { addEffect, addOpaque, excerpt, UNKNOWN_OUTPUT, type Call, type Frame, type Output, type Run } from "./run.js";
import { followFile } from "./scripts.js";
import { passThrough } from "./text-filters.js";
import type { ShellState } from "./state.js";
import { escapeGlob, exact, type Field } from "./value.js";
import { COPY, noteText } from "./written.js";

/** A process's own program, by the kernel's name for it. */
const OWN_IMAGE = /^\/proc\/(?:self|thread-self|\d+)(?:\/task\/\d+)?\/exe$/;
const SYSTEM_FOLDERS = new Set(["/bin", "/sbin", "/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin"]);

/** Runs words whose first is a program's name or path, known for certain. */
export function runProgram(words: readonly Field[], run: Run, state: ShellState, frame: Frame, from: string): Output {
  const written = words[0]?.text ?? "";
  if (written === "") return UNKNOWN_OUTPUT;
  if (written.length > LIMITS.pathChars) {
    addOpaque(run, "a program name no file can have", from);
    return UNKNOWN_OUTPUT;
  }
  const path = written.includes("/") ? written : null;
  const program = path === null ? written : baseName(path);
  addExec(run, program, path, words, from);
  if (frame.stdin.text !== null) run.consumed.add(frame.stdin);
  const call: Call = { run, state, frame, program, words, from };
  if (path !== null) return runPath(call, path);
  return runNamed(call, program);
}

function runPath(call: Call, path: string): Output {
  const { state, run } = call;
  const places = path.startsWith("/") ? [normalisePath(path, state.cwds?.[0] ?? "/")] : (state.cwds ?? []).map((cwd) => normalisePath(path, cwd));
  let output: Output | null = null;
  let own = places.length === 0;
  for (const place of places) {
    if (place === null) continue;
    if (OWN_IMAGE.test(place)) {
      // The shell that is to start it is what is started.
      output = runNamed({ ...call, program: "bash" }, "bash");
      continue;
    }
    const real = state.links.get(place) ?? state.links.get(COPY + place) ?? place;
    if (SYSTEM_FOLDERS.has(parentOf(real))) {
      if (real !== place) addExec(run, baseName(real), real, call.words, call.from);
      output = runNamed({ ...call, program: baseName(real) }, baseName(real));
    } else {
      own = true;
      touch(call, "read", exact(place), false);
      followFile(call, place, call.words.slice(1));
    }
  }
  if (!own) return output ?? UNKNOWN_OUTPUT;
  addEffect(run, { kind: "runs-code", source: "file", program: call.program, code: places[0] ?? path, upstream: [], from: excerpt(call.from) });
  run.disturbed = true;
  return isKnown(call) ? runNamed(call, call.program) : UNKNOWN_OUTPUT;
}

const VERSIONED = /^(python|pypy|pip|ruby|perl|node|nodejs|php|lua|gcc|g\+\+|cc|clang|clang\+\+|java|go|gem|bash|awk)-?\d+(?:\.\d+)*$/;

/** The name a model is kept under: `python3.11` is `python`. */
function modelName(program: string): string {
  if (HANDLERS.has(program) || MODELS.has(program)) return program;
  return VERSIONED.exec(program)?.[1] ?? program;
}

/** Tells whether the built-in tables know a program by this name. */
export function isBuiltinProgram(program: string): boolean {
  const name = modelName(program);
  return HANDLERS.has(name) || MODELS.has(name);
}

function isKnown(call: Call): boolean {
  const name = modelName(call.program);
  return HANDLERS.has(name) || MODELS.has(name) || call.run.context.programs?.has(call.program) === true;
}

function runNamed(call: Call, program: string): Output {
  const name = modelName(program);
  const handler = HANDLERS.get(name);
  if (handler !== undefined) return handler(call);
  const model = MODELS.get(name) ?? call.run.context.programs?.get(program);
  if (model !== undefined) return runModel(call, model);
  runsCode(call, "program", null);
  return UNKNOWN_OUTPUT;
}

/** Programs that look through the working directory when no place is named. */
const LOOKS_HERE = new Set(["ls", "dir", "vdir", "exa", "eza", "lsd", "tree", "du", "ncdu", "dust", "rg", "ripgrep", "ag", "ack", "pt", "ugrep", "sift", "fd", "fdfind", "grep", "egrep", "fgrep", "rgrep"]);

/** Applies a model to a call. */
export function runModel(call: Call, model: Model): Output {
  const parsed = parseArguments(call.words.slice(1), model);
  // Names that go on to something else are told apart from names that are looked at.
  applyArguments(NAMES_FILES.has(call.program) && call.frame.captured === true ? { ...call, program: `${call.program} handed on` } : call, model, parsed);
  if (model.code !== null) runsCode(call, model.code, null);
  if (call.program === "zip" && call.words.some(({ text }) => text === "-@" || text === "--names-stdin")) touchListed(call, null, true);
  if ((call.program === "tee" || call.program === "sponge") && call.frame.stdin.text !== null) for (const operand of parsed.operands) noteText(call, operand, call.frame.stdin.text);
  const asks = asksVersion(call.words) || asksHelp(call.words) || staysHere(call.program, call.words);
  if (model.connects && !asks && !parsed.options.some((option) => option.role === "u")) {
    addEffect(call.run, { kind: "connect", host: null, url: null, by: call.program, from: excerpt(call.from) });
  }
  if ((model.lists || model.rest === "R" || parsed.marks.has("tree")) && !parsed.uncertain && roots(model, parsed).every((root) => root.many) && LOOKS_HERE.has(call.program)) touch(call, "read", exact("."), model.rest === "R" || parsed.marks.has("tree"));
  if (model.lists) return listing(call, model, parsed);
  if (parsed.marks.has("names") && !parsed.marks.has("notpaths")) return { text: null, globs: parsed.marks.has("tree") || model.rest === "R" ? below(roots(model, parsed)) : namesOf(roots(model, parsed)) };
  return passThrough(call, parsed);
}

/** Programs that print paths below their operands. */
function listing(call: Call, model: Model, parsed: Arguments): Output {
  if (parsed.marks.has("notpaths")) return UNKNOWN_OUTPUT;
  const places = roots(model, parsed);
  const globs = below(places);
  // A file is listed under its own name.
  return { text: null, globs: globs !== null && places.length > 0 && NAMES_FILES.has(call.program) ? [...globs, ...(namesOf(places) ?? [])] : globs };
}

const NAMES_FILES = new Set(["ls", "dir", "vdir", "exa", "eza", "lsd"]);

/** The names that a search of single files can print; null when one of them cannot be told. */
function namesOf(places: readonly Field[]): readonly string[] | null {
  // Without a file it is the input that is searched, and this is its name.
  if (places.length === 0) return [escapeGlob("(standard input)")];
  const out = places.map((place) => (place.text === null ? place.glob : escapeGlob(place.text)));
  return out.every((glob): glob is string => glob !== null) ? out : null;
}

/** The places a search starts from. */
function roots(model: Model, parsed: Arguments): readonly Field[] {
  return parsed.marks.has("nofirst") ? parsed.operands : parsed.operands.slice(model.head.length);
}
