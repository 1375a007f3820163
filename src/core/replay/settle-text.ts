// What differs between two runs of one and the same program, made the same: times, durations, process numbers, addresses in memory, names of
// temporary files, and the ids of commits, which hold a time. docs/replay.md lists them; nothing else is passed over.

/** One kind of text that is passed over. Patterns are linear: no part of one can match what the next part matches. */
interface Volatile {
  readonly id: string;
  readonly pattern: RegExp;
  readonly mark: string;
}

const MONTH = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)";
const DAY = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)";

/** In the order they are applied: the longer forms first. */
export const VOLATILE: readonly Volatile[] = [
  { id: "time", pattern: /\b(?:19|20)\d\d-[01]\d-[0-3]\d(?:[T ][0-2]\d:[0-5]\d(?::[0-6]\d(?:[.,]\d{1,9})?)?(?: ?(?:Z|UTC|GMT|[+-][01]\d:?[0-5]\d))?)?(?![\w-])/gu, mark: "<time>" },
  { id: "time", pattern: new RegExp(`\\b${DAY},? (?:${MONTH} [ 0-3]?\\d|[ 0-3]?\\d ${MONTH})(?: (?:19|20)\\d\\d)?(?: [0-2]\\d:[0-5]\\d:[0-6]\\d)?(?: (?:AM|PM))?(?: (?:[A-Z]{3,4}|[+-]\\d{4}))?(?: (?:19|20)\\d\\d)?\\b`, "gu"), mark: "<time>" },
  { id: "time", pattern: new RegExp(`\\b${MONTH} [ 0-3]?\\d (?:[0-2]\\d:[0-5]\\d(?::[0-6]\\d)?| ?(?:19|20)\\d\\d)(?!\\w)`, "gu"), mark: "<time>" },
  { id: "time", pattern: /\b[0-2]?\d:[0-5]\d:[0-6]\d(?:[.,]\d{1,9})?\b/gu, mark: "<time>" },
  { id: "time", pattern: /\b1[5-9]\d{8}(?:\d{3}|\d{6}|\d{9}|\.\d{1,9})?\b/gu, mark: "<time>" },
  { id: "duration", pattern: /\b\d{1,9}m ?\d{1,2}(?:\.\d{1,9})?s\b/gu, mark: "<duration>" },
  { id: "duration", pattern: /\b\d{1,9}(?:\.\d{1,9})? ?(?:ns|µs|us|ms|s|sec|secs|seconds|milliseconds)\b(?!\/)/gu, mark: "<duration>" },
  { id: "duration", pattern: /\b(duration_ms:?|"duration":|time=") ?\d{1,9}(?:\.\d{1,9})?/gu, mark: "$1 <duration>" },
  { id: "process", pattern: /\b(pid[:= ]{1,2}|process |PID[:= ]{1,2})\d{1,7}\b/gu, mark: "$1<pid>" },
  { id: "process", pattern: /(\/proc\/)\d{1,7}(?=\/)/gu, mark: "$1<pid>" },
  { id: "process", pattern: /==\d{1,7}==/gu, mark: "==<pid>==" },
  { id: "address", pattern: /\b0x[0-9a-f]{9,16}\b/gu, mark: "<address>" },
  { id: "temporary", pattern: /(\/tmp\/)(?:tmp[\w.]{1,64}|[\w-]{1,64}[-._](?=[a-z]{0,64}[\dA-Z])[A-Za-z0-9]{6,64})(?![\w.-])/gu, mark: "$1<name>" },
  { id: "commit", pattern: /(^|\n)(\[[^\]\n]{1,200} )[0-9a-f]{7,40}\]/gu, mark: "$1$2<commit>]" },
  { id: "commit", pattern: /\b([Cc]ommit )[0-9a-f]{7,40}\b/gu, mark: "$1<commit>" },
  { id: "commit", pattern: /(HEAD is now at )[0-9a-f]{7,40}\b/gu, mark: "$1<commit>" },
];

/** The text with everything that is passed over put as a mark of its kind. */
export function settleText(text: string): string {
  let settled = text;
  for (const { pattern, mark } of VOLATILE) settled = settled.replace(pattern, mark);
  return settled;
}

/** The first line that differs once both are settled; null when none does. Lines count from 1. */
export function firstDifference(recorded: string, rerun: string): { readonly line: number; readonly recorded: string | null; readonly rerun: string | null } | null {
  if (recorded === rerun) return null;
  const [left, right] = [settleText(recorded).split("\n"), settleText(rerun).split("\n")];
  for (let at = 0; at < Math.max(left.length, right.length); at += 1) {
    if (left[at] === right[at]) continue;
    return { line: at + 1, recorded: left[at] ?? null, rerun: right[at] ?? null };
  }
  return null;
}
