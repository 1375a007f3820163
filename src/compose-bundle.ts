// A session as one file for somebody else.

import { closeSync, constants, fsyncSync, openSync, readFileSync, renameSync, rmSync, statSync, writeSync } from "node:fs";
import { resolve } from "node:path";
import { sha256 } from "./adapters/system/hasher.js";
import { createSigner } from "./adapters/system/signer.js";
import { keptPolicy } from "./adapters/files/policy-keep.js";
import { compileTexts } from "./compose-policy.js";
import { openReview, resolveSession } from "./compose-review.js";
import { openStore, type Stored } from "./compose-store.js";
import { TAR_END, tarHeader, tarPadding } from "./core/archive/index.js";
import { baseOf, BUNDLE_FILES, blobName, blobsOf, manifestOf, sealStatement, type BundleManifest } from "./core/bundle/index.js";
import type { AuditEvent } from "./core/session/index.js";
import { GuardError, LIMITS, printable, type JsonObject, type SessionId } from "./core/shared/index.js";

export interface ExportedBundle {
  readonly session: SessionId;
  readonly file: string;
  readonly bytes: number;
  readonly files: number;
  readonly left: BundleManifest["left"];
}

/**
 * Writes the bundle of a session that has ended; an existing file is not replaced unless told so. The record is verified first. What
 * is too large is left out and named in the manifest. Throws LEDGER_INVALID for a record that does not hold.
 */
export async function exportBundle(wanted: string, file: string | null, env: NodeJS.ProcessEnv, options: { readonly force: boolean }): Promise<ExportedBundle> {
  const stored = await openStore(env);
  try {
    const id = await resolveSession(stored.store, wanted);
    const target = resolve(file ?? `${id}.bundle.tar`);
    if (!options.force && statSync(target, { throwIfNoEntry: false }) !== undefined) throw new GuardError("USAGE_INVALID", `\`${printable(target)}\` is there already`, { hint: "name another file with --output, or say --force" });
    const { files, left } = await contentsOf(stored, id, env);
    const bytes = writeArchive(target, files);
    return { session: id, file: target, bytes, files: files.size, left };
  } finally {
    await stored.close();
  }
}

interface Contents {
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly left: BundleManifest["left"];
}

async function contentsOf(stored: Stored, id: SessionId, env: NodeJS.ProcessEnv): Promise<Contents> {
  const { store } = stored;
  // Before the record is read, which takes long where it is large.
  const { size: least } = statSync(store.ledgerFile(id));
  if (least > LIMITS.bundleBytes) throw new GuardError("USAGE_INVALID", `the record of ${id} has ${String(least)} bytes, a bundle holds at most ${String(LIMITS.bundleBytes)}`, { hint: "hand over ledger.jsonl with its head and public key: `ringfence log verify FILE --expect-head HEAD --key KEY` checks them anywhere" });
  // Under its lock: nobody adds to it meanwhile, and its head is that of its last record.
  const lock = await store.reopen(id);
  await lock.close();
  const events = await store.read(id);
  const head = store.checkpoint(id);
  if (head === null) throw new GuardError("LEDGER_INVALID", `session ${id} has no signed head`);
  const files = new Map<string, Uint8Array>();
  const left: { readonly what: string; readonly why: string }[] = [];
  const room = { bytes: LIMITS.bundleBytes };
  const put = (name: string, bytes: Uint8Array): void => {
    if (bytes.length > room.bytes || files.size >= LIMITS.bundleFiles) return void left.push({ what: name, why: "the bundle would be too large" });
    room.bytes -= bytes.length;
    files.set(name, bytes);
  };
  room.bytes -= statSync(store.ledgerFile(id)).size;
  files.set(BUNDLE_FILES.ledger, readFileSync(store.ledgerFile(id)));
  files.set(BUNDLE_FILES.head, Buffer.from(head, "utf8"));
  files.set(BUNDLE_FILES.key, Buffer.from(store.publicKeyPem(), "utf8"));
  put(BUNDLE_FILES.base, Buffer.from(`${JSON.stringify(baseOf(events))}\n`, "utf8"));
  const policy = await policyOf(stored.stateDir, events);
  if (typeof policy === "string") left.push({ what: BUNDLE_FILES.policy, why: policy });
  else put(BUNDLE_FILES.policy, policy);
  const patch = await patchOf(id, env);
  if (typeof patch === "string") left.push({ what: BUNDLE_FILES.patch, why: patch });
  else {
    put(BUNDLE_FILES.patch, patch.bytes);
    for (const { path, reason } of patch.omitted) left.push({ what: `change of ${printable(path)}`, why: reason });
  }
  for (const digest of blobsOf(events)) {
    const blob = await store.readBlob(id, digest).catch(() => null);
    if (blob === null) left.push({ what: blobName(digest), why: "it is not in the store any more" });
    else put(blobName(digest), blob);
  }
  seal(files, events, left, stored);
  return { files, left };
}

/** Adds manifest and statement. */
function seal(files: Map<string, Uint8Array>, events: readonly AuditEvent[], left: BundleManifest["left"], { stateDir }: Stored): void {
  const manifest = manifestOf(events, left);
  if (manifest === null) throw new GuardError("LEDGER_INVALID", "the record has no beginning");
  files.set(BUNDLE_FILES.manifest, Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`, "utf8"));
  const subjects = [...files].map(([name, bytes]) => ({ name, sha256: sha256(bytes).slice("sha256:".length) }));
  files.set(BUNDLE_FILES.statement, Buffer.from(sealStatement({ subjects, predicate: manifest as unknown as JsonObject }, createSigner(stateDir), sha256), "utf8"));
}

/** The texts of the policy that was in force, where they still make the policy that the record names; or why not. */
async function policyOf(stateDir: string, [first]: readonly AuditEvent[]): Promise<Uint8Array | string> {
  if (first?.type !== "session.opened") return "the record has no beginning";
  const { digest } = first.data.policy;
  const texts = keptPolicy(stateDir, digest);
  if (typeof texts === "string") return texts;
  const made = await compileTexts(texts).catch((error: unknown) => (error instanceof GuardError ? null : Promise.reject(error)));
  if (made?.digest !== digest) return "its kept texts make another policy under this version";
  return Buffer.from(`${JSON.stringify({ v: 1, digest, texts: texts.map(({ name, text, tier }) => ({ name, text, tier: tier ?? null })) }, null, 2)}\n`, "utf8");
}

/** The patch of what stands, or why there is none. */
async function patchOf(id: SessionId, env: NodeJS.ProcessEnv): Promise<{ readonly bytes: Uint8Array; readonly omitted: readonly { readonly path: string; readonly reason: string }[] } | string> {
  try {
    const review = await openReview(id, env);
    try {
      return await review.patch();
    } finally {
      await review.close();
    }
  } catch (error) {
    if (error instanceof GuardError) return error.message;
    throw error;
  }
}

/** Beside the target first, so that no half bundle is ever there. */
function writeArchive(target: string, files: ReadonlyMap<string, Uint8Array>): number {
  const beside = `${target}.part-${String(process.pid)}`;
  let fd: number;
  try {
    fd = openSync(beside, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600);
  } catch (cause) {
    throw new GuardError("USAGE_INVALID", `the bundle cannot be written to \`${printable(target)}\``, { cause, hint: "name another file with --output" });
  }
  let written = 0;
  const write = (bytes: Uint8Array): void => {
    for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done);
    written += bytes.length;
  };
  try {
    for (const [name, bytes] of files) {
      write(tarHeader({ name, kind: "file", mode: 0o644, uid: 0, gid: 0, bytes: bytes.length, modifiedMs: 0, target: "" }));
      write(bytes);
      write(tarPadding(bytes.length));
    }
    write(TAR_END);
    fsyncSync(fd);
    closeSync(fd);
    renameSync(beside, target);
    return written;
  } catch (cause) {
    rmSync(beside, { force: true });
    throw new GuardError("STATE_UNUSABLE", `the bundle could not be written whole: ${printable(cause instanceof Error ? cause.message : "unknown")}`, { cause, hint: "free disk space" });
  }
}
