// Brace expansion on the source text of a word, before anything else, as bash does it. Bounded.

/** Most words one word may become. */
const MAX_WORDS = 500;
/** Longest text of all of them together. */
const MAX_TEXT = 50_000;

/** Expands the braces in a word's source text; null when there would be too many words. */
export function expandBraces(source: string): readonly string[] | null {
  const out = expand(source, 0);
  if (out === null) return null;
  let total = 0;
  for (const word of out) total += word.length;
  return total > MAX_TEXT ? null : out;
}

function expand(source: string, depth: number): string[] | null {
  if (depth > 16) return null;
  let from = 0;
  for (;;) {
    const open = findOpen(source, from);
    if (open < 0) return [source];
    const group = readGroup(source, open);
    if (group === null) {
      from = open + 1;
      continue;
    }
    const items = group.items.length > 1 ? expandItems(group.items, depth) : sequence(group.items[0] ?? "");
    if (items === undefined) {
      from = open + 1;
      continue;
    }
    const tails = expand(source.slice(group.end), depth + 1);
    if (items === null || tails === null || items.length * tails.length > MAX_WORDS) return null;
    const head = source.slice(0, open);
    return items.flatMap((item) => tails.map((tail) => head + item + tail));
  }
}

function expandItems(items: readonly string[], depth: number): string[] | null {
  const out: string[] = [];
  for (const item of items) {
    const words = expand(item, depth + 1);
    if (words === null || out.length + words.length > MAX_WORDS) return null;
    out.push(...words);
  }
  return out;
}

/** The position behind a quoted piece, an escape or a `$(…)`/`${…}` that starts at `i`; `i` itself when none does. */
function skipQuoted(source: string, i: number): number {
  const c = source[i];
  if (c === "\\") return i + 2;
  if (c === "'" || c === '"' || c === "`") {
    let j = i + 1;
    while (j < source.length && source[j] !== c) j += c !== "'" && source[j] === "\\" ? 2 : 1;
    return j + 1;
  }
  if (c === "$" && (source[i + 1] === "{" || source[i + 1] === "(")) {
    const open = source[i + 1];
    const close = open === "{" ? "}" : ")";
    let level = 1;
    let j = i + 2;
    while (j < source.length && level > 0) {
      if (source[j] === open) level += 1;
      else if (source[j] === close) level -= 1;
      j += source[j] === "\\" ? 2 : 1;
    }
    return j;
  }
  return i;
}

function findOpen(source: string, from: number): number {
  let i = from;
  while (i < source.length) {
    const next = skipQuoted(source, i);
    if (next > i) i = next;
    else if (source[i] === "{") return i;
    else i += 1;
  }
  return -1;
}

function readGroup(source: string, open: number): { readonly items: readonly string[]; readonly end: number } | null {
  const items: string[] = [];
  let level = 0;
  let start = open + 1;
  let i = open;
  while (i < source.length) {
    const next = skipQuoted(source, i);
    if (next > i) {
      i = next;
      continue;
    }
    const c = source[i];
    if (c === "{") level += 1;
    else if (c === "," && level === 1) {
      items.push(source.slice(start, i));
      start = i + 1;
    } else if (c === "}") {
      level -= 1;
      if (level === 0) {
        items.push(source.slice(start, i));
        return { items, end: i + 1 };
      }
    }
    i += 1;
  }
  return null;
}

const NUMBERS = /^([+-]?\d{1,9})\.\.([+-]?\d{1,9})(?:\.\.([+-]?\d{1,9}))?$/;
const LETTERS = /^([A-Za-z])\.\.([A-Za-z])(?:\.\.([+-]?\d{1,9}))?$/;

/** `{1..5}` and `{a..e}`; undefined when the text is no sequence, null when it is too long. */
function sequence(body: string): string[] | null | undefined {
  const numbers = NUMBERS.exec(body);
  if (numbers !== null) {
    const [, first = "", last = "", by = "1"] = numbers;
    const width = isPadded(first) || isPadded(last) ? Math.max(first.length, last.length) : 0;
    return count(Number(first), Number(last), Number(by))?.map((n) => pad(n, width)) ?? null;
  }
  const letters = LETTERS.exec(body);
  if (letters === null) return undefined;
  const [, first = "", last = "", by = "1"] = letters;
  return count(first.charCodeAt(0), last.charCodeAt(0), Number(by))?.map((n) => String.fromCharCode(n)) ?? null;
}

function isPadded(text: string): boolean {
  const digits = text.replace(/^[+-]/, "");
  return digits.length > 1 && digits[0] === "0";
}

function pad(n: number, width: number): string {
  if (n < 0) return `-${String(-n).padStart(width - 1, "0")}`;
  return String(n).padStart(width, "0");
}

function count(first: number, last: number, by: number): number[] | null {
  const step = Math.max(1, Math.abs(by));
  const length = Math.floor(Math.abs(last - first) / step) + 1;
  if (length > MAX_WORDS) return null;
  const sign = last < first ? -1 : 1;
  return Array.from({ length }, (_, i) => first + sign * step * i);
}
