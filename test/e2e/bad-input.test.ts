// What a person can get wrong, and what the machine can: one clear line with a hint, the right exit code, nothing run and
// nothing lost.

import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { treePicture } from "../support/tree-picture.js";
import { createRig, lines, sessionFolders, whyNotHere, type Result, type RunOptions } from "./rig.js";

const missing = whyNotHere();
if (missing !== null) console.warn(`left out: ${missing}`);
const rig = createRig();
afterAll(() => rig.remove());

const folder = rig.workspace({ "a.txt": "one\n" });
const exec = (...options: readonly string[]): readonly string[] => ["exec", ...options, "--", "true"];

/** One line, ours, with a hint in brackets. */
function expectOneLine(result: Result, code: number, text: RegExp): void {
  expect([result.code, result.out, lines(result.err).length, result.err]).toEqual([code, "", 1, expect.stringMatching(text)]);
  expect(result.err).toMatch(/^ringfence: [^\n]+ \([^\n]+\)\n$/u);
}

describe.skipIf(missing !== null).concurrent("a command line that makes no sense", () => {
  const cases: readonly (readonly [string, readonly string[], RegExp])[] = [
    ["no command to run", ["exec", "--workspace", folder], /no command given/u],
    ["an empty command", ["exec", "--workspace", folder, "--"], /no command given/u],
    ["words and shell text", ["exec", "--workspace", folder, "--shell", "ls", "--", "ls"], /either --shell or words/u],
    ["an unknown option", ["exec", "--bogus", "--", "true"], /unknown option '--bogus'/u],
    ["an unknown command", ["exce", "--", "true"], /unknown command 'exce' \(Did you mean exec\?\)/u],
    ["an option without its value", ["exec", "--timeout"], /'--timeout <seconds>' argument missing/u],
    ["a time that is none", exec("--timeout", "soon"), /argument 'soon' is invalid/u],
    ["a negative time", exec("--timeout", "-1"), /argument '-1' is invalid/u],
    ["a role that is none", exec("--role", "Bug Fixer"), /argument 'Bug Fixer' is invalid/u],
    ["a root on the system", exec("--root", "/usr/x"), /argument '\/usr\/x' is invalid/u],
    ["an image without a name", exec("--image", ""), /argument '' is invalid\. give the name of an image/u],
    ["an image that is an address", exec("--image", "//host.invalid/x"), /argument '\/\/host\.invalid\/x' is invalid/u],
    ["an image that leads elsewhere", ["replay", "run", "last", "--image", "../x"], /argument '\.\.\/x' is invalid/u],
    ["a file for an image's list in no folder", ["image", "sbom", "kimi-dev", "--output", join(folder, "none", "x.json")], /`.*\/none\/x\.json` cannot be written: ENOENT/u],
    ["an image without a name to list", ["image", "sbom", ""], /give the name of an image/u],
    ["a list length that is none", ["sessions", "-n", "many"], /argument 'many' is invalid/u],
    ["a status that is none", ["sessions", "search", "--status", "done"], /argument 'done' is invalid\. Allowed choices are open, paused, finished/u],
    ["an unknown session", ["show", "ses_000000000000"], /no session `ses_000000000000`/u],
    ["no session at all", ["diff", "last"], /there is no session yet/u],
    ["a missing session id", ["apply"], /missing required argument 'session'/u],
    ["a control character in a word", ["show", "ses_\u001b[31m"], /no session `ses_\\x1b\[31m`/u],
    ["a control character in an option", ["exec", "--\u001b[2Jx"], /unknown option '--\\x1b\[2Jx'/u],
  ];
  it.each(cases)("%s", async (_name, args, text) => {
    expectOneLine(await rig.run(args, { cwd: folder }), 2, text);
  });
});

describe.skipIf(missing !== null).concurrent("a workspace that cannot be one", () => {
  const never = join(rig.scratch, "never");
  const file = join(folder, "a.txt");
  const holder = rig.workspace({});
  symlinkSync("/nowhere/at/all", join(holder, "dangling"));
  symlinkSync(rig.home, join(holder, "home"));
  mkdirSync(join(rig.state, "sessions"), { recursive: true, mode: 0o700 });
  const cases: readonly (readonly [string, string, RegExp])[] = [
    ["is not there", never, /does not exist/u],
    ["is a file", file, /is not a folder/u],
    ["is below a file", join(file, "x"), /does not exist/u],
    ["is the whole machine", "/", /`\/` is refused/u],
    ["is the home folder", rig.home, /your home folder/u],
    ["holds the home folder", rig.scratch, /your home folder lies in it/u],
    ["is the state folder", rig.state, /state folder/u],
    ["lies in the state folder", join(rig.state, "sessions"), /state folder/u],
    ["is a system folder", "/etc", /system folder `\/etc`/u],
    ["holds the engine's socket", "/run", /refused/u],
    ["is a link that leads nowhere", join(holder, "dangling"), /does not exist/u],
    ["is a link to the home folder", join(holder, "home"), /your home folder/u],
    ["is named with nothing", "", /give a folder/u],
  ];
  it.each(cases)("because it %s", async (_name, path, text) => {
    expectOneLine(await rig.run(exec("--workspace", path)), 2, text);
    expect(sessionFolders(rig.state)).toEqual([]);
  });

  it("because it cannot be read", async () => {
    const closed = rig.workspace({});
    chmodSync(closed, 0o000);
    // Root reads everything, unless it is without the right to.
    const asOthers = process.getuid?.() === 0 ? ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"] : [];
    expectOneLine(await rig.run(exec("--workspace", closed), { through: asOthers }), 2, /cannot be read: EACCES/u);
    chmodSync(closed, 0o700);
  });
});

describe.skipIf(missing !== null)("a policy that cannot be used", () => {
  const policy = (text: string): string => {
    const path = join(rig.scratch, "team.policy.yaml");
    writeFileSync(path, text);
    return path;
  };

  it("is not there", async () => {
    expectOneLine(await rig.run(exec("--workspace", folder, "--policy", join(rig.scratch, "none.yaml"))), 65, /cannot open policy file .*none\.yaml/u);
  });

  it.each([
    ["is no YAML", "version: 1\nid: team\ntitle: x\nrules:\n  - id: [\n", /team\.policy\.yaml:[56]:\d+ /u],
    ["has an unknown key", "version: 1\nid: team\ntitle: x\nrules:\n  - id: team.a\n    efect: deny\n    message: no\n    when:\n      - exec: { any: true }\n", /team\.policy\.yaml:6:5 unknown key `efect`/u],
    ["has an unknown effect", "version: 1\nid: team\ntitle: x\nrules:\n  - id: team.a\n    effect: forbid\n    message: no\n    when:\n      - exec: { any: true }\n", /team\.policy\.yaml:6:13 /u],
    ["fails its own example", "version: 1\nid: team\ntitle: x\nrules:\n  - id: team.a\n    effect: deny\n    layer: L3\n    threats: [maestro:L7/agent-tool-misuse]\n    message: no\n    when:\n      - file: { operations: [change], paths: [\"./docs/**\"] }\n    match:\n      - { write: src/x }\n", /team\.policy\.yaml:13:\d+ /u],
  ])("%s: file, line and column, and the same from exec and check", async (_name, text, where) => {
    const path = policy(text);
    const [run, check] = await Promise.all([rig.run(exec("--workspace", folder, "--policy", path)), rig.run(["policy", "check", "--policy", path])]);
    expect([run.code, check.code, run.out, run.err]).toEqual([65, 65, "", check.err]);
    expect(run.err).toMatch(where);
    expect(run.err).toMatch(/^ringfence: /u);
    expect(sessionFolders(rig.state)).toEqual([]);
  });
});

describe.skipIf(missing !== null).concurrent("an engine that cannot be used", () => {
  const remote = "use an engine on this machine";
  const cases: readonly (readonly [string, RunOptions, RegExp])[] = [
    ["does not answer", { env: { DOCKER_HOST: "unix:///nonexistent/docker.sock" } }, /no container engine answers; tried .*\/nonexistent\/docker\.sock \(DOCKER_HOST\)/u],
    ["is on another machine", { env: { DOCKER_HOST: "tcp://192.0.2.1:2375" } }, new RegExp(`tcp://192\\.0\\.2\\.1:2375.*${remote}`, "u")],
    ["is reached by a name that is none", { env: { DOCKER_HOST: "ssh://-oProxyCommand=x@192.0.2.1" } }, new RegExp(remote, "u")],
    ["is a context that names none", { env: { DOCKER_HOST: "", DOCKER_CONTEXT: "elsewhere" } }, /the context `elsewhere`/u],
    ["is no socket", { env: { DOCKER_HOST: `unix://${join(folder, "a.txt")}` } }, /no container engine answers/u],
  ];
  it.each(cases)("because it %s", async (_name, options, text) => {
    const before = treePicture(folder, { exact: true });
    expectOneLine(await rig.run(exec("--workspace", folder), options), 75, text);
    expect([sessionFolders(rig.state), treePicture(folder, { exact: true })]).toEqual([[], before]);
  });

  it("does not hinder what needs none", async () => {
    const env = { DOCKER_HOST: "unix:///nonexistent/docker.sock" };
    const results = await Promise.all([rig.run(["policy", "check", "--", "ls"], { env }), rig.run(["sessions"], { env }), rig.run(["--version"], { env }), rig.run(["aivss", "--base", "8.7", "--sum", "5.2"], { env })]);
    expect(results.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
  });

  it("is said by `doctor`, with the mend, and the exit code 75", async () => {
    const { code, out } = await rig.run(["doctor", "--json"], { env: { DOCKER_HOST: "unix:///nonexistent/docker.sock" } });
    const { ready, parts } = JSON.parse(out) as { readonly ready: boolean; readonly parts: readonly { readonly id: string; readonly state: string; readonly mend: string | null }[] };
    expect([code, ready, parts.filter(({ state }) => state === "missing")]).toEqual([75, false, [expect.objectContaining({ id: "engine", mend: expect.stringContaining("unset DOCKER_HOST") })]]);
  });

  it("is not stopped by `doctor --stop-engine` where set-up did not start it", async () => {
    const { code, out, err } = await rig.run(["doctor", "--stop-engine", "--json"]);
    const { engine } = JSON.parse(out) as { readonly engine: string };
    expect([[0, "not-running"], [1, "not-ours"]], err).toContainEqual([code, engine]);
  });

  it("has no such image", async () => {
    expectOneLine(await rig.run(exec("--workspace", folder, "--image", "ringfence/never:made")), 75, /no image `ringfence\/never:made`/u);
    expect(sessionFolders(rig.state)).toEqual([]);
  });
});
