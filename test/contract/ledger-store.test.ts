// What only the store on disk has: crashes, other processes, full disks, tampering with files, modes.

import { execFile, spawn, type ChildProcess, type ChildProcessByStdio } from "node:child_process";
import { chmodSync, copyFileSync, existsSync, linkSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, truncateSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { createRecordingTelemetry, createSteppingClock } from "../../src/adapters/memory/system.js";
import { createLedgerStore, type FileLedgerStore } from "../../src/adapters/store/index.js";
import { sha256 } from "../../src/adapters/system/hasher.js";
import { createKeyedDigest, createSigner } from "../../src/adapters/system/signer.js";
import { openStateDir, resolveStateDir } from "../../src/adapters/system/state-dir.js";
import type { SessionId } from "../../src/core/shared/index.js";
import { note, opened } from "./ledger.contract.js";

const ID: SessionId = "ses_disk0001";
/** Memory where there is some: these tests sync thousands of times, and no power will fail. */
const BASE = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();
let stateDir: string;
let store: FileLedgerStore;
let bundleDir: string;
let child: string;
const children: ChildProcess[] = [];

const openStore = (dir: string): FileLedgerStore =>
  createLedgerStore({ stateDir: dir, clock: createSteppingClock(), hasher: sha256, signer: createSigner(dir), telemetry: createRecordingTelemetry() });
const ledgerPath = (): string => join(stateDir, "sessions", ID, "ledger.jsonl");
const headPath = (): string => join(stateDir, "heads", `${ID}.checkpoint`);

beforeAll(async () => {
  bundleDir = mkdtempSync(join(tmpdir(), "ringfence-child-"));
  child = join(bundleDir, "child.mjs");
  await build({ entryPoints: [fileURLToPath(new URL("ledger-child.ts", import.meta.url))], bundle: true, platform: "node", format: "esm", outfile: child, logLevel: "error" });
});
afterAll(() => rmSync(bundleDir, { recursive: true, force: true }));
beforeEach(() => {
  stateDir = openStateDir(mkdtempSync(join(BASE, "ringfence-store-")));
  store = openStore(stateDir);
});
afterEach(() => {
  for (const one of children.splice(0)) one.kill("SIGKILL");
  rmSync(stateDir, { recursive: true, force: true });
});

/** Starts a process that takes the lock and keeps it until it is told to go on. */
function hold(): ChildProcessByStdio<Writable, Readable, null> {
  const one = spawn(process.execPath, [child, "hold", stateDir, ID], { stdio: ["pipe", "pipe", "inherit"] });
  children.push(one);
  return one;
}

/** Number of records that the head on disk vouches for. */
const signedRecords = (): number => Number(readFileSync(headPath(), "utf8").split("\n")[1]);

/** Ends when the head vouches for so many records. */
const untilSigned = (records: number): Promise<void> => vi.waitFor(() => expect(signedRecords()).toBe(records), { interval: 1 });

/** Writes records in two batches; the head of the first one is kept. */
async function twoBatches(): Promise<{ readonly firstHead: string; readonly firstBytes: number }> {
  const ledger = await store.create(ID);
  await ledger.append([opened("/w"), note("one")]);
  await untilSigned(2);
  const firstHead = readFileSync(headPath(), "utf8");
  const firstBytes = statSync(ledgerPath()).size;
  await ledger.append([note("two €")]);
  await ledger.close();
  return { firstHead, firstBytes };
}

describe("a crash", () => {
  it("at every byte of the last record leaves a session that opens again and says what happened", async () => {
    const { firstHead, firstBytes } = await twoBatches();
    const whole = readFileSync(ledgerPath());
    for (let size = firstBytes; size <= whole.length; size++) {
      writeFileSync(ledgerPath(), whole.subarray(0, size));
      writeFileSync(headPath(), firstHead);
      for (const name of readdirSync(join(stateDir, "sessions", ID))) if (name.includes("torn")) unlinkSync(join(stateDir, "sessions", ID, name));
      const torn = size === whole.length ? 0 : size - firstBytes;
      const unsigned = size === whole.length ? 1 : 0;
      const report = await store.verify(ID);
      expect(report).toMatchObject(torn > 0 ? { ok: false, fault: "torn", line: 3, records: 2, headHolds: true } : { ok: true, records: 2 + unsigned, signed: 2, unsigned });
      expect(await store.read(ID)).toHaveLength(2 + unsigned);
      const ledger = await store.reopen(ID);
      expect(ledger.recovered ?? null).toEqual(torn + unsigned === 0 ? null : { tornBytes: torn, unsignedRecords: unsigned });
      const [event] = await ledger.append([note("after")]);
      expect(event?.seq).toBe(2 + unsigned);
      await ledger.close();
      expect(await store.verify(ID)).toMatchObject({ ok: true, records: 3 + unsigned, unsigned: 0 });
      if (torn > 0) expect(readFileSync(`${ledgerPath()}.torn-1`)).toEqual(whole.subarray(firstBytes, size));
    }
  }, 60_000);

  it("never overwrites what an earlier crash left", async () => {
    const { firstHead, firstBytes } = await twoBatches();
    const whole = readFileSync(ledgerPath());
    for (const extra of [5, 9]) {
      writeFileSync(ledgerPath(), whole.subarray(0, firstBytes + extra));
      writeFileSync(headPath(), firstHead);
      await (await store.reopen(ID)).close();
    }
    expect([statSync(`${ledgerPath()}.torn-1`).size, statSync(`${ledgerPath()}.torn-2`).size]).toEqual([5, 9]);
  });

  it("by SIGKILL at any moment loses no acknowledged record", async () => {
    for (let round = 0; round < 6; round++) {
      const writer = spawn(process.execPath, [child, round === 0 ? "create" : "append", stateDir, ID], { stdio: ["ignore", "pipe", "inherit"] });
      children.push(writer);
      let out = "";
      await new Promise<void>((resolve) => {
        writer.stdout.on("data", (chunk: Buffer) => {
          out += chunk.toString();
          if (out.split("\n").length > 5 + round * 7) writer.kill("SIGKILL");
        });
        writer.once("close", () => resolve());
      });
      const acknowledged = Number(/(?:seq (\d+)\n)(?!.*seq \d+\n)/s.exec(out)?.[1]);
      expect(acknowledged).toBeGreaterThan(0);
      const report = await store.verify(ID);
      expect(report.ok || (report.fault === "torn" && report.headHolds)).toBe(true);
      expect(report.records).toBeGreaterThan(acknowledged);
    }
    const ledger = await store.reopen(ID);
    await ledger.close();
    expect(await store.verify(ID)).toMatchObject({ ok: true, unsigned: 0 });
  }, 60_000);
});

describe("the signed head", () => {
  it("vouches for what was acknowledged by itself, without another append", async () => {
    const ledger = await store.create(ID);
    await ledger.append([opened("/w"), note("one")]);
    await untilSigned(2);
    truncateSync(ledgerPath(), readFileSync(ledgerPath(), "utf8").indexOf("\n") + 1);
    expect(await store.verify(ID)).toMatchObject({ ok: false, fault: "cut" });
    await ledger.close();
  });

  it("is at most two batches behind a caller that leaves no free moment, and whole after the close", async () => {
    const ledger = await store.create(ID);
    let most = 0;
    for (let n = 0; n < 20; n++) {
      await ledger.append([note(`record ${n}`)]);
      most = Math.max(most, n + 1 - signedRecords());
    }
    expect(most).toBeLessThanOrEqual(2);
    await ledger.append([note("last")]);
    await ledger.close();
    expect(signedRecords()).toBe(21);
  });

  it("that cannot be written ends the record and is told at the close", async () => {
    const dir = openStateDir(mkdtempSync(join(BASE, "ringfence-store-")));
    try {
      const real = createSigner(dir);
      const broken = { off: false };
      const sign = (message: Uint8Array): Uint8Array => {
        if (broken.off) throw new Error("the key is gone");
        return real.sign(message);
      };
      const telemetry = createRecordingTelemetry();
      const ledger = await createLedgerStore({ stateDir: dir, clock: createSteppingClock(), hasher: sha256, signer: { ...real, sign }, telemetry }).create(ID);
      broken.off = true;
      await ledger.append([opened("/w")]);
      await vi.waitFor(() => expect(telemetry.lines.map(({ message }) => message)).toContain("ledger head not written"), { interval: 1 });
      await expect(ledger.append([note("x")])).rejects.toMatchObject({ code: "LEDGER_APPEND_FAILED" });
      await expect(ledger.close()).rejects.toMatchObject({ code: "LEDGER_APPEND_FAILED" });
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });
});

describe("a full disk", () => {
  it("fails the append, cuts back to the last whole record, and leaves a sound ledger", async () => {
    const { stdout, code } = await new Promise<{ stdout: string; code: unknown }>((resolve) => {
      execFile("bash", ["-c", `ulimit -f 16; exec "$@"`, "-", process.execPath, child, "create", stateDir, ID], (error, out) => resolve({ stdout: out, code: error?.code ?? 0 }));
    });
    const lines = stdout.trim().split("\n");
    expect([code, lines.at(-1)]).toEqual([3, "error LEDGER_APPEND_FAILED"]);
    const last = Number(lines.at(-2)?.slice("seq ".length));
    expect(await store.verify(ID)).toMatchObject({ ok: true, records: last + 1, unsigned: 0 });
  });
});

describe("a ledger file changed while it is open", () => {
  it.each<readonly [string, () => void]>([
    ["removed", () => unlinkSync(ledgerPath())],
    ["moved away", () => renameSync(ledgerPath(), `${ledgerPath()}.away`)],
    ["replaced", () => (copyFileSync(ledgerPath(), `${ledgerPath()}.copy`), renameSync(`${ledgerPath()}.copy`, ledgerPath()))],
    ["written to", () => writeFileSync(ledgerPath(), "x\n", { flag: "a" })],
    ["cut", () => truncateSync(ledgerPath(), 10)],
    ["linked elsewhere", () => linkSync(ledgerPath(), `${ledgerPath()}.link`)],
  ])("refuses further records when it was %s", async (_, change) => {
    const ledger = await store.create(ID);
    await ledger.append([opened("/w")]);
    change();
    await expect(ledger.append([note("x")])).rejects.toMatchObject({ code: "LEDGER_APPEND_FAILED" });
    await expect(ledger.append([note("y")])).rejects.toMatchObject({ code: "LEDGER_APPEND_FAILED" });
    await ledger.close();
  });

  it("refuses the record that was waiting for an output to be durable meanwhile", async () => {
    const ledger = await store.create(ID);
    await ledger.append([opened("/w")]);
    await ledger.putBlob(Buffer.from("output"));
    const pending = ledger.append([note("x")]);
    // The sync of the output has begun, and no turn of the event loop has passed in which it could be known to have ended.
    for (let step = 0; step < 10; step++) await Promise.resolve();
    writeFileSync(ledgerPath(), "x\n", { flag: "a" });
    await expect(pending).rejects.toMatchObject({ code: "LEDGER_APPEND_FAILED" });
    await ledger.close();
  });
});

describe("the lock", () => {
  const lockPath = (): string => join(stateDir, "sessions", ID, "lock");

  it("keeps out another process while the first one lives, and lets it in afterwards", async () => {
    await (await store.create(ID)).close();
    const holder = hold();
    await new Promise((resolve) => holder.stdout.once("data", resolve));
    await expect(store.reopen(ID)).rejects.toMatchObject({ code: "SESSION_BUSY" });
    const ended = new Promise((resolve) => holder.once("close", resolve));
    holder.kill("SIGKILL");
    await ended;
    const ledger = await store.reopen(ID);
    await ledger.close();
    expect(readdirSync(join(stateDir, "sessions", ID)).sort()).toEqual(["ledger.jsonl"]);
  });

  it("of a dead process is taken over by exactly one of many", async () => {
    await (await store.create(ID)).close();
    const first = hold();
    await new Promise((resolve) => first.stdout.once("data", resolve));
    const ended = new Promise((resolve) => first.once("close", resolve));
    first.kill("SIGKILL");
    await ended;
    const racers = Array.from({ length: 5 }, hold);
    const said = await Promise.all(racers.map((racer) => new Promise<string>((resolve) => racer.stdout.once("data", (chunk: Buffer) => resolve(chunk.toString().trim())))));
    const done = racers.map((racer) => new Promise((resolve) => (racer.exitCode === null ? racer.once("close", resolve) : resolve(null))));
    racers[said.indexOf("open")]?.stdin.end("go\n");
    await Promise.all(done);
    expect(said.toSorted()).toEqual([...Array.from({ length: 4 }, () => "error SESSION_BUSY"), "open"]);
    expect(readdirSync(join(stateDir, "sessions", ID)).sort()).toEqual(["ledger.jsonl"]);
  }, 30_000);

  it("from another boot is taken over; one that cannot be understood is not", async () => {
    await (await store.create(ID)).close();
    writeFileSync(lockPath(), JSON.stringify({ pid: process.pid, start: null, boot: "another-boot", space: null, nonce: "x" }));
    await (await store.reopen(ID)).close();
    writeFileSync(lockPath(), "who knows");
    await expect(store.reopen(ID)).rejects.toMatchObject({ code: "SESSION_BUSY" });
  });
});

describe("verify", () => {
  it("finds the head gone, changed, or of an older state of the same file", async () => {
    const { firstHead, firstBytes } = await twoBatches();
    const lastHead = readFileSync(headPath(), "utf8");
    const outside = join(stateDir, "kept-elsewhere");
    writeFileSync(outside, lastHead);
    unlinkSync(headPath());
    expect(await store.verify(ID)).toMatchObject({ ok: false, fault: "checkpoint-missing" });
    await expect(store.reopen(ID)).rejects.toMatchObject({ code: "LEDGER_INVALID" });
    writeFileSync(headPath(), lastHead.replace("\n3\n", "\n2\n"));
    expect(await store.verify(ID)).toMatchObject({ ok: false, fault: "checkpoint-invalid" });
    // Ledger and head both put back: only a head kept elsewhere can tell.
    truncateSync(ledgerPath(), firstBytes);
    writeFileSync(headPath(), firstHead);
    expect(await store.verify(ID)).toMatchObject({ ok: true, records: 2 });
    expect(await store.verify(ID, { checkpoints: [outside] })).toMatchObject({ ok: false, fault: "cut", line: 3 });
  });

  it("takes a copy of a ledger anywhere, held against the head of its session", async () => {
    await twoBatches();
    const copy = join(stateDir, "copy.jsonl");
    copyFileSync(ledgerPath(), copy);
    expect(await store.verify(copy)).toMatchObject({ ok: true, session: ID, records: 3, signed: 3 });
    for (const at of [3, 400, statSync(copy).size - 30]) {
      const bytes = readFileSync(ledgerPath());
      bytes[at] = (bytes[at] ?? 0) ^ 1;
      writeFileSync(copy, bytes);
      expect(await store.verify(copy)).toMatchObject({ ok: false, line: bytes.subarray(0, at).toString("latin1").split("\n").length });
    }
    writeFileSync(copy, "");
    expect(await store.verify(copy)).toMatchObject({ ok: false, fault: "checkpoint-missing" });
    await expect(store.verify(join(stateDir, "nothing.jsonl"))).rejects.toMatchObject({ code: "SESSION_NOT_FOUND" });
    await expect(store.verify(stateDir)).rejects.toMatchObject({ code: "USAGE_INVALID" });
  });

  it("takes evidence of another machine with its checkpoint beside it and its key", async () => {
    await twoBatches();
    const elsewhere = openStateDir(join(stateDir, "elsewhere"));
    const file = join(elsewhere, "theirs.jsonl");
    copyFileSync(ledgerPath(), file);
    copyFileSync(headPath(), `${file}.checkpoint`);
    const there = openStore(elsewhere);
    expect(await there.verify(file)).toMatchObject({ ok: false, fault: "checkpoint-invalid" });
    expect(await there.verify(file, { publicKeyPem: store.publicKeyPem() })).toMatchObject({ ok: true, records: 3, signed: 3 });
    await expect(there.verify(file, { publicKeyPem: "no key" })).rejects.toMatchObject({ code: "USAGE_INVALID" });
  });

  it("finds an emptied ledger in its own folder by the head", async () => {
    await twoBatches();
    writeFileSync(ledgerPath(), "");
    for (const target of [ID, ledgerPath()]) expect(await store.verify(target)).toMatchObject({ ok: false, fault: "cut", line: 1 });
  });
});

describe("a reader beside a writer of another process", () => {
  it("always finds a sound ledger, and never loses sight of what it saw", async () => {
    const writer = spawn(process.execPath, [child, "pace", stateDir, ID], { stdio: ["ignore", "pipe", "inherit"] });
    children.push(writer);
    await new Promise((resolve) => writer.stdout.once("data", resolve));
    writer.stdout.resume();
    let seen = 0;
    for (let look = 0; look < 20; look++) {
      const report = await store.verify(ID);
      expect(report).toMatchObject({ ok: true });
      expect(report.records).toBeGreaterThanOrEqual(seen);
      seen = report.records;
      expect((await store.read(ID)).length).toBeGreaterThanOrEqual(seen);
    }
    expect(seen).toBeGreaterThan(0);
  });
});

describe("blobs", () => {
  it("that were changed are refused, and a torn one is mended by storing it again", async () => {
    const ledger = await store.create(ID);
    const digest = await ledger.putBlob(Buffer.from("content"));
    await ledger.append([note("x")]);
    const hex = digest.slice("sha256:".length);
    const path = join(stateDir, "sessions", ID, "blobs", hex.slice(0, 2), hex);
    truncateSync(path, 3);
    await expect(store.readBlob(ID, digest)).rejects.toMatchObject({ code: "LEDGER_INVALID" });
    await ledger.putBlob(Buffer.from("content"));
    await ledger.close();
    expect(Buffer.from(await store.readBlob(ID, digest)).toString()).toBe("content");
    await expect(store.readBlob(ID, "sha256:../../../keys/ledger-ed25519.pem" as typeof digest)).rejects.toMatchObject({ code: "LEDGER_INVALID" });
  });
});

describe("the state folder", () => {
  it("is private, with all that lies in it", async () => {
    const ledger = await store.create(ID);
    await ledger.putBlob(Buffer.from("x"));
    await ledger.append([opened("/w")]);
    await ledger.close();
    createKeyedDigest(stateDir);
    const modes = new Set<string>();
    for (const entry of readdirSync(stateDir, { recursive: true, withFileTypes: true })) {
      modes.add(`${entry.isDirectory() ? "folder" : "file"} ${(statSync(join(entry.parentPath, entry.name)).mode & 0o777).toString(8)}`);
    }
    expect([...modes].toSorted()).toEqual(["file 600", "folder 700"]);
  });

  it("is refused where others can write, or where it is no folder", () => {
    const open_ = join(stateDir, "open");
    mkdirSync(open_);
    chmodSync(open_, 0o777);
    expect(() => openStateDir(open_)).toThrow(expect.objectContaining({ code: "STATE_UNUSABLE" }));
    expect(() => openStateDir(join(open_, "below"))).toThrow(expect.objectContaining({ code: "STATE_UNUSABLE" }));
    writeFileSync(join(stateDir, "file"), "");
    expect(() => openStateDir(join(stateDir, "file"))).toThrow(expect.objectContaining({ code: "STATE_UNUSABLE" }));
    expect(() => openStateDir("relative")).toThrow(expect.objectContaining({ code: "STATE_UNUSABLE" }));
  });

  it("is the one named, else the one of the desktop standard, else the one at home", () => {
    const at = (name: string): string => join(stateDir, name);
    expect(resolveStateDir({ RINGFENCE_HOME: at("a"), XDG_STATE_HOME: at("b"), HOME: at("c") })).toBe(at("a"));
    expect(resolveStateDir({ RINGFENCE_HOME: "", XDG_STATE_HOME: at("b"), HOME: at("c") })).toBe(at("b/ringfence"));
    expect(resolveStateDir({ XDG_STATE_HOME: "relative", HOME: at("c") })).toBe(at("c/.local/state/ringfence"));
    expect(statSync(at("c/.local/state/ringfence")).mode & 0o777).toBe(0o700);
  });

  it("refuses links and loose modes in place of its files", async () => {
    await twoBatches();
    renameSync(ledgerPath(), join(stateDir, "real"));
    symlinkSync(join(stateDir, "real"), ledgerPath());
    await expect(store.read(ID)).rejects.toMatchObject({ code: "STATE_UNUSABLE" });
    chmodSync(join(stateDir, "keys", "ledger-ed25519.pem"), 0o644);
    expect(() => createSigner(stateDir)).toThrow(expect.objectContaining({ code: "STATE_UNUSABLE" }));
  });

  it("keeps one signing key and one redaction key", () => {
    expect(createSigner(stateDir).publicKey).toEqual(createSigner(stateDir).publicKey);
    expect(createKeyedDigest(stateDir)("s")).toBe(createKeyedDigest(stateDir)("s"));
    expect(createKeyedDigest(stateDir)("s")).not.toBe(createKeyedDigest(openStateDir(join(stateDir, "other")))("s"));
  });
});

describe("list", () => {
  it("keeps sessions that cannot be understood, without their particulars, and says so", async () => {
    await twoBatches();
    for (const [id, text] of [["ses_garbage1", "not json\n"], ["ses_nolines1", ""]] as const) {
      mkdirSync(join(stateDir, "sessions", id));
      writeFileSync(join(stateDir, "sessions", id, "ledger.jsonl"), text, { mode: 0o600 });
    }
    mkdirSync(join(stateDir, "sessions", "ses_noledger"));
    mkdirSync(join(stateDir, "sessions", "other"));
    expect((await store.list()).map(({ id, workspace, bytes }) => [id, workspace, bytes])).toEqual([
      ["ses_garbage1", "", 9],
      ["ses_nolines1", "", 0],
      [ID, "/w", statSync(ledgerPath()).size],
    ]);
  });
});
