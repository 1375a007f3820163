// The lock of a session whose holder was killed, and whose parent never asks what became of it: its remains hold nothing.

import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { isLocked, takeLock } from "../../src/adapters/store/session-lock.js";
import { processStart } from "../../src/adapters/system/process-start.js";

let folder: string;
let parent: ChildProcess | null = null;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ringfence-lock-"));
});
afterEach(() => {
  parent?.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

/** A process with a parent that does not wait for it. */
async function unwatched(): Promise<number> {
  const made = spawn("bash", ["-c", "sleep 100 & echo $!; exec sleep 100"], { stdio: ["ignore", "pipe", "inherit"] });
  parent = made;
  return Number(await new Promise<string>((resolve) => made.stdout.once("data", (chunk: Buffer) => resolve(chunk.toString().trim()))));
}

it("is held by a living process, and free once that is killed, also while its remains have their number", async () => {
  const pid = await unwatched();
  const path = join(folder, "lock");
  const boot = readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
  writeFileSync(path, JSON.stringify({ pid, start: processStart(pid), boot, space: readlinkSync("/proc/self/ns/pid"), nonce: "x" }));
  expect(isLocked(path)).toBe(true);
  expect(() => takeLock(path)).toThrow(`process ${pid} works on this session`);
  process.kill(pid, "SIGKILL");
  await vi.waitFor(() => expect(readFileSync(`/proc/${pid}/stat`, "latin1")).toContain(" Z "), { interval: 1 });
  expect(isLocked(path)).toBe(false);
  takeLock(path).release();
});
