// What really ran, told by the kernel: every program of a call, its true image and arguments, whatever way it was started; and a
// program that is refused runs no instruction. Each attack on the record is a test.

import { release } from "node:os";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { heldPrograms, programsOfACall } from "./program-cases.js";
import { startedRig, whyNoEngine, type StartedRig } from "./sandbox-rig.js";

const missing = await whyNoEngine();
const note = missing === null ? "" : ` (skipped: ${missing})`;

describe.skipIf(missing !== null)(`programs of a call${note}`, { timeout: 60_000 }, () => {
  const held: { exec?: StartedRig; full?: StartedRig } = {};
  beforeAll(async () => {
    held.exec = await startedRig({ change: { record: "exec" } });
    held.full = await startedRig({ change: { record: "full" } });
  }, 60_000);
  afterAll(async () => {
    await held.exec?.rig.clean();
    await held.full?.rig.clean();
  });

  const rigOf = (which: "exec" | "full"): StartedRig => {
    const rig = held[which];
    if (rig === undefined) throw new Error("no sandbox");
    return rig;
  };
  const run = (text: string, which: "exec" | "full" = "exec") => rigOf(which).run(text);

  programsOfACall(() => rigOf("exec"));
  describe("with `full`", () => heldPrograms(() => rigOf("full")));

  it("is attested only where the start of the probe was heard of and the agent can follow nobody", () => {
    for (const which of ["exec", "full"] as const) expect(held[which]?.sandbox.controls.find(({ id }) => id === "programs-recorded")).toMatchObject({ state: "attested" });
    expect(held.full?.sandbox.controls.find(({ id }) => id === "seccomp")).toMatchObject({ state: "attested" });
  });

  it("cannot shake off, follow or deceive whoever follows them", async () => {
    const ran = await run(`export GUARD=$PPID; python3 - <<'X'
import ctypes, os, signal
libc = ctypes.CDLL(None, use_errno=True)
def call(*a):
    ctypes.set_errno(0); r = libc.syscall(*a); return "open" if r >= 0 else os.strerror(ctypes.get_errno())
tracer = os.environ["GUARD"]
print("followed by", [l.split()[1] for l in open("/proc/self/status") if l.startswith("TracerPid")])
print("filters", [l.split()[1] for l in open("/proc/self/status") if l.startswith("Seccomp_filters")])
print("marks", call(157, 35, 8, 4096, 0, 0), call(157, 35 | 1 << 32, 14, 0, 0, 0))
print("ptrace", [call(101, r, os.getppid(), 0, 0) for r in (0, 16, 17, 0x4206, 7)])
print("untraced", call(56, 0x00800000 | 17, 0, 0, 0, 0))
print("clone3", call(435, 0, 0))
print("listener", call(317, 1, 8, 0))
print("getfd", call(438, -1, 0, 0))
for name in ("mem", "environ", "fd/0"):
    try: open("/proc/" + tracer + "/" + name, "rb").read(1); print("reads", name)
    except OSError as e: print("refused", name)
for s in (signal.SIGSTOP, signal.SIGKILL):
    try: os.kill(int(tracer), s); print("signalled")
    except OSError as e: print("unsignalled")
X
/bin/echo still told`);
    const [, ptrace] = /ptrace (.*)/u.exec(ran.stdout) ?? [];
    expect(ptrace).toBe(`[${Array(5).fill("'Operation not permitted'").join(", ")}]`);
    expect(ran.stdout).toContain("filters ['2']");
    // A kernel that tells how a process ended needs nobody followed between.
    const [major = 0, minor = 0] = release().split(".").map(Number);
    expect(ran.stdout.includes("followed by ['0']")).toBe(major > 6 || (major === 6 && minor >= 15));
    expect(ran.stdout).toContain("marks Operation not permitted Operation not permitted");
    expect(ran.stdout).not.toMatch(/open|reads|\bsignalled/u);
    expect(ran.programs?.programs.at(-1)?.argv).toEqual(["/bin/echo", "still", "told"]);
  });

  it("with `full` are told with the regular files they opened for writing, by their true names", async () => {
    const ran = await run("ln -sf /tmp/target /tmp/alias; echo a > /tmp/alias; echo b >> /workspace/f; cat /workspace/f > /dev/null; python3 -c 'import threading; t=threading.Thread(target=lambda: open(\"/tmp/t\",\"w\")); t.start(); t.join()'", "full");
    expect(ran.programs?.writes.map(({ path }) => path)).toEqual(["/tmp/target", "/workspace/f", "/tmp/t"]);
    expect(ran.exitCode).toBe(0);
  });

  it("with `full` are told with each name they wrote, also where one has the number of another that is gone", async () => {
    const ran = await run("python3 -c 'import os\nfor name in \"abc\":\n  open(name, \"w\").close(); open(name, \"w\").close(); os.unlink(name)\nopen(\"d\", \"w\").close(); os.rename(\"d\", \"e\"); open(\"e\", \"w\").close()'", "full");
    expect(ran.programs?.writes.map(({ path }) => path)).toEqual(["/workspace/a", "/workspace/b", "/workspace/c", "/workspace/d", "/workspace/e"]);
  });
});
