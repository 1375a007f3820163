// Controls really switched off, one at a time: the probe that runs inside sees it, and the posture moves by what docs/risk.md says.
// Containers of the engine's own command line stand for a sandbox without its network, its read-only root or its limits, which this
// project's own start refuses to make; the masks and the record are switched off in a session.

import { afterEach, describe, expect, it } from "vitest";
import { readSelfTest } from "../../src/adapters/docker/self-test.js";
import type { Control } from "../../src/core/session/event.js";
import { initialRisk, KIMI_DEV, riskSummary } from "../../src/core/risk/index.js";
import { openSession } from "../../src/engine/session.js";
import { engineRig, type EngineRig, type EngineRigOptions } from "../support/engine-rig.js";
import { EVERY_CONTROL, switchedOff } from "../unit/risk/doc-tables.js";
import { docker, RUNTIME, whyNoEngine } from "./sandbox-rig.js";

const missing = await whyNoEngine();
if (missing !== null) console.warn(`tests of controls that are off did not run: ${missing}`);

const NAME = `ringfence-off-${process.pid}`;
const WALLS = { network: ["--network", "none"], root: ["--read-only"], limits: ["--pids-limit", "100", "--memory", "256m"] } as const;

const rigs: EngineRig[] = [];
afterEach(async () => {
  for (const rig of rigs.splice(0)) await rig.close();
  for (const id of docker("ps", "-aq", "--filter", `name=^${NAME}$`).split("\n").filter((line) => line !== "")) docker("rm", "-f", id);
});

/** Controls that the probe finds in a container with these walls. */
function probed(walls: readonly (keyof typeof WALLS)[]): ReadonlyMap<string, Control["state"]> {
  docker("run", "-d", "--name", NAME, "--label", "dev.ringfence.test=off", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--tmpfs", "/workspace:rw,nosuid,nodev,mode=1777", "-v", `${RUNTIME}:/.ringfence:ro`, ...walls.flatMap((wall) => WALLS[wall]), "ringfence/base", "sleep", "60");
  const inside = (...argv: readonly string[]): string => docker("exec", "--user", "1000:1000", NAME, ...argv);
  const probe = inside("/.ringfence/bin/rf-probe", "/workspace", "nonce", "1");
  const limit = (v1: string, v2: string): number | null => {
    const text = inside("bash", "-c", `cat /sys/fs/cgroup/${v1} 2>/dev/null || cat /sys/fs/cgroup/${v2}`).trim();
    return /^\d{1,15}$/.test(text) ? Number(text) : null;
  };
  const memory = limit("memory/memory.limit_in_bytes", "memory.max");
  const { controls } = readSelfTest({ version: 0, tasks: limit("pids/pids.max", "pids.max"), memory, probe } as Parameters<typeof readSelfTest>[0], { uid: 1000, gid: 1000, root: "/workspace", hasDisk: false });
  docker("rm", "-f", NAME);
  return new Map(controls.map(({ id, state }) => [id, state]));
}

describe.skipIf(missing !== null)("a wall that is not there", () => {
  it("is seen by the probe, and by no other control", () => {
    const whole = probed(["network", "root", "limits"]);
    const lost = (walls: readonly (keyof typeof WALLS)[]): readonly string[] => {
      const now = probed(walls);
      return [...whole].filter(([id, state]) => state === "attested" && now.get(id) !== "attested").map(([id]) => id);
    };
    expect(["no-network", "rootfs-read-only", "processes-limited", "memory-limited"].map((id) => whole.get(id))).toEqual(Array.from({ length: 4 }, () => "attested"));
    expect(lost(["root", "limits"])).toEqual(["no-network"]);
    expect(lost(["network", "limits"])).toEqual(["rootfs-read-only"]);
    expect(lost(["network", "root"])).toEqual(["processes-limited", "memory-limited"]);
  });
});

/** Controls of a session, and the movement of its start against one with everything attested. */
async function started(options: EngineRigOptions, change: (rig: EngineRig) => EngineRig["deps"] = ({ deps }) => deps): Promise<{ readonly controls: ReadonlyMap<string, string>; readonly live: string; readonly reasons: readonly string[] }> {
  const rig = await engineRig({ files: { ".env": "TOKEN=hunter2\n" }, ...options });
  rigs.push(rig);
  const session = await openSession(change(rig), rig.options, new AbortController().signal);
  await session.close("finished");
  const [first] = await rig.deps.store.read(session.id);
  if (first?.type !== "session.opened") throw new Error("no opening record");
  const summary = riskSummary(session.risk());
  return { controls: new Map(first.data.controls.map(({ id, state }) => [id, state])), live: summary.live.exact, reasons: summary.reasons };
}

describe.skipIf(missing !== null)("a session", () => {
  const whole = riskSummary(initialRisk(KIMI_DEV, { controls: EVERY_CONTROL.map((id) => ({ id, state: "attested", detail: "" })) })).live.exact;

  it("attests every control that the score knows, and starts where they all hold", async () => {
    const { controls, live } = await started({});
    expect(EVERY_CONTROL.filter((id) => controls.get(id) !== "attested")).toEqual([]);
    expect(live).toBe(whole);
  });

  it("without masks starts higher, and says why", async () => {
    const { live, reasons } = await started({ enforce: false });
    expect((Number(live) - Number(whole)).toFixed(2)).toBe(switchedOff(["secrets-masked"]).moved.slice(1));
    expect(reasons).toContain("posture: MVC:L withheld, not attested: secrets-masked (not reported)");
  });

  it("whose record does not give back what it was given starts higher, and says why", async () => {
    const { controls, live, reasons } = await started({}, ({ deps }) => ({ ...deps, store: { ...deps.store, readBlob: async () => new TextEncoder().encode("something else") } }));
    expect(controls.get("record-kept")).toBe("missing");
    expect((Number(live) - Number(whole)).toFixed(2)).toBe(switchedOff(["record-kept"]).moved.slice(1));
    expect(reasons).toContain("posture: opacity at least 1, not attested: record-kept (missing)");
  });

  it("tests its walls again after something forbidden happened, and finds them as they were", async () => {
    const rig = await engineRig({ files: { "a.txt": "one\n" }, setUp: "git init -q ." });
    rigs.push(rig);
    const { session, run, events } = await rig.open();
    // A name put together at run time: nothing in the text tells it.
    await run("printf 'open(\"left\" + \"hook.yml\", \"w\").write(\"x\")' > /tmp/x.py");
    await run("python3 /tmp/x.py");
    await run("ls");
    await session.close("finished");
    const recorded = await events();
    const tested = recorded.flatMap((event) => (event.type === "controls.attested" ? [event.data] : []));
    expect(recorded.flatMap((event) => (event.type === "reconciliation.done" ? event.data.findings : [])).length).toBeGreaterThan(0);
    expect(tested.map(({ trigger, controls }) => [trigger, controls.map(({ id, state }) => `${id} ${state}`).sort()])).toEqual([["finding", ["caps-empty", "guard-unreachable", "no-network", "no-new-privs", "rootfs-read-only", "seccomp"].map((id) => `${id} attested`)]]);
    expect(session.risk().lost).toEqual([]);
  });
});
