// The commands for policy authors as a person starts them. Needs the built command line, no engine.

import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const CLI = fileURLToPath(new URL("../../bin/ringfence.mjs", import.meta.url));
const built = existsSync(fileURLToPath(new URL("../../dist/cli/ringfence.mjs", import.meta.url)));

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "ringfence-author-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function policy(...args: readonly string[]): Ran {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, "policy", ...args], { encoding: "utf8", timeout: 60_000, env: { PATH: process.env["PATH"], HOME: folder, RINGFENCE_HOME: join(folder, "state"), NO_COLOR: "1" }, cwd: folder });
  return { code: status, out: stdout, err: stderr };
}

const TEAM = `version: 1
id: team
title: Team
extends: [kimi-dev]
rules:
  - id: team.no-docs
    effect: deny
    layer: L3
    threats: [maestro:L7/agent-tool-misuse]
    message: the manual is generated
    when: [{ file: { operations: [change], paths: ["./manual/**"] } }]
    match: [{ write: manual/a.md }]
  - id: team.manual
    effect: allow
    message: never reached
    when: [{ file: { operations: [write], paths: ["./manual/a.md"] } }]
    match: [{ write: manual/a.md }]
`;

describe.skipIf(!built)(`policy commands${built ? "" : " (left out: the command line is not built)"}`, { timeout: 60_000 }, () => {
  it("explain shows the tree and exits like check", () => {
    const { code, out } = policy("explain", "--command", "cat a && rm -rf /");
    expect(code).toBe(3);
    expect(out).toContain("file delete / (with its tree)  [exact]  from `rm -rf /`");
    expect(out).toMatch(/deny {2}L3\.delete-outside builtin:l3-agent-frameworks\.policy\.yaml:\d+ ◀ decides/);
    expect(policy("explain", "--", "ls").code).toBe(0);
    expect(policy("explain", "--role", "bugfixer", "--write", "test/a.test.js").code).toBe(3);
    expect(policy("explain").code).toBe(2);
  });

  it.each(["check", "explain"])("%s does not take shell text for the name of a program", (command) => {
    const { code, err } = policy(command, "--", "rm -rf /");
    expect([code, err]).toEqual([2, "ringfence: `rm -rf /` is one word, which would be the name of a program (shell text goes behind --command; words of a command are not quoted together)\n"]);
    expect(policy(command, "--", "rm", "-rf", "/etc/a b;c").code).toBe(3);
    expect(policy(command, "--", "ls").code).toBe(0);
  });

  it("explain --json is one object with every effect and rule", () => {
    const json = JSON.parse(policy("explain", "--json", "--read", ".env").out) as Record<string, unknown>;
    expect(json).toMatchObject({ read: ".env", effect: "deny", deciding: ["L2.environment-files"], effects: [{ kind: "file", verdict: "deny", certainty: "exact", uncovered: false }] });
  });

  it("explain never passes a hostile character on", () => {
    expect(policy("explain", "--command", "cat 'a\u001b[2Jb'").out).not.toContain("\u001b");
  });

  it("lint finds the rule that is never reached, and the built-in policies have no warning", () => {
    const file = join(folder, "team.policy.yaml");
    writeFileSync(file, TEAM);
    const found = policy("lint", file);
    expect([found.code, found.out.split("\n")[0]]).toEqual([1, `warning LINT_UNREACHABLE ${file}:13:9 allow rule \`team.manual\` never allows anything: \`team.no-docs\` (${file}:6) denies all it matches (remove it, or narrow the deny rule with \`except\`)`]);
    expect(policy("lint").code).toBe(0);
    expect(policy("lint", join(folder, "missing.yaml")).code).toBe(65);
  });

  it("test runs examples and the cases beside the file", () => {
    const file = join(folder, "team.policy.yaml");
    writeFileSync(file, TEAM);
    writeFileSync(join(folder, "team.cases.yaml"), "version: 1\ncases:\n  - { write: manual/b.md, effect: deny, rule: team.no-docs }\n  - { write: other.md, effect: deny }\n");
    const { code, out } = policy("test", file);
    expect([code, out]).toEqual([1, `FAIL ${file}  2 rules, 2 examples, 2 cases\n     ${join(folder, "team.cases.yaml")}:4:5 \`other.md\` is allow by kimi-dev.write, not deny\n1 failed\n`]);
  });

  it("every built-in policy has at least ten cases, and all hold", () => {
    const { code, out } = policy("test", "--json");
    const { policies } = JSON.parse(out) as { readonly policies: readonly { readonly file: string; readonly cases: number | null }[] };
    expect([code, policies.length, policies.filter((one) => (one.cases ?? 0) < 10)]).toEqual([0, 10, []]);
  });

  it("diff names what differs", () => {
    const file = join(folder, "team.policy.yaml");
    writeFileSync(file, TEAM);
    const { code, out } = policy("diff", "kimi-dev", file);
    expect([code, out.split("\n")[0]]).toEqual([1, "tighter allow → deny  write manual/a.md (kimi-dev.write → team.no-docs)"]);
    expect(policy("diff", file, file).code).toBe(0);
  });

  it("schema prints what is checked in", () => {
    expect(JSON.parse(policy("schema").out)).toEqual(JSON.parse(readFileSync(new URL("../../policies/policy.schema.json", import.meta.url), "utf8")));
  });

  it("learn of no session is told plainly", () => {
    const { code, err } = policy("learn", "ses_nothing");
    expect([code, err.startsWith("ringfence: ")]).toEqual([2, true]);
  });
});
