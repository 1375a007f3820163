// Checks a bundle from outside: every file is what the statement says, the statement and the head are signed by one key, the record
// holds, and what it points at is there. Trusts nothing in it but what the key signed.

import { openCheckpoint, verifyLedger, type SignatureCheck, type VerifyReport } from "../ledger/index.js";
import { count, printable, type Hasher, type JsonObject } from "../shared/index.js";
import { BUNDLE_FILES } from "./manifest.js";
import { openStatement } from "./statement.js";

export interface BundleCheck {
  readonly hasher: Hasher;
  readonly check: SignatureCheck;
  /** Strict UTF-8; null for anything else. */
  readonly decode: (bytes: Uint8Array) => string | null;
  /** The Ed25519 key of a PEM; null for anything else. */
  readonly keyOf: (pem: string) => Uint8Array | null;
  /** A key known from elsewhere; null: the one in the bundle, which then tells nothing of who signed. */
  readonly trustedKey: Uint8Array | null;
  /** A head kept elsewhere, as text; null: that the record is complete cannot be told. */
  readonly expectedHead: string | null;
}

export interface BundleReport {
  readonly ok: boolean;
  /** `complete`: a head from elsewhere held. */
  readonly verdict: "intact and complete" | "intact; completeness unknown" | "invalid";
  /** What is wrong, in printable sentences. */
  readonly faults: readonly string[];
  /** What can not be told from the bundle. */
  readonly unknown: readonly string[];
  /** What is said about the session, once the signature held; null before. */
  readonly predicate: JsonObject | null;
  readonly ledger: VerifyReport | null;
}

const MOST_FAULTS = 50;
const NO_SIGNER = "who signed: the key came with the bundle; give one from elsewhere with --key";
const NO_HEAD = "whether the record goes on: no head from elsewhere was given with --head";

/** Never throws. */
export function checkBundle(files: ReadonlyMap<string, Uint8Array>, how: BundleCheck): BundleReport {
  const faults: string[] = [];
  const invalid = (fault: string): BundleReport => ({ ok: false, verdict: "invalid", faults: [...faults, fault].slice(0, MOST_FAULTS), unknown: [], predicate: null, ledger: null });
  const textOf = (name: string): string | null => {
    const bytes = files.get(name);
    return bytes === undefined ? null : how.decode(bytes);
  };
  const pem = textOf(BUNDLE_FILES.key);
  const enclosed = pem === null ? null : how.keyOf(pem);
  if (enclosed === null) return invalid("it has no Ed25519 key");
  const key = how.trustedKey ?? enclosed;
  if (how.trustedKey !== null && !sameBytes(how.trustedKey, enclosed)) faults.push("its key is not the one that was given");
  const statement = openStatement(textOf(BUNDLE_FILES.statement) ?? "", key, how);
  if (!statement.ok) return invalid(statement.error);
  faults.push(...fileFaults(files, new Map(statement.value.subjects.map(({ name, sha256 }) => [name, sha256])), how.hasher));
  const note = textOf(BUNDLE_FILES.head) ?? "";
  const head = openCheckpoint(note, { publicKey: key, check: how.check, hasher: how.hasher });
  if (!head.ok) return invalid(`its head: ${printable(head.error)}`);
  const ledger = verifyLedger([files.get(BUNDLE_FILES.ledger) ?? new Uint8Array(0)], { checkpoints: how.expectedHead === null ? [note] : [note, how.expectedHead], publicKey: key, session: head.value.session, hasher: how.hasher, check: how.check, decode: how.decode });
  if (!ledger.ok) faults.push(`its record${ledger.line === null ? "" : `, line ${String(ledger.line)}`}: ${ledger.fault}: ${printable(ledger.message, 300)}`);
  else if (ledger.unsigned > 0) faults.push(`the last ${count(ledger.unsigned, "record")} came after the head`);
  if (printable(String((statement.value.predicate["session"] as JsonObject | null)?.["id"])) !== head.value.session) faults.push("its statement is about another session than its head");
  const ok = faults.length === 0;
  const unknown = ok ? [...(how.trustedKey === null ? [NO_SIGNER] : []), ...(how.expectedHead === null ? [NO_HEAD] : [])] : [];
  return { ok, verdict: !ok ? "invalid" : how.expectedHead === null ? "intact; completeness unknown" : "intact and complete", faults: faults.slice(0, MOST_FAULTS), unknown, predicate: statement.value.predicate, ledger };
}

/** Every file is a subject, every subject is there, each is what it was, and they stand as they were written, the statement last. */
function fileFaults(files: ReadonlyMap<string, Uint8Array>, subjects: ReadonlyMap<string, string>, hasher: Hasher): readonly string[] {
  const faults: string[] = [];
  for (const [name, sha256] of subjects) {
    const bytes = files.get(name);
    if (bytes === undefined) faults.push(`\`${printable(name, 100)}\` is missing`);
    else if (hasher(bytes) !== `sha256:${sha256}`) faults.push(`\`${printable(name, 100)}\` was changed`);
  }
  for (const [name, bytes] of files) if (name.startsWith("blobs/") && hasher(bytes) !== `sha256:${name.slice("blobs/".length)}`) faults.push(`\`${printable(name, 100)}\` is not what its name says`);
  for (const name of files.keys()) if (name !== BUNDLE_FILES.statement && !subjects.has(name)) faults.push(`\`${printable(name, 100)}\` was put in`);
  if (faults.length === 0 && [...files.keys()].join("/") !== [...subjects.keys(), BUNDLE_FILES.statement].join("/")) faults.push("its files stand in another order than the one that was signed");
  return faults;
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
