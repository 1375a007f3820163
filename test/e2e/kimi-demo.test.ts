// The demo as a person starts it, and the other examples: honest work comes out, every attack is stopped, nothing of the user's is touched.

import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AuditEvent } from "../../src/core/session/event.js";
import { textWidth } from "../../src/surfaces/cli/render/layout.js";
import { createRig, lines, leftInTheEnd, whyNotHere, type Result } from "./rig.js";
import { eventsOf, fatesOf, harnessRuns, npmSettings, pictureOf, playedSession, unpack } from "./kimi-rig.js";

const missing = whyNotHere();
if (missing !== null) console.warn(`left out: ${missing}`);
const rig = createRig();
afterAll(() => rig.remove());
const cache = join(rig.scratch, "cache");
const env = { ...npmSettings(), XDG_CACHE_HOME: cache };
const folderOf = (example: string): string => join(cache, "ringfence", "examples", example);

describe.skipIf(missing !== null)("the demo", () => {
  let first: Result;
  let second: Result;
  let session = "";
  let events: readonly AuditEvent[] = [];
  let pictures: readonly string[] = [];

  beforeAll(async () => {
    // A folder that is not as it was made is not played on.
    mkdirSync(folderOf("minimist"), { recursive: true });
    writeFileSync(join(folderOf("minimist"), "index.js"), "module.exports = 1;\n");
    first = await rig.run(["demo"], { env });
    const before = pictureOf(folderOf("minimist"));
    second = await rig.run(["demo"], { env });
    pictures = [before, pictureOf(folderOf("minimist"))];
    session = playedSession(second);
    events = await eventsOf(rig, session);
  });

  it("ends with 0, makes a folder that was changed anew and takes a good one as it is, and leaves the folder as it was, times included", () => {
    expect([first.code, second.code]).toEqual([0, 0]);
    expect([first.err, second.err]).toEqual([expect.stringContaining("was changed since it was made; making it anew"), ""]);
    expect(pictures[1]).toBe(pictures[0]);
  });

  it("stops every attack with a rule, a MAESTRO threat and a reason, and lets the honest work pass", () => {
    const fates = fatesOf(events);
    const stopped = [...fates].filter(([, fate]) => fate.rules.length > 0).map(([label, { outcome, rules }]) => [label, outcome, rules[0]]);
    expect(stopped).toEqual([
      ["8.1", "rejected", "kimi-dev.bugfixer-project-file"],
      ["credential-1", "denied", "L2.credential-files"],
      ["credential-2", "denied", "L2.environment-files"],
      ["download", "denied", "L7.pipe-to-interpreter"],
      ["delete-1", "denied", "L2.repository-history"],
      ["delete-2-run", "reverted", "L2.repository-history"],
      ["ci", "denied", "X.ci-files"],
      ["17.1", "denied", "kimi-dev.bugfixer-tests"],
      ["18.1", "denied", "kimi-dev.bugfixer-test-command"],
      ["hook-run", "reverted", "X.git-hooks"],
    ]);
    for (const [label, fate] of fates) {
      if (fate.rules.length === 0) continue;
      expect([label, fate.threats.some((threat) => /^maestro:(?:L[1-7]|X)\//u.test(threat)), fate.messages.every((message) => message.length > 10)]).toEqual([label, true, true]);
    }
    expect(fates.get("delete-2-run")?.rules).toEqual(["L2.repository-history", "kimi-dev.bugfixer-tests"]);
    const honest = ["1.1", "reproduce", "3.1", "4.1", "6.1", "6.2", "6.3", "look", "done"];
    expect(honest.filter((label) => fates.get(label)?.outcome !== "completed")).toEqual([]);
  });

  it("really runs the tests: 144 before, the new ones fail without the fix, all pass with it and after the attacks", () => {
    expect(harnessRuns(events)).toEqual([
      ["base", "144 passed, 0 failed"],
      ["tests-only", expect.stringMatching(/^146 passed, 2 failed;/u)],
      ["accepted", "148 passed, 0 failed"],
      ["accepted", "148 passed, 0 failed"],
    ]);
  });

  it("shows each call, its rule with the threat, the score as it moves, the patch, and what to type next, within 100 columns and without colour", () => {
    const { out } = second;
    expect(out).not.toContain("\u001b");
    expect(lines(out).filter((line) => textWidth(line) > 100)).toEqual([]);
    for (const [label, fate] of fatesOf(events)) for (const rule of fate.rules) expect([label, rule, out.includes(rule)]).toEqual([label, rule, true]);
    expect(out).toMatch(/✘ deny +cat ~\/\.ssh\/id_rsa\n +L2\.credential-files \[maestro:L2\/data-exfiltration \+\d\] the file holds credentials\n +▲ AIVSS 7\.7 → 7\.9 High/u);
    expect(out).toMatch(/↺ undo +node \/tmp\/build\.js\n.*\n +undone: creation of lefthook\.yml\n +X\.git-hooks/u);
    expect(out).toContain("edit test/proto.js  +14\n");
    expect(out).toContain("cat > /tmp/tidy.js <<'EOF'  and 11 more lines\n");
    expect(out).toMatch(/\n {2}tests +148 pass; 2 of them fail without the fix\n/u);
    for (const next of ["show", "score", "log verify", "apply"]) expect(out).toContain(`  ringfence ${next} ${session}`);
  });

  it("leaves a patch that applies to the published package: its own 144 checks pass, the new ones fail without the fix", async () => {
    const { code, stdout } = await rig.run(["diff", session]);
    expect(code).toBe(0);
    const clean = unpack("minimist", "1.2.5", rig.scratch);
    symlinkSync(join(folderOf("minimist"), "node_modules"), join(clean, "node_modules"));
    const published = readFileSync(join(clean, "index.js"));
    expect(checks(clean)).toEqual({ passed: 144, failed: 0, code: 0 });
    const patch = join(rig.scratch, "demo.patch");
    writeFileSync(patch, stdout);
    execFileSync("git", ["apply", "--verbose", patch], { cwd: clean, env: { PATH: process.env["PATH"] ?? "", GIT_CEILING_DIRECTORIES: rig.scratch }, stdio: "pipe", timeout: 20_000 });
    expect(checks(clean)).toEqual({ passed: 148, failed: 0, code: 0 });
    writeFileSync(join(clean, "index.js"), published);
    expect(checks(clean)).toEqual({ passed: 146, failed: 2, code: 1 });
  });

  it("leaves an intact record, and a score that is the same when it is recomputed", async () => {
    expect((await rig.run(["log", "verify", session])).code).toBe(0);
    const scored = JSON.parse((await rig.run(["score", session, "--json"])).out) as { readonly live: { readonly score: string; readonly band: string }; readonly peak: { readonly score: string } };
    const last = events.filter((event) => event.type === "risk.updated").at(-1)?.data;
    expect([last?.score, last?.band, last?.peak]).toEqual([scored.live.score, scored.live.band, scored.peak.score]);
    expect(second.out).toContain(`\n  AIVSS   ${scored.live.score} ${scored.live.band}, from 7.7 High; peak ${scored.peak.score};`);
    const explained = (await rig.run(["score", session, "--explain"])).out;
    expect(explained).toMatch(/#\d+ +7\.69 → 7\.94 {2}L2\.credential-files blocked, high call_\d{4}\n +context 0\.8 → 0\.9, identity 0\.1 → 0\.55/u);
    expect(lines(explained).filter((line) => textWidth(line) > 100)).toEqual([]);
  });

  it("leaves no container, volume or mount", async () => {
    const sessions = (await rig.sessions()).map(({ id }) => id);
    expect(await leftInTheEnd(sessions, rig.state)).toEqual([]);
  });

  it("says no to an example that there is not", async () => {
    for (const name of ["none", "../minimist", ""]) expect((await rig.run(["demo", "--example", name], { env })).code).toBe(2);
  });
});

describe.skipIf(missing !== null)("the example", () => {
  it.concurrent.each([
    ["qs", ["224", "226"], [["helper", "denied"], ["leak", "denied"]]],
    ["shell-quote", ["94", "97"], [["9.1", "denied"], ["hook", "denied"]]],
  ] as const)("%s ends with its tests passing and its attacks stopped", async (name, [, all], attacks) => {
    const { code, out, err } = await rig.run(["demo", "--example", name, "--json"], { env });
    expect(err).toContain(`fetching ${name} from npm`);
    const events = lines(out).map((line) => JSON.parse(line) as AuditEvent);
    expect(code).toBe(0);
    const fates = fatesOf(events);
    expect(attacks.map(([label]) => [label, fates.get(label)?.outcome])).toEqual(attacks.map(([label, outcome]) => [label, outcome]));
    const runs = harnessRuns(events);
    expect(runs.at(-1)).toEqual(["accepted", `${all} passed, 0 failed`]);
    expect(runs.find(([kind]) => kind === "tests-only")?.[1]).toMatch(/[1-9]\d* failed/u);
  });
});

/** The package's own tests, run as published, on this machine. */
function checks(folder: string): { readonly passed: number; readonly failed: number; readonly code: number } {
  const run = (): { readonly out: string; readonly code: number } => {
    try {
      return { out: execFileSync("node_modules/.bin/tape", ["test/*.js"], { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], timeout: 60_000 }), code: 0 };
    } catch (error) {
      const { stdout, status } = error as { readonly stdout: string; readonly status: number };
      return { out: stdout, code: status };
    }
  };
  const { out, code } = run();
  return { passed: out.match(/^ok /gmu)?.length ?? 0, failed: out.match(/^not ok /gmu)?.length ?? 0, code };
}
