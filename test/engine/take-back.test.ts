// An open session is taken back between two calls: on record first, then in the workspace, then read back.

import { describe, expect, it } from "vitest";
import type { MemoryTree } from "../../src/adapters/memory/workspace.js";
import { netChanges } from "../../src/core/session/index.js";
import { bash, createRig, never, only, type Rig } from "../support/rig.js";

const file = (content: string) => ({ kind: "file", content }) as const;

function rigOfThree(): Rig {
  const changes = (change: (tree: MemoryTree) => void) => ({ stdout: "", changes: change });
  return createRig({
    programs: {
      "python3 1.py": changes((tree) => tree.set("src/a.js", file("two\n"))),
      "python3 2.py": changes((tree) => void (tree.set("made.txt", file("made\n")), tree.remove("README.md"))),
      "python3 3.py": changes((tree) => tree.set("src/a.js", file("three\n"))),
    },
  });
}

async function threeCalls(rig: Rig) {
  const session = await rig.open();
  for (const index of [1, 2, 3]) await session.call(bash(`python3 ${String(index)}.py`), {}, never);
  return session;
}

describe("an open session", () => {
  it("is taken back to any step and forward again, and the record tells it", async () => {
    const rig = rigOfThree();
    const session = await threeCalls(rig);
    const seen = (): readonly (string | null)[] => ["src/a.js", "made.txt", "README.md"].map((path) => rig.content(session, path));
    expect(await session.undo("1")).toMatchObject({ step: 1, to: "call_0001", moved: [{ path: "README.md", operation: "create" }, { path: "made.txt", operation: "delete" }, { path: "src/a.js", operation: "modify" }] });
    expect(seen()).toEqual(["two\n", null, "read me\n"]);
    await session.undo("3");
    expect(seen()).toEqual(["three\n", "made\n", null]);
    await session.undo("0");
    expect(seen()).toEqual(["one\n", null, "read me\n"]);
    await session.undo("2");
    expect(seen()).toEqual(["two\n", "made\n", null]);
    await session.call(bash("python3 3.py"), {}, never);
    await session.close("finished");
    expect(netChanges(await rig.events(session)).map(({ path, operation }) => `${operation} ${path}`)).toEqual(["delete README.md", "create made.txt", "modify src/a.js"]);
    expect((await rig.events(session)).filter(({ type }) => type === "session.undone")).toHaveLength(4);
  });

  it("puts it on record before anything moves", async () => {
    const rig = rigOfThree();
    const session = await threeCalls(rig);
    const from = rig.journal.length;
    await session.undo(null);
    const steps = rig.journal.slice(from);
    const recorded = steps.findIndex((line) => line.includes("session.undone"));
    expect(recorded).toBeGreaterThan(-1);
    expect(steps.findIndex((line) => line.startsWith("sandbox.apply"))).toBeGreaterThan(recorded);
    await session.close("finished");
  });

  it("refuses a step that there is not, with nothing changed", async () => {
    const rig = rigOfThree();
    const session = await threeCalls(rig);
    await expect(session.undo("9")).rejects.toMatchObject({ code: "USAGE_INVALID" });
    expect(rig.content(session, "src/a.js")).toBe("three\n");
    expect((await rig.events(session)).some(({ type }) => type === "session.undone")).toBe(false);
    await session.close("finished");
  });

  it.each(["sandbox.apply", "workspace.changes"])("ends when %s fails, for nobody knows then what is there", async (slot) => {
    const rig = rigOfThree();
    const session = await threeCalls(rig);
    rig.faults.order(slot, { kind: "throw" });
    await expect(session.undo("1")).rejects.toMatchObject({ code: "SANDBOX_BROKEN" });
    expect(session.isBroken()).toBe(true);
    rig.faults.clear();
    await session.close("broken");
    expect(only(await rig.events(session), "session.closed").reason).toBe("broken");
  });
});
