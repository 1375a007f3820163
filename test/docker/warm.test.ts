// A shell that stands ready before a call asks for it: it is the process that the call gets, nobody can tell it from one that was made for the call but by its
// age and the zeros behind its arguments, and nothing of the agent's has run in it before.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { processesOf } from "../support/container-processes.js";
import { containerOf, docker, startedRig, whyNoEngine, type StartedRig } from "./sandbox-rig.js";
import type { RunRequest } from "../../src/ports/sandbox.js";

const missing = await whyNoEngine();
const note = missing === null ? "" : ` (skipped: ${missing})`;

/** Everything of a shell that its command can ask for, but for what differs from process to process. */
const SELF = `set -o; shopt; set | grep -v -E '^(BASHPID|PPID|RANDOM|SRANDOM|SECONDS|EPOCH|_=|BASH_EXECUTION_STRING)'; env | sort; ulimit -a; ulimit -Ha; umask; trap -p; pwd -P; echo "$0 $# $-"
for f in /proc/$$/fd/*; do echo "$f" | tr -d 0-9; done; while read -r line; do case $line in SigQ*) ;; Sig*|Shd*|Cap*|[UG]id*|Groups*|NoNew*|Seccomp*|TracerPid*|Threads*|Cpus_allowed:*) echo "$line";; esac; done < /proc/$$/status
cat /proc/$$/oom_score_adj /proc/$$/comm; readlink /proc/$$/exe /proc/$$/cwd /proc/$$/root; ps -o ppid=,pgid=,sid=,ni= -p $$ | awk -v me=$$ '{ print ($2 == me), ($3 == me), $4 }'; true`;

function childrenOf(pid: number): readonly number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter((text) => text !== "").map(Number);
  } catch {
    return [];
  }
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "latin1");
  } catch {
    return "";
  }
}

/** The shell that stands ready in the sandbox of a session, as this machine numbers it; null for none. */
function shellStandsIn(sessionId: string): number | null {
  return processesOf(containerOf(sessionId)).find(({ state, args }) => state === "t" && args[0] === "bash")?.pid ?? null;
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended by itself.
  }
}

describe.skipIf(missing !== null).each(["exec", "off"] as const)(`a shell that stands ready, with programs on record: %s${note}`, { timeout: 60_000 }, (record) => {
  const held: { rig?: StartedRig } = {};
  const blanks = mkdtempSync(join(tmpdir(), "ringfence-blank-"));
  const rig = (): StartedRig => {
    if (held.rig === undefined) throw new Error("no sandbox");
    return held.rig;
  };
  beforeAll(async () => {
    writeFileSync(join(blanks, "file"), "");
    mkdirSync(join(blanks, "folder"));
    held.rig = await startedRig({ change: { record, blanks: { file: join(blanks, "file"), folder: join(blanks, "folder") } } });
  }, 60_000);
  afterAll(async () => {
    await held.rig?.rig.clean();
    rmSync(blanks, { recursive: true });
  });

  const run = (text: string, rest?: Partial<RunRequest>, signal?: AbortSignal) => rig().run(text, rest, signal);

  /** The number, inside, of what stands in the sandbox; null for none. */
  function standing(): number | null {
    const host = shellStandsIn(rig().rig.spec.sessionId);
    const [, inside] = host === null ? [] : (/^NSpid:.*\t(\d+)$/mu.exec(readFileSync(`/proc/${host}/status`, "utf8")) ?? []);
    return inside === undefined ? null : Number(inside);
  }

  /** Runs a command until another like it stands ready: when it is expected, and as many calls went by as those do after some that failed. */
  async function ready(text = "true", rest?: Partial<RunRequest>): Promise<number> {
    for (let i = 0; i < 40; i += 1) {
      for (let one = 0; one < 4; one += 1) await run(text, rest);
      const stands = standing();
      if (stands !== null) return stands;
    }
    return expect.unreachable("nothing stands");
  }

  it("is what the next command gets", async () => {
    const stood = await ready();
    expect((await run("echo $$")).stdout).toBe(`${stood}\n`);
  });

  it("cannot be told from another by what a command can ask", async () => {
    // Something else than the last one asked for: nothing stands for it.
    await run("true", { cwd: "/" });
    const plain = await run(SELF);
    await ready();
    expect((await run(SELF)).stdout).toBe(plain.stdout);
    expect(plain.stdout).toContain("SHELLOPTS");
  });

  it("has its own arguments, and zeros behind them", async () => {
    await ready();
    const { stdout } = await run("cat /proc/$$/cmdline; echo; echo \"$BASH_EXECUTION_STRING\" | wc -c");
    expect(stdout.replace(/\0+\n/u, "\n").split("\n")[0]).toBe("bash\0--noprofile\0--norc\0-c\0cat /proc/$$/cmdline; echo; echo \"$BASH_EXECUTION_STRING\" | wc -c");
  });

  it.each([
    ["the longest that fits", 2047],
    ["one more", 2048],
    ["one that fits no frame of a standing one", 100_000],
  ])("takes a command of any length: %s", async (_name, length) => {
    await ready();
    const head = "LC_ALL=C; echo ${#BASH_EXECUTION_STRING}; printf '%s' '";
    const filling = `${"ü\n".repeat(700)}${"x".repeat(length)}`;
    const room = length - head.length - 1;
    const text = Buffer.from(`${head}${Buffer.from(filling).subarray(0, room).toString("latin1")}'`, "latin1").toString();
    expect(Buffer.byteLength(text)).toBe(length);
    const { stdout } = await run(text);
    expect(stdout).toBe(`${length}\n${Buffer.from(filling).subarray(0, room).toString("latin1")}`);
  });

  it("is not used where a call asks for another folder, other variables, input or another program", async () => {
    const stood = await ready();
    expect((await run("pwd; echo $$", { cwd: "/tmp" })).stdout).not.toContain(`${stood}\n`);
    const again = await ready();
    const other = await run("echo $X $$", { environment: { PATH: "/usr/bin:/bin", X: "1" } });
    expect(other.stdout).toMatch(/^1 \d+\n$/u);
    expect(other.stdout).not.toContain(` ${again}\n`);
    const third = await ready();
    const fed = await run("cat; echo $$", { stdin: Buffer.from("fed\n") });
    expect(fed.stdout).toMatch(/^fed\n\d+\n$/u);
    expect(fed.stdout).not.toContain(`\n${third}\n`);
    await ready();
    expect((await run("", { argv: ["sh", "-c", "echo $0 $1", "one", "two"] })).stdout).toBe("one two\n");
  });

  it("is not made where commands and other orders take turns, nor where each command has a folder of its own", async () => {
    for (let i = 0; i < 4; i += 1) {
      await run("true");
      expect(await rig().sandbox.readFile("original.txt", 100, new AbortController().signal)).toMatchObject({ ok: true });
    }
    await run("true");
    expect(standing()).toBeNull();
    for (let i = 0; i < 5; i += 1) await run("true", { cwd: i % 2 === 0 ? "/tmp" : "/workspace" });
    expect(standing()).toBeNull();
    await ready();
  });

  it("stands in the folder that has the name when it is let go", async () => {
    await run("mkdir -p /workspace/d && echo old > /workspace/d/which");
    await ready("true", { cwd: "/workspace/d" });
    // As policy hides a folder that came to be while nobody looked: another mount has the name.
    expect(await rig().sandbox.hide?.(["d"])).toEqual(["hidden"]);
    expect((await run("cat which; pwd", { cwd: "/workspace/d" })).stdout).not.toContain("old");
    await run("mkdir -p /workspace/d2");
    await ready("true", { cwd: "/workspace/d2" });
    expect((await run("chmod 0 .; cd /; true", { cwd: "/workspace/d2" })).exitCode).toBe(0);
    expect(await run("echo ran", { cwd: "/workspace/d2" })).toMatchObject({ exitCode: 126, stdout: "", stderr: expect.stringContaining("Permission denied") });
    await run("chmod 755 /workspace/d2; rm -r /workspace/d2");
    expect(await run("echo ran", { cwd: "/workspace/d2" })).toMatchObject({ exitCode: 126, stdout: "", stderr: expect.stringContaining("No such file") });
  });

  it("is no door: what a call leaves behind runs nothing before the next", async () => {
    const planted = "touch /tmp/ran; export BASH_ENV=/tmp/rc; echo 'touch /tmp/ran' | tee ~/.bashrc ~/.bash_profile ~/.profile ~/.inputrc /tmp/rc > /dev/null; rm /tmp/ran";
    const environment = { PATH: "/workspace/bin:/usr/local/bin:/usr/bin:/bin", HOME: "/home/agent", LANG: "C.UTF-8" };
    // A program of the name that stands, found first along PATH.
    await run(`${planted}; mkdir -p /workspace/bin; printf '#!/bin/sh\\ntouch /tmp/ran\\n' > /workspace/bin/bash; chmod +x /workspace/bin/bash`, { environment });
    expect(await run("ls /tmp", { argv: ["ls", "/tmp"] })).toMatchObject({ stdout: expect.not.stringContaining("ran") });
    // A copy of the shell that the agent may change: it is never loaded ahead.
    await run("cp /bin/bash /workspace/bin/bash");
    for (let i = 0; i < 4; i += 1) expect(await run("readlink /proc/$$/exe; true", { environment })).toMatchObject({ stdout: "/workspace/bin/bash\n" });
    expect(standing()).toBeNull();
    await run("rm -r /workspace/bin");
  });

  it("does not stand where a variable steers its loader", async () => {
    const environment = { PATH: "/usr/bin:/bin", LD_PRELOAD: "/workspace/none.so" };
    for (let i = 0; i < 4; i += 1) await run("true", { environment });
    expect(standing()).toBeNull();
    expect((await run("true", { environment })).stderr).toContain("/workspace/none.so");
  });

  it("cannot be reached by the agent, which follows nobody", async () => {
    const ran = await run(`python3 - <<'X'
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
for request in (0, 1, 4, 16, 17, 0x4204, 0x4205, 0x4206):
    ctypes.set_errno(0); print(request, libc.syscall(101, request, os.getppid(), 0, 0), os.strerror(ctypes.get_errno()))
X`);
    expect(ran.stdout.trim().split("\n").map((line) => line.replace(/^\d+ /u, ""))).toEqual(Array(8).fill("-1 Operation not permitted"));
  });

  it("ends as any other: its code, a signal, a time limit, a caller who gives up", async () => {
    await ready();
    expect(await run("exit 7")).toMatchObject({ exitCode: 7 });
    await ready();
    expect(await run("kill -SEGV $$")).toMatchObject({ signal: "SIGSEGV", exitCode: null });
    await ready();
    expect(await run("sleep 60", { timeoutMs: 100 })).toMatchObject({ ended: "timeout" });
    await ready();
    const ending = new AbortController();
    setTimeout(() => ending.abort(), 100);
    expect(await run("sleep 60", {}, ending.signal)).toMatchObject({ ended: "cancelled" });
    await ready();
    expect(await run("(sleep 0.05; kill -CONT $$) & kill -STOP $$; wait; echo on")).toMatchObject({ exitCode: 0, stdout: "on\n" });
  });

  it("runs nothing where its start is refused after all, and the next call is served", async () => {
    const stood = await ready();
    await expect(run("touch /workspace/ran", { beforeStart: () => Promise.reject(new Error("not on record")) })).rejects.toThrow("not on record");
    const next = await run("ls /workspace; echo $$");
    expect(next.stdout).not.toContain("ran");
    // Where nothing is recorded its order never left.
    expect(next.stdout.includes(`\n${stood}\n`)).toBe(record === "off");
  });

  it("is replaced where the kernel killed it between two calls", async () => {
    const stood = await ready();
    process.kill(shellStandsIn(rig().rig.spec.sessionId) ?? Number.NaN, "SIGKILL");
    await expect.poll(standing).toBeNull();
    const next = await run("echo $$");
    expect(next).toMatchObject({ exitCode: 0 });
    expect(next.stdout).not.toBe(`${stood}\n`);
  });

  it("may be killed at any moment: a call is done or killed, never refused, the session goes on, and another stands", async () => {
    const { sessionId } = rig().rig.spec;
    const top = docker("inspect", "--format", "{{.State.Pid}}", containerOf(sessionId));
    /** Processes of the agent, as this machine numbers them: children of the guard, which is a child of process 1. */
    const agents = (): readonly number[] => childrenOf(Number(top)).filter((pid) => commandOf(pid).includes("sandboxd")).flatMap(childrenOf);
    const seen = new Set<string>();
    for (let i = 0; i < 80; i += 1) {
      const calls = run("true");
      // Somewhere between the last call's end and this one's.
      for (let turn = 0; turn < i % 8; turn += 1) await new Promise((resolve) => void setImmediate(resolve));
      for (const pid of agents()) kill(pid);
      const { ended, exitCode, signal } = await calls;
      seen.add(`${ended} ${String(exitCode)} ${String(signal)}`);
      for (const pid of agents()) if (i % 3 === 0) kill(pid);
    }
    expect([...seen].filter((end) => end !== "exit 0 null" && end !== "exit null SIGKILL")).toEqual([]);
    await ready();
  });

  if (record === "off") return;

  it("is on record as the kernel has it: image, folder, arguments, and who it started", async () => {
    await ready();
    const { programs } = await run("/bin/echo one; (/bin/echo two)");
    const list = programs?.programs.map(({ number, parent, image, cwd, argv, end }) => ({ number, parent, image, cwd, argv, code: end?.exitCode }));
    expect(list).toEqual([
      { number: 1, parent: 0, image: "/usr/bin/bash", cwd: "/workspace", argv: ["bash", "--noprofile", "--norc", "-c", "/bin/echo one; (/bin/echo two)"], code: 0 },
      { number: 2, parent: 1, image: "/usr/bin/echo", cwd: "/workspace", argv: ["/bin/echo", "one"], code: 0 },
      { number: 3, parent: 1, image: "/usr/bin/echo", cwd: "/workspace", argv: ["/bin/echo", "two"], code: 0 },
    ]);
  });
});

describe.skipIf(missing !== null).each([
  ["by its name", "/home/agent/lib", ""],
  ["behind a link that leads nowhere yet", "/opt/agent", "&& ln -s /home/agent/lib /opt/agent"],
])(`an image whose loader looks where the agent can write, %s${note}`, { timeout: 60_000 }, (_name, place, link) => {
  const tag = `ringfence-test-loader-${process.pid}-${link.length}`;
  const held: { rig?: StartedRig; folder?: string } = {};
  beforeAll(async () => {
    held.folder = mkdtempSync(join(tmpdir(), "ringfence-loader-"));
    writeFileSync(join(held.folder, "Dockerfile"), `FROM ringfence/kimi-dev\nRUN mkdir -p /home/agent/lib && cp "$(ldconfig -p | sed -n 's/.*libtinfo[.]so[.]6 .* => //p' | head -1)" /home/agent/lib/ ${link} && echo ${place} > /etc/ld.so.conf.d/00-agent.conf && ldconfig\n`);
    docker("build", "--quiet", "--tag", tag, held.folder);
    held.rig = await startedRig({ change: { record: "exec", image: tag } });
  }, 60_000);
  afterAll(async () => {
    await held.rig?.rig.clean();
    docker("image", "rm", tag);
    if (held.folder !== undefined) rmSync(held.folder, { recursive: true });
  });

  it("has no shell stand ready: what the agent put there would run before the next call", async () => {
    const { rig, run } = held.rig ?? expect.unreachable("no sandbox");
    for (let i = 0; i < 5; i += 1) expect(await run("true")).toMatchObject({ exitCode: 0 });
    expect(shellStandsIn(rig.spec.sessionId)).toBeNull();
    // A folder of the agent's that leads to the system's may lead elsewhere by the next call.
    expect(await run("ln -s \"$(sed -n 's#.* \\(/.*\\)/libc[.]so[.]6$#\\1#p' /proc/self/maps | head -1)\" ~/lib; ls ~/lib/libtinfo.so.6")).toMatchObject({ exitCode: 0 });
    // As many as go by before another is tried.
    for (let i = 0; i < 40; i += 1) expect(await run("true")).toMatchObject({ exitCode: 0, stderr: "" });
    expect(shellStandsIn(rig.spec.sessionId)).toBeNull();
    // A loader that looks there finds it in the call, as it always did.
    expect(await run("rm ~/lib; mkdir ~/lib; echo no library > ~/lib/libtinfo.so.6")).toMatchObject({ exitCode: 0 });
    expect((await run("true")).stderr).toContain(`${place}/libtinfo.so.6`);
  });
});
