// What a policy makes of a list of names: hidden, read-only, held before it exists, or left to reconciliation.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compilePolicy, decideEffects, explainEnforcement, planEnforcement, type EnforcementPlan, type IndexedName } from "../../../src/core/policy/index.js";
import { LIMITS } from "../../../src/core/shared/index.js";
import { compileText, CONTEXT, file, hash, issuesOf, policyText, rule } from "./support.js";

const BUILTIN = join(import.meta.dirname, "..", "..", "..", "policies");
const packs = compilePolicy(readdirSync(BUILTIN).filter((name) => name.endsWith(".policy.yaml")).map((name) => ({ name, text: readFileSync(join(BUILTIN, name), "utf8") })), { hash, examples: "skip" });
if (!packs.ok) throw new Error("the built-in packs do not compile");
const builtin = packs.value;

/** Names with the folders above them, parents first; `a -> b` is a link, a name that ends in a slash a folder. */
function namesOf(...list: readonly string[]): readonly IndexedName[] {
  const out = new Map<string, IndexedName>();
  for (const item of list) {
    const [path = "", target] = item.split(" -> ");
    const clean = path.replace(/\/$/, "");
    const parts = clean.split("/");
    for (let count = 1; count < parts.length; count += 1) out.set(parts.slice(0, count).join("/"), { path: parts.slice(0, count).join("/"), kind: "directory" });
    if (!out.has(clean)) out.set(clean, target === undefined ? { path: clean, kind: path.endsWith("/") ? "directory" : "file" } : { path: clean, kind: "symlink", target });
  }
  return [...out.values()];
}

function plan(names: readonly IndexedName[], role: string | null = null, policySet = builtin): EnforcementPlan {
  return planEnforcement({ policySet, role, root: "/workspace", home: "/home/agent", names });
}

const paths = (list: readonly { readonly path: string }[]): readonly string[] => list.map(({ path }) => path).sort();

describe("secrets", () => {
  it("are hidden wherever they lie, in any letter case", () => {
    const made = plan(namesOf("src/a.js", ".env", "a/b/.ENV.local", "a/.env.example", "keys/id_rsa", "x.PEM", "docs/x.pem"));
    expect(paths(made.masked)).toEqual([".env", "a/b/.ENV.local", "keys/id_rsa", "x.PEM"]);
  });

  it("are hidden under the name a link gives them, with the link", () => {
    const made = plan(namesOf("config/prod", ".env -> config/prod", "a/.env.x -> ../config/../config/prod", "loop -> loop", ".env.out -> /etc/passwd", "secretdir/id_rsa.txt", "secretdir/config", ".ssh -> secretdir"));
    expect(paths(made.masked)).toEqual([".env", ".env.out", "a/.env.x", "config/prod", "secretdir/config", "secretdir/id_rsa.txt"]);
  });

  it("that are folders of programs are not taken away: a virtual environment may be called .env", () => {
    expect(plan(namesOf(".env/bin/python", ".env/lib/a.py")).masked).toEqual([]);
  });

  it("that do not exist are hidden at the top should the user make them", () => {
    const made = plan(namesOf("a"));
    expect(made.premasked).toContain(".env");
    expect(made.premasked).toContain("id_rsa");
    expect(plan(namesOf(".env")).premasked).not.toContain(".env");
  });

  it("outside the workspace are hidden by path", () => {
    const { hiddenOutside } = plan([]);
    expect(hiddenOutside).toEqual(expect.arrayContaining(["/etc/shadow", "/etc/sudoers.d", "/root/.ssh", "/var/run/docker.sock"]));
    expect(hiddenOutside.filter((path) => /^\/(proc|sys|dev)\b|[*?{]/.test(path))).toEqual([]);
  });
});

describe("protected names", () => {
  it("are read-only, a whole folder as one", () => {
    const made = plan(namesOf(".git/hooks/pre-commit", ".git/config", ".git/HEAD", ".github/workflows/a.yml", ".github/workflows/deep/b.yml", ".github/x.md", "src/a.js"));
    expect(paths(made.readOnly)).toEqual([".git/config", ".git/hooks", ".github/workflows"]);
    expect(made.ancestors).toEqual(expect.arrayContaining([".git", ".github"]));
  });

  it("that are links are left to reconciliation, and what they lead to is read-only", () => {
    const made = plan(namesOf("ci/main.yml", ".gitlab-ci.yml -> ci/main.yml", "tools/hooks/pre-commit", ".git/HEAD", ".git/hooks -> ../tools/hooks"));
    expect(paths(made.readOnly)).toEqual(["ci/main.yml", "tools/hooks"]);
    expect(made.reconciled).toEqual(expect.arrayContaining([expect.objectContaining({ path: ".gitlab-ci.yml" }), expect.objectContaining({ path: ".git/hooks" })]));
  });

  it("reached through a linked folder are read-only under their own name", () => {
    expect(paths(plan(namesOf("editor/tasks.json", "editor/other.txt", ".vscode -> editor")).readOnly)).toEqual(["editor/tasks.json"]);
  });

  it("of a role are held for that role alone", () => {
    const names = namesOf("tests/test_a.py", "src/a.py");
    expect(paths(plan(names, "bugfixer").readOnly)).toContain("tests");
    expect(paths(plan(names).readOnly)).toEqual([]);
  });

  it("of an ask rule are not mounted: a person may allow them", () => {
    expect(plan(namesOf("AGENTS.md", ".gitattributes", "Dockerfile")).readOnly).toEqual([]);
  });

  it("past the limit of mounts are left to reconciliation, and said to be", () => {
    const made = plan(namesOf(...Array.from({ length: LIMITS.protectMounts + 50 }, (_, index) => `p${index}/.npmrc`), ".git/config", ".git/hooks/x"));
    expect(made.readOnly.length).toBe(LIMITS.protectMounts);
    expect(paths(made.readOnly)).toContain(".git/config");
    expect(made.reconciled.filter(({ why }) => /more names than mounts/u.test(why)).length).toBe(52);
  });
});

describe("places that do not exist yet", () => {
  it("are held where policy denies making them", () => {
    const made = plan(namesOf(".git/HEAD", ".vscode/settings.json"));
    expect(paths(made.placeholders)).toEqual(expect.arrayContaining([".git/commondir", ".git/hooks", ".github/workflows", ".mcp.json", ".vscode/tasks.json"]));
    expect(paths(made.placeholders)).not.toContain(".vscode/settings.json");
    expect(paths(made.placeholders)).not.toContain(".gitlab/ci");
    expect(paths(plan(namesOf(".gitlab/x.md")).placeholders)).toContain(".gitlab/ci");
    const bare = compileText(policyText(rule("acme.a", "deny", "file: { operations: [change], paths: ['./.github/workflows/**'] }")));
    expect(paths(plan([], null, bare).placeholders)).toEqual([".github/workflows"]);
  });

  it("are not held where a file or a link of the user is in the way", () => {
    const made = plan(namesOf(".github", ".vscode -> editor", "editor/"));
    expect(paths(made.placeholders).filter((path) => /^\.(github|vscode)/.test(path))).toEqual([]);
    expect(paths(made.reconciled)).toEqual(expect.arrayContaining([".github/workflows", ".vscode/tasks.json"]));
  });
});

describe("the plan and the decision", () => {
  const word = fc.constantFrom("src", "test", "tests", ".git", "hooks", "config", ".github", "workflows", "a.js", ".env", ".ENV", ".env.local", "id_rsa", "k.pem", ".npmrc", "node_modules", ".vscode", "tasks.json", "test_a.py", ".idea", ".husky", "docs", "x.tf", "secrets.yml", ".ſsh", "ｉd_rsa", "a b", "[x]", "{a,b}");
  const tree = fc.array(fc.array(word, { minLength: 1, maxLength: 5 }).map((parts) => parts.join("/")), { maxLength: 40 });
  const role = fc.constantFrom(null, "bugfixer", "testwriter");

  it("agree on every file: what may not be read is hidden, what may not be changed in any way is held or named", { timeout: 600_000 }, () => {
    fc.assert(
      fc.property(tree, role, (list, who) => {
        const names = namesOf(...list);
        const made = plan(names, who);
        const covered = (held: readonly { readonly path: string }[], path: string): boolean => held.some((one) => one.path === path || path.startsWith(`${one.path}/`));
        const denied = (operation: "read" | "write" | "create" | "delete", path: string): boolean =>
          decideEffects(builtin, [file(operation, `/workspace/${path}`)], { ...CONTEXT, role: who }).reasons.some((reason) => reason.effect === "deny" && reason.rule !== "default-deny");
        for (const { path, kind } of names) {
          if (kind !== "file") continue;
          const secret = denied("read", path);
          expect([path, covered(made.masked, path)]).toEqual([path, secret]);
          if (secret) continue;
          const fixed = denied("write", path) && denied("create", path) && denied("delete", path);
          expect([path, covered([...made.readOnly, ...made.reconciled], path) || !fixed]).toEqual([path, true]);
          if (!fixed) expect([path, covered(made.readOnly, path)]).toEqual([path, false]);
        }
      }),
      { numRuns: process.env["RINGFENCE_SOAK"] === "1" ? 2000 : 150 },
    );
  });

  it("is quick: a hundred thousand names take less than two seconds on a busy machine", () => {
    const names: IndexedName[] = [];
    for (let folder = 0; folder < 1000; folder += 1) {
      names.push({ path: `d${folder}`, kind: "directory" });
      for (let index = 0; index < 100; index += 1) names.push({ path: `d${folder}/file${index}.ts`, kind: "file" });
    }
    const start = performance.now();
    plan(names);
    expect(performance.now() - start).toBeLessThan(2_000);
  });
});

describe("a read rule", () => {
  it.each([
    ["/etc/*.conf", "name each file"],
    ["/usr/share/**/x", "name each file"],
    ["/{etc,opt}/**/secret", "name each file"],
  ])("by a pattern that no mask can hold is an error with its place: %s", (glob, hint) => {
    const issues = issuesOf(policyText(rule("acme.a", "deny", `file: { operations: [read], paths: ['${glob}'] }`)));
    expect(issues.map((issue) => [issue.code, issue.at?.line, (issue.at?.column ?? 0) > 0, issue.hint?.startsWith(hint)])).toEqual([["POLICY_UNENFORCEABLE", 10, true, true]]);
  });

  it.each([
    "file: { operations: [read], any: true }",
    "file: { operations: [read], outside: true }",
    "file: { operations: [read], paths: ['./a/**'], by: [cat] }",
    "file: { operations: [read], paths: ['./a'], whole: true }",
  ])("that nothing can hold is an error: %s", (matcher) => {
    expect(issuesOf(policyText(rule("acme.a", "deny", matcher))).map((issue) => issue.code)).toEqual(["POLICY_UNENFORCEABLE"]);
    expect(issuesOf(policyText(rule("acme.a", "ask", matcher)))).toEqual([]);
  });

  it.each(["/etc/shadow", "/etc/sudoers.d/**", "/home/*/.ssh/**", "~/.aws/**", "**/*.secret", "./a/**", "/proc/*/environ", "/run/secrets/**", "/var/run/secrets/**"])("that a mask or absence holds is none: %s", (glob) => {
    expect(issuesOf(policyText(rule("acme.a", "deny", `file: { operations: [read], paths: ['${glob}'] }`)))).toEqual([]);
  });
});

describe("the explanation", () => {
  const names = namesOf(".env", ".git/config", ".git/HEAD", "src/a.js");
  const explained = new Map(explainEnforcement(builtin, plan(names), { role: null, root: "/workspace", home: "/home/agent" }).map((one) => [one.rule, one]));
  const held = (id: string): readonly string[] => (explained.get(id)?.holds ?? []).map((hold) => hold.by);

  it("tells for every rule that denies or asks what holds it", () => {
    const wanted = builtin.rules.filter((one) => one.effect !== "allow" && one.shadow !== true && one.roles.length === 0 && one.containment !== "none").map((one) => one.id);
    expect([...explained.keys()].sort()).toEqual([...wanted].sort());
    expect([...explained.values()].filter((one) => one.holds.length === 0)).toEqual([]);
  });

  it("names the kernel for what is hidden, mounted or absent, and judgement alone for what is only text", () => {
    expect(held("L2.environment-files")).toEqual(["kernel", "kernel", "reconciliation", "reconciliation", "judgement"]);
    expect(held("X.git-settings")).toContain("kernel");
    expect(held("kimi-dev.network")).toContain("kernel");
    expect(held("L4.write-outside")).toContain("kernel");
    expect(explained.get("L6.privilege")).toMatchObject({ judgementOnly: true });
    expect(held("L1.instruction-file")).toEqual(["reconciliation", "reconciliation", "judgement"]);
  });
});
