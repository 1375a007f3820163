// Controls are tested again between calls: after something forbidden happened, and after so many calls. One that is lost raises the score,
// and the built-in policy stops the session; a quiet call costs nothing.

import { describe, expect, it } from "vitest";
import type { MemoryTree } from "../../src/adapters/memory/workspace.js";
import { riskSummary } from "../../src/core/risk/index.js";
import { sessionState } from "../../src/core/session/index.js";
import { ATTEST_EVERY } from "../../src/engine/attest-again.js";
import { kimiDevPolicy } from "../support/policy.js";
import { bash, createRig, never, type RigOptions } from "../support/rig.js";
import { EVERY_CONTROL } from "../unit/risk/doc-tables.js";
import { controls } from "../unit/risk/events.js";

const ALL = EVERY_CONTROL.filter((id) => id !== "record-kept");
const programs = {
  ls: {},
  "python3 hooks.py": { changes: (tree: MemoryTree) => tree.set(".git/hooks/pre-commit", { kind: "file" as const, content: "x" }) },
};

async function rigOf(attested: NonNullable<RigOptions["attested"]>) {
  const asked = { times: 0 };
  const rig = createRig({
    programs,
    controls: controls(ALL),
    attested: () => {
      asked.times += 1;
      return attested();
    },
    policy: await kimiDevPolicy(),
    profile: "kimi-dev",
  });
  return { rig, asked, session: await rig.open() };
}

describe("the controls", () => {
  it("are tested again after something forbidden happened, and not after a quiet call or a refusal", async () => {
    const { rig, asked, session } = await rigOf(() => controls(ALL));
    await session.call(bash("ls"), {}, never);
    await session.call(bash("rm -rf /"), {}, never);
    expect(asked.times).toBe(0);
    await session.call(bash("python3 hooks.py"), {}, never);
    await session.call(bash("ls"), {}, never);
    expect(asked.times).toBe(1);
    await session.close("finished");
    const events = await rig.events(session);
    const tested = events.flatMap((event) => (event.type === "controls.attested" ? [event.data] : []));
    expect(tested.map(({ trigger, cause }) => [trigger, events[cause ?? -1]?.type])).toEqual([["finding", "reconciliation.done"]]);
    expect(riskSummary(session.risk()).posture.withheld).toEqual([]);
  });

  it(`are tested again after ${ATTEST_EVERY} calls`, async () => {
    const { rig, asked, session } = await rigOf(() => controls(ALL));
    for (let index = 0; index < ATTEST_EVERY + 1; index += 1) await session.call(bash("ls"), {}, never);
    await session.close("finished");
    expect(asked.times).toBe(1);
    expect((await rig.events(session)).flatMap((event) => (event.type === "controls.attested" ? [event.data.trigger] : []))).toEqual(["schedule"]);
  });

  it("raise the score where one is lost, and the session is stopped with the reason", async () => {
    const { rig, session } = await rigOf(() => [...controls(ALL.filter((id) => id !== "no-network")), ...controls(["no-network"], "missing")]);
    const before = Number(riskSummary(session.risk()).live.exact);
    await session.call(bash("python3 hooks.py"), {}, never);
    await expect(session.call(bash("ls"), {}, never)).rejects.toMatchObject({ code: "SESSION_STOPPED" });
    await session.close("finished");
    expect(Number(riskSummary(session.risk()).live.exact)).toBeGreaterThan(before + 0.5);
    const events = await rig.events(session);
    expect(sessionState(events)?.closed).toMatchObject({ reason: "stopped", detail: expect.stringContaining("X.stop-escape") });
    expect(events.flatMap((event) => (event.type === "session.tightened" ? [event.data.reason] : []))).toEqual(["what was done works on the sandbox itself: the control no-network does not hold any more"]);
    expect(rig.sandboxes.opened.map(({ closed }) => closed)).toEqual([true]);
  });

  it("that cannot be tested again break the session", async () => {
    const { session } = await rigOf(() => Promise.reject(new Error("no answer")));
    await session.call(bash("python3 hooks.py"), {}, never);
    await expect(session.call(bash("ls"), {}, never)).rejects.toMatchObject({ code: "SANDBOX_BROKEN" });
    await session.close("finished");
    expect(session.isBroken()).toBe(true);
  });
});
