// The user's folder kept as it was and made again: names, contents, modes, links, times; never what is hidden; never what was changed.

import { execFileSync } from "node:child_process";
import { appendFileSync, chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { restoreBase } from "../../src/adapters/files/base-restore.js";
import { basesOf, createBaseKeeper } from "../../src/adapters/files/base-store.js";
import { createRandomIds } from "../../src/adapters/system/ids.js";
import { LIMITS, type Digest } from "../../src/core/shared/index.js";

const never = new AbortController().signal;
let base = "";
let folder = "";
let state = "";
const keeper = () => createBaseKeeper(state, createRandomIds().next);
const picture = (path: string): string => execFileSync("bash", ["-c", 'cd "$1" && find . -printf "%p %y %m %l %TY%Tm%Td%TH%TM\\n" | sort && find . -type f -print0 | sort -z | xargs -0 sha256sum', "-", path], { encoding: "utf8" });

function again(digest: Digest | null): string {
  const into = mkdtempSync(join(base, "again-"));
  restoreBase(state, { workspace: folder, digest: digest ?? `sha256:${"0".repeat(64)}` }, into);
  return into;
}

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "ringfence-base-"));
  [folder, state] = [join(base, "w"), join(base, "state")];
  mkdirSync(join(folder, "deep/er"), { recursive: true });
  writeFileSync(join(folder, "a.txt"), "one\n");
  writeFileSync(join(folder, "deep/er/b.bin"), Buffer.from([0, 255, 1]));
  writeFileSync(join(folder, "tool"), "#!/bin/sh\n");
  writeFileSync(Buffer.concat([Buffer.from(join(folder, "odd-")), Buffer.from([0xff, 0x0a])]), "odd\n");
  writeFileSync(join(folder, ".env"), "SECRET=1\n");
  chmodSync(join(folder, "tool"), 0o755);
  chmodSync(join(folder, "deep"), 0o700);
  symlinkSync("../nowhere", join(folder, "deep/link"));
  for (const name of ["a.txt", "tool", "deep/er", "deep", "."]) utimesSync(join(folder, name), 1_500_000_000, 1_500_000_000);
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

describe("a kept folder", () => {
  it("is made again as it was, whatever became of it since", async () => {
    const before = picture(folder);
    const kept = await keeper().keep(folder, [], never);
    expect(kept).toMatchObject({ files: 5, why: null });
    writeFileSync(join(folder, "a.txt"), "two\n");
    rmSync(join(folder, "deep"), { recursive: true });
    expect(picture(again(kept.digest))).toBe(before);
  });

  it("leaves out what is hidden, with all below it", async () => {
    const kept = await keeper().keep(folder, [".env", "deep"], never);
    expect(readdirSync(again(kept.digest)).sort()).not.toContain("deep");
    const all = readdirSync(basesOf(state, folder)).map((name) => readFileSync(join(basesOf(state, folder), name), "latin1")).join("");
    expect(all).not.toContain("SECRET=1");
  });

  it("keeps a content once, and of a second session only what is new", async () => {
    const first = await keeper().keep(folder, [], never);
    const packs = () => readdirSync(basesOf(state, folder)).filter((name) => name.endsWith(".pack"));
    expect(packs()).toHaveLength(1);
    expect((await keeper().keep(folder, [], never)).digest).toBe(first.digest);
    expect(packs()).toHaveLength(1);
    writeFileSync(join(folder, "new.txt"), "new\n");
    const second = await keeper().keep(folder, [], never);
    expect(second.digest).not.toBe(first.digest);
    expect(packs().map((name) => statSync(join(basesOf(state, folder), name)).size).sort((a, b) => a - b)[0]).toBe(4);
    expect(readFileSync(join(again(second.digest), "new.txt"), "utf8")).toBe("new\n");
    expect(readFileSync(join(again(first.digest), "a.txt"), "utf8")).toBe("one\n");
  });

  it("is a change seen by, however quickly it came and whatever its time says", async () => {
    const first = await keeper().keep(folder, [], never);
    writeFileSync(join(folder, "a.txt"), "two\n");
    utimesSync(join(folder, "a.txt"), 1_500_000_000, 1_500_000_000);
    const second = await keeper().keep(folder, [], never);
    expect(second.digest).not.toBe(first.digest);
    expect(readFileSync(join(again(second.digest), "a.txt"), "utf8")).toBe("two\n");
  });

  it("is refused where what is kept was changed, cut, or is gone", async () => {
    const kept = await keeper().keep(folder, [], never);
    const at = basesOf(state, folder);
    const file = (end: string) => join(at, readdirSync(at).find((name) => name.endsWith(end)) ?? "");
    const list = file(".names");
    const text = readFileSync(list);
    appendFileSync(list, " ");
    expect(() => again(kept.digest)).toThrow(/not what is on record/u);
    writeFileSync(list, text);
    const pack = readFileSync(file(".pack"));
    writeFileSync(file(".pack"), Buffer.from(pack.map((byte) => byte ^ 1)));
    expect(() => again(kept.digest)).toThrow(/not what is on record/u);
    truncateSync(file(".pack"), 1);
    expect(() => again(kept.digest)).toThrow(/not what is on record/u);
    rmSync(file(".index"));
    expect(() => again(kept.digest)).toThrow(/not kept any more/u);
    expect(() => again(null)).toThrow(/not kept any more/u);
  });

  it("past a limit, or where it cannot be read, is not kept and says so", async () => {
    writeFileSync(join(folder, "large"), "");
    truncateSync(join(folder, "large"), LIMITS.baseBytes + 1);
    expect(await keeper().keep(folder, [], never)).toEqual({ digest: null, files: 0, bytes: 0, why: `the folder holds more than ${LIMITS.baseBytes} bytes` });
    expect(await keeper().keep(folder, ["large"], never)).toMatchObject({ why: null });
    expect(await keeper().keep(join(base, "none"), [], never)).toMatchObject({ digest: null });
    expect(readdirSync(basesOf(state, folder)).filter((name) => name.endsWith(".pack"))).toHaveLength(1);
  });

  it("past the limit of bytes is not read to find that out", async () => {
    for (let index = 0; index < 5; index += 1) {
      writeFileSync(join(folder, `f${String(index)}`), "");
      truncateSync(join(folder, `f${String(index)}`), LIMITS.baseBytes / 4);
    }
    const before = bytesRead();
    expect(await keeper().keep(folder, [], never)).toMatchObject({ digest: null, why: `the folder holds more than ${LIMITS.baseBytes} bytes` });
    expect(bytesRead() - before).toBeLessThan(1024 * 1024);
  });
});

/** By this process, as the kernel counts it. */
function bytesRead(): number {
  return Number(/^rchar: (\d+)$/mu.exec(readFileSync("/proc/self/io", "utf8"))?.[1]);
}
