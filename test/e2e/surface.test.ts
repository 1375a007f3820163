// The same words everywhere: --json and --quiet before and after the command, colour, help with examples, completion.

import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createRig, lines, sessionOf, whyNotHere } from "./rig.js";

const missing = whyNotHere();
if (missing !== null) console.warn(`left out: ${missing}`);
const rig = createRig();
afterAll(() => rig.remove());

const folder = rig.workspace({ "a.txt": "one\n" });
// eslint-disable-next-line no-control-regex
const ESCAPE = /\u001b/u;

const COMMANDS = ["exec", "shell", "run", "demo", "sessions", "show", "diff", "apply", "undo", "discard", "policy check", "log verify", "bundle export", "bundle verify", "score", "aivss", "doctor", "completion"];

describe.skipIf(missing !== null)("help", () => {
  it("of each command has examples that name it", async () => {
    const helps = await inTurn(COMMANDS, async (name) => ({ name, ...(await rig.run([...name.split(" "), "--help"])) }));
    expect(helps.map(({ name, code, err, out }) => [name, code, err, /\nExamples:\n(?: {2}.+\n)+/u.exec(out)?.[0].includes(`ringfence ${name}`) ?? false])).toEqual(COMMANDS.map((name) => [name, 0, "", true]));
  });

  it("of the program names every command and every exit code", async () => {
    const { code, out } = await rig.run(["--help"]);
    const named = COMMANDS.filter((name) => new RegExp(`^ {2}${name.split(" ")[0]} `, "mu").test(out));
    expect([code, named]).toEqual([0, COMMANDS]);
    for (const number of [0, 1, 2, 3, 4, 5, 6, 65, 70, 75, 124, 125, 126]) expect(out).toMatch(new RegExp(`\\b${number} `, "u"));
  });

  it("is what a bare call prints, as a usage error", async () => {
    const { code, out, err } = await rig.run([]);
    expect([code, out, err]).toEqual([2, "", expect.stringContaining("Usage: ringfence")]);
  });
});

describe.skipIf(missing !== null)("the options of every command", () => {
  let session = "";
  beforeAll(async () => {
    session = sessionOf(await rig.run(["exec", "--workspace", folder, "--shell", "echo two >> a.txt; echo x > b.txt"]));
  });

  it("--json prints nothing but JSON, before and after the command's name", async () => {
    const commands = [["exec", "--workspace", folder, "--", "true"], ["sessions"], ["show", session], ["diff", session], ["policy", "check"], ["policy", "check", "--command", "rm -rf /"], ["log", "verify", session], ["score", session], ["score", session, "--report", "aivss-0.8"], ["aivss", "--base", "8.7", "--sum", "5.2"], ["doctor"]];
    const placed = (words: readonly string[], where: "before" | "after"): readonly string[] => {
      const at = words.findIndex((word) => word.startsWith("-") || word === session);
      return where === "before" ? ["--json", ...words] : [...words.slice(0, at === -1 ? words.length : at), "--json", ...words.slice(at === -1 ? words.length : at)];
    };
    const results = await inTurn(commands.flatMap((words) => [placed(words, "before"), placed(words, "after")]), async (words) => ({ words, ...(await rig.run(words)) }));
    for (const { words, out } of results) {
      expect([words, lines(out).length > 0, lines(out).map((line) => typeof JSON.parse(line))]).toEqual([words, true, lines(out).map(() => "object")]);
    }
  });

  it("--quiet leaves results and failures, and nothing of ours beside them", async () => {
    const results = await inTurn([["-q", "exec", "--workspace", folder, "--", "echo", "hi"], ["exec", "--quiet", "--workspace", folder, "--", "echo", "hi"]], (words) => rig.run(words));
    expect(results.map(({ code, out, err }) => [code, out, err])).toEqual([[0, "hi\n", ""], [0, "hi\n", ""]]);
    const denied = await rig.run(["--quiet", "exec", "--workspace", folder, "--", "cat", "/home/agent/.ssh/id_rsa"]);
    expect([denied.code, denied.out, denied.err]).toEqual([126, "", expect.stringMatching(/^ringfence: denied L2\.credential-files /u)]);
  });

  it("colour is for terminals, and NO_COLOR, --no-color and a dumb terminal switch it off", async () => {
    expect((await rig.run(["show", session])).out).not.toMatch(ESCAPE);
    const onTerminal = async (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> => (await rig.startOnTerminal(args, { env: { TERM: "xterm", ...env } }).ended).out;
    const colours = await Promise.all([onTerminal(["show", session]), onTerminal(["show", session], { NO_COLOR: "1" }), onTerminal(["show", session, "--no-color"]), onTerminal(["--no-color", "show", session]), onTerminal(["show", session], { TERM: "dumb" })]);
    expect(colours.map((text) => [text.includes(session), ESCAPE.test(text)])).toEqual([[true, true], [true, false], [true, false], [true, false], [true, false]]);
  });

  it("--role says when no rule is about the role that was named, and is quiet about one that rules are about", async () => {
    const said = /no rule of the policy is about the role `bugfixr`; the general rules judge it \(rules are about [^)]*bugfixer/u;
    const wrong = await inTurn([["exec", "--workspace", folder, "--role", "bugfixr", "--", "true"], ["policy", "check", "--role", "bugfixr", "--", "ls"], ["policy", "explain", "--role", "bugfixr", "--", "ls"]], (words) => rig.run(words));
    expect(wrong.map(({ code, err }) => [code, said.test(err)])).toEqual([[0, true], [0, true], [0, true]]);
    expect((await rig.run(["policy", "check", "--role", "bugfixer", "--", "ls"])).err).toBe("");
  });

  it("a list of at most none is empty, and does not say that there is nothing", async () => {
    const results = await inTurn([["sessions", "-n", "0"], ["score", "--trend", "-n", "0"]], (words) => rig.run(words));
    expect(results.map(({ code, out, err }) => [code, out, err])).toEqual([[0, "", ""], [0, "", ""]]);
    expect((await rig.run(["score", "--trend", "-n", "1"])).out).toMatch(/^[^\n]+\n$/u);
  });

  it("a session is also found by the beginning of its id, and by `last`", async () => {
    const results = await inTurn([["show", session.slice(0, 12)], ["show", session.slice(4)], ["score", "last"]], (words) => rig.run(words));
    expect(results.map(({ code }) => code)).toEqual([0, 0, 0]);
    expect(results.slice(0, 2).every(({ out }) => out.startsWith(session))).toBe(true);
  });
});

describe.skipIf(missing !== null)("completion", () => {
  it("is a script that bash and, where they are here, zsh and fish can read, and that completes", async () => {
    for (const shell of ["bash", "zsh", "fish"]) {
      const { code, out, err } = await rig.run(["completion", shell]);
      const file = join(rig.scratch, `complete.${shell}`);
      writeFileSync(file, out);
      expect([shell, code, err, out.length > 200]).toEqual([shell, 0, "", true]);
      if (shell === "bash" || isHere(shell)) execFileSync(shell, ["-n", file], { stdio: "pipe" });
    }
    const complete = (...words: readonly string[]): readonly string[] =>
      lines(execFileSync("bash", ["--norc", "--noprofile", "-c", `. ${join(rig.scratch, "complete.bash")}; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _ringfence; printf '%s\\n' "\${COMPREPLY[@]}"`, "bash", "ringfence", ...words], { encoding: "utf8", env: { PATH: "/nonexistent:/usr/bin:/bin" } }));
    expect([complete("se"), complete("exec", "--wor"), complete("log", "")]).toEqual([["sessions"], ["--workspace", "--workspace-mode"], expect.arrayContaining(["verify"])]);
  });

  it("for a shell that is none is a usage error", async () => {
    const { code, err } = await rig.run(["completion", "tcsh"]);
    expect([code, err]).toEqual([2, expect.stringMatching(/^ringfence: .*tcsh.*bash, zsh, fish.*\n$/u)]);
  });
});

function isHere(program: string): boolean {
  try {
    execFileSync("sh", ["-c", `command -v ${program}`], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** Two at a time. */
async function inTurn<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = [];
  for (let at = 0; at < items.length; at += 2) results.push(...(await Promise.all(items.slice(at, at + 2).map(work))));
  return results;
}
