// The harness: tests run in a sandbox of their own, with nothing of the agent's but the edits that were accepted.

import { describe, expect, it } from "vitest";
import type { MemoryTree } from "../../src/adapters/memory/workspace.js";
import type { RunRequest } from "../../src/ports/sandbox.js";
import { sessionState } from "../../src/core/session/index.js";
import type { Session } from "../../src/engine/session.js";
import { bash, create, createRig, never, replace, steps, toolCall, typesOf, type Rig } from "../support/rig.js";

const TAP = "TAP version 13\nok 1 - a\n1..1\n";
const file = (content: string) => ({ kind: "file", content }) as const;
const request = (editsOf: readonly string[] | null, command = "npm test") => ({ label: "tests", command, editsOf, before: null });

/** What the tests saw: the files of the fresh sandbox when the command ran. */
function seeing(seen: Record<string, string>[], output = TAP) {
  return {
    stdout: output,
    changes: (tree: MemoryTree, _request: RunRequest) => {
      const files: Record<string, string> = {};
      for (const path of tree.paths()) {
        const node = tree.get(path);
        if (node?.kind === "file") files[path] = typeof node.content === "string" ? node.content : new TextDecoder().decode(node.content);
        else if (node?.kind === "symlink") files[path] = `-> ${node.target}`;
      }
      seen.push(files);
      tree.set("left-by-tests", file("x"));
    },
  };
}

async function closed(rig: Rig, session: Session) {
  await session.close("finished");
  return rig.events(session);
}

describe("the harness", () => {
  it("works in a fresh sandbox that is gone afterwards, and is on record like a call", async () => {
    const rig = createRig({ files: { "src/a.js": "one\n" }, programs: { "npm test": { stdout: TAP } } });
    const session = await rig.open();
    const from = rig.journal.length;
    const { observation, verdict, run } = await session.harness(request([]), {}, never);
    expect(steps(rig, from)).toEqual([
      "ledger.append",
      "durable: call.received decision.made execution.started",
      "openSessions.mark",
      "workspaces.create",
      "sandboxes.open",
      "sandbox.apply",
      "sandbox.run",
      "sandbox.close",
      "workspaces.remove",
      "openSessions.clear",
      "ledger.append",
      "durable: execution.finished reconciliation.done call.closed",
    ]);
    expect(verdict).toEqual({ passed: true, counts: { passed: 1, failed: 0, skipped: 0 }, reasons: [] });
    expect(run.exitCode).toBe(0);
    expect(observation).toMatchObject({ outcome: "completed", message: "1 passed, 0 failed", stdout: TAP });
    expect(rig.sandboxes.opened.map((sandbox) => sandbox.closed)).toEqual([false, true]);
    expect(rig.sandboxes.opened[0]?.requests).toEqual([]);
    expect(rig.marks).toEqual(new Set([session.id]));
    const state = sessionState(await closed(rig, session));
    expect(state?.calls[0]).toMatchObject({ tool: "harness", role: "harness", arguments: { run: "npm test", edits: [] }, outcome: "completed" });
  });

  it("takes over the accepted edits of all, of some roles, or of none, and nothing else of the session", async () => {
    const seen: Record<string, string>[] = [];
    const rig = createRig({
      files: { "src/a.js": "one\n", "src/old.js": "old\n", "swap/in": "folder\n" },
      programs: {
        "npm test": seeing(seen),
        "python3 x.py": {
          changes: (tree) => {
            tree.remove("src/old.js");
            tree.remove("swap");
            tree.set("swap", file("now a file\n"));
            tree.set("link", { kind: "symlink", target: "src/a.js" });
            tree.set("out", { kind: "symlink", target: "/etc/passwd" });
            tree.set(".git/config", file("[evil]\n"));
          },
        },
      },
    });
    const session = await rig.open();
    await session.call(replace("src/a.js", "one", "two", "bugfixer"), {}, never);
    await session.call(create("test/a.test.js", "test\n", "testwriter"), {}, never);
    await session.call(bash("python3 x.py", "bugfixer"), {}, never);
    await session.call(bash("export EVIL=1; cd src"), {}, never);
    const results = [await session.harness(request([]), {}, never), await session.harness(request(null), {}, never), await session.harness(request(["testwriter"]), {}, never)];
    expect(results.map(({ verdict }) => verdict.passed)).toEqual([true, true, true]);
    expect(seen).toEqual([
      { "src/a.js": "one\n", "src/old.js": "old\n", "swap/in": "folder\n" },
      { "src/a.js": "two\n", "test/a.test.js": "test\n", swap: "now a file\n", link: "-> src/a.js" },
      { "src/a.js": "one\n", "src/old.js": "old\n", "swap/in": "folder\n", "test/a.test.js": "test\n" },
    ]);
    const runs = rig.sandboxes.opened.slice(1).flatMap((sandbox) => sandbox.requests);
    expect(runs.length).toBe(3);
    expect(runs.map(({ cwd, environment }) => [cwd, environment["EVIL"]])).toEqual(runs.map(() => ["/workspace", undefined]));
    expect(rig.view(session).get("left-by-tests")).toBeNull();
    await session.close("finished");
  });

  it("takes the bytes that were accepted, not those that lie there now", async () => {
    const seen: Record<string, string>[] = [];
    const rig = createRig({ files: {}, programs: { "npm test": seeing(seen) } });
    const session = await rig.open();
    await session.call(create("test/a.test.js", "mine\n", "testwriter"), {}, never);
    await session.call(replace("test/a.test.js", "mine", "changed", "bugfixer"), {}, never);
    await session.harness(request(["testwriter"]), {}, never);
    expect(seen).toEqual([{ "test/a.test.js": "mine\n" }]);
    // Not kept, and no longer there: nothing else is put in its place.
    rig.faults.order("preimages.load", { kind: "lie", answer: () => null });
    await expect(session.harness(request(["testwriter"]), {}, never)).rejects.toMatchObject({ code: "SANDBOX_FAILED", message: "the accepted content of `test/a.test.js` is gone" });
    expect(seen.length).toBe(1);
    const state = sessionState(await closed(rig, session));
    expect(state?.calls.at(-1)?.outcome).toBe("in-doubt");
    expect(state?.closed?.reason).toBe("broken");
    expect(rig.sandboxes.opened.filter((sandbox) => !sandbox.closed).length).toBe(0);
    expect(rig.marks.size).toBe(0);
  });

  it("believes a report, not an exit code, and not a report whose end was dropped", async () => {
    const rig = createRig({ defaults: { outputBytes: 100 }, programs: { "npm test": { stdout: "all tests passed\n" }, "npm run many": { stdout: `${TAP}${"# noise\n".repeat(50)}` }, "npm run dies": { stdout: TAP, signal: "SIGKILL" } } });
    const session = await rig.open();
    for (const command of ["npm test", "npm run many", "npm run dies"]) {
      const { verdict } = await session.harness(request([], command), {}, never);
      expect(verdict.passed).toBe(false);
    }
    await session.close("finished");
  });

  it("asks nobody: what policy does not plainly allow is denied on record", async () => {
    const rig = createRig({ answers: ["approved"] });
    const session = await rig.open();
    for (const command of ["deploy now", "echo x > .git/config"]) {
      const { observation, verdict } = await session.harness(request([], command), {}, never);
      expect(observation.outcome).toBe("denied");
      expect(verdict).toMatchObject({ passed: false, reasons: ["policy refuses the command"] });
    }
    expect(rig.approver.requests).toEqual([]);
    expect(rig.sandboxes.opened.length).toBe(1);
    const events = await closed(rig, session);
    expect(typesOf(events).filter((type) => type.startsWith("execution"))).toEqual([]);
  });

  it("keeps to the time limit of a rule, and can be cancelled", async () => {
    const rig = createRig({ programs: { slow: { runsForever: true }, "npm test": { runsForever: true } } });
    const session = await rig.open();
    expect((await session.harness(request([], "slow"), {}, never)).observation).toMatchObject({ outcome: "failed", ended: "timeout" });
    expect(rig.sandboxes.opened[1]?.requests[0]?.timeoutMs).toBe(20);
    const stop = new AbortController();
    rig.programs.set("npm test", () => (setTimeout(() => stop.abort(), 0), { runsForever: true }));
    expect((await session.harness(request([]), {}, stop.signal)).observation).toMatchObject({ outcome: "cancelled", ended: "cancelled" });
    expect(session.isBroken()).toBe(false);
    await session.close("finished");
  });

  it("shows names of tests escaped", async () => {
    const rig = createRig({ programs: { "npm test": { stdout: "TAP version 13\nnot ok 1 - \u001b[2Jevil\n1..1\n", exitCode: 1 } } });
    const session = await rig.open();
    const { observation } = await session.harness(request([]), {}, never);
    expect(observation.message).toContain("1 failed: \\x1b[2Jevil");
    await session.close("finished");
  });

  it("does not run after the session broke", async () => {
    const rig = createRig({ programs: { "npm test": { stdout: TAP } } });
    const session = await rig.open();
    rig.sandboxes.opened[0]?.breakNow("gone");
    await expect(session.harness(request([]), {}, never)).rejects.toMatchObject({ code: "SANDBOX_BROKEN" });
    expect(rig.sandboxes.opened.length).toBe(1);
    await session.close("finished");
  });
});

describe("a thought, a submit and an unreadable answer", () => {
  it("leave nothing for the harness", async () => {
    const seen: Record<string, string>[] = [];
    const rig = createRig({ files: { a: "1" }, programs: { "npm test": seeing(seen) } });
    const session = await rig.open();
    await session.call(toolCall("think", { thought: "x" }), {}, never);
    await session.call(toolCall("submit", {}), {}, never);
    await session.harness(request(null), {}, never);
    expect(seen).toEqual([{ a: "1" }]);
    await session.close("finished");
  });
});
