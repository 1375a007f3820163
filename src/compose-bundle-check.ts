// The check of a bundle that somebody else handed over.

import { closeSync, openSync, readFileSync, readSync, statSync } from "node:fs";
import { checkEd25519, publicKeyFromPem, sha256 } from "./adapters/system/hasher.js";
import { packageFile } from "./adapters/system/package-root.js";
import { withPolicy } from "./compose-bundle-policy.js";
import { productVersion } from "./config/product.js";
import { readTar } from "./core/archive/index.js";
import { BUNDLE_FILES, checkBundle, type BundleReport } from "./core/bundle/index.js";
import { GuardError, LIMITS, printable } from "./core/shared/index.js";

/** What is known from elsewhere: files, or null. */
export interface BundleTrust {
  readonly keyFile: string | null;
  readonly headFile: string | null;
}

/** The head of the first entry of a bundle. */
const START = `${BUNDLE_FILES.ledger}\0`;

/** Tells by the first name in it whether a file is a bundle, or was one before it was cut. */
export function isBundleFile(path: string): boolean {
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) return false;
  const fd = openSync(path, "r");
  try {
    const first = Buffer.alloc(START.length);
    readSync(fd, first, 0, first.length, 0);
    return startsAsBundle(first);
  } finally {
    closeSync(fd);
  }
}

function startsAsBundle(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.subarray(0, START.length)).toString("latin1") === START;
}

/**
 * Checks a bundle, and that the policy in it compiles to the one on record. Throws USAGE_INVALID for a file that is none, or a key or head
 * that is not one.
 */
export function verifyBundle(file: string, options: BundleTrust): BundleReport {
  return checkedBundle(file, options).report;
}

/** The same, with the files by name: for one that holds they are what was signed. */
export function checkedBundle(file: string, options: BundleTrust): { readonly report: BundleReport; readonly files: ReadonlyMap<string, Uint8Array> } {
  const read = (path: string, most: number): Uint8Array => {
    try {
      const about = statSync(path);
      if (!about.isFile()) throw new GuardError("USAGE_INVALID", `\`${printable(path)}\` is no regular file`);
      if (about.size > most) throw new GuardError("USAGE_INVALID", `\`${printable(path)}\` has more than ${String(most)} bytes`);
      return readFileSync(path);
    } catch (cause) {
      if (cause instanceof GuardError) throw cause;
      throw new GuardError("USAGE_INVALID", `\`${printable(path)}\` cannot be read`, { cause });
    }
  };
  const bytes = read(file, LIMITS.bundleBytes + LIMITS.bundleFiles * 1024);
  const archive = readTar(bytes, { files: LIMITS.bundleFiles, bytes: LIMITS.bundleBytes + LIMITS.bundleFiles * 1024 });
  // What begins as one of ours was one before it was cut, or had something put in.
  if (!archive.ok && startsAsBundle(bytes)) return { report: { ok: false, verdict: "invalid", faults: [archive.error], unknown: [], predicate: null, ledger: null }, files: new Map() };
  if (!archive.ok) throw new GuardError("USAGE_INVALID", `\`${printable(file)}\` is no bundle: ${archive.error}`);
  const trustedKey = options.keyFile === null ? null : publicKeyFromPem(Buffer.from(read(options.keyFile, 65_536)).toString("utf8"));
  if (options.keyFile !== null && trustedKey === null) throw new GuardError("USAGE_INVALID", `\`${printable(options.keyFile)}\` is no Ed25519 key in PEM`);
  const expectedHead = options.headFile === null ? null : Buffer.from(read(options.headFile, 65_536)).toString("utf8");
  const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const decode = (bytes: Uint8Array): string | null => {
    try {
      return utf8.decode(bytes);
    } catch {
      return null;
    }
  };
  const report = checkBundle(archive.value, { hasher: sha256, check: checkEd25519, decode, keyOf: publicKeyFromPem, trustedKey, expectedHead });
  return { report: withPolicy(report, archive.value, `ringfence ${productVersion(packageFile("package.json"))}`), files: archive.value };
}
