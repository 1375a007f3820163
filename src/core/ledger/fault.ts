// What can be wrong with a ledger, and the answer of a verification. Closed, because programs act on it.

import type { Digest, SessionId } from "../shared/index.js";

/**
 * `changed`: a record is not what was hashed. `malformed`: a line is no record. `not-canonical`: a record in another spelling.
 * `missing`: records are absent at this line. `out-of-order`: records stand in another order. `duplicated`: a record stands
 * twice. `inserted`: a record was put in. `other-session`: a record of another session. `not-linked`: a record does not
 * follow the one before. `too-long`: a line past the limit. `cut`: signed records are absent at the end. `torn`: bytes
 * after the last whole record. `rewritten`: a sound chain, but not the one that was signed. `checkpoint-*`: the signed head
 * itself.
 */
export type LedgerFault =
  | "changed"
  | "malformed"
  | "not-canonical"
  | "missing"
  | "out-of-order"
  | "duplicated"
  | "inserted"
  | "other-session"
  | "not-linked"
  | "too-long"
  | "cut"
  | "torn"
  | "rewritten"
  | "checkpoint-missing"
  | "checkpoint-invalid"
  | "checkpoint-other-session";

/** A ledger that holds. */
export interface SoundLedger {
  readonly ok: true;
  /** null for a ledger without records, when nobody said whose it is. */
  readonly session: SessionId | null;
  readonly records: number;
  readonly bytes: number;
  /** Hash of the last record; the genesis value when there is none. */
  readonly lastHash: Digest | null;
  /** Records that a signed head vouches for; null when no head was given. */
  readonly signed: number | null;
  /** Records after the signed head: chained, but vouched for by nobody. A crash and an addition look the same here. */
  readonly unsigned: number;
}

/** A ledger that does not. */
export interface BrokenLedger {
  readonly ok: false;
  readonly session: SessionId | null;
  readonly fault: LedgerFault;
  /** First bad line, from 1; null when it cannot be told which. */
  readonly line: number | null;
  /** Where that line begins, in bytes from 0; null when it cannot be told. */
  readonly offset: number | null;
  /** One printable sentence part: lower case, no final period. */
  readonly message: string;
  /** Whole records before the fault that are chained. */
  readonly records: number;
  /** Every signed head was reached and matched, so all that was signed is there and unchanged. */
  readonly headHolds: boolean;
}

/** What a verification proves, in words. */
export type LedgerVerdict = "intact and complete" | "internally consistent, complete up to the expected head" | "internally consistent, completeness unknown" | "invalid";

/**
 * The verdict of a report. Who holds the folder can put an older record back together with its older head; only a head that was kept
 * elsewhere tells that nothing is absent at the end.
 * @param expected the largest size of a head from elsewhere that held; null without one
 */
export function verdictOfLedger(report: VerifyReport, expected: number | null): LedgerVerdict {
  if (!report.ok) return "invalid";
  if (expected === null) return "internally consistent, completeness unknown";
  return expected === report.records ? "intact and complete" : "internally consistent, complete up to the expected head";
}

export type VerifyReport = SoundLedger | BrokenLedger;
