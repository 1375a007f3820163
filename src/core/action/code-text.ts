// Code of any of the usual languages as far as a reader without a parser can tell: its literals, what is called with what, and which
// names hold which literals. Total and bounded; what it does not see is not there, and nothing is refused by it.

/** One call as written: the name it ends in, what stands before it, and the literals that its operands can mean. */
export interface CodeCall {
  /** `os.remove`, `unlink`: with the dotted names before it. */
  readonly name: string;
  /** Text between the brackets, literals as marks. */
  readonly args: string;
  /** Literals that stand in the operands, or that a name in them holds. */
  readonly literals: readonly string[];
}

export interface CodeText {
  readonly calls: readonly CodeCall[];
  /** The code with each literal as a mark, comments gone. */
  readonly bare: string;
}

/** Longest code read, most literals and most calls; longest literal that is kept. */
const CHARS = 64 * 1024;
const LITERALS = 2_000;
const CALLS = 2_000;
const LITERAL_CHARS = 400;
/** Names that hold names that hold literals are followed so far. */
const ROUNDS = 3;
/** Most literals that one name is taken to hold. */
const HELD = 20;

/** Reads a piece of code. */
export function readCode(source: string): CodeText {
  const { bare, literals } = withoutLiterals(source.slice(0, CHARS));
  const raw = callsOf(bare);
  const names = namesOf(bare, raw);
  const calls = raw.map(({ name, args, operands }) => ({ name, args, literals: held(operands, names).flatMap((index) => literals[index] ?? []) }));
  return { calls, bare };
}

/** A mark that no code has, with the literal's number. */
const MARK = /\u{e000}(\d{1,5})\u{e001}/gu;

function withoutLiterals(source: string): { readonly bare: string; readonly literals: readonly string[] } {
  const literals: string[] = [];
  let bare = "";
  let at = 0;
  while (at < source.length) {
    const char = source.charAt(at);
    if (char === "#" && (bare === "" || /\s$/u.test(bare.slice(-1)))) {
      at = lineEnd(source, at);
    } else if (char === "/" && source[at + 1] === "/") {
      at = lineEnd(source, at);
    } else if (char === '"' || char === "'" || char === "`") {
      const long = source.startsWith(char.repeat(3), at);
      const end = long ? source.indexOf(char.repeat(3), at + 3) : literalEnd(source, at, char);
      const text = source.slice(at + (long ? 3 : 1), end < 0 ? undefined : end);
      if (literals.length < LITERALS && text.length <= LITERAL_CHARS) bare += `\u{e000}${String(literals.push(text) - 1)}\u{e001}`;
      at = end < 0 ? source.length : end + (long ? 3 : 1);
    } else {
      bare += char === "\u{e000}" || char === "\u{e001}" ? " " : char;
      at += 1;
    }
  }
  return { bare, literals };
}

function lineEnd(source: string, at: number): number {
  const end = source.indexOf("\n", at);
  return end < 0 ? source.length : end;
}

/** Where a literal ends; one that does not end on its line ends with it, but for a template. */
function literalEnd(source: string, at: number, quote: string): number {
  for (let index = at + 1; index < source.length; index += 1) {
    const char = source[index];
    if (char === "\\") index += 1;
    else if (char === quote || (char === "\n" && quote !== "`")) return index;
  }
  return -1;
}

interface RawCall {
  readonly name: string;
  readonly args: string;
  /** The arguments, and what the call is made on. */
  readonly operands: string;
}

const CALL = /([$A-Za-z_][\w$]{0,60}(?:(?:\.|::|->)[$A-Za-z_][\w$]{0,60}){0,5})\s{0,2}\(/gu;

function callsOf(bare: string): readonly RawCall[] {
  const calls: RawCall[] = [];
  for (const match of bare.matchAll(CALL)) {
    const name = match[1] ?? "";
    const open = match.index + match[0].length;
    const args = inBrackets(bare, open);
    // `Path("/x").unlink()`: the name begins behind the brackets of another call on the same line.
    const before = /\)\.?$/u.test(bare.slice(Math.max(0, match.index - 2), match.index)) ? bare.slice(bare.lastIndexOf("\n", match.index) + 1, match.index).slice(-200) : "";
    calls.push({ name, args, operands: `${name.slice(0, Math.max(0, name.search(/(?:\.|::|->)[^.:>]*$/u)))} ${before} ${args}` });
    if (calls.length >= CALLS) break;
  }
  return calls;
}

function inBrackets(bare: string, open: number): string {
  let depth = 1;
  const end = Math.min(bare.length, open + 600);
  for (let index = open; index < end; index += 1) {
    const char = bare[index];
    if (char === "(") depth += 1;
    else if (char === ")") depth -= 1;
    if (depth === 0) return bare.slice(open, index);
  }
  return bare.slice(open, end);
}

type Names = ReadonlyMap<string, ReadonlySet<number>>;

const GIVEN = /(?:^|;)[ \t]{0,80}(?:(?:const|let|var|my|our|for|export|async|await)\s{1,3}|[$(])*([$A-Za-z_][\w$]{0,60})(?:\s{0,3}:\s{0,3}[\w[\], .|]{1,60})?\s{0,3}(?::?=(?!=)|\bin\b|\bof\b)([^\n;]{1,600})/gmu;
const DEFINED = /\b(?:def|function|sub|func|fn)\s{1,3}([$A-Za-z_][\w$]{0,60})\s{0,2}\(([^()\n]{0,300})\)/gu;

/** Which literals a name can hold: what it is given, and as a parameter what its function is called with. */
function namesOf(bare: string, calls: readonly RawCall[]): Names {
  const names = new Map<string, Set<number>>();
  const given: { readonly name: string; readonly from: string }[] = [];
  for (const match of bare.matchAll(GIVEN)) given.push({ name: match[1] ?? "", from: match[2] ?? "" });
  for (const match of bare.matchAll(DEFINED)) {
    const parameters = (match[2] ?? "").split(",").map((one) => /[A-Za-z_$][\w$]*/u.exec(one)?.[0] ?? "");
    for (const { name, args } of calls) {
      if (name !== match[1] || given.length > CALLS) continue;
      for (const [index, arg] of topLevel(args).entries()) given.push({ name: parameters[index] ?? "", from: arg });
    }
  }
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const { name, from } of given.slice(0, CALLS)) {
      if (name === "") continue;
      const own = names.get(name) ?? new Set<number>();
      for (const index of held(from, names)) if (own.size < HELD) own.add(index);
      names.set(name, own);
    }
  }
  return names;
}

function topLevel(args: string): readonly string[] {
  const parts: string[] = [""];
  let depth = 0;
  for (const char of args) {
    if ("([{".includes(char)) depth += 1;
    if (")]}".includes(char)) depth -= 1;
    if (char === "," && depth === 0) parts.push("");
    else parts[parts.length - 1] += char;
  }
  return parts;
}

function held(text: string, names: Names): readonly number[] {
  const found = new Set<number>();
  for (const match of text.matchAll(MARK)) found.add(Number(match[1]));
  for (const match of text.matchAll(/[$A-Za-z_][\w$]{0,60}/gu)) for (const index of names.get(match[0]) ?? []) found.add(index);
  return [...found].slice(0, HELD);
}
