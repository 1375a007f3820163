// Floods from inside: processes, memory, files, descriptors, output. Each is held, named, and the next call works.

import { rmSync, statfsSync } from "node:fs";
import { mkdtemp, writeFile, mkdir, link } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { measure } from "../../src/adapters/docker/disk-watch.js";
import { ended } from "../contract/sandbox.contract.js";
import { startedRig, whyNoEngine, type DockerRig, type RigOptions, type StartedRig } from "./sandbox-rig.js";

const missing = await whyNoEngine();
const note = missing === null ? "" : ` (skipped: ${missing})`;
const MIB = 1024 * 1024;
const rigs: DockerRig[] = [];

async function start(options: RigOptions = {}): Promise<StartedRig> {
  const started = await startedRig(options);
  rigs.push(started.rig);
  return started;
}

afterEach(async () => {
  for (const rig of rigs.splice(0)) await rig.clean();
});

describe.skipIf(missing !== null)(`floods${note}`, { timeout: 120_000 }, () => {
  for (const uid of [1000, 0]) {
    it(`of processes by user ${uid} end at the limit, which is named`, async () => {
      const { run } = await start({ uid, limits: { processes: 80 } });
      const result = await run("python3 -c 'import os,time\nfor i in range(500):\n  try:\n    if os.fork()==0: time.sleep(100)\n  except OSError: break'");
      expect(result).toMatchObject({ quiescent: true, limit: "processes" });
      expect(result.killed).toBeLessThan(120);
      expect(await run("echo fine")).toEqual(ended({ stdout: "fine\n" }));
    });

    it(`of memory by user ${uid} end the program, and the limit is named`, async () => {
      const { run } = await start({ uid, limits: { memoryBytes: 256 * MIB } });
      const result = await run("exec python3 -c 'a=[]\nwhile 1: a.append(bytearray(1<<20))'", { timeoutMs: 60_000 });
      expect(result).toMatchObject({ signal: "SIGKILL", ended: "exit", limit: "memory", quiescent: true });
      expect(await run("echo fine")).toEqual(ended({ stdout: "fine\n" }));
    });

    it(`of bytes by user ${uid} into every folder in memory at once leave the guard standing`, async () => {
      const { run } = await start({ uid, limits: { memoryBytes: 320 * MIB, tmpBytes: 512 * MIB } });
      const result = await run("for d in /tmp /var/tmp /run /dev/shm /home/agent /dev; do head -c 1G /dev/zero > $d/full; done 2>&1 | grep -c 'No space'", { timeoutMs: 60_000 });
      expect(result).toMatchObject({ limit: "disk", quiescent: true, ended: "exit" });
      expect(Number(result.stdout)).toBeGreaterThanOrEqual(5);
      expect(await run("echo fine")).toEqual(ended({ stdout: "fine\n" }));
    });

    it(`of files by user ${uid} end at the limit of each folder in memory`, async () => {
      const { run } = await start({ uid });
      const count = "import os,sys\nfor d in ['/tmp','/var/tmp','/run','/dev/shm','/home/agent']:\n  n=0\n  try:\n    while n<200000: os.close(os.open(f'{d}/{n}',os.O_CREAT|os.O_WRONLY)); n+=1\n  except OSError as e: print(d, e.errno)\n  else: print(d,'THROUGH')";
      const result = await run(`python3 -c "${count}"`, { timeoutMs: 60_000 });
      expect(result).toMatchObject({ limit: "disk", stdout: "/tmp 28\n/var/tmp 28\n/run 28\n/dev/shm 28\n/home/agent 28\n" });
      expect(await run("rm -rf /tmp/* && echo fine")).toEqual(ended({ stdout: "fine\n" }));
    });

    it(`of bytes by user ${uid} into the workspace are ended, and room can be made again`, async () => {
      const { rig, run } = await start({ uid, limits: { diskBytes: 64 * MIB } });
      const before = statfsSync(rig.folder).bavail * statfsSync(rig.folder).bsize;
      const result = await run("i=0; while :; do head -c 16m /dev/zero > flood$i; i=$((i+1)); sleep 0.02; done", { timeoutMs: 60_000 });
      expect(result).toMatchObject({ ended: "cancelled", limit: "disk", quiescent: true });
      const after = statfsSync(rig.folder).bavail * statfsSync(rig.folder).bsize;
      expect(before - after).toBeLessThan(1024 * MIB);
      expect(await run("rm -f flood* && sleep 0.3 && echo fine")).toEqual(ended({ stdout: "fine\n" }));
    });

    it(`of files by user ${uid} into the workspace are ended`, async () => {
      const { run } = await start({ uid, limits: { diskFiles: 2_000 } });
      const result = await run("python3 -c \"import os\nfor n in range(10**7): os.close(os.open(f'f{n}',os.O_CREAT|os.O_WRONLY))\"", { timeoutMs: 60_000 });
      expect(result).toMatchObject({ ended: "cancelled", limit: "disk", quiescent: true });
    });
  }

  it("of one endless file end the program that writes it", async () => {
    const { run } = await start({ limits: { diskBytes: 32 * MIB } });
    const result = await run("exec head -c 10G /dev/zero > one", { timeoutMs: 60_000 });
    expect(result).toMatchObject({ limit: "disk", quiescent: true });
    expect(["SIGXFSZ", "SIGKILL"]).toContain(result.signal);
    expect(await run("stat -c %s one; truncate -s 100g sparse; echo $?")).toMatchObject({ stdout: `${32 * MIB}\n153\n`, exitCode: 0 });
  });

  it("of descriptors end at the limit, and the guard keeps its own", async () => {
    const { run } = await start();
    const result = await run("python3 -c 'import os\nn=0\ntry:\n  while 1: os.dup(1); n+=1\nexcept OSError as e: print(e.errno, n<70000)'");
    expect(result).toEqual(ended({ stdout: "24 True\n" }));
  });

  it("of output in one line of 100 MB are counted and dropped", async () => {
    const { run } = await start();
    const size = 100 * MIB;
    const result = await run(`head -c ${size} /dev/zero | tr '\\0' x`, { outputBytes: 1000, timeoutMs: 60_000 });
    expect(result).toMatchObject({ exitCode: 0, stdoutBytes: size, stdoutDropped: size - 1000 });
  });

  it("of messages and shared memory that outlive their process count as the container's", async () => {
    const { run } = await start({ limits: { memoryBytes: 256 * MIB } });
    const result = await run("python3 -c 'import ctypes\nl=ctypes.CDLL(None)\nl.shmat.restype=ctypes.c_void_p\nfor i in range(64):\n  a=l.shmat(l.shmget(0,1<<24,0o600),None,0)\n  ctypes.memset(a,1,1<<24)\n'; echo $?", { timeoutMs: 60_000 });
    expect(result).toMatchObject({ limit: "memory", quiescent: true });
  });
});

describe("the measure of a layer", () => {
  it("counts names that are no text, links once, and stops at the limit", async () => {
    const folder = await mkdtemp(join(tmpdir(), "ringfence-measure-"));
    try {
      await mkdir(join(folder, "ü", "deep"), { recursive: true });
      await writeFile(Buffer.concat([Buffer.from(`${folder}/`), Buffer.from("\xff\n", "latin1")]), Buffer.alloc(MIB, 1));
      await link(Buffer.concat([Buffer.from(`${folder}/`), Buffer.from("\xff\n", "latin1")]), join(folder, "ü", "again"));
      const use = await measure(folder, { bytes: 10 * MIB, files: 100 });
      expect(use?.files).toBe(4);
      expect(use?.bytes).toBeGreaterThanOrEqual(MIB);
      expect(use?.bytes).toBeLessThan(1.5 * MIB);
      expect((await measure(folder, { bytes: 10 * MIB, files: 1 }))?.files).toBe(2);
      expect(await measure(join(folder, "absent"), { bytes: 1, files: 1 })).toEqual({ bytes: 0, files: 0 });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
