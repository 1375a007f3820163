// What sandboxd tells of the programs of a call, as records in a stream of bytes. Kind u8, size of the rest u32, the rest; texts end
// with a zero byte. Decoding is total and bounded: the first malformed byte ends it.

/** A program stood before its first instruction. Texts are bytes as the kernel has them. */
export interface StartedRecord {
  readonly kind: "started";
  /** Counts from 1 in a call. */
  readonly number: number;
  /** The program whose process, or whose child, this is; 0 for the call itself. */
  readonly parent: number;
  /** Since the call began. */
  readonly atMicros: number;
  /** It took the place of its parent in the same process. */
  readonly replaced: boolean;
  /** There are more arguments than were read. */
  readonly cut: boolean;
  /** The file that really runs, empty where the kernel does not tell. */
  readonly image: Uint8Array;
  readonly cwd: Uint8Array;
  readonly argv: readonly Uint8Array[];
}

export type ProgramRecord =
  | StartedRecord
  /** `status` as wait tells it; `replaced`: another program took its place. */
  | { readonly kind: "ended"; readonly number: number; readonly atMicros: number; readonly status: number; readonly replaced: boolean }
  | { readonly kind: "wrote"; readonly number: number; readonly path: Uint8Array }
  | { readonly kind: "lost"; readonly programs: number; readonly writes: number }
  /** The program stands still until it is answered. */
  | { readonly kind: "ask"; readonly number: number; readonly pid: number };

export interface ProgramReader {
  /** Takes the next bytes; null after anything malformed, for ever. Texts may be views into `chunk`. */
  readonly push: (chunk: Uint8Array) => readonly ProgramRecord[] | null;
}

/** Largest record: the arguments that sandboxd reads of one program, and its paths. */
const RECORD_BYTES = 2 * 1024 * 1024 + 32 * 1024;
const HEAD_BYTES = 5;
const REPLACED = 1;
const CUT = 2;

/** A reader of the records of one call. */
export function createProgramReader(): ProgramReader {
  let kept: Uint8Array = new Uint8Array(0);
  let deaf = false;
  const push = (chunk: Uint8Array): readonly ProgramRecord[] | null => {
    if (deaf) return null;
    const bytes = kept.length === 0 ? chunk : joined(kept, chunk);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const records: ProgramRecord[] = [];
    let at = 0;
    while (bytes.length - at >= HEAD_BYTES) {
      const size = view.getUint32(at + 1);
      if (size > RECORD_BYTES) return fail();
      if (bytes.length - at - HEAD_BYTES < size) break;
      const record = readRecord(bytes[at] ?? 0, bytes.subarray(at + HEAD_BYTES, at + HEAD_BYTES + size));
      if (record === null) return fail();
      records.push(record);
      at += HEAD_BYTES + size;
    }
    kept = bytes.slice(at);
    return records;
  };
  const fail = (): null => {
    deaf = true;
    return null;
  };
  return { push };
}

/** The answer to an `ask`. */
export function encodeVerdict(number: number, pid: number, goOn: boolean): Uint8Array {
  const payload = new Uint8Array(9);
  const view = new DataView(payload.buffer);
  view.setUint32(0, number);
  view.setUint32(4, pid);
  view.setUint8(8, goOn ? 1 : 0);
  return payload;
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const all = new Uint8Array(first.length + second.length);
  all.set(first);
  all.set(second, first.length);
  return all;
}

function readRecord(kind: number, bytes: Uint8Array): ProgramRecord | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const micros = (at: number): number => view.getUint32(at) * 2 ** 32 + view.getUint32(at + 4);
  switch (kind) {
    case 1: {
      if (bytes.length < 17) return null;
      const flags = bytes[16] ?? 0;
      const [image, cwd, ...argv] = textsOf(bytes.subarray(17));
      if (image === undefined || cwd === undefined) return null;
      return { kind: "started", number: view.getUint32(0), parent: view.getUint32(4), atMicros: micros(8), replaced: (flags & REPLACED) !== 0, cut: (flags & CUT) !== 0, image, cwd, argv };
    }
    case 2:
      if (bytes.length !== 17) return null;
      return { kind: "ended", number: view.getUint32(0), atMicros: micros(4), status: view.getUint32(12), replaced: ((bytes[16] ?? 0) & REPLACED) !== 0 };
    case 3: {
      const [path] = textsOf(bytes.subarray(4));
      return path === undefined ? null : { kind: "wrote", number: view.getUint32(0), path };
    }
    case 4:
      return bytes.length === 8 ? { kind: "lost", programs: view.getUint32(0), writes: view.getUint32(4) } : null;
    case 5:
      return bytes.length === 8 ? { kind: "ask", number: view.getUint32(0), pid: view.getUint32(4) } : null;
    default:
      return null;
  }
}

/** The texts that each end with a zero byte; what stands behind the last zero is none. */
function textsOf(bytes: Uint8Array): readonly Uint8Array[] {
  const texts: Uint8Array[] = [];
  let from = 0;
  for (let zero = bytes.indexOf(0); zero >= 0; zero = bytes.indexOf(0, from)) {
    texts.push(bytes.subarray(from, zero));
    from = zero + 1;
  }
  return texts;
}
