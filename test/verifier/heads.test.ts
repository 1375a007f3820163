// That a later head only adds to an earlier one, by two verifiers; what a witness says of a head; and what a head kept elsewhere tells.

import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createRecordingTelemetry, createSteppingClock } from "../../src/adapters/memory/system.js";
import { createLedgerStore } from "../../src/adapters/store/index.js";
import { checkEd25519, publicKeyPem, sha256 } from "../../src/adapters/system/hasher.js";
import { createSigner } from "../../src/adapters/system/signer.js";
import { openStateDir } from "../../src/adapters/system/state-dir.js";
import { checkHeads, proveHead } from "../../src/compose-heads.js";
import { bytesToBase64, consistencyProof, digestBytes, isConsistent, parseWitnessKey, verdictOfLedger, witnessedAt } from "../../src/core/ledger/index.js";
import type { SessionId } from "../../src/core/shared/index.js";
import { note, opened } from "../contract/ledger.contract.js";
import { buildLedger, openHead, sampleDraft, seededSigner, SESSION, SIGNER } from "../unit/ledger/sample.js";

const PEM = publicKeyPem(SIGNER.publicKey);
const RECORDS = 34;
const log = buildLedger(Array.from({ length: RECORDS }, (_, n) => sampleDraft(n)));
const entries = (size: number): Uint8Array => Buffer.concat(log.hashes.slice(0, size).map(digestBytes));

describe("a consistency proof", () => {
  it("holds for every pair of sizes, and no other proof, head or order does", () => {
    for (let size = 1; size <= RECORDS; size += 1) {
      const later = openHead(log.checkpoint(size));
      for (let from = 1; from <= size; from += 1) {
        const earlier = openHead(log.checkpoint(from));
        const proof = consistencyProof(entries(size), from, sha256);
        expect([from, size, isConsistent(earlier, later, proof, sha256)]).toEqual([from, size, true]);
        if (from < size) expect(isConsistent(later, earlier, proof, sha256)).toBe(false);
        if (proof.length > 0) expect(isConsistent(earlier, later, proof.slice(1), sha256)).toBe(false);
        expect(isConsistent(earlier, later, [...proof, later.root], sha256)).toBe(false);
        for (const [at, hash] of proof.entries()) expect(isConsistent(earlier, later, proof.with(at, hash.map((byte) => byte ^ 1)), sha256)).toBe(false);
        expect(isConsistent({ ...earlier, root: earlier.root.map((byte) => byte ^ 1) }, later, proof, sha256)).toBe(false);
        expect(isConsistent(earlier, { ...later, root: later.root.map((byte) => byte ^ 1) }, proof, sha256)).toBe(false);
      }
    }
    expect(isConsistent(openHead(log.checkpoint(0)), openHead(log.checkpoint(5)), [], sha256)).toBe(true);
    expect(isConsistent(openHead(log.checkpoint(1)), { ...openHead(log.checkpoint(5)), session: "ses_another1" }, consistencyProof(entries(5), 1, sha256), sha256)).toBe(false);
  });

  it("is taken and refused alike by the second verifier", () => {
    const program = readFileSync(join(import.meta.dirname, "verify.py"), "utf8");
    if (spawnSync("python3", ["--version"]).status !== 0) return;
    const cases = [1, 3, 8, 33].flatMap((size) =>
      [0, 1, 3, 7, 8, 30].filter((from) => from <= size).flatMap((from) => {
        const hashes = (from === 0 ? [] : consistencyProof(entries(size), from, sha256)).map(bytesToBase64);
        const proof = { v: 1, session: SESSION, from, to: size, hashes };
        const heads = { old: log.checkpoint(from), new: log.checkpoint(size), key: PEM };
        return [{ ...heads, proof }, { ...heads, proof: { ...proof, hashes: [...hashes, bytesToBase64(new Uint8Array(32))] } }, { ...heads, proof: { ...proof, hashes: hashes.slice(1) } }, { ...heads, old: heads.new, new: heads.old, proof }];
      }),
    );
    const theirs = execFileSync("python3", ["-c", program, "--consistent", "--batch"], { input: cases.map((one) => `${JSON.stringify(one)}\n`).join(""), encoding: "utf8", timeout: 60_000 }).trimEnd().split("\n");
    const ours = cases.map((one) => (checkHeads({ earlier: one.old, later: one.new, proof: JSON.stringify(one.proof), keyPem: PEM }) === null ? "consistent" : "inconsistent"));
    expect(theirs).toEqual(ours);
    expect(new Set(ours).size).toBe(2);
  });
});

describe("a witness", () => {
  const name = "witness.example/one";
  const signer = seededSigner(9);
  const raw = Buffer.concat([Buffer.from([4]), signer.publicKey]);
  const id = createHash("sha256").update(`${name}\n`).update(raw).digest().subarray(0, 4);
  const key = `${name}+${id.toString("hex")}+${raw.toString("base64")}`;
  const head = log.checkpoint(5);
  const cosigned = (text: string, seconds: number): string => {
    const body = text.slice(0, text.lastIndexOf("\n\n") + 1);
    const time = Buffer.alloc(8);
    time.writeBigUInt64BE(BigInt(seconds));
    const signature = signer.sign(Buffer.from(`cosignature/v1\ntime ${seconds}\n${body}`));
    return `${text}\u2014 ${name} ${Buffer.concat([id, time, signature]).toString("base64")}\n`;
  };
  const parsed = parseWitnessKey(key, sha256);

  it("that signed this head is told with its time, and the head stays ours", () => {
    const both = cosigned(head, 1_790_000_000);
    if (!parsed.ok) throw new Error(parsed.error);
    expect(witnessedAt(both, parsed.value, checkEd25519)).toEqual({ ok: true, value: 1_790_000_000 });
    expect(openHead(both)).toEqual(openHead(head));
  });

  it("that did not, or signed another head, or another time, is no witness; nor is another kind of key", () => {
    if (!parsed.ok) throw new Error(parsed.error);
    const other = cosigned(log.checkpoint(6), 1_790_000_000).split("\n").at(-2) ?? "";
    const moved = cosigned(head, 1_790_000_000).replace(/([A-Za-z0-9+/=]+)\n$/u, (line) => {
      const bytes = Buffer.from(line.trim(), "base64");
      bytes[11] = (bytes[11] ?? 0) ^ 1;
      return `${bytes.toString("base64")}\n`;
    });
    for (const bad of [head, `${head}${other}\n`, moved, ""]) expect(witnessedAt(bad, parsed.value, checkEd25519).ok).toBe(false);
    for (const bad of ["", "x", key.replace("+", " "), key.replace(id.toString("hex"), "00000000"), `${name}+${id.toString("hex")}+${Buffer.concat([Buffer.from([1]), signer.publicKey]).toString("base64")}`]) expect(parseWitnessKey(bad, sha256).ok).toBe(false);
  });
});

describe("a head kept elsewhere", () => {
  it("tells an older record that was put back with its older head, and that a later one only adds", async () => {
    const id: SessionId = "ses_expected1";
    const home = mkdtempSync(join(tmpdir(), "ringfence-heads-"));
    try {
      const stateDir = openStateDir(home);
      const store = createLedgerStore({ stateDir, clock: createSteppingClock(), hasher: sha256, signer: createSigner(stateDir), telemetry: createRecordingTelemetry() });
      const first = await store.create(id);
      await first.append([opened("/w"), note("one")]);
      await first.close();
      const older = store.checkpoint(id) ?? "";
      copyFileSync(store.ledgerFile(id), join(home, "older"));
      const ledger = await store.reopen(id);
      await ledger.append([note("two")]);
      await ledger.close();
      const newer = store.checkpoint(id) ?? "";
      expect(await store.verify(id, { expected: [older, newer] })).toMatchObject({ ok: true, records: 3, signed: 3 });
      const proof = JSON.stringify(await proveHead(id, older, { RINGFENCE_HOME: home, RINGFENCE_LOG_LEVEL: "silent" }));
      const keyPem = store.publicKeyPem();
      expect([checkHeads({ earlier: older, later: newer, proof, keyPem }), checkHeads({ earlier: older, later: newer, proof: "{}", keyPem })]).toEqual([null, "the proof is none for these heads"]);
      // Both are put back.
      truncateSync(store.ledgerFile(id), readFileSync(join(home, "older")).length);
      writeFileSync(join(home, "heads", `${id}.checkpoint`), older);
      expect(await store.verify(id)).toMatchObject({ ok: true, records: 2, signed: 2 });
      expect(await store.verify(id, { expected: [newer] })).toMatchObject({ ok: false, fault: "cut", line: 3 });
      expect(await store.verify(id, { expected: [log.checkpoint(2)] })).toMatchObject({ ok: false, fault: "checkpoint-invalid" });
      await expect(proveHead(id, newer, { RINGFENCE_HOME: home, RINGFENCE_LOG_LEVEL: "silent" })).rejects.toMatchObject({ code: "LEDGER_INVALID" });
    } finally {
      rmSync(home, { recursive: true, force: true });
    }
  });

  it("makes the verdict: without one completeness is unknown", () => {
    const sound = { ok: true, session: SESSION, records: 5, bytes: 1, lastHash: null, signed: 5, unsigned: 0 } as const;
    expect([null, 5, 3].map((expected) => verdictOfLedger(sound, expected))).toEqual(["internally consistent, completeness unknown", "intact and complete", "internally consistent, complete up to the expected head"]);
    expect(verdictOfLedger({ ok: false, session: SESSION, fault: "cut", line: 1, offset: 0, message: "", records: 0, headHolds: false }, 5)).toBe("invalid");
  });
});
