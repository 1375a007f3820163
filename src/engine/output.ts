// Output of one call: kept up to a limit, redacted for the record and for the model, and passed on untouched to who watches.

import { LIMITS, count, printable, were, type Digest, type Hasher } from "../core/shared/index.js";
import type { OutputRecord, Reached } from "../core/session/event.js";
import type { OutputSink } from "../ports/sandbox.js";
import type { Telemetry } from "../ports/system.js";
import type { Redactor } from "./deps.js";

/** Collects the chunks of one stream, up to a limit of its own: the sandbox holds the same limit, and is not trusted with our memory. */
export interface OutputCollector {
  push(chunk: Uint8Array): void;
  readonly bytes: () => Uint8Array;
  /** Bytes past the limit. */
  readonly dropped: () => number;
}

/** Both streams of one call. */
export interface OutputCapture {
  readonly stdout: OutputCollector;
  readonly stderr: OutputCollector;
  /** What the sandbox writes to. Never throws. */
  readonly sink: OutputSink;
}

/** Keeps both streams and passes them on. A watcher that throws is told no more, and the call goes on. */
export function captureOutput(watcher: OutputSink | undefined, limitBytes: number, telemetry: Telemetry): OutputCapture {
  const stdout = collectOutput(limitBytes);
  const stderr = collectOutput(limitBytes);
  const passOn = quiet(watcher, telemetry);
  const taking = (name: keyof OutputSink, collector: OutputCollector) => (chunk: Uint8Array) => {
    collector.push(chunk);
    passOn(name, chunk);
  };
  return { stdout, stderr, sink: { stdout: taking("stdout", stdout), stderr: taking("stderr", stderr) } };
}

/** Hands chunks to a watcher until it throws. */
export function quiet(watcher: OutputSink | undefined, telemetry: Pick<Telemetry, "warn">): (stream: keyof OutputSink, chunk: Uint8Array) => void {
  let listening = watcher !== undefined;
  return (stream, chunk) => {
    if (!listening) return;
    try {
      watcher?.[stream](chunk);
    } catch (error) {
      listening = false;
      telemetry.warn("output is not shown any more", { cause: printable(String(error)) });
    }
  };
}

/** A collector. Chunks are copied: their memory belongs to the sandbox's stream. */
export function collectOutput(limitBytes: number): OutputCollector {
  const chunks: Uint8Array[] = [];
  let size = 0;
  let dropped = 0;
  return {
    push: (chunk) => {
      const kept = chunk.slice(0, Math.max(0, limitBytes - size));
      dropped += chunk.byteLength - kept.byteLength;
      if (kept.byteLength === 0) return;
      chunks.push(kept);
      size += kept.byteLength;
    },
    dropped: () => dropped,
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

/** Text as the model is given it, and what is not in it. */
export interface ShownText {
  readonly text: string;
  /** Characters left out in the middle. */
  readonly left: number;
  /** Bytes that were not kept at all. */
  readonly dropped: number;
}

/** What the model is shown: redacted, with the middle left out past the limit and the omission said. */
export function shownToModel(bytes: Uint8Array, dropped: number, redactor: Redactor): ShownText {
  const text = redactor.text(outputText(bytes));
  const limit = LIMITS.observationChars;
  const tail = dropped === 0 ? "" : `\n[${count(dropped, "more byte")} ${were(dropped)} dropped]`;
  if (text.length <= limit) return { text: `${text}${tail}`, left: 0, dropped };
  const half = Math.floor(limit / 2);
  const head = text.slice(0, half).replace(/[\ud800-\udbff]$/u, "");
  const end = text.slice(-half).replace(/^[\udc00-\udfff]/u, "");
  const left = text.length - head.length - end.length;
  return { text: `${head}\n[${count(left, "character")} left out]\n${end}${tail}`, left, dropped };
}

/** What of both streams reached the model, after the rules about outputs: for the record. */
export function reachedOutputs(shown: Readonly<Record<"stdout" | "stderr", ShownText>>, given: Readonly<Record<"stdout" | "stderr", string>>, hasher: Hasher): readonly Reached[] {
  return (["stdout", "stderr"] as const).flatMap((what) => {
    const { left, dropped } = shown[what];
    return given[what] === "" && left === 0 && dropped === 0 ? [] : [{ what, path: null, digest: hasher(given[what]), length: given[what].length, left, dropped }];
  });
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}
