// A bundle is checked from outside: whatever is changed, left out or put in is found, and what only an outsider can know is said to be unknown.

import { describe, expect, it } from "vitest";
import { checkEd25519, publicKeyFromPem, publicKeyPem, sha256 } from "../../../src/adapters/system/hasher.js";
import { readTar, TAR_END, tarHeader, tarPadding } from "../../../src/core/archive/index.js";
import { BUNDLE_FILES, checkBundle, openStatement, sealStatement, type BundleReport } from "../../../src/core/bundle/index.js";
import type { JsonObject } from "../../../src/core/shared/index.js";
import { decodeStrict, sampleLedger, seededSigner, SESSION, SIGNER } from "../ledger/sample.js";

const RECORDS = 3;
const log = sampleLedger(RECORDS);
const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "utf8"));
const BLOB = bytesOf("output €\n");
const HOW = { check: checkEd25519, hasher: sha256 };
const PREDICATE = { v: 1, session: { id: SESSION, startedBy: "Zoë" } } as unknown as JsonObject;

function sound(): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>([
    [BUNDLE_FILES.ledger, log.bytes],
    [BUNDLE_FILES.head, bytesOf(log.checkpoint(RECORDS))],
    [BUNDLE_FILES.key, bytesOf(publicKeyPem(SIGNER.publicKey))],
    [BUNDLE_FILES.patch, bytesOf("--- a/x\n+++ b/x\n")],
    [`blobs/${sha256(BLOB).slice("sha256:".length)}`, BLOB],
  ]);
  return sealed(files);
}

function sealed(files: Map<string, Uint8Array>, signer = SIGNER): Map<string, Uint8Array> {
  const subjects = [...files].map(([name, bytes]) => ({ name, sha256: sha256(bytes).slice("sha256:".length) }));
  return new Map([...files, [BUNDLE_FILES.statement, bytesOf(sealStatement({ subjects, predicate: PREDICATE }, signer, sha256))]]);
}

function checked(files: ReadonlyMap<string, Uint8Array>, how: { readonly trustedKey?: Uint8Array; readonly expectedHead?: string } = {}): BundleReport {
  return checkBundle(files, { hasher: sha256, check: checkEd25519, decode: decodeStrict, keyOf: publicKeyFromPem, trustedKey: how.trustedKey ?? null, expectedHead: how.expectedHead ?? null });
}

function archive(files: ReadonlyMap<string, Uint8Array>): Uint8Array {
  return new Uint8Array(Buffer.concat([...[...files].flatMap(([name, bytes]) => [tarHeader({ name, kind: "file", mode: 0o644, uid: 0, gid: 0, bytes: bytes.length, modifiedMs: 0, target: "" }), bytes, tarPadding(bytes.length)]), TAR_END]));
}

const LIMITS = { files: 100, bytes: 1024 * 1024 };
const read = (bytes: Uint8Array): BundleReport | string => {
  const files = readTar(bytes, LIMITS);
  return files.ok ? checked(files.value, { trustedKey: SIGNER.publicKey }) : files.error;
};

describe("a sound bundle", () => {
  it("is intact, and says what only somebody outside can know", () => {
    expect(checked(sound())).toMatchObject({ ok: true, verdict: "intact; completeness unknown", faults: [], unknown: [/who signed/u, /whether the record goes on/u].map((text) => expect.stringMatching(text) as string) });
    expect(checked(sound(), { trustedKey: SIGNER.publicKey, expectedHead: log.checkpoint(2) })).toMatchObject({ ok: true, verdict: "intact and complete", unknown: [], predicate: PREDICATE });
  });

  it("comes through an archive whole", () => {
    const files = sound();
    const back = readTar(archive(files), LIMITS);
    expect(back.ok && [...back.value].map(([name, bytes]) => [name, Buffer.from(bytes).toString("latin1")])).toEqual([...files].map(([name, bytes]) => [name, Buffer.from(bytes).toString("latin1")]));
  });
});

describe("tampering", () => {
  it("with any byte of the archive is found", () => {
    const whole = archive(sound());
    const step = process.env["RINGFENCE_SOAK"] === "1" ? 1 : 13;
    const missed: number[] = [];
    for (let at = 0; at < whole.length; at += step) {
      const bytes = whole.slice();
      bytes[at] = (bytes[at] ?? 0) ^ (1 << (at % 8));
      const report = read(bytes);
      if (typeof report !== "string" && report.ok) missed.push(at);
    }
    expect(missed).toEqual([]);
  });

  it("by leaving out or emptying any file is found, and names it", () => {
    for (const name of sound().keys()) {
      const less = sound();
      less.delete(name);
      expect(checked(less), name).toMatchObject({ ok: false, verdict: "invalid" });
      const empty = sound();
      empty.set(name, new Uint8Array(0));
      expect(checked(empty), name).toMatchObject({ ok: false, verdict: "invalid" });
    }
  });

  it("by a file that was put in, or a blob under another name, is found", () => {
    const more = sound();
    more.set("extra.txt", bytesOf("x"));
    expect(checked(more).faults).toEqual(["`extra.txt` was put in"]);
    const base = new Map([...sound()].filter(([name]) => name !== BUNDLE_FILES.statement));
    base.set(`blobs/${"0".repeat(64)}`, BLOB);
    expect(checked(sealed(base)).faults).toEqual([`\`blobs/${"0".repeat(64)}\` is not what its name says`]);
  });

  it("by somebody with a key of their own is found where the key is known", () => {
    const other = seededSigner(9);
    const mine = new Map([...sound()].filter(([name]) => name !== BUNDLE_FILES.statement)).set(BUNDLE_FILES.key, bytesOf(publicKeyPem(other.publicKey))).set(BUNDLE_FILES.head, bytesOf(log.checkpoint(RECORDS, other)));
    const forged = sealed(mine, other);
    expect(checked(forged)).toMatchObject({ ok: true, unknown: [expect.stringContaining("who signed") as string, expect.anything() as unknown] });
    expect(checked(forged, { trustedKey: SIGNER.publicKey })).toMatchObject({ ok: false, faults: ["its key is not the one that was given", "the statement is not signed by this key"] });
  });

  it("by a record that was cut with its head is found where a head was kept elsewhere", () => {
    const cut = new Map([...sound()].filter(([name]) => name !== BUNDLE_FILES.statement)).set(BUNDLE_FILES.ledger, log.bytes.subarray(0, Buffer.from(log.bytes).indexOf("\n") + 1)).set(BUNDLE_FILES.head, bytesOf(log.checkpoint(1)));
    expect(checked(sealed(cut))).toMatchObject({ ok: true, verdict: "intact; completeness unknown" });
    expect(checked(sealed(cut), { expectedHead: log.checkpoint(RECORDS) })).toMatchObject({ ok: false });
  });

  it("by a statement about another session is found", () => {
    const files = new Map([...sound()].filter(([name]) => name !== BUNDLE_FILES.statement));
    const subjects = [...files].map(([name, bytes]) => ({ name, sha256: sha256(bytes).slice("sha256:".length) }));
    files.set(BUNDLE_FILES.statement, bytesOf(sealStatement({ subjects, predicate: { session: { id: "ses_other00001" } } }, SIGNER, sha256)));
    expect(checked(files).faults).toEqual(["its statement is about another session than its head"]);
  });
});

describe("a statement", () => {
  it("is DSSE over an in-toto statement, and nothing else is taken", () => {
    const text = sealStatement({ subjects: [{ name: "a", sha256: "0".repeat(64) }], predicate: PREDICATE }, SIGNER, sha256);
    const payload = Buffer.from((JSON.parse(text) as { readonly payload: string }).payload, "base64").toString("latin1");
    expect(JSON.parse(payload)).toMatchObject({ _type: "https://in-toto.io/Statement/v1", subject: [{ name: "a", digest: { sha256: "0".repeat(64) } }], predicateType: "https://ringfence.dev/attestation/session/v1", predicate: PREDICATE });
    expect(openStatement(text, SIGNER.publicKey, HOW)).toMatchObject({ ok: true });
    for (const bad of ["", "null", "[]", "{}", text.slice(1), text.replace("application", "Application"), '{"payloadType":"application/vnd.in-toto+json","payload":1,"signatures":[]}', '{"__proto__":{"payload":"e30="}}', "[".repeat(100_000)]) expect(openStatement(bad, SIGNER.publicKey, HOW).ok, bad.slice(0, 40)).toBe(false);
  });
});

describe("an archive of a stranger", () => {
  const entry = (name: string, bytes = new Uint8Array(0)): Uint8Array => new Uint8Array(Buffer.concat([tarHeader({ name, kind: "file", mode: 0o644, uid: 0, gid: 0, bytes: bytes.length, modifiedMs: 0, target: "" }), bytes, tarPadding(bytes.length)]));
  const whole = (...parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat([...parts, TAR_END]));

  it("is refused when it holds anything but plain files under plain names, each once", () => {
    const link = tarHeader({ name: "a", kind: "symlink", mode: 0o777, uid: 0, gid: 0, bytes: 0, modifiedMs: 0, target: "/etc/passwd" });
    const folder = tarHeader({ name: "a", kind: "directory", mode: 0o755, uid: 0, gid: 0, bytes: 0, modifiedMs: 0, target: "" });
    const absolute = new Uint8Array(entry("a"));
    absolute.set(bytesOf("/a"));
    for (const bytes of [whole(link), whole(folder), whole(absolute), whole(entry("a"), entry("a")), whole(entry("A b")), whole(entry("a"), entry("b")).subarray(0, 600), new Uint8Array(0), bytesOf("x".repeat(2_000)), whole(entry("a".repeat(90) + "/b"))]) expect(readTar(bytes, LIMITS).ok).toBe(false);
    expect(readTar(whole(entry("a"), entry("b/c", bytesOf("x"))), LIMITS).ok).toBe(true);
  });

  it("takes no more than its limits, whatever its sizes claim", () => {
    expect(readTar(whole(...Array.from({ length: 5 }, (_, index) => entry(`f${String(index)}`))), { files: 4, bytes: 1024 * 1024 })).toMatchObject({ ok: false });
    expect(readTar(whole(entry("a", new Uint8Array(4096))), { files: 4, bytes: 4096 })).toMatchObject({ ok: false });
    const lying = new Uint8Array(entry("a"));
    lying.set(bytesOf("77777777777"), 124);
    expect(readTar(whole(lying), LIMITS).ok).toBe(false);
  });
});
