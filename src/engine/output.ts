// Output of one call: kept up to a limit, redacted for the record and for the model, and passed on untouched to who watches.

import { LIMITS, type Digest } from "../core/shared/index.js";
import type { OutputRecord } from "../core/session/event.js";
import type { Redactor } from "./deps.js";

/** Collects the chunks of one stream. */
export interface OutputCollector {
  push(chunk: Uint8Array): void;
  readonly bytes: () => Uint8Array;
}

/** A collector; the sandbox already holds the limit on bytes. */
export function collectOutput(): OutputCollector {
  const chunks: Uint8Array[] = [];
  let size = 0;
  return {
    push: (chunk) => {
      chunks.push(chunk);
      size += chunk.byteLength;
    },
    bytes: () => {
      const whole = new Uint8Array(size);
      let at = 0;
      for (const chunk of chunks) {
        whole.set(chunk, at);
        at += chunk.byteLength;
      }
      return whole;
    },
  };
}

/** Text of an output: UTF-8, with the replacement character where it is not. */
export function outputText(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { fatal: false, ignoreBOM: true }).decode(bytes);
}

/** What is recorded of a stream: the redacted beginning in the record, all of it (redacted) in the blob store when longer. */
export async function recordOutput(
  bytes: Uint8Array,
  dropped: number,
  redactor: Redactor,
  putBlob: (bytes: Uint8Array) => Promise<Digest>,
): Promise<OutputRecord> {
  const total = bytes.byteLength + dropped;
  if (bytes.byteLength === 0) return { bytes: total, dropped, head: "", blob: null };
  const text = outputText(bytes);
  const redacted = redactor.text(text);
  const head = redacted.slice(0, LIMITS.recordOutputChars).replace(/[\ud800-\udbff]$/u, "");
  const encoder = new TextEncoder();
  const isWhole = redacted.length <= LIMITS.recordOutputChars && isUtf8(bytes);
  if (isWhole) return { bytes: total, dropped, head, blob: null };
  // Bytes that are no text are kept as they are where nothing had to be taken out.
  const kept = redacted === text ? bytes : encoder.encode(redacted);
  return { bytes: total, dropped, head, blob: await putBlob(kept) };
}

/** What the model is shown: redacted, with the middle left out past the limit and the omission said. */
export function modelText(bytes: Uint8Array, dropped: number, redactor: Redactor): string {
  const text = redactor.text(outputText(bytes));
  const limit = LIMITS.observationChars;
  const tail = dropped === 0 ? "" : `\n[${dropped} more bytes were dropped]`;
  if (text.length <= limit) return `${text}${tail}`;
  const half = Math.floor(limit / 2);
  return `${text.slice(0, half)}\n[${text.length - 2 * half} characters left out]\n${text.slice(-half)}${tail}`;
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}
