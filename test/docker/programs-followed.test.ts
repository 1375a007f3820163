// Where the kernel cannot tell how a process ended, or gives no listener, nobody is heard of: the guard follows every process, and all that holds
// of programs holds the same. The kernel here can do both; a filter of the container that refuses one of them takes its place.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SeccompProfile } from "../../src/adapters/docker/seccomp-profile.js";
import { engineBetween, type EngineBetween } from "../support/engine-between.js";
import { attacksOnPrograms } from "./program-attacks.js";
import { heldPrograms, programsOfACall } from "./program-cases.js";
import { startedRig, whyNoEngine, type StartedRig } from "./sandbox-rig.js";

const missing = await whyNoEngine();
const note = missing === null ? "" : ` (skipped: ${missing})`;

/** SECCOMP_FILTER_FLAG_NEW_LISTENER. */
const NEW_LISTENER = 8;

function without(call: string, { syscalls, ...rest }: SeccompProfile): SeccompProfile {
  return { ...rest, syscalls: syscalls.map((rule) => ({ ...rule, names: rule.names.filter((name) => name !== call) })).filter(({ names }) => names.length > 0) };
}

/** As before Linux 5.3: there is no descriptor of a process. Found out when the guard starts. */
const noEnds = (asked: SeccompProfile): SeccompProfile => without("pidfd_open", asked);
/** As before Linux 5.0: there is no listener. Found out when the guard makes the first process. */
const noListener = (asked: SeccompProfile): SeccompProfile => {
  const { syscalls, ...rest } = without("seccomp", asked);
  return { ...rest, syscalls: [...syscalls, { names: ["seccomp"], action: "SCMP_ACT_ALLOW", args: [{ index: 1, value: NEW_LISTENER, valueTwo: 0, op: "SCMP_CMP_MASKED_EQ" }] }] };
};

const ways = [
  ["no end of a process is told", noEnds, "pidfd"],
  ["nobody may listen", noListener, "listener"],
] as const;

describe.skipIf(missing !== null)(`programs of a call that is followed${note}`, { timeout: 60_000 }, () => {
  describe.each(ways)("%s", (_name, change, refused) => {
    const held: { engine?: EngineBetween; rig?: StartedRig } = {};
    const rig = (): StartedRig => {
      if (held.rig === undefined) throw new Error("no sandbox");
      return held.rig;
    };
    beforeAll(async () => {
      held.engine = await engineBetween(change);
      held.rig = await startedRig({ socketPath: held.engine.socketPath, change: { record: "exec" } });
    }, 60_000);
    afterAll(async () => {
      await held.rig?.rig.clean();
      await held.engine?.close();
    });

    it("the filter refuses it, every process is followed all the time, and programs are attested all the same", async () => {
      expect(rig().sandbox.controls.find(({ id }) => id === "programs-recorded")).toMatchObject({ state: "attested" });
      expect(rig().sandbox.controls.find(({ id }) => id === "seccomp")).toMatchObject({ state: "attested" });
      const ran = await rig().run(`python3 - <<'X'
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
def errno(*a): return 0 if libc.syscall(*a) >= 0 else ctypes.get_errno()
print("pidfd", errno(434, os.getpid(), 0))
print("listener", errno(317, 1, 8, 0))
print("filter", errno(317, 1, 0, 0))
def tracer(): return next(l.split()[1] for l in open("/proc/self/status") if l.startswith("TracerPid"))
pid = os.fork()
print("child" if pid == 0 else "parent", tracer(), flush=True)
if pid == 0: os._exit(0)
os.wait()
X`);
      const told = Object.fromEntries(ran.stdout.trim().split("\n").map((line) => line.split(" ")));
      // A filter without a program is a bad address: that much the container's filter lets through.
      expect(told).toMatchObject({ pidfd: refused === "pidfd" ? "1" : "0", listener: "1", filter: "14" });
      expect([told["parent"], told["child"]]).not.toContain("0");
    });

    if (refused === "listener") heldPrograms(rig);
    else {
      programsOfACall(rig);
      attacksOnPrograms(rig);
    }
  });
});
