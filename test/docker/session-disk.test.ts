// The disk of a session: the kernel limits what is written to the workspace, the host does not notice, what was written is read
// back when the session is long over, and nothing stays mounted.

import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statfsSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { applyChanges } from "../../src/adapters/files/apply.js";
import { engineRig, type EngineRig, type EngineRigOptions, type EngineSession } from "../support/engine-rig.js";
import { eventually, pause } from "../e2e/rig.js";
import { whyNoEngine } from "./sandbox-rig.js";

const MIB = 1024 * 1024;
const LET_GO_MS = 20_000;
const never = new AbortController().signal;
const missing = await whyNoEngine();
const note = missing === null ? "" : ` (skipped: ${missing})`;
const undo: (() => Promise<void> | void)[] = [];

async function opened(options: EngineRigOptions = {}): Promise<EngineSession & { readonly rig: EngineRig }> {
  const rig = await engineRig({ files: { "a.txt": "one\n", "old/b.txt": "two\n" }, gate: "off", ...options });
  undo.push(() => rig.close());
  return { ...(await rig.open()), rig };
}

afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

const diskControl = (session: EngineSession) => session.opened.controls.find(({ id }) => id === "disk-limited");
const imageOf = ({ rig, session }: EngineSession & { readonly rig: EngineRig }): string => join(rig.state, "sessions", session.id, "ws", "disk.img");
const freeOf = (path: string): number => statfsSync(path).bavail * statfsSync(path).bsize;
/** Mounts and loop devices that have to do with a folder. */
const held = (path: string): readonly string[] => [...readFileSync("/proc/mounts", "utf8").split("\n"), ...execFileSync("losetup", ["--all", "--noheadings", "--output", "NAME,BACK-FILE"], { encoding: "utf8" }).split("\n")].filter((line) => line.includes(path));

/** Nothing of it is held in the end: a container that starts elsewhere on the machine has a copy of every mount for a moment. */
const letGo = (path: string): Promise<void> => eventually(`nothing of ${path} is held`, () => held(path).length === 0, LET_GO_MS);

describe.skipIf(missing !== null)(`the disk of a session${note}`, { timeout: 120_000 }, () => {
  // User 0 meets the same disk; the battery looks at it for both.
  for (const uid of process.env["RINGFENCE_SOAK"] === "1" ? [1000, 0] : [1000]) {
    it(`ends bytes and files of user ${uid} with ENOSPC; the limit is named, and the host does not notice`, async () => {
      const session = await opened({ uid, limits: { diskBytes: 24 * MIB, diskFiles: 600 } });
      expect(diskControl(session)).toMatchObject({ state: "attested" });
      const before = freeOf(session.rig.state);
      const bytes = await session.run("i=0; while head -c 4M /dev/zero > full$i; do i=$((i+1)); done; ls full* | wc -l");
      expect(bytes.message).toMatch(/No space left on device/u);
      expect(bytes.message).toMatch(/disk limit of the sandbox was reached/u);
      expect(Number(bytes.stdout)).toBeGreaterThanOrEqual(5);
      expect(Number(bytes.stdout)).toBeLessThanOrEqual(8);
      expect(before - freeOf(session.rig.state)).toBeLessThan(128 * MIB);
      const files = await session.run("rm full*; python3 -c \"import os\ntry:\n  for n in range(10**6): os.close(os.open(f'f{n}',os.O_CREAT|os.O_WRONLY))\nexcept OSError as e: print(e.errno, n)\"");
      expect(files.stdout).toMatch(/^28 [67]\d\d\n$/u);
      expect(files.message).toMatch(/disk limit of the sandbox was reached/u);
      const after = await session.run("rm -f f*; echo room > again; cat again");
      expect([after.stdout, after.outcome]).toEqual(["room\n", "completed"]);
      expect(session.session.isBroken()).toBe(false);
      await session.session.close("finished");
      expect((await session.events()).at(-1)).toMatchObject({ type: "session.closed", data: { reason: "finished" } });
      await letGo(session.rig.state);
    });
  }

  it("is read back while another mount namespace still holds a copy of its mount, as every starting container does for a moment", async () => {
    const session = await opened();
    await session.run("umask 022; echo more >> a.txt");
    const holder = spawn("unshare", ["--mount", "--propagation", "private", "sh", "-c", "echo held; sleep 60"], { stdio: ["ignore", "pipe", "ignore"] });
    undo.push(() => void holder.kill("SIGKILL"));
    await once(holder.stdout, "data");
    await session.session.close("finished");
    const workspace = await session.rig.deps.workspaces.reopen(session.session.id);
    expect((await workspace.changes(never)).map(({ operation, path }) => `${operation} ${path}`)).toEqual(["modify a.txt"]);
    const [upper] = readdirSync(`/proc/${process.pid}/fd`).map((fd) => `/proc/${process.pid}/fd/${fd}/upper`).filter((path) => existsSync(path));
    expect(upper).toBeDefined();
    expect(() => writeFileSync(join(upper ?? "", "planted"), "x")).toThrow(/EROFS/u);
  });

  it("is read back when the session is over, deletions and emptied folders too, and gives back what was deleted", async () => {
    const session = await opened();
    await session.run("umask 022; echo more >> a.txt; rm -rf old; mkdir old; echo new > old/c.txt; mkfifo pipe; head -c 300M /dev/zero > big; sync; rm big");
    await session.session.close("finished");
    await letGo(session.rig.state);
    expect(statSync(imageOf(session)).blocks * 512).toBeLessThan(32 * MIB);
    const workspace = await session.rig.deps.workspaces.reopen(session.session.id);
    const changes = await workspace.changes(never);
    expect(changes.map(({ operation, path }) => `${operation} ${path}`)).toEqual(["modify a.txt", "delete old/b.txt", "create old/c.txt", "create pipe"]);
    expect(Buffer.from((await workspace.readChanged("a.txt", MIB))?.content ?? []).toString()).toBe("one\nmore\n");
    // Opened for reading it is out of sight: whatever ends this process ends it.
    expect(held(session.rig.state).filter((line) => !line.startsWith("/dev/loop"))).toEqual([]);
    const applied = await applyChanges({ workspace, changes: changes.filter(({ path }) => path !== "pipe") });
    expect(applied.applied.map(({ path }) => path)).toEqual(["a.txt", "old/b.txt", "old/c.txt"]);
    await workspace.close?.();
    await session.rig.deps.workspaces.remove(session.session.id);
    expect(existsSync(imageOf(session))).toBe(false);
    await letGo(session.rig.state);
  });

  it("that is still being made is taken away with its session, and nothing of it comes later", async () => {
    const rig = await engineRig({ files: { "a.txt": "one\n" }, gate: "off" });
    undo.push(() => rig.close());
    for (const delay of [0, 5, 20, 60]) {
      const id = `ses_cutoff${delay}`;
      const workspace = await rig.deps.workspaces.create(id, rig.folder, {});
      await pause(delay);
      await rig.deps.workspaces.remove(id);
      await workspace.ready?.(never).catch(() => undefined);
      expect([id, existsSync(join(rig.state, "sessions", id)), held(join(rig.state, "sessions", id))]).toEqual([id, false, []]);
    }
  });

  it("is looked at where it is while the session runs, and cannot be taken away under it by another process", async () => {
    const session = await opened();
    await session.run("echo x > made.txt");
    const other = await session.rig.deps.workspaces.reopen(session.session.id);
    expect((await other.changes(never)).map(({ path }) => path)).toEqual(["made.txt"]);
    await other.close?.();
    expect((await session.run("cat made.txt")).stdout).toBe("x\n");
  });

  it("that was not let go of in order is checked before it is read", async () => {
    const session = await opened();
    await session.run("echo kept > kept.txt");
    execFileSync("sync", ["-f", join(session.rig.state, "sessions", session.session.id, "ws", "disk")]);
    const copy = join(session.rig.state, "copy.img");
    execFileSync("cp", ["--sparse=always", imageOf(session), copy]);
    await session.session.close("finished");
    execFileSync("cp", ["--sparse=always", copy, imageOf(session)]);
    const workspace = await session.rig.deps.workspaces.reopen(session.session.id);
    expect((await workspace.changes(never)).map(({ path }) => path)).toEqual(["kept.txt"]);
    await workspace.close?.();
    // Half of it overwritten: said, not guessed.
    execFileSync("dd", ["if=/dev/urandom", `of=${imageOf(session)}`, "bs=1M", "count=3", "seek=0", "conv=notrunc"], { stdio: "ignore" });
    await expect(session.rig.deps.workspaces.reopen(session.session.id)).rejects.toMatchObject({ code: "STATE_UNUSABLE" });
  });

  it("is not made where it is switched off; the control says so, and the workspace is watched", async () => {
    const session = await opened({ env: { RINGFENCE_DISK: "watch" }, limits: { diskBytes: 64 * MIB } });
    expect(diskControl(session)).toMatchObject({ state: "configured", detail: expect.stringContaining("no disk of its own: switched off by RINGFENCE_DISK") as string });
    expect(existsSync(imageOf(session))).toBe(false);
    const flood = await session.run("i=0; while :; do head -c 16m /dev/zero > flood$i; i=$((i+1)); sleep 0.02; done");
    expect(flood.message).toMatch(/disk limit of the sandbox/u);
  });

  it("on a full disk of the host loses nothing in silence: the session is broken and says so", async () => {
    const behind = smallDisk(1_100);
    const session = await opened({ parent: behind });
    expect(diskControl(session)).toMatchObject({ state: "attested" });
    // In memory, and then nothing is left to put it on.
    const writing = session.run("head -c 300M /dev/urandom | tee wide | sha256sum; sleep 3; echo still");
    await until(() => statfsSync(join(session.rig.state, "sessions", session.session.id, "ws", "disk")).bfree * 4096 < 300 * MIB);
    execFileSync("bash", ["-c", `fallocate -l $(( $(df --output=avail -B1 ${behind} | tail -1) - 1048576 )) ${behind}/filler`]);
    const done = await writing.catch((error: Error) => error);
    rmSync(join(behind, "filler"));
    await session.session.close("finished").catch(() => undefined);
    const events = await session.events();
    const end = events.at(-1);
    // The call is told to have run into the disk, or nothing is claimed of it: in doubt, or broken with the reason.
    if (done instanceof Error) expect(["execution.started", "call.closed", "session.closed"]).toContain(end?.type);
    else expect(done.message).toMatch(/disk limit of the sandbox/u);
    if (end?.type === "session.closed" && end.data.reason === "finished") {
      const workspace = await session.rig.deps.workspaces.reopen(session.session.id);
      const recorded = events.flatMap((event) => (event.type === "reconciliation.done" ? event.data.changes : [])).find(({ path }) => path === "wide");
      expect((await workspace.changes(never)).find(({ path }) => path === "wide")?.after).toEqual(recorded?.after);
      await workspace.close?.();
    }
    expect(done instanceof Error || !done.message.includes("still")).toBe(true);
    expect(held(session.rig.state).filter((line) => !line.includes("rf-host-disk-") || line.includes("/ws/disk"))).toEqual([]);
  });
});

async function until(found: () => boolean): Promise<void> {
  const end = performance.now() + 20_000;
  while (!found() && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 10));
}

/** A disk of its own for the host's side. */
function smallDisk(mib: number): string {
  const scratch = mkdtempSync(join(tmpdir(), "rf-host-disk-"));
  const at = join(scratch, "disk");
  mkdirSync(at);
  execFileSync("truncate", ["-s", `${mib}M`, join(scratch, "host.img")]);
  execFileSync("mkfs.ext4", ["-q", "-F", "-m", "0", join(scratch, "host.img")]);
  execFileSync("mount", ["-o", "loop", join(scratch, "host.img"), at]);
  undo.push(() => {
    // The operator's log is open there until this process ends.
    execFileSync("umount", ["-l", at]);
    rmSync(scratch, { recursive: true, force: true });
  });
  return at;
}
