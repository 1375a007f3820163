// Signed heads of a record held against each other: a proof that a later one only adds, its check without the record, and witnesses.

import { checkEd25519, publicKeyFromPem, sha256 } from "./adapters/system/hasher.js";
import { resolveSession } from "./compose-review.js";
import { openStore } from "./compose-store.js";
import { bytesToBase64, type BrokenLedger, type LedgerFault, consistencyProof, isConsistent, MOST_PROOF_HASHES, openCheckpoint, parseWitnessKey, witnessedAt, type Head } from "./core/ledger/index.js";
import { base64ToBytes } from "./core/shared/bytes.js";
import { GuardError, count, were, type JsonObject, type SessionId } from "./core/shared/index.js";

/** A proof as a file: `from` and `to` are sizes, `hashes` base 64. docs/log-format.md. */
export interface HeadProof {
  readonly v: 1;
  readonly session: SessionId;
  readonly from: number;
  readonly to: number;
  readonly hashes: readonly string[];
}

/**
 * A proof that the head of a session, as it is stored, begins with all that an earlier one vouched for. The record is verified.
 * @param earlier the head kept elsewhere, as text
 */
export async function proveHead(wanted: string, earlier: string, env: NodeJS.ProcessEnv): Promise<HeadProof> {
  const stored = await openStore(env);
  try {
    const { store } = stored;
    const id = await resolveSession(store, wanted);
    const publicKey = publicKeyFromPem(store.publicKeyPem());
    const [old, now] = [openHead(earlier, publicKey, "the earlier head"), openHead(store.checkpoint(id) ?? "", publicKey, "the stored head")];
    if (old.session !== id) throw new GuardError("USAGE_INVALID", `the earlier head belongs to ${old.session}`);
    const entries = (await store.entries(id)).subarray(0, now.size * 32);
    if (old.size > now.size) throw new GuardError("LEDGER_INVALID", `the earlier head vouches for ${count(old.size, "record")}, the stored one for ${now.size}`);
    const hashes = old.size === 0 ? [] : consistencyProof(entries, old.size, sha256);
    if (!isConsistent(old, now, hashes, sha256)) throw new GuardError("LEDGER_INVALID", "the record does not begin with what the earlier head vouched for");
    return { v: 1, session: id, from: old.size, to: now.size, hashes: hashes.map(bytesToBase64) };
  } finally {
    await stored.close();
  }
}

/**
 * Checks a proof by two heads and the key of who signed them; no record and no state folder is needed.
 * @returns null where it holds, else why not, printable
 */
export function checkHeads(heads: { readonly earlier: string; readonly later: string; readonly proof: string; readonly keyPem: string }): string | null {
  const publicKey = publicKeyFromPem(heads.keyPem);
  const [old, now] = [openHead(heads.earlier, publicKey, "the earlier head"), openHead(heads.later, publicKey, "the later head")];
  const hashes = hashesOf(heads.proof, old, now);
  if (hashes === null) return "the proof is none for these heads";
  return isConsistent(old, now, hashes, sha256) ? null : "the later head does not begin with what the earlier one vouched for";
}

function hashesOf(text: string, old: Head, now: Head): readonly Uint8Array[] | null {
  let proof: JsonObject;
  try {
    proof = JSON.parse(text) as JsonObject;
  } catch {
    return null;
  }
  if (typeof proof !== "object" || proof === null) return null;
  const { v, session, from, to, hashes } = proof;
  if (v !== 1 || session !== old.session || from !== old.size || to !== now.size || !Array.isArray(hashes) || hashes.length > MOST_PROOF_HASHES) return null;
  const bytes = hashes.map((hash) => (typeof hash === "string" ? base64ToBytes(hash) : null));
  return bytes.every((one) => one !== null) ? bytes : null;
}

function openHead(note: string, publicKey: Uint8Array | null, what: string): Head {
  if (publicKey === null) throw new GuardError("USAGE_INVALID", "the public key is no Ed25519 key in PEM");
  const head = openCheckpoint(note, { publicKey, check: checkEd25519, hasher: sha256 });
  if (!head.ok) throw new GuardError("LEDGER_INVALID", `${what}: ${head.error}`);
  return head.value;
}

/**
 * What is told of a session whose record is not there although signed heads vouch for it.
 * @param notes heads as text: the stored one, and those that were kept elsewhere
 * @returns null where no head that the key signed vouches for a record of it
 */
export function goneRecord(session: SessionId, notes: readonly string[], keyPem: string): BrokenLedger | null {
  const publicKey = publicKeyFromPem(keyPem);
  if (publicKey === null) throw new GuardError("USAGE_INVALID", "the public key is no Ed25519 key in PEM");
  const sizes = notes.flatMap((note) => {
    const head = openCheckpoint(note, { publicKey, check: checkEd25519, hasher: sha256 });
    return head.ok && head.value.session === session ? [head.value.size] : [];
  });
  const signed = Math.max(0, ...sizes);
  return signed === 0 ? null : { ok: false, session, fault: "cut", line: 1, offset: 0, message: `${count(signed, "record")} ${were(signed)} signed, and the whole record is gone; no valid receipt says that it was pruned`, records: 0, headHolds: false };
}

/**
 * A head kept elsewhere, held against the one in a receipt of a session that was pruned.
 * @returns null where nothing speaks against it: the same head, or an earlier one, of which only the record could tell
 */
export function prunedFault(session: SessionId, pruned: string, notes: readonly string[], keyPem: string): BrokenLedger | null {
  const publicKey = publicKeyFromPem(keyPem);
  const last = openHead(pruned, publicKey, "the head in the receipt");
  const broken = (fault: LedgerFault, message: string): BrokenLedger => ({ ok: false, session, fault, line: null, offset: null, message, records: last.size, headHolds: false });
  for (const note of notes) {
    const head = openHead(note, publicKey, "the head that was kept");
    if (head.session !== session) return broken("checkpoint-other-session", `the signed head belongs to ${head.session}`);
    if (head.size > last.size) return broken("cut", `${count(head.size, "record")} ${were(head.size)} signed, ${last.size} ${were(last.size)} there when it was pruned`);
    if (head.size === last.size && bytesToBase64(head.root) !== bytesToBase64(last.root)) return broken("rewritten", "other records were signed than were there when it was pruned");
  }
  return null;
}

/** What each witness says of each head. @returns what is absent or wrong, printable; empty where all have signed */
export function checkWitnesses(notes: readonly string[], keys: readonly string[]): readonly string[] {
  return keys.flatMap((text) => {
    const key = parseWitnessKey(text, sha256);
    if (!key.ok) throw new GuardError("USAGE_INVALID", key.error);
    return notes.flatMap((note) => {
      const seen = witnessedAt(note, key.value, checkEd25519);
      return seen.ok ? [] : [seen.error];
    });
  });
}
