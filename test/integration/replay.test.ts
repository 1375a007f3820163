// Imported sessions judged again under two policies, and shown: as text, as lines, as a page in a real browser where there is one.

import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { importTrajectories } from "../../src/compose-import.js";
import { redecideSessions } from "../../src/compose-redecide.js";
import { writeSessionPage } from "../../src/compose-replay.js";
import { browserProgram, loadPage } from "../support/browser.js";
import { corpusPath } from "../support/corpora.js";
import { HOSTILE, hostileMessages, OWNED } from "../support/hostile.js";

const CLI = fileURLToPath(new URL("../../bin/ringfence.mjs", import.meta.url));
const built = existsSync(fileURLToPath(new URL("../../dist/cli/ringfence.mjs", import.meta.url)));
const STRICT = `version: 1
id: strict
title: Strict
extends: [kimi-dev]
rules:
  - id: strict.no-inline-code
    effect: deny
    layer: L3
    threats: [maestro:L7/agent-tool-misuse]
    message: code goes into files that are reviewed
    when: [{ code: { sources: [inline] } }]
    match: [{ command: "python3 -c 'print(1)'" }]
    notMatch: [{ command: "python3 a.py" }]
`;

let folder = "";
let env: NodeJS.ProcessEnv = {};
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "ringfence-replay-"));
  env = { PATH: process.env["PATH"], HOME: folder, RINGFENCE_HOME: join(folder, "state"), RINGFENCE_LOG_LEVEL: "silent", NO_COLOR: "1" };
  writeFileSync(join(folder, "strict.policy.yaml"), STRICT);
  writeFileSync(join(folder, "hostile.json"), JSON.stringify(hostileMessages()));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function ringfence(...args: readonly string[]): { readonly code: number | null; readonly out: string; readonly err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...args], { encoding: "utf8", timeout: 60_000, env, cwd: folder, maxBuffer: 64 * 1024 * 1024 });
  return { code: status, out: stdout, err: stderr };
}

describe("redecide over imported sessions", () => {
  const sets = ["mini-swe-agent-traj", "openhands-events"].flatMap((name) => corpusPath(name) ?? []);
  it.skipIf(sets.length === 0)("says the same under the same policy, and names what a stricter one refuses", { timeout: 60_000 }, async () => {
    const own = { ...env, RINGFENCE_HOME: join(folder, "corpora") };
    const done = (await importTrajectories({ paths: sets, env: own })).filter((outcome) => outcome.ok);
    const same = await redecideSessions({ sessions: [], all: true, policies: [], baseline: [], env: own });
    const calls = done.reduce((sum, one) => sum + one.session.decided.allow + one.session.decided.ask + one.session.decided.deny, 0);
    expect([same.left, same.summary.sessions, same.summary.calls, same.summary.stricter, same.summary.looser, same.summary.unknown]).toEqual([[], done.length, calls, 0, 0, 0]);
    const policies = [join(folder, "strict.policy.yaml")];
    const strict = await redecideSessions({ sessions: [], all: true, policies, baseline: [], env: own });
    const rule = strict.summary.rules.find((one) => one.rule === "strict.no-inline-code");
    expect(rule?.changed).toBeGreaterThan(10);
    expect([strict.summary.looser, strict.summary.stricter]).toEqual([0, rule?.changed]);
  });
});

describe("a record that does not verify", () => {
  it.skipIf(!built)("makes `redecide --all` end with 5 and not with 0, and takes nothing from a difference", { timeout: 60_000 }, async () => {
    const own = { ...env, RINGFENCE_HOME: join(folder, "tampered") };
    const run = (...args: readonly string[]): readonly [number | null, string] => {
      const { status, stdout } = spawnSync(process.execPath, [CLI, "replay", "redecide", "--all", ...args], { encoding: "utf8", timeout: 60_000, env: own, cwd: folder });
      return [status, stdout];
    };
    const file = join(folder, "calls.json");
    writeFileSync(file, JSON.stringify([{ role: "assistant", content: "", tool_calls: [{ id: "a", function: { name: "bash", arguments: `{"command":"python3 -c 'print(1)'"}` } }] }]));
    const done = await importTrajectories({ paths: [file, file], env: own });
    expect(run()[0]).toBe(0);
    const [first] = done;
    const ledger = join(folder, "tampered", "sessions", first?.ok === true ? first.session.session : "", "ledger.jsonl");
    writeFileSync(ledger, readFileSync(ledger, "utf8").replace("print", "paint"));
    expect(run()).toEqual([5, expect.stringContaining("1 session left out") as string]);
    expect(run("--policy", "strict.policy.yaml")[0]).toBe(1);
    expect(run("--policy", "strict.policy.yaml", "--fail-on", "looser")[0]).toBe(5);
  });
});

describe("a hostile session", () => {
  it.skipIf(!built)("imports, and is harmless in every view of the command line", { timeout: 60_000 }, () => {
    expect(ringfence("import", "hostile.json").code).toBe(0);
    for (const args of [["show", "last", "--output"], ["replay", "view", "last"], ["sessions"], ["replay", "redecide", "last", "--fail-on", "never"], ["score", "last", "--explain"], ["export", "last", "--as", "markdown"], ["show", "last", "--json"]]) {
      const { code, out, err } = ringfence(...args);
      expect([args.join(" "), code, err]).toEqual([args.join(" "), 0, ""]);
      expect(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/u.test(args.includes("--json") ? "" : out)).toBe(false);
    }
  });

  it.skipIf(!built)("one command makes a page of a stranger's file; it is written whole, for its owner, and not over what is no file", { timeout: 60_000 }, () => {
    const { code, err } = ringfence("import", "hostile.json", "--html", "page.html", "--quiet");
    expect([code, err, readFileSync(join(folder, "page.html"), "utf8").includes("Imported, not witnessed.")]).toEqual([0, "", true]);
    expect(ringfence("import", "hostile.json", "--html", "/dev/null")).toMatchObject({ code: 2 });
    expect(ringfence("replay", "view", "last", "--html", "no/such/folder.html")).toMatchObject({ code: 2 });
    expect(ringfence("replay", "view", "last", "--step", "999")).toMatchObject({ code: 2, err: expect.stringContaining("there is no call 999") as string });
    expect(ringfence("replay", "view", "last", "--step", "1", "--find", "no such words")).toMatchObject({ code: 2, err: expect.stringContaining("call 1 is none of those") as string });
    expect(ringfence("replay", "view", "last", "--step", "1").out.split("\n").filter((line) => /^\d+\/\d+ /u.test(line))).toHaveLength(1);
    expect(ringfence("replay", "redecide")).toMatchObject({ code: 2 });
  });

  const program = browserProgram();
  it.skipIf(program === null)("in a browser: our script runs, none of theirs, and a page that was changed runs none at all", { timeout: 60_000 }, async () => {
    await importTrajectories({ paths: [join(folder, "hostile.json")], env });
    const path = join(folder, "browser.html");
    await writeSessionPage("last", path, env);
    const { dom, refused } = await loadPage(program ?? "", path);
    expect([/<html[^>]*class="js"/u.test(dom), dom.includes(`${OWNED}="1"`), refused]).toEqual([true, false, []]);
    expect(dom.match(/<li class="step/gu)?.length).toBe(HOSTILE.length);
    const page = readFileSync(path, "utf8");
    writeFileSync(path, page.replace("<main>", `<main><script>document.documentElement.setAttribute("${OWNED}","1")</script><img src="x" onerror="document.documentElement.setAttribute('${OWNED}','1')">`));
    const changed = await loadPage(program ?? "", path);
    expect([changed.dom.includes(`${OWNED}="1"`), changed.refused.length > 0]).toEqual([false, true]);
  });
});
