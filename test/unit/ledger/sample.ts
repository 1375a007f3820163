// A small ledger to tamper with: sealed records, a key with a fixed seed, and a checkpoint for any number of records.

import { createPrivateKey, createPublicKey, sign } from "node:crypto";
import {
  createLedgerVerifier,
  createMerkleTree,
  digestBytes,
  genesis,
  openCheckpoint,
  sealRecord,
  signCheckpoint,
  verifyLedger,
  type Head,
  type Signer,
  type VerifyReport,
} from "../../../src/core/ledger/index.js";
import type { EventDraft } from "../../../src/core/session/event.js";
import type { CallId, Digest, SessionId } from "../../../src/core/shared/index.js";
import { checkEd25519, publicKeyFromPem, sha256 } from "../../../src/adapters/system/hasher.js";

export const SESSION: SessionId = "ses_sample01";

/** Signer from a seed of 32 equal bytes. */
export function seededSigner(byte: number): Signer {
  const der = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), Buffer.alloc(32, byte)]);
  const key = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  const publicKey = publicKeyFromPem(createPublicKey(key).export({ type: "spki", format: "pem" }).toString());
  if (publicKey === null) throw new Error("no Ed25519 here");
  return { publicKey, sign: (message) => new Uint8Array(sign(null, message, key)) };
}

const STRICT = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export const SIGNER = seededSigner(7);

/** Drafts of every shape: no call, nested data, text outside ASCII, control characters, numbers. */
export function sampleDraft(n: number): EventDraft {
  const call: CallId = `call_${n}`;
  switch (n % 4) {
    case 0:
      return { call: null, type: "session.tightened", data: { reason: `limit ${n} of € 5 reached`, effect: "ask" } };
    case 1:
      return { call, type: "call.received", data: { label: String(n), role: "bugfixer", tool: "bash", arguments: { command: `printf 'a\u0000b\u001b[31m\u2028' # ${n}`, "10": 1, "9": [1.5, -0, 1e21, null, true] }, argumentsDigest: sha256(String(n)) } };
    case 2:
      return { call, type: "approval.resolved", data: { actionDigest: sha256(`a${n}`), outcome: "rejected", by: "person \u{1f600}", detail: null } };
    default:
      return { call, type: "call.closed", data: { outcome: "denied", exitCode: null, observationDigest: null } };
  }
}

export interface SampleLedger {
  /** Lines without line feeds. */
  readonly lines: readonly string[];
  readonly hashes: readonly Digest[];
  readonly bytes: Uint8Array;
  /** The signed head of the first `size` records. */
  readonly checkpoint: (size: number, signer?: Signer) => string;
}

/** Seals drafts into a ledger. */
export function buildLedger(drafts: readonly EventDraft[], session: SessionId = SESSION): SampleLedger {
  const lines: string[] = [];
  const hashes: Digest[] = [];
  for (const draft of drafts) {
    const time = new Date(Date.UTC(2026, 0, 1) + lines.length * 1_000).toISOString();
    const record = sealRecord(draft, { seq: lines.length, prev: hashes.at(-1) ?? genesis(sha256, session), session, time }, sha256);
    lines.push(record.line.slice(0, -1));
    hashes.push(record.hash);
  }
  const checkpoint = (size: number, signer: Signer = SIGNER): string => {
    const tree = createMerkleTree(sha256);
    for (const hash of hashes.slice(0, size)) tree.append(digestBytes(hash));
    return signCheckpoint({ session, size, root: tree.root() }, signer, sha256);
  };
  return { lines, hashes, bytes: toBytes(lines), checkpoint };
}

export function sampleLedger(records: number): SampleLedger {
  return buildLedger(Array.from({ length: records }, (_, n) => sampleDraft(n)));
}

/** Lines as they lie in a file. */
export function toBytes(lines: readonly string[]): Uint8Array {
  return new Uint8Array(Buffer.from(lines.map((line) => `${line}\n`).join(""), "utf8"));
}

export function decodeStrict(bytes: Uint8Array): string | null {
  try {
    return STRICT.decode(bytes);
  } catch {
    return null;
  }
}

/** Verifies bytes against checkpoints signed by `SIGNER`, in pieces that do not end with lines. */
export function verifyBytes(bytes: Uint8Array, checkpoints: readonly string[], session: SessionId | null = SESSION): VerifyReport {
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += 97) chunks.push(bytes.subarray(at, at + 97));
  return verifyLedger(chunks, { checkpoints, publicKey: SIGNER.publicKey, session, hasher: sha256, check: checkEd25519, decode: decodeStrict });
}

/** Opens a checkpoint by `SIGNER`, for tests that verify very often: checking a signature costs most of it. */
export function openHead(note: string): Head {
  const head = openCheckpoint(note, { publicKey: SIGNER.publicKey, check: checkEd25519, hasher: sha256 });
  if (!head.ok) throw new Error(head.error);
  return head.value;
}

/** Like `verifyBytes`, with heads already opened. */
export function verifyWithHeads(bytes: Uint8Array, heads: readonly Head[]): VerifyReport {
  const verifier = createLedgerVerifier({ hasher: sha256, decode: decodeStrict, session: SESSION, heads });
  verifier.push(bytes);
  return verifier.finish().report;
}

/** What a report says, without its words. */
export function brief(report: VerifyReport): string {
  return report.ok ? `ok ${report.records}/${report.signed} +${report.unsigned}` : `${report.fault} @${report.line}`;
}
