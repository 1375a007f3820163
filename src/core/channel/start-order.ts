// A start order as bytes, the way sandboxd takes it: no text has to be parsed in front of the agent's process.
// flags u8 (1: input follows, 2: the file tool, 4: each program but the first is asked about, 8: earlier answers are forgotten, 16: the program stands before its first instruction until `go`), time limit in ms u32, output limit u64, number of arguments u32, of variables
// u32; then UTF-8 texts that each end with a zero byte: working directory, arguments, variables as NAME=VALUE.

/** Runs one program as the agent. `program` names a command, `files` the runtime's own file tool, below `cwd`. No text holds a zero character. */
export interface StartOrder {
  readonly kind: "program" | "files";
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly environment: readonly (readonly [string, string])[];
  readonly hasStdin: boolean;
  /** Each program but the first waits for an answer; `anew`: answers to earlier calls hold no longer. Left out: none is asked about. */
  readonly judge?: "anew" | "known";
  /** Its program stands before its first instruction until a message `go`. Only where programs are recorded. */
  readonly isHeld?: boolean;
  /** Whole milliseconds. */
  readonly timeoutMs: number;
  /** Whole bytes of each output. */
  readonly outputBytes: number;
}

const HEAD_BYTES = 21;
const FLAG = { stdin: 1, files: 2, judge: 4, forget: 8, hold: 16 } as const;
const U32 = 2 ** 32;

/** The payload of a start frame. A surrogate that stands alone becomes U+FFFD, as everywhere a text leaves for a system call. */
export function encodeStart(order: StartOrder): Uint8Array {
  const texts = [order.cwd, ...order.argv, ...order.environment.map(([name, value]) => `${name}=${value}`)];
  const bytes = new Uint8Array(HEAD_BYTES + texts.reduce((sum, text) => sum + text.length * 3 + 1, 0));
  const view = new DataView(bytes.buffer);
  view.setUint8(0, (order.hasStdin ? FLAG.stdin : 0) | (order.kind === "files" ? FLAG.files : 0) | (order.judge === undefined ? 0 : FLAG.judge) | (order.judge === "anew" ? FLAG.forget : 0) | (order.isHeld === true ? FLAG.hold : 0));
  view.setUint32(1, Math.min(order.timeoutMs, U32 - 1));
  view.setUint32(5, Math.floor(order.outputBytes / U32));
  view.setUint32(9, order.outputBytes % U32);
  view.setUint32(13, order.argv.length);
  view.setUint32(17, order.environment.length);
  let at = HEAD_BYTES;
  for (const text of texts) at = writeText(bytes, at, text) + 1;
  return bytes.subarray(0, at);
}

/** Writes a text in UTF-8 and returns where it ends. */
function writeText(into: Uint8Array, start: number, text: string): number {
  let at = start;
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) {
      into[at++] = unit;
      continue;
    }
    const point = text.codePointAt(i) ?? 0;
    if (point > 0xffff) i += 1;
    at = writePoint(into, at, point >= 0xd800 && point <= 0xdfff ? 0xfffd : point);
  }
  return at;
}

function writePoint(into: Uint8Array, start: number, point: number): number {
  let at = start;
  const more = point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
  const lead = more === 1 ? 0xc0 : more === 2 ? 0xe0 : 0xf0;
  into[at++] = lead | (point >> (6 * more));
  for (let left = more - 1; left >= 0; left -= 1) into[at++] = 0x80 | ((point >> (6 * left)) & 0x3f);
  return at;
}
