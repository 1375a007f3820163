// A verification against signed heads: the checkpoints are opened with the key first, then the bytes are held against them.

import type { AuditEvent } from "../session/event.js";
import type { Digest, Hasher, SessionId } from "../shared/index.js";
import { openCheckpoint, type Head, type SignatureCheck } from "./checkpoint.js";
import type { LedgerFault, VerifyReport } from "./fault.js";
import { createLedgerVerifier, type LedgerVerifier } from "./verify.js";

export interface SignedVerifierOptions {
  /** Signed heads of this ledger; each must hold, an old one too. */
  readonly checkpoints: readonly string[];
  /** 32 bytes, Ed25519. */
  readonly publicKey: Uint8Array;
  /** Whose ledger it has to be; null takes the first record's word. */
  readonly session: SessionId | null;
  readonly hasher: Hasher;
  readonly check: SignatureCheck;
  /** Strict UTF-8 that keeps a byte order mark; null for bytes that are none. */
  readonly decode: (bytes: Uint8Array) => string | null;
  /** Called for each sound record in order. A fault may still be found later. */
  readonly onRecord?: (event: AuditEvent, at: { readonly hash: Digest; readonly offset: number }) => void;
}

/**
 * Starts a verification against signed heads. Without a checkpoint the answer is never `ok`: anybody can build a sound
 * chain. A fault in the records is told before one in the checkpoints, because it has a line.
 */
export function createSignedVerifier(options: SignedVerifierOptions): LedgerVerifier {
  const heads: Head[] = [];
  let refused: { readonly fault: LedgerFault; readonly message: string } | null = null;
  for (const note of options.checkpoints) {
    const head = openCheckpoint(note, options);
    if (!head.ok) refused ??= { fault: "checkpoint-invalid", message: head.error };
    else if (options.session !== null && head.value.session !== options.session) {
      refused ??= { fault: "checkpoint-other-session", message: `the signed head belongs to ${head.value.session}` };
    } else heads.push(head.value);
  }
  if (options.checkpoints.length === 0) refused = { fault: "checkpoint-missing", message: "no signed head vouches for these records" };
  const verifier = createLedgerVerifier({ ...options, heads });
  return {
    push: verifier.push,
    finish: () => {
      const { report, state } = verifier.finish();
      return { report: refused === null ? report : withRefusedHead(report, refused), state };
    },
  };
}

function withRefusedHead(report: VerifyReport, refused: { readonly fault: LedgerFault; readonly message: string }): VerifyReport {
  if (!report.ok) return { ...report, headHolds: false };
  return { ok: false, session: report.session, line: null, offset: null, records: report.records, headHolds: false, ...refused };
}

/** Verifies a whole ledger, given in pieces of any size. */
export function verifyLedger(chunks: Iterable<Uint8Array>, options: SignedVerifierOptions): VerifyReport {
  const verifier = createSignedVerifier(options);
  for (const chunk of chunks) verifier.push(chunk);
  return verifier.finish().report;
}
