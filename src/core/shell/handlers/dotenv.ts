// Programs that put the settings of an environment file into what they start: the two programs called `dotenv`, `dotenvx`, `env-cmd`,
// `honcho` and `foreman`, and `direnv exec`. Without an option they take the file in the working directory.

import { parseArguments } from "../arguments.js";
import { touch } from "../files.js";
import { compile, type Model } from "../model.js";
import { applyArguments, runsCode } from "../roles.js";
import { deeper, UNKNOWN_OUTPUT, type Call, type Output } from "../run.js";
import { followScript } from "../scripts.js";
import { fork } from "../state.js";
import { joinPath } from "../../action/paths.js";
import { exact, type Field } from "../value.js";

interface Loader {
  readonly model: Model;
  /** Verbs that stand before the command, and those that only print or change the file. */
  readonly before: ReadonlySet<string>;
  readonly shows: ReadonlySet<string>;
  readonly changes: ReadonlySet<string>;
}

function loader(options: string, before: string, shows: string, changes: string): Loader {
  const words = (text: string): ReadonlySet<string> => new Set(text.split(" "));
  return { model: compile("t*", options, "stops"), before: words(before), shows: words(shows), changes: words(changes) };
}

const PYTHON_OR_NODE = loader("-f:r!named --file:r!named -e:r!named -p:t -c?:t -v:v -q:t --quote:t -o --override --no-override", "run", "list get", "set unset");
const LOADERS: ReadonlyMap<string, Loader> = new Map([
  ["dotenv", PYTHON_OR_NODE],
  ["dotenv-cli", PYTHON_OR_NODE],
  ["dotenv_if_exists", PYTHON_OR_NODE],
  ["dotenvx", loader("-f:r!named --env-file:r!named -fk:r --env-keys-file:r --env-vault-file:r!named -e:v --env:v --convention:t", "run", "get keypair decrypt ls", "set encrypt rotate")],
  ["env-cmd", loader("-f:r!named --file:r!named -r?:r!named --rc-file?:r!named -e:t --environments:t --fallback --no-override --silent --use-shell -x", "", "", "")],
  ["honcho", loader("-e:r!named --env:r!named -f:r --procfile:r -d:p --app-root:p -p:t --port:t", "run start check export", "", "")],
  ["foreman", loader("-e:r!named --env:r!named -f:r --procfile:r -d:p --root:p -p:t --port:t -c:t", "run start check export", "", "")],
]);

export const LOADER_NAMES: readonly string[] = [...LOADERS.keys()];

/** Any of the loaders. */
export function runLoader(call: Call): Output {
  const known = LOADERS.get(call.program);
  if (known === undefined) return UNKNOWN_OUTPUT;
  let parsed = parseArguments(call.words.slice(1), known.model);
  const first = parsed.operands[0]?.text ?? "";
  let named = parsed.marks.has("named");
  applyArguments(call, known.model, parsed);
  const verb = known.before.has(first) || known.shows.has(first) || known.changes.has(first);
  if (verb) {
    // Each verb takes the options of its own again.
    parsed = parseArguments(parsed.operands.slice(1), known.model);
    applyArguments(call, known.model, parsed);
    named ||= parsed.marks.has("named");
  }
  // In an `.envrc` it is a function of `direnv`, which takes the file as its only word.
  const [only] = parsed.operands;
  if (!verb && parsed.operands.length === 1 && only !== undefined && /^(?:\S*\/)?\.env[\w.-]*$/.test(only.lead)) {
    touch(call, "read", only, false);
    return UNKNOWN_OUTPUT;
  }
  if (parsed.operands.length === 0 && !verb && call.words.length > 1) return UNKNOWN_OUTPUT;
  if (!named) touch(call, known.changes.has(first) ? "write" : "read", exact(".env"), false);
  if (known.shows.has(first) || known.changes.has(first)) return UNKNOWN_OUTPUT;
  if (parsed.operands.length === 0 && !verb) return UNKNOWN_OUTPUT;
  if (parsed.operands.length === 0 || /^(?:start|check|export)$/.test(first)) {
    runsCode(call, "project", null);
    return UNKNOWN_OUTPUT;
  }
  return start(call, parsed.operands);
}

function start(call: Call, words: readonly Field[]): Output {
  const inner = deeper(call.run, call.frame, call.from);
  return inner === null ? UNKNOWN_OUTPUT : call.run.runWords(words, fork(call.state), inner, call.from, "programs");
}

/** `direnv exec folder command`: the folder's `.envrc` is run first, which loads `.env` where it says so. */
export function loadFolder(call: Call, folder: Field): void {
  if (folder.text === null) return;
  const file = joinPath(folder.text, ".envrc");
  touch(call, "read", exact(file), false);
  followScript(call, exact(file), []);
}
