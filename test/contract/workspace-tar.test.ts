// A workspace that is sent: what goes in, what comes back, and answers of a tool that lies. Unpacked by the system's tar, looked
// through by the runtime's own tool; no engine.

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { tarHeader, type TarEntry } from "../../src/core/archive/index.js";
import { createLooker } from "../../src/adapters/files/look.js";
import type { EnforcementPlan } from "../../src/core/policy/index.js";
import type { RunResult } from "../../src/ports/sandbox.js";
import { plainBash } from "../support/plain-bash.js";
import { lookProgram, openTarRig, type TarRig } from "../support/tar-rig.js";
import { treePicture } from "../support/tree-picture.js";

const never = new AbortController().signal;
const rigs: TarRig[] = [];
const missing = lookProgram() === null ? "rf-look is not built and there is no gcc" : null;

async function rig(setUp: string, plan?: EnforcementPlan): Promise<TarRig> {
  const made = await openTarRig((folder) => void plainBash(folder, setUp), plan);
  rigs.push(made);
  return made;
}

const HELD = { rule: "r" } as const;
const PLAN: EnforcementPlan = {
  masked: [{ path: ".env", kind: "file", ...HELD }, { path: "keys", kind: "directory", ...HELD }],
  premasked: ["id_rsa"],
  readOnly: [{ path: "ci/a.yml", kind: "file", ...HELD }],
  placeholders: [{ path: ".github/workflows", form: "directory", content: "", ...HELD }, { path: "ci/b.yml", form: "file", content: "held", ...HELD }],
  ancestors: [".github", "ci"],
  reconciled: [],
  hiddenOutside: [],
};

afterEach(() => {
  for (const made of rigs.splice(0)) made.close();
});

describe.skipIf(missing !== null)(`a workspace that is sent${missing === null ? "" : ` (skipped: ${missing})`}`, () => {
  it("carries names of any bytes, long paths, links, modes without set-id bits, times and holes; other kinds stay here", async () => {
    const deep = Array.from({ length: 9 }, () => "d".repeat(120)).join("/");
    const made = await rig(`umask 022; printf a > $'n\\nl'; printf b > $'\\xff\\xfe'; mkdir -p ${deep} -- -rf; printf c > ${deep}/${"f".repeat(200)}; : > empty; printf d > suid; chmod 6755 suid; ln -s ${"t".repeat(300)} long; ln -s /etc/passwd out; mkfifo pipe
      truncate -s 300M sparse; printf mid | dd of=sparse bs=1 seek=100M conv=notrunc status=none; truncate -s 5M hole; touch -d '2001-02-03 04:05:06.123456' empty; printf x > h1; ln h1 h2; head -c 3000000 /dev/urandom > random`);
    const here = treePicture(made.folder, { exact: false }).filter((line) => !line.includes('"pipe"')).map((line) => line.replace("file 6755", "file 755"));
    expect(treePicture(made.view, { exact: false })).toEqual(here);
    expect([statSync(join(made.view, "empty")).mtimeMs, statSync(join(made.view, "sparse")).blocks < 1000, existsSync(join(made.view, "pipe"))]).toEqual([statSync(join(made.folder, "empty")).mtimeMs, true, false]);
    expect(await made.workspace.changes(never)).toEqual([]);
  });

  it("leaves out what policy hides, lays down what it holds, and tells neither as a change", async () => {
    const made = await rig("printf s > .env; mkdir keys ci; printf k > keys/id; ln .env plain; printf y > ci/a.yml; printf ok > a", PLAN);
    expect(execFileSync("find", [".", "-mindepth", "1"], { cwd: made.view, encoding: "utf8" }).split("\n").filter(Boolean).sort()).toEqual(["./.github", "./.github/workflows", "./a", "./ci", "./ci/a.yml", "./ci/b.yml"]);
    expect(made.protection?.mounts.map(({ path, kind }) => `${kind} ${path}`)).toEqual(["ancestor .github", "placeholder .github/workflows", "ancestor ci", "read-only ci/a.yml", "placeholder ci/b.yml"]);
    expect([made.protection?.masked, made.protection?.linkedSecrets]).toEqual([[".env", "keys", "plain"], ["plain"]]);
    made.run("umask 022; printf new > .env; printf o > .github/other; printf z > ci/b.yml");
    const names = (await made.workspace.changes(never)).map((change) => `${change.operation} ${change.path}`);
    expect(names).toEqual(["create .env", "create .github", "create .github/other", "create ci/b.yml"]);
    expect(await made.workspace.readBase(".env", 100)).toBeNull();
  });

  it("keeps what was changed when the copy is gone, whatever its kind, and only as long as it is a change", async () => {
    const made = await rig("umask 022; printf a > a; mkdir d; printf b > d/b");
    made.run("umask 022; printf changed > a; truncate -s 200M big; printf end >> big; mkfifo p; chmod 000 d/b; chmod 500 d; printf t1 > t");
    const changes = await made.workspace.changes(never);
    expect(changes.map(({ operation, path }) => `${operation} ${path}`)).toEqual(["modify a", "create big", "metadata d", "metadata d/b", "create p", "create t"]);
    expect([statSync(join(made.view, "d/b")).mode & 0o777, statSync(join(made.view, "d")).mode & 0o777]).toEqual([0, 0o500]);
    made.run("rm t");
    await made.workspace.changes(never);
    made.run("rm -rf -- *");
    const again = await made.provider.reopen("ses_test0001");
    expect((await again.changes(never)).map(({ path }) => path)).toEqual(["a", "big", "d", "d/b", "p"]);
    expect(Buffer.from((await again.readChanged("a", 100))?.content ?? []).toString()).toBe("changed");
    const big = await again.openChanged("big");
    const tail = new Uint8Array(3);
    expect([big?.bytes, big?.hasHoles, big?.read(tail, 200 * 1024 * 1024), Buffer.from(tail).toString()]).toEqual([200 * 1024 * 1024 + 3, true, 3, "end"]);
    big?.close();
  });

  it("is refused as a whole where it is too large, and where what lies there is not what was sent", async () => {
    const made = await rig("printf a > a");
    const again = await made.provider.createTar?.("ses_test0002", made.folder);
    const pieces: Uint8Array[] = [];
    for await (const piece of again?.pack?.({ uid: 0, gid: 0 }, never) ?? []) pieces.push(piece);
    const { hostSandbox } = await import("../support/tar-rig.js");
    writeFileSync(join(made.view, "planted"), "x");
    await expect(again?.attach?.(hostSandbox, made.view, never)).rejects.toMatchObject({ code: "SANDBOX_FAILED", message: expect.stringContaining("`planted` was not sent") as string });
    plainBash(made.folder, "truncate -s 5G huge");
    const large = await made.provider.createTar?.("ses_test0003", made.folder);
    await expect((async () => { for await (const piece of large?.pack?.({ uid: 0, gid: 0 }, never) ?? []) pieces.push(piece); })()).rejects.toMatchObject({ code: "WORKSPACE_LIMIT" });
    expect(readFileSync(join(made.folder, "a"), "utf8")).toBe("a");
  });

  it("never names a path that leaves its folder", () => {
    const entry: TarEntry = { name: "a", kind: "file", mode: 0o644, uid: 0, gid: 0, bytes: 0, modifiedMs: 0, target: "" };
    for (const name of ["../a", "/a", "a/../b", "a//b", ".", "a/.", "", "a\0b"]) expect(() => tarHeader({ ...entry, name }), JSON.stringify(name)).toThrow(expect.objectContaining({ code: "USAGE_INVALID" }));
  });
});

describe("answers about a workspace that is elsewhere", () => {
  const u32 = (value: number): Buffer => Buffer.from([value >>> 24, value >>> 16, value >>> 8, value]);
  const u64 = (value: number): Buffer => Buffer.concat([u32(0), u32(value)]);
  const name = (path: string, kind = "f", target = ""): Buffer => Buffer.concat([Buffer.from(`N${kind}`), u32(0o644), u64(1), u64(2), u64(3), u64(4), u32(path.length), u32(target.length), Buffer.from(path + target, "latin1")]);
  const end = (code = 0, size = 0): Buffer => Buffer.concat([Buffer.from("E"), Buffer.from([code]), u64(size)]);
  const told = (bytes: Buffer, result: Partial<RunResult> = {}): ReturnType<typeof createLooker> =>
    createLooker(async (_request, sink) => {
      for (let at = 0; at < bytes.length; at += 7) sink.stdout(bytes.subarray(at, at + 7));
      return { exitCode: 0, signal: null, ended: "exit", durationMs: 0, stdoutBytes: bytes.length, stderrBytes: 0, stdoutDropped: 0, stderrDropped: 0, killed: 0, quiescent: true, ...result };
    }, "/workspace");

  it("are taken only whole and well formed", async () => {
    expect((await told(Buffer.concat([name("a"), name("d/l", "l", "t"), end()])).list(never)).map(({ raw, target }) => raw + target)).toEqual(["a", "d/lt"]);
    const wrong: readonly Buffer[] = [Buffer.alloc(0), name("a"), Buffer.concat([name("../a"), end()]), Buffer.concat([name("/a"), end()]), Buffer.concat([name("a", "x"), end()]), Buffer.concat([end(), end()]), Buffer.concat([end(), Buffer.from("N")]), end(9), Buffer.from("hello"), Buffer.concat([Buffer.from("P"), u64(0), u32(70_000), end()])];
    for (const bytes of wrong) await expect(told(bytes).list(never), bytes.toString("latin1")).rejects.toMatchObject({ code: "SANDBOX_BROKEN" });
    for (const result of [{ exitCode: 1 }, { exitCode: null, signal: "SIGKILL" }, { quiescent: false }, { stdoutDropped: 1 }, { ended: "timeout" as const }]) await expect(told(end(), result).list(never)).rejects.toMatchObject({ code: "SANDBOX_BROKEN" });
    await expect(told(end(3)).list(never)).rejects.toMatchObject({ code: "WORKSPACE_LIMIT" });
    await expect(told(end(), { ended: "cancelled" }).list(never)).rejects.toMatchObject({ code: "CANCELLED" });
  });
});
