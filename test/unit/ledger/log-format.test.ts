// docs/log-format.md: its vectors are what we write, and a verifier made from the page alone agrees with ours.

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { verifierKey } from "../../../src/core/ledger/index.js";
import { publicKeyPem, sha256 } from "../../../src/adapters/system/hasher.js";
import type { EventDraft } from "../../../src/core/session/event.js";
import type { SessionId } from "../../../src/core/shared/index.js";
import { plainVerify } from "./plain-verifier.js";
import { buildLedger, sampleLedger, SESSION, SIGNER, toBytes, verifyBytes } from "./sample.js";

const read = (path: string): string => readFileSync(new URL(`../../../${path}`, import.meta.url), "utf8");
const doc = read("docs/log-format.md");
const PEM = publicKeyPem(SIGNER.publicKey);

const VECTOR_SESSION: SessionId = "ses_example1";
const VECTOR: readonly EventDraft[] = [
  { call: null, type: "session.tightened", data: { reason: "limit of € 5 reached", effect: "ask" } },
  { call: "call_0001", type: "call.closed", data: { outcome: "denied", exitCode: null, observationDigest: null } },
  { call: null, type: "session.closed", data: { reason: "finished", detail: null, calls: 1 } },
];
const vector = buildLedger(VECTOR, VECTOR_SESSION);

describe("the test vectors of version 1", () => {
  const ledger = read("test/golden/ledger/v1.jsonl");
  const checkpoint = read("test/golden/ledger/v1.checkpoint");
  const pem = read("test/golden/ledger/v1.public.pem");

  it("are what is written today", () => {
    expect([vector.lines.map((line) => `${line}\n`).join(""), vector.checkpoint(3), PEM]).toEqual([ledger, checkpoint, pem]);
  });

  it("verify, by us and from the page", () => {
    expect(verifyBytes(Buffer.from(ledger), [checkpoint], VECTOR_SESSION)).toMatchObject({ ok: true, records: 3, signed: 3, unsigned: 0 });
    expect(plainVerify(Buffer.from(ledger), checkpoint, pem)).toBe("ok");
  });

  it("stand in the page, with the key for outside tools", () => {
    for (const text of [ledger, checkpoint, pem, verifierKey(sha256, VECTOR_SESSION, SIGNER.publicKey)]) expect(doc).toContain(text);
  });
});

describe("a verifier made from the page", () => {
  const log = sampleLedger(4);
  const head = log.checkpoint(4);
  const ours = (bytes: Uint8Array, note: string): string => {
    const report = verifyBytes(bytes, [note]);
    if (report.ok) return "ok";
    return report.line === null ? "head" : `line ${report.line}`;
  };

  it("agrees with ours on a sound ledger and on older heads", () => {
    for (let size = 0; size <= 4; size++) expect([plainVerify(log.bytes, log.checkpoint(size), PEM), ours(log.bytes, log.checkpoint(size))]).toEqual(["ok", "ok"]);
  });

  it("agrees with ours on bytes changed all over the file", () => {
    for (let at = 0; at < log.bytes.length; at += 7) {
      const bytes = log.bytes.slice();
      bytes[at] = (bytes[at] ?? 0) ^ 1;
      expect([at, plainVerify(bytes, head, PEM)]).toEqual([at, ours(bytes, head)]);
    }
  });

  it("agrees with ours on lines dropped, doubled, swapped and cut, and on a wrong head", () => {
    const { lines } = log;
    const edits = [lines.toSpliced(1, 1), lines.toSpliced(1, 0, lines[1] ?? ""), lines.toSpliced(1, 2, lines[2] ?? "", lines[1] ?? ""), lines.slice(1), lines.slice(0, 2), []];
    for (const edit of edits) expect(plainVerify(toBytes(edit), head, PEM)).toBe(ours(toBytes(edit), head));
    for (const note of [head.replace("\n4\n", "\n3\n"), head.replace(SESSION, "ses_sample02"), buildLedger([]).checkpoint(0)]) {
      expect(plainVerify(log.bytes, note, PEM)).toBe(note.includes("\n0\n") ? "ok" : "head");
    }
  });
});
