// Orders for the runtime's file tool and its answers, as bytes. The tool runs as the agent: its answers are parsed as hostile.

import { decodeName, encodeName } from "../../core/reconcile/names.js";
import { GuardError, printable } from "../../core/shared/index.js";
import type { FileOp, ScratchName } from "../../ports/sandbox.js";

const OPERATION = { read: 1, write: 2, mkdir: 3, symlink: 4, chmod: 5, remove: 6 } as const;
const ORDER_HEAD = 17;
const ANSWER_HEAD = 9;
const EMPTY = new Uint8Array(0);

/** Codes of an answer, in the tool's order. */
const CODES = ["done", "missing", "link", "not-a-file", "too-large", "refused"] as const;
export type FileAnswerCode = (typeof CODES)[number];

export interface FileAnswer {
  readonly code: FileAnswerCode;
  readonly mode: number;
  /** Content of a file read, or the reason in words. */
  readonly bytes: Uint8Array;
}

export function readOrder(path: string, limitBytes: number): readonly Uint8Array[] {
  return order(OPERATION.read, path, 0, limitBytes, EMPTY);
}

const NAME_HEAD = 33;
const KINDS = new Map<number, ScratchName["kind"]>([
  [0x64, "directory"],
  [0x66, "file"],
  [0x6c, "symlink"],
  [0x6f, "other"],
]);

/** The names in a list of sandboxd's, with absolute paths. Throws SANDBOX_BROKEN when it is anything else. */
export function parseList(bytes: Uint8Array): readonly ScratchName[] {
  const names: ScratchName[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < bytes.length; ) {
    const size = bytes.length - at < NAME_HEAD ? -1 : view.getUint32(at + 29);
    const kind = KINDS.get(bytes[at] ?? 0);
    if (size <= 0 || kind === undefined || bytes.length - at - NAME_HEAD < size) throw new GuardError("SANDBOX_BROKEN", "the guard gave a malformed list");
    const path = decodeName(bytes.subarray(at + NAME_HEAD, at + NAME_HEAD + size));
    names.push({ path, kind, stamp: Buffer.from(bytes.buffer, bytes.byteOffset + at, 29).toString("base64") });
    at += NAME_HEAD + size;
  }
  return names;
}

export function changeOrder(op: FileOp): readonly Uint8Array[] {
  switch (op.op) {
    case "write":
      return order(OPERATION.write, op.path, op.mode, 0, op.content);
    case "mkdir":
      return order(OPERATION.mkdir, op.path, op.mode, 0, EMPTY);
    case "symlink":
      return order(OPERATION.symlink, op.path, 0, 0, encodeName(op.target));
    case "chmod":
      return order(OPERATION.chmod, op.path, op.mode, 0, EMPTY);
    case "remove":
      return order(OPERATION.remove, op.path, 0, 0, EMPTY);
  }
}

function order(operation: number, path: string, mode: number, limit: number, data: Uint8Array): readonly Uint8Array[] {
  const name = encodeName(path);
  const head = new Uint8Array(ORDER_HEAD + name.length);
  const view = new DataView(head.buffer);
  view.setUint8(0, operation);
  view.setUint32(1, mode & 0o777);
  view.setUint32(5, limit);
  view.setUint32(9, name.length);
  view.setUint32(13, data.length);
  head.set(name, ORDER_HEAD);
  return data.length === 0 ? [head] : [head, data];
}

/** Cuts the tool's output into exactly `count` answers. Throws SANDBOX_BROKEN when it is anything else. */
export function parseAnswers(output: Uint8Array, count: number): readonly FileAnswer[] {
  const answers: FileAnswer[] = [];
  let at = 0;
  for (let i = 0; i < count; i += 1) {
    if (output.length - at < ANSWER_HEAD) throw new GuardError("SANDBOX_BROKEN", `the file tool gave ${i} of ${count} answers`);
    const view = new DataView(output.buffer, output.byteOffset + at, ANSWER_HEAD);
    const code = CODES[view.getUint8(0)];
    const size = view.getUint32(5);
    if (code === undefined || output.length - at - ANSWER_HEAD < size) throw new GuardError("SANDBOX_BROKEN", "the file tool gave a malformed answer");
    answers.push({ code, mode: view.getUint32(1), bytes: output.subarray(at + ANSWER_HEAD, at + ANSWER_HEAD + size) });
    at += ANSWER_HEAD + size;
  }
  if (at !== output.length) throw new GuardError("SANDBOX_BROKEN", "the file tool said more than it was asked");
  return answers;
}

/** The reason in an answer, printable. */
export function answerText(answer: FileAnswer): string {
  return printable(Buffer.from(answer.bytes).toString("utf8"));
}
