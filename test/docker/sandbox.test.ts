// The sandbox contract on a real engine, and what only a real one can show: processes, pipes, memory, faults from outside.

import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { collect, ended, sandboxContract, bash } from "../contract/sandbox.contract.js";
import { processesOf } from "../support/container-processes.js";
import { containerOf, docker, dockerRig, leftOn, startedRig, whyNoEngine, type DockerRig, type RigOptions, type StartedRig } from "./sandbox-rig.js";

const missing = await whyNoEngine();
const note = missing === null ? "" : ` (skipped: ${missing})`;
const never = new AbortController().signal;
const rigs: DockerRig[] = [];

async function start(options: RigOptions = {}): Promise<StartedRig> {
  const started = await startedRig(options);
  rigs.push(started.rig);
  return started;
}

const shared: StartedRig[] = [];

/** One sandbox for all tests that leave nothing in it which another would see. */
async function startShared(): Promise<StartedRig> {
  const started = shared[0] ?? (await startedRig());
  if (shared.length === 0) shared.push(started);
  return started;
}

afterEach(async () => {
  for (const rig of rigs.splice(0)) await rig.clean();
});
afterAll(async () => {
  for (const { rig } of shared) await rig.clean();
});

describe.skipIf(missing !== null)(`on the engine${note}`, { timeout: 60_000 }, () => {
  for (const uid of [1000, 0]) sandboxContract(`Docker, agent ${uid}`, () => dockerRig({ uid }));
  sandboxContract("Docker, without a direct line", () => dockerRig({ direct: false }));

  it("is spoken to past the engine, by a line that nobody else can take and that leaves nothing", async () => {
    const { rig, sandbox, run } = await start();
    const folder = join(rig.folder, "line");
    expect(await run("ls -A /.ringfence-line; touch /.ringfence-line/x; echo $?")).toMatchObject({ stdout: "1\n" });
    expect(readdirSync(folder).filter((name) => !name.endsWith(".lease")).flatMap((name) => readdirSync(join(folder, name)))).toEqual([]);
    await sandbox.close();
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe.skipIf(missing !== null)(`processes of a call${note}`, { timeout: 60_000 }, () => {
  for (const uid of [1000, 0]) {
    it(`leaves nothing of a call of user ${uid} in the kernel: shared memory, semaphores, messages`, async () => {
      const { run } = await start({ uid });
      const made = await run(`python3 - <<'X'
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
libc.shmat.restype = ctypes.c_void_p
for i in range(3):
    ctypes.memset(libc.shmat(libc.shmget(0, 4 << 20, 0o1600), None, 0), 1, 4 << 20)
    queue = libc.msgget(0, 0o1600); libc.msgsnd(queue, ctypes.create_string_buffer(b"\\1" + bytes(7) + b"kept"), 4, 0)
    print(libc.semget(0, 5, 0o1600) >= 0, libc.mq_open(b"/q%d" % i, 0o102, 0o600, None) >= 0)
# Ones that their owner may not read.
print(libc.shmget(0, 4096, 0o1000) >= 0, libc.semget(0, 1, 0o1000) >= 0, libc.msgget(0, 0o1000) >= 0)
X
for kind in shm sem msg; do tail -n +2 /proc/sysvipc/$kind | wc -l; done; ls /dev/mqueue`);
      expect(made.stdout).toBe(`${"True True\n".repeat(3)}True True True\n${"4\n".repeat(3)}q0\nq1\nq2\n`);
      expect((await run("tail -q -n +2 /proc/sysvipc/shm /proc/sysvipc/sem /proc/sysvipc/msg; ls -A /dev/mqueue; echo nothing")).stdout).toBe("nothing\n");
    });
  }

  for (const uid of [1000, 0]) {
    it(`ends what a call of user ${uid} leaves behind: sessions of their own, double forks, ignored signals`, async () => {
      const { run } = await start({ uid });
      const left = [
        "setsid sleep 1000 &",
        "(setsid bash -c 'sleep 1000 & disown' &)",
        "bash -c 'trap \"\" TERM HUP INT; while :; do sleep 1; done' &",
        "nohup sleep 1000 >/dev/null 2>&1 &",
      ];
      for (const program of left) {
        const result = await run(`${program}\necho started`);
        expect(result, program).toEqual(ended({ stdout: "started\n", killed: expect.any(Number) as number }));
        expect(result.killed, program).toBeGreaterThan(0);
      }
      expect((await run("ls -d /proc/[0-9]* | wc -l; pgrep -c sleep || true")).stdout).toMatch(/\n0\n$/);
    });

    it(`ends at the time-out and when cancelled what user ${uid} stopped, orphaned, cloned apart or keeps moving`, async () => {
      const programs: Readonly<Record<string, string>> = {
        stopped: "sleep 1000 & kill -STOP $!; setsid bash -c 'kill -STOP $$' &",
        orphans: "python3 -c 'import os,time\nfor i in range(20):\n  if os.fork()==0:\n    if os.fork()==0: time.sleep(1000)\n    os._exit(0)' &",
        untraced: "python3 -c 'import ctypes,time; ctypes.CDLL(None).syscall(56, 0x00800011, 0, 0, 0, 0); time.sleep(1000)' &",
        moving: "python3 -c 'import os\nwhile 1:\n  if os.fork()>0: os._exit(0)\n  os.setsid()' &",
        holding: "sleep 1000 3>&1 4>&2 &",
      };
      const running = (sessionId: string): readonly string[] => processesOf(containerOf(sessionId)).map(({ args }) => args[0] ?? "").sort();
      // Each in a sandbox of its own, side by side: the time goes in waiting.
      await Promise.all(
        Object.entries(programs).map(async ([name, program]) => {
          const { rig, run } = await start({ uid });
          const guards = running(rig.spec.sessionId);
          expect(await run(`${program}\necho started; sleep 1000`, { timeoutMs: 700 }), name).toMatchObject({ ended: "timeout", stdout: "started\n", quiescent: true });
          expect(await run(`${program}\necho started; sleep 1000`, {}, AbortSignal.timeout(700)), name).toMatchObject({ ended: "cancelled", quiescent: true });
          expect(await run(`${program}\necho started`), name).toMatchObject({ ended: "exit", exitCode: 0, quiescent: true });
          // Seen from outside too: nobody is left but the guard, with its killer that was made anew, and the shell that stands ready for the next command.
          const left = guards.toSpliced(guards.lastIndexOf("/.ringfence/bin/sandboxd"), 1, "bash");
          await expect.poll(() => running(rig.spec.sessionId), { message: name, timeout: 5_000 }).toEqual(left);
        }),
      );
    });

    it(`holds a fork bomb of user ${uid} at the limit, and is there afterwards`, async () => {
      const { run } = await start({ uid, limits: { processes: 100 } });
      const result = await run("bomb() { bomb | bomb & bomb | bomb & }; bomb 2>/dev/null; sleep 1000", { timeoutMs: 1_500 });
      expect(result).toMatchObject({ ended: "timeout", quiescent: true });
      expect(result.killed).toBeGreaterThan(20);
      expect(await run("echo fine")).toEqual(ended({ stdout: "fine\n" }));
    });

    it(`cannot be outrun by processes of user ${uid} that kill all they may, over and over`, async () => {
      const { run } = await start({ uid });
      const killer = "for i in 1 2 3 4; do setsid bash -c 'while :; do kill -9 -1; done' >/dev/null 2>&1 & done; sleep 0.3; echo unreachable";
      for (let round = 0; round < 5; round += 1) {
        expect(await run(killer, { timeoutMs: 2_000 })).toMatchObject({ quiescent: true, stdout: "" });
        expect(await run("echo fine")).toEqual(ended({ stdout: "fine\n" }));
      }
    });
  }

  it("lets no late signal of an ended call hit the next one", async () => {
    const { run } = await startShared();
    for (let round = 0; round < 30; round += 1) {
      expect(await run("sleep 1000", { timeoutMs: 20 + (round % 7) })).toMatchObject({ ended: "timeout", quiescent: true });
      expect(await run("echo next")).toEqual(ended({ stdout: "next\n" }));
    }
  });

  it("does not wait for a daemon that keeps the output open", async () => {
    const { run } = await startShared();
    const result = await run("sleep 1000 & echo parent");
    expect(result).toMatchObject({ stdout: "parent\n", exitCode: 0, ended: "exit", killed: 1, quiescent: true });
    expect(result.durationMs).toBeLessThan(2_000);
  });

  it("keeps what a process substitution prints just after the end", async () => {
    const { run } = await startShared();
    expect(await run("echo through > >(sed s/through/filtered/)")).toMatchObject({ stdout: "filtered\n", exitCode: 0 });
  });

  it("lets programs open their outputs again by name", async () => {
    const { run } = await startShared();
    expect(await run("echo a > /dev/stdout; echo b > /dev/stderr; echo c > /proc/self/fd/1; echo d | tee /dev/stderr")).toEqual(ended({ stdout: "a\nc\nd\n", stderr: "b\nd\n" }));
  });

  it("answers 126 for what cannot be run, and for a working directory that is not there", async () => {
    const { rig, sandbox, run } = await startShared();
    await run("echo 'echo no' > plain.sh; mkdir folder");
    const exec = (argv: readonly string[], cwd = "/workspace") => collect(sandbox, bash(rig.spec, "", { argv, cwd }));
    expect(await exec(["./plain.sh"])).toEqual(ended({ exitCode: 126, stderr: "./plain.sh: Permission denied\n" }));
    expect(await exec(["./folder"])).toEqual(ended({ exitCode: 126, stderr: "./folder: Permission denied\n" }));
    expect(await exec(["./absent"])).toEqual(ended({ exitCode: 127, stderr: "./absent: No such file or directory\n" }));
    expect(await exec(["pwd"], "/workspace/absent")).toEqual(ended({ exitCode: 126, stderr: "cd: /workspace/absent: No such file or directory\n" }));
    expect(await exec(["true", "a\0b"])).toMatchObject({ exitCode: 126 });
    expect(await exec(["true", "x".repeat(200_000)])).toMatchObject({ exitCode: 126, stderr: "true: Argument list too long\n" });
    expect(await exec(["true", "x".repeat(4_000_000)])).toMatchObject({ exitCode: 126, stderr: "true: Argument list too long\n" });
    expect(await exec(["true", "x".repeat(130_000)])).toEqual(ended({}));
  });

  it("runs no start-up file of a shell that the agent planted", async () => {
    const { rig, sandbox, run } = await start();
    await run("for f in .bashrc .profile .bash_profile .bash_login; do echo 'echo PLANTED' > ~/$f; done");
    for (const stdin of [null, new TextEncoder().encode("")]) {
      expect(await collect(sandbox, bash(rig.spec, "", { argv: ["bash", "-c", "echo plain"], stdin }))).toEqual(ended({ stdout: "plain\n" }));
    }
  });

  it("gives /dev/null as input also after the agent put something else in its place", async () => {
    const { run } = await start({ uid: 0 });
    await run("rm -f /dev/null; echo FAKE > /dev/null");
    expect(await run("cat; stat -L -c '%F' /proc/self/fd/0")).toMatchObject({ stdout: "character special file\n" });
  });

  it("starts each process with default signals, an empty group list and the usual mask", async () => {
    const { run } = await startShared();
    const result = await run("grep -E '^(SigBlk|SigIgn|Groups)' /proc/self/status; umask; cat /proc/self/oom_score_adj; ls /proc/self/fd | wc -l");
    expect(result.stdout).toMatch(/^Groups:\t *\nSigBlk:\t0{16}\nSigIgn:\t0{16}\n0022\n1000\n4\n$/);
  });
});

describe.skipIf(missing !== null)(`output under load${note}`, { timeout: 120_000 }, () => {
  it("carries 50 MB on each output in order", async () => {
    const { rig, sandbox } = await startShared();
    const total = { stdout: 0, stderr: 0, wrong: 0 };
    const take = (of: "stdout" | "stderr", value: number) => (chunk: Uint8Array): void => {
      total[of] += chunk.length;
      if (chunk.some((byte) => byte !== value)) total.wrong += 1;
    };
    const size = 50 * 1024 * 1024;
    const program = `head -c ${size} /dev/zero | tr '\\0' e >&2 & head -c ${size} /dev/zero | tr '\\0' o; wait`;
    const result = await sandbox.run(bash(rig.spec, program, { outputBytes: size, timeoutMs: 60_000 }), { stdout: take("stdout", 0x6f), stderr: take("stderr", 0x65) }, never);
    expect(total).toEqual({ stdout: size, stderr: size, wrong: 0 });
    expect(result).toMatchObject({ exitCode: 0, stdoutBytes: size, stderrBytes: size, stdoutDropped: 0, stderrDropped: 0 });
  });

  it("drops past the limit without blocking the program", async () => {
    const { run } = await startShared();
    const size = 20 * 1024 * 1024;
    expect(await run(`head -c ${size} /dev/zero; echo last >&2`, { outputBytes: 5 })).toEqual(ended({ stdout: "\0\0\0\0\0", stdoutBytes: size, stdoutDropped: size - 5, stderr: "last\n" }));
  });

  it("takes more input than fits any buffer, and is not held up by a program that does not read it", async () => {
    const { run } = await startShared();
    const input = new Uint8Array(8 * 1024 * 1024).fill(0x61);
    expect(await run("wc -c", { stdin: input })).toEqual(ended({ stdout: `${input.length}\n` }));
    expect(await run("exec <&-; echo not reading", { stdin: input })).toEqual(ended({ stdout: "not reading\n" }));
    expect(await run("echo fine")).toEqual(ended({ stdout: "fine\n" }));
  });

  it("bears a reader that is slow", async () => {
    const { rig, sandbox } = await startShared();
    const seen = { bytes: 0 };
    const slow = (chunk: Uint8Array): void => {
      seen.bytes += chunk.length;
      const until = performance.now() + 5;
      while (performance.now() < until) continue;
    };
    const size = 12 * 1024 * 1024;
    await sandbox.run(bash(rig.spec, `head -c ${size} /dev/zero`, { outputBytes: size }), { stdout: slow, stderr: slow }, never);
    expect(seen.bytes).toBe(size);
  });

  it("goes on after the agent used up its memory", async () => {
    const { run } = await start({ limits: { memoryBytes: 256 * 1024 * 1024 } });
    const result = await run("head -c 600m /dev/zero | tail", { outputBytes: 10, timeoutMs: 30_000 });
    expect(result.exitCode).not.toBe(0);
    expect(await run("echo fine")).toEqual(ended({ stdout: "fine\n" }));
    await run("head -c 400m /dev/zero > /tmp/full; head -c 400m /dev/zero > /home/agent/full; head -c 400m /dev/zero > /var/tmp/full");
    expect(await run("echo fine")).toEqual(ended({ stdout: "fine\n" }));
  });
});

describe.skipIf(missing !== null)(`the workspace${note}`, { timeout: 60_000 }, () => {
  it("is a copy: the user's folder is never written, the upper layer holds exactly what was changed", async () => {
    const { rig, run } = await start();
    expect(readdirSync(join(rig.folder, "upper"))).toEqual([]);
    expect(await run("cat original.txt; echo changed > original.txt; echo new > made.txt")).toMatchObject({ stdout: "the user's own\n", exitCode: 0 });
    expect(readFileSync(join(rig.folder, "lower", "original.txt"), "utf8")).toBe("the user's own\n");
    expect(existsSync(join(rig.folder, "lower", "made.txt"))).toBe(false);
    expect(readdirSync(join(rig.folder, "upper")).sort()).toEqual(["made.txt", "original.txt"]);
  });

  it("does not fill an empty workspace from the image", async () => {
    const { rig } = await start({ change: { root: "/srv" } });
    expect(readdirSync(join(rig.folder, "upper"))).toEqual([]);
  });

  it("removes folders the agent has shut, and reads nothing the agent has shut", async () => {
    const { sandbox, run } = await start();
    await run("mkdir -p shut/in/deep; touch shut/in/deep/f secret; chmod 000 shut/in/deep shut/in shut secret");
    expect(await sandbox.readFile("secret", 10, never)).toMatchObject({ ok: false, reason: "refused" });
    expect(await sandbox.apply([{ op: "remove", path: "shut" }, { op: "remove", path: "secret" }], never)).toEqual([null, null]);
    expect(await run("ls")).toMatchObject({ stdout: "original.txt\n" });
  });

  it("carries a large file in and out", async () => {
    const { sandbox } = await startShared();
    const content = new Uint8Array(30 * 1024 * 1024).map((_unused, index) => index % 251);
    expect(await sandbox.apply([{ op: "write", path: "large.bin", content, mode: 0o644 }], never)).toEqual([null]);
    const read = await sandbox.readFile("large.bin", content.length, never);
    expect(read.ok && Buffer.compare(read.content, content)).toBe(0);
  });
});

describe.skipIf(missing !== null)(`faults from outside${note}`, { timeout: 60_000 }, () => {
  it("ends within a second when its container is killed, and says so to the call that ran", async () => {
    const { rig, sandbox, run } = await start();
    const running = run("sleep 1000").catch((error: unknown) => error);
    const before = performance.now();
    docker("kill", containerOf(rig.spec.sessionId));
    expect(await sandbox.ended).toMatchObject({ reason: "broken" });
    expect(performance.now() - before).toBeLessThan(1_500);
    expect(await running).toMatchObject({ code: "SANDBOX_BROKEN" });
    await expect(run("true")).rejects.toMatchObject({ code: "SANDBOX_BROKEN" });
    await sandbox.close();
    expect(leftOn(rig.spec.sessionId)).toEqual([]);
  });

  for (const program of ["sandboxd", "rf-kill", "rf-enter"]) {
    it(`ends when its ${program} is killed`, async () => {
      const { rig, sandbox, run } = await start();
      const running = run("sleep 1000").catch((error: unknown) => error);
      const pid = processesOf(containerOf(rig.spec.sessionId)).find(({ args }) => args[0]?.endsWith(program))?.pid;
      process.kill(pid ?? Number.NaN, "SIGKILL");
      expect(await sandbox.ended).toMatchObject({ reason: "broken" });
      expect(await running).toMatchObject({ code: "SANDBOX_BROKEN" });
    });
  }

  it("leaves neither container nor volume when it is closed", async () => {
    const { rig, sandbox } = await start();
    expect(leftOn(rig.spec.sessionId)).toHaveLength(2);
    await sandbox.close();
    expect(leftOn(rig.spec.sessionId)).toEqual([]);
    expect(rig.log.lines).toEqual([]);
  });
});
