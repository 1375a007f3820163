// The part of a patch that lines of text cannot carry, in git's own form for bytes, so that `git apply` takes it. Only
// computes: reads no file and runs nothing.

import { createHash } from "node:crypto";
import { deflateSync } from "node:zlib";

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~";
const LINE_BYTES = 52;
const NO_BLOB = "0".repeat(40);

/**
 * The lines after the head of one file's patch: names of both contents as git computes them, by which it checks what it
 * is applied to, then the new content, then the old one for the way back. Null stands for no file.
 * Format: git's `gitformat-diff` and `apply.c`, "GIT binary patch".
 */
export function binaryPatch(before: Uint8Array | null, after: Uint8Array | null): string {
  return `index ${blobName(before)}..${blobName(after)}\nGIT binary patch\n${literal(after)}${literal(before)}`;
}

function blobName(content: Uint8Array | null): string {
  if (content === null) return NO_BLOB;
  // SHA-1 is git's name for a content here, not a protection of ours.
  return createHash("sha1").update(`blob ${content.length}\0`).update(content).digest("hex");
}

function literal(content: Uint8Array | null): string {
  const bytes = deflateSync(content ?? new Uint8Array(0));
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += LINE_BYTES) lines.push(line(bytes.subarray(at, at + LINE_BYTES)));
  return `literal ${content?.length ?? 0}\n${lines.join("")}\n`;
}

/** Its length as one letter, then five characters for each four bytes, the last group filled with zeros. */
function line(bytes: Uint8Array): string {
  const length = bytes.length <= 26 ? String.fromCharCode(64 + bytes.length) : String.fromCharCode(70 + bytes.length);
  let text = length;
  for (let at = 0; at < bytes.length; at += 4) {
    let value = 0;
    for (let next = 0; next < 4; next += 1) value = value * 256 + (bytes[at + next] ?? 0);
    let group = "";
    for (let digit = 0; digit < 5; digit += 1) {
      group = (ALPHABET[value % 85] ?? "") + group;
      value = Math.floor(value / 85);
    }
    text += group;
  }
  return `${text}\n`;
}
