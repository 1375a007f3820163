// One set-up at a time: waiting for a live one, taking over from a dead one.

import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { takeLock } from "../../../scripts/setup/lock.mjs";
import { bootId, identify, isSameProcess, parseStart } from "../../../scripts/setup/processes.mjs";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ringfence-test-lock-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("the set-up lock", () => {
  it("is there while held and gone when given back", async () => {
    const file = join(folder, "state", "setup.lock");
    const release = await takeLock(file);
    expect(existsSync(file)).toBe(true);
    release();
    expect(existsSync(file)).toBe(false);
  });

  it("is taken over from a process that is dead, of another boot, or no process at all", async () => {
    const file = join(folder, "setup.lock");
    for (const holder of [JSON.stringify({ pid: 4_000_000, start: 1, boot: bootId() }), JSON.stringify({ ...identify(process.pid), boot: "other" }), "half writ"]) {
      writeFileSync(file, holder);
      (await takeLock(file, { waitMs: 0 }))();
      expect(existsSync(file)).toBe(false);
    }
  });

  it("makes a second one wait, say so once, and go on afterwards", async () => {
    const file = join(folder, "setup.lock");
    const release = await takeLock(file);
    const told: number[] = [];
    const second = takeLock(file, {
      onWait: (pid) => {
        told.push(pid);
        release();
      },
    });
    (await second)();
    expect(told).toEqual([process.pid]);
  });

  it("gives up on a holder that never ends, and names it", async () => {
    const file = join(folder, "setup.lock");
    const release = await takeLock(file);
    await expect(takeLock(file, { waitMs: -1 })).rejects.toThrow(`process ${process.pid}`);
    release();
  });
});

describe("a recorded process", () => {
  it("is itself", () => {
    expect(isSameProcess(identify(process.pid))).toBe(true);
  });

  it("is not another one that has its number now", () => {
    expect(isSameProcess({ ...identify(process.pid), start: 1 })).toBe(false);
  });

  it("is never process 1 or a nonsense number", () => {
    expect([0, 1, -1, Number.NaN].map((pid) => isSameProcess({ pid, start: null, boot: bootId() }))).toEqual([false, false, false, false]);
  });

  it("is read from /proc whatever its program is called", () => {
    const fields = ["S", ...Array.from({ length: 18 }, (_, index) => String(index)), "4711", "0"];
    expect(parseStart(`12 (a) b (c)) ${fields.join(" ")}`)).toBe(4711);
    expect(parseStart(`12 (gone) Z ${fields.slice(1).join(" ")}`)).toBe(null);
  });
});
