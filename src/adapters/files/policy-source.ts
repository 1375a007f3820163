// Reads policy files and the built-in packs from disk, by name or by path. Judges nothing.

import { closeSync, constants, fstatSync, openSync, readdirSync, readSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import type { PolicyText } from "../../core/policy/index.js";
import { GuardError, LIMITS, printable } from "../../core/shared/index.js";
import { packageFile } from "../system/package-root.js";

const SUFFIX = ".policy.yaml";
/** Packs that every policy stands on: they deny and ask, and cannot be left out. */
const PACK = /^(l[1-7]|cross-layer)(-[a-z0-9-]+)?\.policy\.yaml$/;

export interface PolicySourceOptions {
  /** Policy files the user named; empty means the profile alone. */
  readonly files: readonly string[];
  readonly builtinDir: string;
  /** Id of the built-in profile used when no file is named; null for none. */
  readonly profile: string | null;
}

/** The folder of the built-in packs in this installation. */
export function builtinPoliciesDir(): string {
  return packageFile("policies");
}

/**
 * The texts a policy set is compiled from: the built-in packs always, then the user's files and the built-in profiles they
 * extend, or the default profile when there are none. Throws POLICY_NOT_FOUND or POLICY_INVALID.
 */
export async function loadPolicySources(options: PolicySourceOptions): Promise<readonly PolicyText[]> {
  const builtin = builtinNames(options.builtinDir);
  const read = (name: string): PolicyText => readPolicy(join(options.builtinDir, name), `builtin:${name}`);
  const packs = builtin.filter((name) => PACK.test(name)).map(read);
  const named = options.files.map((file) => readPolicy(file, file));
  // Reading YAML is needed for the user's own files only.
  const wanted = options.files.length > 0 ? named.flatMap((await import("../../core/policy/compile.js")).extendsOf) : options.profile === null ? [] : [options.profile];
  const profiles = [...new Set(wanted)].flatMap((id) => {
    const name = `${id}${SUFFIX}`;
    if (builtin.includes(name)) return PACK.test(name) ? [] : [read(name)];
    if (options.files.length > 0) return []; // the compiler names an unknown id with its place
    throw new GuardError("POLICY_NOT_FOUND", `there is no built-in profile \`${printable(id)}\``, { hint: `profiles: ${builtin.filter((one) => !PACK.test(one)).map((one) => basename(one, SUFFIX)).join(", ")}` });
  });
  return [...packs, ...profiles, ...named];
}

/** The paths of the built-in policy files, packs and profiles. */
export async function builtinPolicyFiles(folder: string): Promise<readonly string[]> {
  return builtinNames(folder).map((name) => join(folder, name));
}

/** A policy file's path: of a built-in one by its id, otherwise as given. */
export async function policyFilePath(folder: string, name: string): Promise<string> {
  const builtin = `${name}${SUFFIX}`;
  return builtinNames(folder).includes(builtin) ? join(folder, builtin) : name;
}

/** The text of one file beside a policy, under the same limits; null when there is none. */
export async function readBesidePolicy(policyFile: string, suffix: string): Promise<PolicyText | null> {
  const path = `${policyFile.replace(/\.policy\.ya?ml$|\.ya?ml$/u, "")}${suffix}`;
  return statSync(path, { throwIfNoEntry: false }) === undefined ? null : readPolicy(path, path);
}

/** Text of a risk profile's file. Throws POLICY_NOT_FOUND with the hint where there is none. */
export function readProfileText(path: string, hint: string): string {
  if (statSync(path, { throwIfNoEntry: false }) === undefined) throw new GuardError("POLICY_NOT_FOUND", `there is no profile \`${printable(path)}\``, { hint });
  return readPolicy(path, path).text;
}

function builtinNames(folder: string): readonly string[] {
  try {
    return readdirSync(folder).filter((name) => name.endsWith(SUFFIX)).sort();
  } catch (cause) {
    throw new GuardError("POLICY_NOT_FOUND", `cannot read the built-in policies in \`${printable(folder)}\``, { cause, hint: "install the package again" });
  }
}

/** One file as UTF-8 text. Only regular files, not larger than the limit. Read at once: a start waits for nothing else. */
function readPolicy(path: string, name: string): PolicyText {
  let descriptor: number;
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "unknown";
    throw new GuardError("POLICY_NOT_FOUND", `cannot open policy file \`${printable(name)}\`: ${code}`, { cause });
  }
  try {
    const info = fstatSync(descriptor);
    if (!info.isFile()) throw new GuardError("POLICY_NOT_FOUND", `policy file \`${printable(name)}\` is no regular file`);
    if (info.size > LIMITS.policyBytes) throw new GuardError("POLICY_INVALID", `policy file \`${printable(name)}\` is larger than ${String(LIMITS.policyBytes)} bytes`, { hint: "split it into several files" });
    const bytes = new Uint8Array(info.size + 1);
    let length = 0;
    for (;;) {
      const read = readSync(descriptor, bytes, length, bytes.length - length, length);
      length += read;
      if (read === 0 || length === bytes.length) break;
    }
    if (length > info.size) throw new GuardError("POLICY_INVALID", `policy file \`${printable(name)}\` changed while it was read`);
    return { name, text: new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(0, length)) };
  } catch (cause) {
    if (cause instanceof GuardError) throw cause;
    throw new GuardError("POLICY_INVALID", `policy file \`${printable(name)}\` is not readable as UTF-8 text`, { cause });
  } finally {
    closeSync(descriptor);
  }
}
