// What stays of a session that was removed for its age: a signed statement that names it and holds its signed head. Its subject is the head.

import type { SignatureCheck, Signer } from "../ledger/index.js";
import { asciiBytes } from "../shared/bytes.js";
import { isSessionId, type Hasher, type SessionId } from "../shared/index.js";
import { openStatement, sealStatement } from "./statement.js";

export const RECEIPT_TYPE = "https://ringfence.dev/attestation/retention/v1";
const HEAD = "head.checkpoint";

export interface Receipt {
  readonly session: SessionId;
  /** The signed head of its record, a C2SP checkpoint: how many records there were, and the root over them. */
  readonly head: string;
  /** ISO 8601. */
  readonly prunedAt: string;
  readonly by: string;
  /** What it was removed by. */
  readonly rule: { readonly before: string | null; readonly keep: number };
}

/** The receipt as one line of JSON, a DSSE envelope. */
export function sealReceipt({ session, head, prunedAt, by, rule }: Receipt, signer: Signer, hasher: Hasher): string {
  const subjects = [{ name: HEAD, sha256: hasher(utf8(head)).slice("sha256:".length) }];
  return sealStatement({ subjects, predicate: { session, head, prunedAt, by, rule: { before: rule.before, keep: rule.keep } } }, signer, hasher, RECEIPT_TYPE);
}

/** What a receipt says that this key signed about this session; null for any other text. */
export function openReceipt(text: string, session: SessionId, publicKey: Uint8Array, tools: { readonly check: SignatureCheck; readonly hasher: Hasher }): Receipt | null {
  const opened = openStatement(text, publicKey, { ...tools, type: RECEIPT_TYPE });
  if (!opened.ok) return null;
  const { predicate, subjects } = opened.value;
  const { head, prunedAt, by } = predicate;
  const rule = predicate["rule"];
  if (predicate["session"] !== session || !isSessionId(session) || typeof head !== "string" || typeof prunedAt !== "string" || typeof by !== "string" || typeof rule !== "object" || rule === null || Array.isArray(rule)) return null;
  if (subjects[0]?.sha256 !== tools.hasher(utf8(head)).slice("sha256:".length)) return null;
  const { before, keep } = rule as { readonly before?: unknown; readonly keep?: unknown };
  return { session, head, prunedAt, by, rule: { before: typeof before === "string" ? before : null, keep: typeof keep === "number" ? keep : 0 } };
}

/** Bytes of a head; its one sign outside ASCII is the dash of a signature line. */
function utf8(text: string): Uint8Array {
  return asciiBytes(text.replaceAll("—", "\\u2014"));
}
