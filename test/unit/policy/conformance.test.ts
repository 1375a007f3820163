// One file rule binds every route to the file, under every name of it; and every file that something runs later has a decision.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { checkLine, decide, decideEffects, type DecisionContext, type PolicySet } from "../../../src/core/policy/index.js";
import { normalise, type ToolCall } from "../../../src/core/action/index.js";
import type { Change } from "../../../src/core/reconcile/index.js";
import { isRunLater } from "../../../src/core/reconcile/runs-later.js";
import { evaluateArgv, evaluateShell, simpleWords } from "../../../src/core/shell/index.js";
import { effectOf } from "../../../src/engine/settle.js";
import { kimiDevPolicy } from "../../support/policy.js";
import { builtinPoliciesDir } from "../../../src/adapters/files/policy-source.js";

const REFERENCE = join(import.meta.dirname, "..", "..", "..", "..", "shared", "reference");
const reference = (name: string): string | null => (existsSync(join(REFERENCE, name)) ? readFileSync(join(REFERENCE, name), "utf8") : null);
const CONTEXT: DecisionContext = { role: null, root: "/workspace", cwd: "/workspace", home: "/home/agent", containment: "attested" };

let policy: PolicySet;
beforeAll(async () => {
  policy = await kimiDevPolicy();
});

interface Verdict {
  readonly effect: string;
  readonly rule: string | undefined;
}

const verdict = (decision: { readonly effect: string; readonly reasons: readonly { readonly rule: string }[] }): Verdict => ({ effect: decision.effect, rule: decision.reasons[0]?.rule });

function command(text: string, role: string | null = null): Verdict {
  const { decision } = checkLine(policy, { id: "1", command: text }, { role, root: "/workspace", home: "/home/agent", containment: "attested" });
  return decision === null ? { effect: "error", rule: undefined } : verdict(decision);
}

function call(tool: string, args: ToolCall["arguments"], role: string | null = null): Verdict {
  const places = { root: "/workspace", home: "/home/agent", cwd: "/workspace" };
  const context = { ...places, environment: new Map<string, string>() };
  const action = normalise({ id: "1", role, tool, arguments: args }, { ...places, split: simpleWords, evaluate: { shell: (text) => evaluateShell(text, context).effects, argv: (words) => evaluateArgv(words, context).effects } });
  return verdict(decide(policy, action, { ...CONTEXT, role }));
}

/** What is said of a change that was found after a call, whatever made it. */
function observed(path: string, operation: Change["operation"], kind: "file" | "symlink" = "file", role: string | null = null): Verdict {
  const entry = { kind, mode: 0o644, bytes: 1, digest: "sha256:0", target: kind === "symlink" ? "/tmp/x" : null } as const;
  const change: Change = { path, operation, before: operation === "create" ? null : entry, after: operation === "delete" ? null : entry };
  return verdict(decideEffects(policy, [effectOf(change, "/workspace")], { ...CONTEXT, role }));
}

/** Ways to write a file, by its name in the workspace. A patch, an archive or a program is seen only by what it did. */
const WRITES: readonly (readonly [string, (path: string) => Verdict])[] = [
  ["the edit tool, a new file", (path) => call("str_replace_editor", { command: "create", path: `/workspace/${path}`, file_text: "x" })],
  ["the edit tool, a replacement", (path) => call("str_replace_editor", { command: "str_replace", path: `/workspace/${path}`, old_str: "a", new_str: "b" })],
  ["the edit tool, an insertion", (path) => call("str_replace_editor", { command: "insert", path: `/workspace/${path}`, insert_line: 0, new_str: "x" })],
  ["a redirect", (path) => command(`echo x > ${path}`)],
  ["an appending redirect", (path) => command(`printf x >> ./${path}`)],
  ["a here-document", (path) => command(`cat > ${path} <<'EOF'\nx\nEOF`)],
  ["tee", (path) => command(`echo x | tee ${path}`)],
  ["cp", (path) => command(`cp /tmp/a ${path}`)],
  ["mv", (path) => command(`mv /tmp/a ${path}`)],
  ["install", (path) => command(`install -m 644 /tmp/a ${path}`)],
  ["sed -i", (path) => command(`sed -i s/a/b/ ${path}`)],
  ["dd", (path) => command(`dd if=/tmp/a of=${path}`)],
  ["truncate", (path) => command(`truncate -s 0 ${path}`)],
  ["touch", (path) => command(`touch ${path}`)],
  ["rsync", (path) => command(`rsync /tmp/a ${path}`)],
  ["a link", (path) => command(`ln -sf /tmp/a ${path}`)],
  ["a hard link", (path) => command(`ln -f /tmp/a ${path}`)],
  ["a wrapper", (path) => command(`env A=1 timeout 5 nice cp /tmp/a ${path}`)],
  ["a shell in a shell", (path) => command(`bash -c "echo x > ${path}"`)],
  ["a variable", (path) => command(`F=${path}; echo x > "$F"`)],
  ["another folder", (path) => command(`cd /tmp && cp a /workspace/${path}`)],
  ["xargs", (path) => command(`echo /tmp/a | xargs -I{} cp {} ${path}`)],
  ["find -exec", (path) => command(`find /tmp -name a -exec cp {} ${path} \\;`)],
  ["curl -o", (path) => command(`curl -o ${path} http://localhost/a`)],
  ["a patch, an archive or a program, found afterwards", (path) => observed(path, "create")],
  ["the same over a file that was there", (path) => observed(path, "modify")],
];

const DELETES: readonly (readonly [string, (path: string) => Verdict])[] = [
  ["rm", (path) => command(`rm ${path}`)],
  ["rm -f, quoted", (path) => command(`rm -f -- "./${path}"`)],
  ["unlink", (path) => command(`unlink ${path}`)],
  ["mv away", (path) => command(`mv ${path} /tmp/x`)],
  ["a program, found afterwards", (path) => observed(path, "delete")],
];

describe("one file rule", () => {
  const PROTECTED: readonly (readonly [string, string, string])[] = [
    [".github/workflows/ci.yml", "deny", "X.ci-files"],
    [".git/hooks/pre-commit", "deny", "X.git-hooks"],
    [".vscode/tasks.json", "deny", "L7.editor-settings"],
    [".mcp.json", "deny", "L7.agent-settings"],
    ["team.policy.yaml", "deny", "L5.guard-files"],
    [".gitattributes", "ask", "X.git-attributes"],
    ["infra/main.tf", "ask", "L4.infrastructure-code"],
    ["AGENTS.md", "ask", "L1.instruction-file"],
  ];

  it.each(PROTECTED)("binds every way to write %s", (path, effect, rule) => {
    const different = WRITES.flatMap(([way, judge]) => {
      const said = judge(path);
      return said.effect === effect && said.rule === rule ? [] : [`${way}: ${said.effect} ${String(said.rule)}`];
    });
    expect(different).toEqual([]);
  });

  it.each(PROTECTED)("binds every way to delete %s", (path, effect, rule) => {
    expect(DELETES.flatMap(([way, judge]) => (judge(path).effect === effect && judge(path).rule === rule ? [] : [`${way}: ${judge(path).effect} ${String(judge(path).rule)}`]))).toEqual([]);
  });

  it("lets every way through to a file that nothing protects", () => {
    expect([...WRITES, ...DELETES].filter(([, judge]) => judge("src/a.js").effect !== "allow").map(([way]) => way)).toEqual([]);
  });

  it("says the same of two commands that have nothing in common but their effects", () => {
    for (const [one, two] of [
      ["dd if=/tmp/a of=.github/workflows/a.yml", "cd .github && echo /tmp/a | xargs -I% cp % workflows/a.yml"],
      ["python3 -m json.tool a.json .vscode/settings.json > .vscode/settings.json", "sed -n p a > .vscode/settings.json"],
      ["sort -o .git/hooks/x a", "awk '{print > \".git/hooks/x\"}' a"],
      ["cp a b", "cat a > b"],
      ["rm -rf /etc", "find /etc -delete"],
      ["cat ~/.ssh/id_rsa", "tar c ~/.ssh/id_rsa"],
    ] as const) {
      expect([one, command(one)]).toEqual([one, command(two)]);
    }
  });
});

describe("a protected file has no other name", () => {
  const NAMES: readonly (readonly [string, string])[] = [
    ["dots and slashes", "/workspace/./sub/..//.github/workflows/ci.yml"],
    ["the root of a process", "/proc/self/root/workspace/.github/workflows/ci.yml"],
    ["the folder of a process", "/proc/self/cwd/.github/workflows/ci.yml"],
    ["another process's root", "/proc/1/root/workspace/.github/workflows/ci.yml"],
    ["upper case", ".GITHUB/Workflows/CI.YML"],
    ["full width letters", ".github/ｗｏｒｋｆｌｏｗｓ/ci.yml"],
    ["a zero-width space", ".github/work\u200bflows/ci.yml"],
    ["a soft hyphen", ".github/work\u00adflows/ci.yml"],
    ["a wildcard", ".github/work?lows/ci.yml"],
    ["a class", ".github/[w]orkflows/ci.yml"],
    ["braces", ".github/{x,workflows}/ci.yml"],
  ];
  it.each(NAMES)("%s", (_what, name) => {
    expect(command(`cp /tmp/a ${name}`).effect).toBe("deny");
    if (!/[?[{]/.test(name)) expect(call("str_replace_editor", { command: "create", path: name.startsWith("/") ? name : `/workspace/${name}`, file_text: "x" }).effect).toBe("deny");
    if (!/^\/|[?[{]/.test(name)) expect(observed(name, "create").effect).toBe("deny");
  });

  it("in composed and decomposed letters alike", () => {
    const rule = (path: string): Verdict => command(`echo x > ${path}`);
    expect([rule("Dockerfile"), rule("Ｄockerfile"), rule("D\u034fockerfile")].map((said) => said.rule)).toEqual(["L4.infrastructure-code", "L4.infrastructure-code", "L4.infrastructure-code"]);
    expect(checkLine(policy, { id: "1", write: ".e\u006ev".normalize("NFD") }, { role: null, root: "/workspace", home: "/home/agent", containment: "attested" }).decision?.effect).toBe("deny");
  });

  it("and a link at the name of a folder stands for all that lies below it", () => {
    for (const path of [".github", ".github/workflows", ".git/hooks", ".vscode", ".claude"]) expect([path, observed(path, "create", "symlink").effect]).toEqual([path, "deny"]);
  });
});

/** Files of the edit corpus (attack battery, E01 to E30), with what is said of changing them. */
const RUN_LATER: Readonly<Record<string, readonly string[]>> = {
  E01: [".git/hooks/pre-commit", "sub/.git/hooks/post-checkout", ".git/modules/a/hooks/post-merge", ".husky/pre-commit"],
  E02: [".git/config", "sub/.git/config", ".git/modules/a/config"],
  E03: [".git/config.worktree", ".git/commondir", ".git/worktrees/a/commondir", ".git/worktrees/a/gitdir"],
  E04: [".gitattributes", "src/.gitattributes", ".git/info/attributes"],
  E05: [".gitmodules"],
  E06: [".vscode/tasks.json", ".vscode/launch.json"],
  E07: [".vscode/settings.json", "a.code-workspace"],
  E08: [".cursor/mcp.json", ".Cursor/MCP.json", ".cursor/rules/a.mdc"],
  E09: [".claude/settings.json", ".claude/settings.local.json", ".claude/hooks/a.sh", ".claude/agents/a.md", ".claude/skills/a/SKILL.md", ".claude/commands/a.md"],
  E10: [".mcp.json"],
  E11: [".codex/config.toml", ".env"],
  E12: [".gemini/settings.json"],
  E13: [".github/workflows/ci.yml", ".github/actions/a/action.yml", "CODEOWNERS", ".github/CODEOWNERS", ".github/dependabot.yml", ".gitlab-ci.yml", "Jenkinsfile", ".circleci/config.yml"],
  E14: [".npmrc", "package-lock.json", "yarn.lock", "pnpm-lock.yaml"],
  E15: [".yarnrc.yml", ".pnpmfile.cjs", ".yarn/releases/yarn.cjs", ".yarn/plugins/a.cjs"],
  E16: ["sitecustomize.py", "usercustomize.py", "lib/python3.11/site-packages/a.pth"],
  E17: [".envrc", ".mise.toml", "mise.toml", ".tool-versions"],
  E18: [".devcontainer/devcontainer.json", ".devcontainer.json", "Dockerfile", "compose.yaml", "docker-compose.yml"],
  E19: ["~/.bashrc", "~/.profile", "~/.zshenv", "~/.bash_profile", "/etc/profile.d/a.sh", ".bashrc"],
  E20: ["~/.ssh/authorized_keys", "~/.ssh/config", "~/.gitconfig"],
  E21: ["/etc/crontab", "/etc/cron.d/a", "/var/spool/cron/root", "~/.config/systemd/user/a.service", "~/.config/autostart/a.desktop"],
  E22: ["/etc/ld.so.preload"],
  E23: ["team.policy.yaml", ".ringfence/a.policy.yaml", "~/.local/state/ringfence/sessions/x", "~/.config/ringfence/policies/a.yaml", "/etc/ringfence/policies/a.yaml"],
  E29: ["AGENTS.md", "CLAUDE.md", ".cursorrules", "sub/AGENTS.md"],
};

/** Source files that agents change all day: run in the container only, marked when they are to be taken over, asked about or denied to the BugFixer. */
const SOURCE = ["package.json", "Makefile", "CMakeLists.txt", "build.rs", "setup.py", "conftest.py"];
/** Rows that are no names but ways to a name; each has its own tests, named here. */
const WAYS: Readonly<Record<string, string>> = { E24: "links: above, and test/docker/enforcement", E25: "races: test/docker/enforcement", E26: "archives: above, found afterwards", E27: "names through /proc: above", E28: "look-alike names: above", E30: "edits past the cap: below" };

const OPERATIONS: readonly (readonly [string, (path: string) => string])[] = [
  ["make", (path) => `touch ${path}`],
  ["write", (path) => `echo x > ${path}`],
  ["delete", (path) => `rm ${path}`],
  ["mode", (path) => `chmod +x ${path}`],
  ["move in", (path) => `mv x ${path}`],
  ["move away", (path) => `mv ${path} /tmp/x`],
  ["link", (path) => `ln -s /tmp/x ${path}`],
];

describe("files that something runs later", () => {
  const text = reference("attack-battery.md");
  it.skipIf(text === null)("are all of the attack battery's list, each row covered", () => {
    const rows = [...(text ?? "").matchAll(/^\| (E\d\d) \|/gm)].map((match) => match[1] ?? "");
    expect(rows.length).toBe(30);
    expect(rows.filter((row) => !(row in RUN_LATER) && !(row in WAYS))).toEqual([]);
  });

  it.each(Object.entries(RUN_LATER))("%s: no operation on one goes through, there or not", (_row, paths) => {
    for (const path of paths) {
      const allowed = OPERATIONS.filter(([, make]) => command(make(path)).effect === "allow").map(([operation]) => operation);
      expect([path, allowed]).toEqual([path, []]);
      expect([path, checkLine(policy, { id: "1", write: path }, { role: null, root: "/workspace", home: "/home/agent", containment: "attested" }).decision?.effect === "allow"]).toEqual([path, false]);
    }
  });

  it("are also `.git` itself as a file or a link, in any folder", () => {
    for (const path of [".git", "sub/.git"]) for (const text of [`echo 'gitdir: /tmp/g' > ${path}`, `ln -s /tmp/g ${path}`, `cp /tmp/g ${path}`, `touch ${path}`]) expect([text, command(text).effect]).toEqual([text, "deny"]);
    expect([command("git init sub").effect, command("git add -A && git commit -m x").effect]).toEqual(["allow", "allow"]);
  });

  it("and are source at the same time are left to review and kept from the BugFixer", () => {
    for (const path of SOURCE) {
      expect([path, command(`echo x > ${path}`).effect, isRunLater(path, null)]).toEqual([path, "allow", true]);
      if (path !== "build.rs" && path !== "setup.py") expect([path, command(`echo x > ${path}`, "bugfixer").effect === "allow"]).toEqual([path, false]);
    }
  });

  it("and an edit too large to be judged is refused", () => {
    expect(call("bash", { command: `echo ${"x".repeat(200_000)} > a` }).effect).toBe("deny");
  });
});

const SRT = join(REFERENCE, "..", "corpora", "srt-write-deny", "cases.jsonl");
describe.skipIf(!existsSync(SRT))(`the protected paths of another sandbox (${existsSync(SRT) ? "present" : "absent: skipped"})`, () => {
  it("have the decisions it expects", () => {
    const rows = readFileSync(SRT, "utf8").split("\n").filter((line) => line !== "").map((line) => JSON.parse(line) as { readonly path: string; readonly expected: string });
    expect(rows.map(({ path, expected }) => [path, expected, command(`echo x > ${path}`).effect]).filter(([, expected, said]) => expected !== said)).toEqual([]);
    expect(rows.length).toBe(20);
  });
});

describe("the table of MAESTRO threats", () => {
  const text = reference("maestro.md");
  it.skipIf(text === null)("has a row with an answer for every threat of every layer and across layers", () => {
    const table = [...(text ?? "").matchAll(/^\| (L[1-7]|Cross-layer)[^|]*\| ([^|]+) \|/gm)].slice(0, 8);
    expect(table.length).toBe(8);
    const readme = readFileSync(join(builtinPoliciesDir(), "README.md"), "utf8");
    const rows = new Map([...readme.matchAll(/^\| (L[1-7]|X) \| ([^|]+) \| ([^|]+) \|$/gm)].map((match) => [`${match[1] ?? ""} ${(match[2] ?? "").trim()}`, (match[3] ?? "").trim()]));
    const wanted = table.flatMap((match) => (match[2] ?? "").split(";").map((name) => `${match[1] === "Cross-layer" ? "X" : (match[1] ?? "")} ${name.trim()}`));
    expect(wanted.length).toBeGreaterThan(45);
    expect(wanted.filter((row) => (rows.get(row) ?? "").length < 10)).toEqual([]);
  });
});
