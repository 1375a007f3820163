// After a call: what it really did is compared with what policy allows, undone where it does not, and read back.

import { describe, expect, it } from "vitest";
import type { ScriptedRun } from "../../src/adapters/memory/sandbox.js";
import type { MemoryTree } from "../../src/adapters/memory/workspace.js";
import { acceptedChanges, sessionState } from "../../src/core/session/index.js";
import type { Finding } from "../../src/core/reconcile/change.js";
import { bash, create, createRig, never, only, type Rig } from "../support/rig.js";
import { kimiDevPolicy } from "../support/policy.js";

const PROGRAM = "python3 build.py";
const changing = (changes: (tree: MemoryTree) => void): Readonly<Record<string, ScriptedRun>> => ({ [PROGRAM]: { stdout: "built\n", changes } });
const file = (content: string) => ({ kind: "file", content }) as const;
const named = (findings: readonly Finding[]): readonly unknown[] => findings.map(({ rule, path, operation, reverted }) => ({ rule, path, operation, reverted }));

async function after(rig: Rig, role: string | null = null) {
  const session = await rig.open();
  const observation = await session.call(bash(PROGRAM, role), {}, never);
  await session.close("finished");
  const events = await rig.events(session);
  return { session, observation, events };
}

describe("a program that changes quietly", () => {
  it("a git hook finds it gone again, named with rule and threat, and what it may change stands", async () => {
    const rig = createRig({
      programs: changing((tree) => {
        tree.set(".git/hooks/pre-commit", file("#!/bin/sh\ncurl evil\n"));
        tree.set("src/a.js", file("two\n"));
      }),
    });
    const { session, observation, events } = await after(rig);
    expect(rig.view(session).get(".git")).toBeNull();
    expect(rig.content(session, "src/a.js")).toBe("two\n");
    expect(observation).toMatchObject({ outcome: "reverted", exitCode: 0 });
    expect(named(observation.findings)).toEqual([
      { rule: "rig.no-hooks", path: ".git", operation: "create", reverted: true },
      { rule: "rig.no-hooks", path: ".git/hooks", operation: "create", reverted: true },
      { rule: "rig.no-hooks", path: ".git/hooks/pre-commit", operation: "create", reverted: true },
    ]);
    expect(observation.message).toContain("The create of .git/hooks/pre-commit was undone: rig.no-hooks [maestro:L7/agent-tool-misuse]: hooks of git run later");
    expect(observation.changes.map(({ path, operation }) => `${operation} ${path}`)).toEqual(["modify src/a.js"]);
    expect(only(events, "reconciliation.done")).toEqual({ changes: observation.changes, findings: observation.findings, hints: 0 });
    expect(only(events, "call.closed").outcome).toBe("reverted");
    expect(acceptedChanges(events).map(({ path }) => path)).toEqual(["src/a.js"]);
  });

  it("content of an earlier call finds that content back, not the user's", async () => {
    const rig = createRig({ programs: changing((tree) => tree.set("src/a.js", file("evil\n"))) });
    const session = await rig.open();
    await session.call(bash("true"), {}, never);
    await session.call({ id: "e", role: null, tool: "str_replace_editor", arguments: { command: "str_replace", path: "/workspace/src/a.js", old_str: "one", new_str: "better" } }, {}, never);
    const observation = await session.call(bash(PROGRAM, "testwriter"), {}, never);
    expect(named(observation.findings)).toEqual([{ rule: "rig.tests-only", path: "src/a.js", operation: "modify", reverted: true }]);
    expect(rig.content(session, "src/a.js")).toBe("better\n");
    await session.close("finished");
  });

  it("the user's own file, when no call had touched it, finds the user's content back, mode included", async () => {
    const rig = createRig({ files: { "src/run.sh": { kind: "file", content: "go\n", mode: 0o755 } }, programs: changing((tree) => tree.set("src/run.sh", { kind: "file", content: "gone\n", mode: 0o644 })) });
    const { session } = await after(rig, "testwriter");
    expect(rig.view(session).get("src/run.sh")).toMatchObject({ kind: "file", mode: 0o755 });
    expect(rig.content(session, "src/run.sh")).toBe("go\n");
  });

  it("a protected folder away finds it back, whole", async () => {
    const rig = createRig({
      files: { "protected/a": "a", "protected/deep/b": "b", "protected/link": { kind: "symlink", target: "a" } },
      programs: changing((tree) => tree.remove("protected")),
    });
    const { session, observation } = await after(rig);
    expect(observation.outcome).toBe("reverted");
    expect(observation.changes).toEqual([]);
    expect(rig.content(session, "protected/a")).toBe("a");
    expect(rig.content(session, "protected/deep/b")).toBe("b");
    expect(rig.view(session).get("protected/link")).toEqual({ kind: "symlink", target: "a" });
  });

  it("a protected folder into a file finds the folder back", async () => {
    const rig = createRig({
      files: { "protected/a": "a" },
      programs: changing((tree) => {
        tree.remove("protected");
        tree.set("protected", file("not a folder"));
      }),
    });
    const { session, observation } = await after(rig);
    expect(observation.outcome).toBe("reverted");
    expect(rig.content(session, "protected/a")).toBe("a");
  });

  it("the rights of a file to set-user-id finds them taken back, whatever policy says of the file", async () => {
    const rig = createRig({ programs: changing((tree) => tree.set("tool", { kind: "file", content: "x", mode: 0o4755 })) });
    const { session, observation } = await after(rig);
    expect(named(observation.findings)).toEqual([{ rule: "reconcile.set-id", path: "tool", operation: "create", reverted: true }]);
    expect(rig.view(session).get("tool")).toBeNull();
  });

  it("a link that leads out is told, left, and accepted nowhere", async () => {
    const rig = createRig({ programs: changing((tree) => tree.set("out", { kind: "symlink", target: "/etc/shadow" })) });
    const { observation, events, session } = await after(rig);
    expect(named(observation.findings)).toEqual([{ rule: "reconcile.link-outside", path: "out", operation: "create", reverted: false }]);
    expect(observation.outcome).toBe("completed");
    expect(session.isBroken()).toBe(false);
    expect(acceptedChanges(events)).toEqual([]);
  });
});

describe("approval and reconciliation", () => {
  const ci = createRigOptions();
  function createRigOptions() {
    return {
      programs: {
        "cp x ci/build.yml": { changes: (tree: MemoryTree) => tree.set("ci/build.yml", file("approved\n")) },
        [PROGRAM]: { changes: (tree: MemoryTree) => tree.set("ci/build.yml", file("sneaked\n")) },
      },
    };
  }

  it("a change a person approved stands", async () => {
    const rig = createRig({ ...ci, answers: ["approved"] });
    const session = await rig.open();
    const observation = await session.call(bash("cp x ci/build.yml"), {}, never);
    expect(observation).toMatchObject({ outcome: "completed", approval: { outcome: "approved" }, findings: [] });
    expect(rig.content(session, "ci/build.yml")).toBe("approved\n");
    await session.close("finished");
  });

  it("the same change by a call nobody was asked about is undone", async () => {
    const rig = createRig(ci);
    const { session, observation } = await after(rig);
    expect(named(observation.findings)).toContainEqual({ rule: "rig.ci", path: "ci/build.yml", operation: "create", reverted: true });
    expect(rig.view(session).get("ci/build.yml")).toBeNull();
  });

  it("an approval covers its own rules only", async () => {
    const rig = createRig({
      programs: {
        "cp x ci/build.yml": {
          changes: (tree) => {
            tree.set("ci/build.yml", file("approved\n"));
            tree.set("protected/keep.txt", file("overwritten\n"));
          },
        },
      },
      answers: ["approved"],
    });
    const session = await rig.open();
    const observation = await session.call(bash("cp x ci/build.yml"), {}, never);
    expect(named(observation.findings)).toEqual([{ rule: "rig.protected", path: "protected/keep.txt", operation: "modify", reverted: true }]);
    expect(rig.content(session, "ci/build.yml")).toBe("approved\n");
    expect(rig.content(session, "protected/keep.txt")).toBe("keep\n");
    await session.close("finished");
  });
});

describe("an undoing that does not hold", () => {
  const evil = { "python3 build.py": { changes: (tree: MemoryTree) => tree.set("protected/keep.txt", file("evil\n")) }, ls: {} };

  it("is seen by reading back: told as not undone, the session ends, and the change is accepted nowhere", async () => {
    const rig = createRig({ programs: evil });
    rig.faults.order("sandbox.apply", { kind: "lie", answer: () => [null] });
    // The twin does what it is asked: so the lie is told before.
    const session = await rig.open();
    const real = rig.view(session);
    rig.programs.set(PROGRAM, { changes: (tree) => tree.set("protected/keep.txt", file("evil\n")) });
    rig.faults.order("sandbox.apply", { kind: "lie", answer: () => (real.set("protected/keep.txt", file("evil\n")), [null]) });
    const observation = await session.call(bash(PROGRAM), {}, never);
    expect(observation.outcome).toBe("failed");
    expect(named(observation.findings)).toEqual([{ rule: "rig.protected", path: "protected/keep.txt", operation: "modify", reverted: false }]);
    expect(observation.message).toContain("The modify of protected/keep.txt could not be undone");
    expect(session.isBroken()).toBe(true);
    await expect(session.call(bash("ls"), {}, never)).rejects.toMatchObject({ code: "SANDBOX_BROKEN" });
    await session.close("finished");
    const events = await rig.events(session);
    expect(acceptedChanges(events)).toEqual([]);
    expect(sessionState(events)?.closed).toMatchObject({ reason: "broken", detail: "forbidden changes could not be undone: protected/keep.txt" });
    expect(rig.sandboxes.opened[0]?.closed).toBe(true);
  });

  it("that leaves something new behind is judged anew", async () => {
    const rig = createRig({ programs: evil });
    const session = await rig.open();
    const tree = rig.view(session);
    rig.faults.order("sandbox.apply", { kind: "lie", answer: (real) => (tree.set(".git/config", file("[core]\n")), real) });
    const observation = await session.call(bash(PROGRAM), {}, never);
    expect(named(observation.findings)).toEqual([
      { rule: "rig.protected", path: "protected/keep.txt", operation: "modify", reverted: true },
      { rule: "rig.no-hooks", path: ".git", operation: "create", reverted: false },
      { rule: "rig.no-hooks", path: ".git/config", operation: "create", reverted: false },
    ]);
    expect(observation.outcome).toBe("failed");
    expect(session.isBroken()).toBe(true);
    await session.close("finished");
  });

  it("an edit that says it was made and was not is in doubt", async () => {
    const rig = createRig();
    const session = await rig.open();
    const tree = rig.view(session);
    rig.faults.order("sandbox.apply", { kind: "lie", answer: () => (tree.remove("src/b.js"), [null]) });
    await expect(session.call(create("src/b.js", "new\n"), {}, never)).rejects.toMatchObject({ code: "SANDBOX_FAILED", message: "`src/b.js` is not what was written to it" });
    await session.close("finished");
    expect(sessionState(await rig.events(session))?.calls[0]?.outcome).toBe("in-doubt");
  });
});

describe("the built-in profile", () => {
  it("undoes a hook written by a build, whatever the command said", async () => {
    const rig = createRig({ policy: await kimiDevPolicy(), programs: { "npm test": { changes: (tree) => tree.set(".git/hooks/pre-commit", file("#!/bin/sh\n")) } }, files: { ".git/config": "[core]\n", "package.json": "{}" } });
    const session = await rig.open();
    const observation = await session.call(bash("npm test"), {}, never);
    expect(observation.outcome).toBe("reverted");
    expect(observation.findings.every(({ reverted, threats }) => reverted && threats.length > 0)).toBe(true);
    expect(rig.view(session).get(".git/hooks/pre-commit")).toBeNull();
    await session.close("finished");
  });

  it("keeps the test writer out of the sources and the fixer out of the tests, by edit and by program", async () => {
    const policy = await kimiDevPolicy();
    for (const [role, path] of [["testwriter", "src/a.js"], ["bugfixer", "test/a.test.js"]] as const) {
      const rig = createRig({ policy, files: { [path]: "one\n" }, programs: { "npm test": { changes: (tree) => tree.set(path, file("two\n")) } } });
      const session = await rig.open();
      const edit = { id: "1", role, tool: "str_replace_editor", arguments: { command: "str_replace", path: `/workspace/${path}`, old_str: "one", new_str: "two" } };
      expect(await session.call(edit, {}, never)).toMatchObject({ outcome: "denied" });
      expect(await session.call(bash("npm test", role), {}, never)).toMatchObject({ outcome: "reverted" });
      expect(rig.content(session, path)).toBe("one\n");
      await session.close("finished");
    }
  });
});
