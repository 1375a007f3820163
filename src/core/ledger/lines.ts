// Cuts a stream of bytes into lines at each line feed, and nowhere else. Never holds more than one line past the limit.

import { concatBytes } from "./bytes.js";

const LINE_FEED = 0x0a;

/** Receives lines in order, without their line feed. */
export interface LineSink {
  readonly line: (bytes: Uint8Array, offset: number) => void;
  /** The line that begins at `offset` is longer than the limit; the rest of the stream is not looked at. */
  readonly tooLong: (offset: number) => void;
}

/** Takes bytes as they come. */
export interface LineSplitter {
  readonly push: (chunk: Uint8Array) => void;
  /** Bytes after the last line feed, and where they begin. */
  readonly rest: () => { readonly bytes: Uint8Array; readonly offset: number };
}

/** Makes a splitter with a limit on each line, in bytes. */
export function splitLines(limit: number, sink: LineSink): LineSplitter {
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  let offset = 0;
  let stopped = false;
  return {
    push: (chunk) => {
      let from = 0;
      while (!stopped && from < chunk.length) {
        const at = chunk.indexOf(LINE_FEED, from);
        const part = chunk.subarray(from, at < 0 ? chunk.length : at);
        if (heldBytes + part.length > limit) {
          stopped = true;
          sink.tooLong(offset);
          return;
        }
        if (at < 0) {
          held.push(new Uint8Array(part)); // a copy: the caller may reuse its buffer
          heldBytes += part.length;
          return;
        }
        const line = heldBytes === 0 ? part : concatBytes(...held, part);
        held = [];
        heldBytes = 0;
        sink.line(line, offset);
        offset += line.length + 1;
        from = at + 1;
      }
    },
    rest: () => ({ bytes: concatBytes(...held), offset }),
  };
}
