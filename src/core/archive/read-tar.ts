// Reads an archive of plain files back, strictly: what is read is exactly what `tarHeader` writes for short names, and nothing else
// is taken. For evidence that a stranger hands over, not for folders of users.

import { err, ok, type Result } from "../shared/index.js";
import { TAR_BLOCK, TAR_END, tarHeader } from "./tar.js";

const NAME = /^[a-z0-9][a-z0-9._-]{0,79}(?:\/[a-z0-9][a-z0-9._-]{0,79}){0,3}$/u;
const OCTAL = /^[0-7]+$/u;

/** Mode of every entry. */
const BUNDLED_MODE = 0o644;

export interface TarLimits {
  readonly files: number;
  readonly bytes: number;
}

/** The files by name. The error is a printable sentence. Never throws; takes at most what the limits say. */
export function readTar(bytes: Uint8Array, limits: TarLimits): Result<ReadonlyMap<string, Uint8Array>, string> {
  if (bytes.length > limits.bytes) return err(`it has more than ${String(limits.bytes)} bytes`);
  const files = new Map<string, Uint8Array>();
  for (let at = 0; at + TAR_BLOCK <= bytes.length; ) {
    const head = bytes.subarray(at, at + TAR_BLOCK);
    if (head.every((byte) => byte === 0)) return endOf(bytes.subarray(at), files);
    if (files.size >= limits.files) return err(`it has more than ${String(limits.files)} files`);
    const entry = readHead(head);
    if (entry === null) return err(`its entry at byte ${String(at)} is not that of a plain file`);
    const start = at + TAR_BLOCK;
    const end = start + entry.bytes;
    const next = start + Math.ceil(entry.bytes / TAR_BLOCK) * TAR_BLOCK;
    if (next > bytes.length) return err(`\`${entry.name}\` is cut`);
    if (files.has(entry.name)) return err(`\`${entry.name}\` is there twice`);
    if (bytes.subarray(end, next).some((byte) => byte !== 0)) return err(`there is something after \`${entry.name}\``);
    files.set(entry.name, bytes.subarray(start, end));
    at = next;
  }
  return err("it is cut: its end is missing");
}

/** Two blocks of zeros and nothing more: other programs fill up to 20, which is another file. */
function endOf(rest: Uint8Array, files: ReadonlyMap<string, Uint8Array>): Result<ReadonlyMap<string, Uint8Array>, string> {
  if (rest.length > TAR_END.length || rest.some((byte) => byte !== 0)) return err("there is something after its end");
  return rest.length < TAR_END.length ? err("it is cut: its end is not whole") : ok(files);
}

/** An entry in exactly the one form in which we write it: owner, mode and time say nothing, and no byte is free. */
function readHead(head: Uint8Array): { readonly name: string; readonly bytes: number } | null {
  const name = text(head.subarray(0, 100));
  const size = text(head.subarray(124, 135));
  if (!NAME.test(name) || !OCTAL.test(size)) return null;
  const bytes = Number.parseInt(size, 8);
  const wanted = tarHeader({ name, kind: "file", mode: BUNDLED_MODE, uid: 0, gid: 0, bytes, modifiedMs: 0, target: "" });
  return wanted.length === head.length && wanted.every((byte, index) => byte === head[index]) ? { name, bytes } : null;
}

function text(field: Uint8Array): string {
  const zero = field.indexOf(0);
  return String.fromCharCode(...(zero < 0 ? field : field.subarray(0, zero)));
}
