// The files a patch changes, as its text names them: for `patch`, `git apply` and `git am`.

import { touch } from "../files.js";
import { addOpaque, type Call } from "../run.js";
import { scriptTextOf } from "../scripts.js";
import { exact, type Field } from "../value.js";

/** Longest patch read, in characters, and most names taken from it. */
const MAX_TEXT = 262_144;
const MAX_NAMES = 200;

/** How many folders are taken off the front of each name; null: `patch` without `-p`, which takes the last name of what is not there. */
export type Strip = number | null;

/** Gives the files that a patch names their effects. `inputs`: files that hold it; none means standard input. */
export function touchPatched(call: Call, place: Call, inputs: readonly Field[], strip: Strip, reversed: boolean): void {
  const { text, file } = call.frame.stdin;
  const texts = inputs.filter((input) => input.text !== "-").map((input) => scriptTextOf(call, input));
  if (inputs.length === 0 || inputs.some((input) => input.text === "-")) texts.push(text ?? (file === null ? null : scriptTextOf(call, file)));
  // What a patch changes that cannot be read lies in the folder it is told to work in.
  if (place !== call && texts.includes(null)) touch(place, "write", exact("."), true);
  for (const patch of texts) {
    if (patch === null || patch.length > MAX_TEXT) continue;
    const named = namesIn(patch);
    if (named.length > MAX_NAMES) addOpaque(call.run, "a patch of more files than are followed", call.from);
    for (const { name, gone, bare } of named.slice(0, MAX_NAMES)) {
      for (const path of bare ? [name] : stripped(name, strip)) {
        touch(place, "write", exact(path), false);
        if (gone || reversed) touch(place, "delete", exact(path), false);
      }
    }
  }
}

interface Named {
  readonly name: string;
  /** The patch removes it. */
  readonly gone: boolean;
  /** The name stands without a prefix. */
  readonly bare: boolean;
}

function namesIn(patch: string): readonly Named[] {
  const out = new Map<string, Named>();
  const add = (name: string, gone: boolean, bare: boolean): void => {
    const plain = unquoted(name);
    if (plain !== "" && plain !== "/dev/null") out.set(`${plain}\0${String(gone)}`, { name: plain, gone, bare });
  };
  const lines = patch.split("\n");
  for (const [at, line] of lines.entries()) {
    const header = /^(?:---|\+\+\+|\*\*\*) ([^\t\r]*)/.exec(line);
    if (header !== null && !/^\*\*\* \d/.test(line)) add(withoutDate(header[1] ?? ""), line.startsWith("--- ") && /^\+\+\+ \/dev\/null/.test(lines[at + 1] ?? ""), false);
    const moved = /^(?:rename|copy) (from|to) (.*)$/.exec(line);
    if (moved !== null) add(moved[2] ?? "", moved[1] === "from", true);
    const git = /^diff --git (\S+) (\S+)$/.exec(line);
    if (git !== null) {
      const gone = /^deleted file mode/.test(lines[at + 1] ?? "");
      add(git[1] ?? "", gone, false);
      add(git[2] ?? "", gone, false);
    }
    const index = /^Index: (.*)$/.exec(line);
    if (index !== null) add(index[1] ?? "", false, false);
  }
  return [...out.values()];
}

function withoutDate(name: string): string {
  return name.replace(/ +\d{4}-\d\d-\d\d.*$/, "").trim();
}

/** git quotes names with unusual bytes. */
function unquoted(name: string): string {
  const quoted = /^"(.*)"$/.exec(name.trim());
  return (quoted === null ? name : (quoted[1] ?? "").replace(/\\(["\\])/g, "$1")).trim();
}

function stripped(name: string, strip: Strip): readonly string[] {
  const parts = name.split(/\/+/);
  if (strip === null) return [name, parts[parts.length - 1] ?? name];
  const rest = parts.slice(strip);
  return rest.length === 0 ? [] : [rest.join("/")];
}

/** How a change of the working tree that throws away what is not committed is called in effects. */
export const RESTORES = "git restore";

/** What `git diff` prints of changes that are in no commit, taken back as a patch: they are in nothing any more. */
export function undoWork(call: Call): void {
  if (call.frame.stdin.upstream.at(-1) !== "git") return;
  const before = call.run.effects.filter((effect) => effect.kind === "exec" && effect.program === "git" && effect.argv.includes("diff")).at(-1);
  if (before?.kind !== "exec") return;
  const words = before.argv.slice(before.argv.indexOf("diff") + 1);
  const paths = words.indexOf("--");
  // Between two revisions it shows what is committed.
  const revisions = words.slice(0, paths < 0 ? undefined : paths).filter((word) => word !== null && !word.startsWith("-") && !/^\.{1,2}\/|\.[a-z]\w{0,4}$/i.test(word));
  if (revisions.length < 2 && !revisions.some((word) => word?.includes("..") === true)) touch({ ...call, program: RESTORES }, "write", exact("."), true);
}
