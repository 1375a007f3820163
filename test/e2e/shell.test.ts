// `ringfence shell`: lines from a pipe and from a terminal, each judged, in one session.

import { execFileSync } from "node:child_process";
import { readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { treePicture } from "../support/tree-picture.js";
import { createRig, leftInTheEnd, sessionFolders, whyNotHere, type Result } from "./rig.js";

const missing = whyNotHere();
if (missing !== null) console.warn(`left out: ${missing}`);
const rig = createRig();
afterAll(() => rig.remove());
const folder = rig.workspace({ "a.txt": "one\n", "sub/x.txt": "x\n" });
const before = treePicture(folder, { exact: true });
const plain = (text: string): string => text.replace(/\u001b\[[\d;?]*[A-Za-z]/gu, "");
const prompts = (text: string): number => plain(text).split(/\/workspace \d+\.\d \$ /u).length - 1;
const CTRL_C = "\u0003";
const CTRL_D = "\u0004";

/** As a window does: sets the size of the terminal that `script` gave to the program it started. */
function resizeTerminal(script: number, rows: number, columns: number): void {
  const [program = ""] = readFileSync(`/proc/${String(script)}/task/${String(script)}/children`, "utf8").trim().split(" ");
  execFileSync("stty", ["-F", readlinkSync(`/proc/${program}/fd/0`), "rows", String(rows), "columns", String(columns)]);
}

async function piped(text: string, ...flags: readonly string[]): Promise<Result> {
  const shell = rig.start(["shell", "--workspace", folder, ...flags], { stdin: "pipe" });
  shell.stdin.end(text);
  return shell.ended;
}

describe.skipIf(missing !== null)("a guarded shell", () => {
  it("carries folder and variables from line to line, joins lines, and ends with the last command's code", async () => {
    const { code, out, err } = await piped("cd sub\npwd\nexport X=5\necho \"$X\"\ncd /tmp\npwd\ncd /nowhere\npwd\necho one \\\ntwo\n\nfalse\n");
    expect([code, out], err).toEqual([1, "/workspace/sub\n5\n/tmp\n/tmp\none two\n"]);
  });

  it("opens a process that lives on from line to line, writes to it, and ends it", async () => {
    const { code, out, err } = await piped(":open up while read -r l; do echo \"${l^^}\"; done\n:write up hello\necho beside\n:write up .\n:ps\n:end up\n:ps\n:read no\n");
    expect([code, out], err).toEqual([0, "HELLO\nbeside\n.\n"]);
    expect(err).toContain("up: lives, open process up: while read");
    expect(err).toContain("up has ended");
    expect(err).toContain("there is no process `no`");
  });

  it("says what a line for a process lacks, what could not be written, and who lives on after :undo; a slip is no attempt", async () => {
    const { code, out, err } = await piped(":open\n:open Up cat\n:open up cat\necho new > new.txt\n:undo\n:write up .\n:end up\n:write up late\n:undo 0\n:score\n");
    expect([code, out], err).toEqual([0, ".\n"]);
    expect(err).toContain("give it as:  :open NAME COMMAND");
    expect(err).toContain("`Up` is no name for one");
    expect(err).not.toContain("denied");
    expect(err.match(/still live, with what they remember and hold open: up/gu)).toHaveLength(1);
    expect(err).toMatch(/\[process up: ended \(killed\): ended by hand\]/u);
    expect(err).toMatch(/AIVSS (\d\.\d) \w+, peak \1;/u);
  });

  it("refuses a line with its reason and goes on; the folder itself is never written", async () => {
    const { code, out, err } = await piped("cat ~/.ssh/id_rsa\necho more >> a.txt\ncat a.txt\n:undo\ncat a.txt\n:nonsense\n:undo 99\n:score\n");
    expect([code, out], err).toEqual([0, "one\nmore\none\n"]);
    expect(err).toMatch(/denied L2\.credential-files/u);
    expect(err).toContain("M a.txt");
    expect(err).toContain("as it was before the first call: 1 path moved");
    expect(err).toContain("`:nonsense` is no command of this shell");
    expect(err).toContain("`99` is no step of the session");
    expect(err).toMatch(/AIVSS \d+\.\d /u);
    expect(treePicture(folder, { exact: true })).toEqual(before);
  });

  it("on a terminal shows where it is, lets a running command be stopped, and asks what policy asks", async () => {
    const shell = rig.startOnTerminal(["shell", "--workspace", folder]);
    await shell.until("the prompt", () => prompts(shell.out()) > 0);
    shell.stdin.write("echo begun; sleep 1000\r");
    await shell.until("the command", () => shell.out().includes("begun\r\n"));
    shell.stdin.write(CTRL_C);
    await shell.until("the next prompt", () => /\^C[^]*\/workspace \d+\.\d \$ $/u.test(plain(shell.out())));
    shell.stdin.write("echo '*.js filter=x' > .gitattributes\r");
    await shell.until("the question", () => shell.out().includes("Run this?"));
    shell.stdin.write("\r");
    await shell.until("the answer", () => /needs approval \(rejected\)[^]*\$ $/u.test(plain(shell.out())));
    shell.stdin.write(`echo still-$((40 + 2))\r`);
    await shell.until("one more command", () => /still-42\r\n[^]*\$ $/u.test(plain(shell.out())));
    shell.stdin.write(CTRL_D);
    const { code, out } = await shell.ended;
    expect(code, plain(out)).toBe(0);
    expect(out).toContain("see `ringfence diff");
    expect(await leftInTheEnd(sessionFolders(rig.state), rig.state)).toEqual([]);
  });

  it("gives programs a terminal, and judges what is typed for them before they get it", async () => {
    const shell = rig.startOnTerminal(["shell", "--workspace", folder]);
    const typed = async (text: string, seen: RegExp): Promise<void> => {
      shell.stdin.write(text);
      await shell.until(text, () => seen.test(plain(shell.out())));
    };
    await shell.until("the prompt", () => prompts(shell.out()) > 0);
    await typed("test -t 0 && test -t 1 && stty -a | head -1\r", /speed \d+ baud; rows \d+; columns \d+[^]*\$ $/u);
    await typed("python3 -q\r", />>> $/u);
    await typed("6 * 7\r", /42[\r\n]+>>> $/u);
    await typed("import os; os.system('rm -rf .git/hooks')\r", /not sent[^]*X\.git-hooks/u);
    await typed("while True: pass\r", /while True: pass[\r\n]+\.\.\. $/u);
    await typed("\r", /while True: pass[\r\n]+\.\.\. [\r\n]+$/u);
    await typed(CTRL_C, /KeyboardInterrupt[^]*>>> $/u);
    await typed(CTRL_D, /\/workspace \d+\.\d \$ $/u);
    shell.stdin.write(CTRL_D);
    // Python ends as interrupted when it ever was.
    expect((await shell.ended).code).toBe(130);
    const [session = { id: "" }] = await rig.sessions();
    const record = readFileSync(join(rig.state, "sessions", session.id, "ledger.jsonl"), "utf8");
    // Python wrote its history as it ended, which is nothing that anybody tampered with.
    expect(record).not.toContain("python_history");
    const lines = record.split("\n").filter((line) => line.includes('"input.typed"'));
    expect(lines[0]).toContain('"effect":"allow"');
    expect(lines.some((line) => line.includes("rm -rf .git/hooks") && line.includes('"effect":"deny"'))).toBe(true);
  });

  it("does every line that is pasted, one after the other, and leaves what is not ended to be typed on", async () => {
    const shell = rig.startOnTerminal(["shell", "--workspace", folder]);
    await shell.until("the prompt", () => prompts(shell.out()) > 0);
    shell.stdin.write("echo p$((1 + 10))\rcd sub\rpwd; echo p$((1 + 12))\recho p$((1");
    await shell.until("the third line", () => /p11\r\n[^]*\/workspace\/sub\r\np13\r\n[^]*\$ $/u.test(plain(shell.out()).replace(/echo p\$\(\(1$/u, "")));
    shell.stdin.write(" + 13))\r");
    await shell.until("the fourth", () => shell.out().includes("p14\r\n"));
    await shell.until("the prompt", () => plain(shell.out()).endsWith("$ "));
    shell.stdin.write("echo begun; sleep 1000\recho p$((1 + 14))\r");
    await shell.until("the program", () => shell.out().includes("\nbegun\r\n"));
    shell.stdin.write(CTRL_C);
    await shell.until("the next prompt", () => /\nbegun\r\n[^]*\$ $/u.test(plain(shell.out())));
    shell.stdin.write(CTRL_D);
    const { out } = await shell.ended;
    expect(out).not.toContain("p15\r\n");
  });

  it("tells a program that runs when the terminal's size changes", async () => {
    const shell = rig.startOnTerminal(["shell", "--workspace", folder]);
    await shell.until("the prompt", () => prompts(shell.out()) > 0);
    shell.stdin.write("bash -c 'trap \"stty size\" WINCH; echo begun; y=; until read -r -t 0.1 x; do y=$y$x; done; stty size; echo \"<$y$x>\"'\r");
    await shell.until("the program", () => shell.out().includes("begun\r\n"));
    resizeTerminal(shell.pid, 41, 97);
    await shell.until("the size", () => shell.out().includes("41 97\r\n"));
    shell.stdin.write("typed\r");
    await shell.until("the line", () => /41 97\r\n<typed>\r\n[^]*\$ $/u.test(plain(shell.out())));
    shell.stdin.write(CTRL_D);
    expect((await shell.ended).code).toBe(0);
  });

  it.each(["SIGTERM", "SIGHUP"] as const)("ends at %s while it waits for a line, and leaves nothing", async (signal) => {
    const shell = rig.start(["shell", "--workspace", folder], { stdin: "pipe" });
    shell.stdin.write("echo begun\n");
    await shell.until("the first line", () => shell.out().includes("begun"));
    shell.kill(signal);
    expect((await shell.ended).code).toBe(0);
    expect(await leftInTheEnd(sessionFolders(rig.state), rig.state)).toEqual([]);
  });

  it("writes only JSON with --json, every event of the record", async () => {
    const { code, out } = await piped("true\n", "--json");
    const events = out.trim().split("\n").map((line) => (JSON.parse(line) as { readonly type: string }).type);
    expect(code).toBe(0);
    expect([events[0], events.at(-1)]).toEqual(["session.opened", "session.closed"]);
    const [id = ""] = (await rig.sessions()).map((session) => session.id);
    expect(readFileSync(join(rig.state, "sessions", id, "ledger.jsonl"), "utf8")).toContain('"source":"shell"');
  });
});
