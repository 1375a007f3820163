// What a guarded command says and how it ends, seen from outside: bytes pass untouched into a pipe, cannot steer a terminal,
// and the exit code is the command's own or one of ours.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { afterAll, describe, expect, it } from "vitest";
import { CLI, createRig, lines, quote, sessionOf, whyNotHere } from "./rig.js";

const missing = whyNotHere();
if (missing !== null) console.warn(`left out: ${missing}`);
const rig = createRig();
afterAll(() => rig.remove());

const folder = rig.workspace({ "a.txt": "one\n" });
const exec = (program: string, ...options: readonly string[]): readonly string[] => ["exec", "--workspace", folder, ...options, "--shell", program];
const digest = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");

describe.skipIf(missing !== null)("output", () => {
  it("passes into a pipe byte for byte, each stream by itself: binary, terminal escapes, no last newline", async () => {
    const result = await rig.run(exec(String.raw`printf '\000\001\377\376\r\b\033]0;owned\007\033[2J\033[31mred\033[0m\n\342\200\256txt'; printf 'err\033c' >&2`));
    expect([...result.stdout]).toEqual([...Buffer.from("\0\x01\xff\xfe\r\b\x1b]0;owned\x07\x1b[2J\x1b[31mred\x1b[0m\n\xe2\x80\xaetxt", "latin1")]);
    expect(result.err).toMatch(/^err\u001bcringfence: output guarded: L1\.hidden-text-in-output [^\n]+\nringfence: session ses_[a-z0-9]+: no file changed\n$/u);
    const shown = await rig.run(["show", "--output", sessionOf(result)]);
    // eslint-disable-next-line no-control-regex
    expect(shown.out).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/u);
  });

  it("cannot steer a terminal: colours pass, everything else is shown, not obeyed", async () => {
    const process = rig.startOnTerminal(exec(String.raw`printf '\033]0;owned\007\033[2J\033[31mred\033[0m \033]52;c;b3duZWQ=\033\\ \302\233H \342\200\256\n'`));
    const { code, out } = await process.ended;
    const [first = ""] = out.split("\r\n");
    expect([code, first]).toEqual([0, "\\x1b]0;owned\\x07\\x1b[2J\u001b[31mred\u001b[0m \\x1b]52;c;b3duZWQ=\\x1b\\ \\x9bH \\u{202e}"]);
  });

  it("of 100 MB arrives whole, while the record keeps the beginning and says how much there was", async () => {
    const bytes = 100_000_000;
    const result = await rig.run(["exec", "--workspace", folder, "--", "head", "-c", String(bytes), "/dev/zero"]);
    expect([result.code, result.stdout.length, digest(result.stdout)]).toEqual([0, bytes, digest(Buffer.alloc(bytes))]);
    const finished = lines(readFileSync(rig.ledger(sessionOf(result)), "utf8")).find((line) => line.includes('"execution.finished"')) ?? "";
    expect(JSON.parse(finished)).toMatchObject({ data: { stdout: { bytes } } });
  });

  it("into a pipe that is closed early ends quietly", async () => {
    const program = [process.execPath, CLI, ...exec("yes | head -n 200000")].map(quote).join(" ");
    const { ended } = rig.start([], { through: ["sh", "-c", `${program} | head -n 2; true`, "sh"] });
    const { code, out, err } = await ended;
    expect([code, out, err]).toEqual([0, "y\ny\n", expect.not.stringContaining("EPIPE")]);
  });
});

describe.skipIf(missing !== null).concurrent("the exit code", () => {
  it.each([
    ["the command's own", "exit 7", 7],
    ["128 and the signal's number", "kill -TERM $BASHPID", 143],
    ["127 for a program that is not there", "no-such-program-anywhere", 127],
    ["126 for a program that cannot be run", "./a.txt", 126],
  ])("is %s", async (_name, program, code) => {
    expect((await rig.run(exec(program))).code).toBe(code);
  });

  it("is 127 also for words without a shell, and the reason is said", async () => {
    const result = await rig.run(["exec", "--workspace", folder, "--", "no-such-program-anywhere"]);
    expect([result.code, result.err]).toEqual([127, expect.stringContaining("no-such-program-anywhere")]);
  });

  it("is 124 when the time is over: partial output is kept and every process ended", async () => {
    const began = performance.now();
    const result = await rig.run(exec("echo before; (trap '' TERM; sleep 60) & trap '' TERM; sleep 60", "--timeout", "1"));
    expect([result.code, result.out, result.err]).toEqual([124, "before\n", expect.stringMatching(/^ringfence: timed out after [1-9]\d{3,4} ms; every process was ended$/mu)]);
    expect(performance.now() - began).toBeLessThan(30_000);
    const shown = await rig.run(["show", "--output", sessionOf(result)]);
    expect(shown.out).toMatch(/timeout in \d+ ms, 7 bytes of output, 2 processes ended\n {2}\| before/u);
  });
});

describe.skipIf(missing !== null).concurrent("words after `--`", () => {
  it("reach the program as they are, without a shell", async () => {
    const words = ["", " ", "*", "$HOME", "a\nb", "'", '"', "\\", "--json", "-q", "ümläut", "\u001b[31m"];
    const result = await rig.run(["exec", "--workspace", folder, "--", "node", "-p", "JSON.stringify(process.argv.slice(1))", "--", ...words]);
    expect([result.code, JSON.parse(result.out)]).toEqual([0, words]);
  });
});
