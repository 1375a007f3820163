// The evaluator against real bash: the words a program is given and the files that are really opened. A file that bash opened and the
// evaluator did not name, without saying that it cannot tell, is a route past a deny. Runs harmless generated lines in a scratch folder.

import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ActionEffect } from "../../src/core/action/effects.js";
import { compileGlob, subjectOf } from "../../src/core/policy/match-path.js";
import { evaluateShell } from "../../src/core/shell/index.js";
import { countInputs } from "../soak/count-inputs.js";

const SOAK = process.env["RINGFENCE_SOAK"] === "1";
const LINES = SOAK ? 10_000 : 300;
const BATCH = 50;
const noStrace = spawnSync("strace", ["-V"]).status === 0 ? null : "strace is not installed";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "ringfence-differential-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const NAMES = ["a", "b.txt", "sub/c", "d e", ".dot"];
const quote = (text: string): string => `'${text}'`;
const name = fc.constantFrom(...NAMES);
const spelt = fc.tuple(name, fc.integer({ min: 0, max: 6 })).map(([text, how]) => {
  const safe = text.includes(" ");
  if (how === 0 || safe) return quote(text);
  if (how === 1) return `"${text}"`;
  if (how === 2) return text.replace(/^(.)/, "\\$1");
  if (how === 3) return `$'${[...text].map((char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`).join("")}'`;
  if (how === 4) return `./${text}`;
  if (how === 5) return `"$PWD"/${text}`;
  return text;
});
const variable = spelt.map((text) => `v=${text}; cat "$v"`);
const pieces = fc.constantFrom("cat *.txt", "cat sub/*", "cat {a,b.txt}", "cat ${x:-a}", "x=a; cat ${x}", "x=a.bak; cat ${x%.bak}", "x=b; cat $x.txt", "cat < a", "cat <<< hi", "cat <<E\nhi\nE", "for f in a b.txt; do cat \"$f\"; done", "cat $(echo a)", "cat `echo b.txt`", "f() { cat \"$1\"; }; f a", "cd sub && cat c", "(cd sub; cat c); cat a", "pushd sub >/dev/null; cat c; popd >/dev/null", "eval 'cat a'", "set -- a b.txt; cat \"$2\"", "case a in a) cat a;; esac", "if true; then cat a; else cat b.txt; fi", "cat a | tee out > out2", "printf '%s\\n' a b.txt | xargs cat", "find . -name 'b*' -exec cat {} +", "bash -c 'cat \"$1\"' x a", "env A=1 cat a", "command cat a", "exec 5< a; cat <&5", "cat a > out 2> err", "cat a >| out", "cat a &> out", "cp a out; cat out", "mv a moved", "rm -f a", "ln -s a link; cat link", "touch new; rm new", "sed -n 1p a", "sed -i s/x/y/ a", "sort a b.txt -o out", "head -n1 a > sub/out", "mapfile -t l < a; cat \"${l[0]}\"", "while read -r f; do cat \"$f\"; done <<< a", "A=(a b.txt); cat \"${A[1]}\"", "cat a || cat b.txt", "! cat a; cat b.txt", "tee out < a", "dd if=a of=out status=none", "awk 1 a", "grep -r x sub", "tar cf out.tar sub", "IFS=:; v=a:b.txt; cat $v", "cat ~+/a", "test -f a && cat a", "cat \"$(printf 'a')\"", "echo a >> log; cat log", "x=(*.txt); cat \"${x[0]}\"", "cat ?.txt", "cat [ab]*", "shopt -s nullglob; cat a nothing*", "alias k=cat; k a");
// A here-document ends with its line, so nothing is joined behind it but a new line.
const joint = fc.constantFrom("\n", "\n: && ", "\n: ; ", "\ntrue | ", "\nfalse || ");
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
const line = fc.oneof({ weight: 3, arbitrary: spelt.map((text) => `cat ${text}`) }, { weight: 2, arbitrary: spelt.map((text) => `echo x > ${text}`) }, { weight: 2, arbitrary: variable }, { weight: 5, arbitrary: pieces }, { weight: 12, arbitrary: fc.tuple(pieces, joint, pieces, joint, spelt.map((text) => `cat ${text}`)).map((parts) => parts.join("")) }, { weight: 3, arbitrary: pieces.map((text) => `bash -c ${quoted(text)}`) }, { weight: 3, arbitrary: fc.tuple(pieces, pieces).map(([one, two]) => `{ ${one}\n}; if [ -e a ]; then\n${two}\nfi`) });

/** A fresh folder with the files that lines speak of. */
function scene(place: string): void {
  rmSync(place, { recursive: true, force: true });
  mkdirSync(join(place, "sub"), { recursive: true });
  for (const one of NAMES) writeFileSync(join(place, one), "b.txt\n");
}

interface Opened {
  readonly path: string;
  readonly writes: boolean;
}

/** The files below the folder that bash and its children opened, changed or removed. */
function traced(text: string, place: string): readonly Opened[] {
  scene(place);
  for (const old of readdirSync(folder)) if (old.startsWith("trace")) rmSync(join(folder, old));
  spawnSync("strace", ["-ff", "-y", "-qq", "-s", "4096", "-o", join(folder, "trace"), "-e", "trace=open,openat,creat,unlink,unlinkat,rename,renameat,renameat2,truncate", "bash", "--noprofile", "--norc", "-c", text], { cwd: place, env: { PATH: "/usr/bin:/bin", HOME: place, PWD: place }, timeout: 20_000, stdio: "ignore" });
  const found = new Map<string, Opened>();
  for (const trace of readdirSync(folder).filter((one) => one.startsWith("trace"))) {
    for (const call of readFileSync(join(folder, trace), "latin1").split("\n")) {
      const removes = /^(?:unlink|rename)/.test(call);
      const match = /^(?:open|openat|creat|unlink|unlinkat|rename|renameat2?|truncate)\((?:[A-Z0-9_]+<([^>]*)>, )?"([^"]*)"(?:, ([A-Z_|]+))?.*\) = (\d+)/.exec(call);
      if (match === null) continue;
      const [, at = place, given = "", flags = ""] = match;
      const path = given.startsWith("/") ? given : join(at, given);
      if (!path.startsWith(`${place}/`) || flags.includes("O_DIRECTORY")) continue;
      const writes = removes || /O_WRONLY|O_RDWR|O_TRUNC|O_CREAT/.test(flags);
      found.set(`${path}${String(writes)}`, { path, writes });
      const target = /^rename[a-z0-9]*\(.*"([^"]*)"(?:, [A-Z_0]+)?\) = 0/.exec(call)?.[1];
      if (target !== undefined) found.set(`${target} renamed`, { path: target.startsWith("/") ? target : join(place, target), writes: true });
    }
  }
  return [...found.values()];
}

/** Does what the evaluator says take in that this file is opened? */
function takesIn(effects: readonly ActionEffect[], { path, writes }: Opened): boolean {
  return effects.some((effect) => {
    if (effect.kind === "opaque-text") return true;
    if (effect.kind === "runs-code") return true;
    if (effect.kind !== "file" || (writes && effect.operation === "read")) return false;
    if (effect.certainty === "exact") return effect.path === path || (effect.recursive && path.startsWith(`${effect.path}/`));
    const glob = compileGlob(effect.recursive && !effect.path.endsWith("/**") ? `${effect.path}/**` : effect.path, { root: "/", home: "/" });
    return glob.hits(subjectOf({ kind: "file", operation: "read", path, certainty: "exact", recursive: false, by: "x", from: "" }));
  });
}

/** Temporary names that `sed -i` and the like make beside their file: the file itself is what counts. */
const OWN_TEMPORARY = /\/(?:sed|sort)[A-Za-z0-9]{6}$/;

describe.skipIf(noStrace !== null)(`the evaluator against bash${noStrace === null ? "" : ` (left out: ${noStrace})`}`, () => {
  const lines = [...new Set(fc.sample(line, { numRuns: LINES, seed: 20_24 }))];

  it("sees what bash opens, and finds what the evaluator leaves out", { timeout: 60_000 }, () => {
    const place = join(folder, "place");
    const opened = traced("cat a; echo x > out; mv b.txt moved", place);
    expect(opened.map((one) => `${one.writes ? "w" : "r"} ${one.path.slice(place.length)}`).sort()).toEqual(["r /a", "w /b.txt", "w /moved", "w /out"]);
    const { effects } = evaluateShell("cat a", { cwd: place, root: place, home: place, environment: new Map() });
    expect(opened.filter((one) => takesIn(effects, one)).map((one) => one.path.slice(place.length))).toEqual(["/a"]);
  });

  for (let at = 0; at < lines.length; at += BATCH) {
    it(`names every file that is really opened, lines ${String(at + 1)} to ${String(Math.min(at + BATCH, lines.length))}`, { timeout: 120_000 }, () => {
      const place = join(folder, "place");
      const missed = lines.slice(at, at + BATCH).flatMap((text) => {
        const opened = traced(text, place);
        const { effects } = evaluateShell(text, { cwd: place, root: place, home: place, environment: new Map([["PWD", place], ["HOME", place]]) });
        return opened.filter((one) => !OWN_TEMPORARY.test(one.path) && !takesIn(effects, one)).map((one) => `${text} :: ${one.writes ? "writes" : "reads"} ${one.path.slice(place.length)}`);
      });
      countInputs(Math.min(BATCH, lines.length - at));
      expect(missed).toEqual([]);
    });
  }
});

describe("the words of a program", () => {
  const word = fc.oneof(spelt, fc.constantFrom("$x", '"$x"', "${x}y", "a{1,2}", "{a..c}", "$((1+2))", "~", "'$x'", "\\$x", "$'\\t'", '"a b"', "a\\ b", "${#x}", "${x^^}", "${x:1:2}", "${x/v/w}", "${x#v}", "${none:-d}", "${x:+s}", '""', "x''y", "$(echo q)"));

  it("are those bash gives it, or are said not to be known", { timeout: 300_000 }, () => {
    const samples = fc.sample(fc.array(word, { minLength: 1, maxLength: 3 }), { numRuns: LINES, seed: 7 });
    const place = join(folder, "words");
    mkdirSync(place, { recursive: true });
    const wrong = [];
    const script = samples.map((words) => `x='val ue'; set -f; printf '%s\\0' ${words.join(" ")}; printf '\\1'`).map((text) => `(${text})`).join("\n");
    const file = join(folder, "words.sh");
    writeFileSync(file, script);
    const out = execFileSync("bash", ["--noprofile", "--norc", file], { cwd: place, env: { PATH: "/usr/bin:/bin", HOME: "/home/agent", PWD: place }, encoding: "latin1", maxBuffer: 64 * 1024 * 1024 }).split("\u0001");
    for (const [index, words] of samples.entries()) {
      const real = (out[index] ?? "").split("\0").slice(0, -1);
      const { effects } = evaluateShell(`x='val ue'; set -f; prog ${words.join(" ")}`, { cwd: place, root: place, home: "/home/agent", environment: new Map([["PWD", place], ["HOME", "/home/agent"]]) });
      const told = effects.find((effect) => effect.kind === "exec" && effect.program === "prog");
      if (told?.kind !== "exec" || told.argv.includes(null) || effects.some((effect) => effect.kind === "opaque-text")) continue;
      if (JSON.stringify(told.argv.slice(1)) !== JSON.stringify(real)) wrong.push({ words: words.join(" "), told: told.argv.slice(1), real });
    }
    countInputs(samples.length);
    expect(wrong).toEqual([]);
  });
});
