// A policy file's text with the place of everything in it. Any warning of the parser is an error here.

import { isMap, isNode, isScalar, isSeq, LineCounter, parseDocument, type Document } from "yaml";
import { printable, type Issue, type SourceSpan } from "../shared/index.js";

const MAX_ALIASES = 10;
/** A policy nests six deep. */
const MAX_DEPTH = 50;
const MAX_PROBLEMS = 20;
const EXCERPT = 160;

/** What to do about an error of form. */
const HINTS: ReadonlyMap<string, string> = new Map([
  ["TAG_RESOLVE_FAILED", "remove the tag; only plain YAML 1.2 values are read"],
  ["TAB_AS_INDENT", "indent with blanks"],
  ["MISSING_CHAR", "close it, or remove where it begins"],
  ["BAD_INDENT", "give all keys of a map the same indentation"],
  ["BLOCK_IN_FLOW", "write the list or map on lines of its own"],
  ["MULTILINE_IMPLICIT_KEY", "quote the text, or write `: ` after the key"],
]);

/** A parsed file: its plain value, and the place of any path in it. */
export interface SourceText {
  readonly value: unknown;
  /** Place of the value at a path, or of its nearest existing parent. */
  readonly placeOf: (path: readonly PropertyKey[]) => SourceSpan;
  /** Place of a key in the map at a path. */
  readonly placeOfKey: (path: readonly PropertyKey[], key: string) => SourceSpan;
  /** The source line at a place, printable. */
  readonly excerptAt: (place: SourceSpan) => string;
}

/** Reads YAML 1.2, core schema. Gives every error and warning with its place. */
export function readSource(file: string, text: string): { readonly source: SourceText | null; readonly issues: readonly Issue[] } {
  const lines = new LineCounter();
  const excerptAt = (place: SourceSpan): string => {
    const start = lines.lineStarts[place.line - 1] ?? 0;
    const end = lines.lineStarts[place.line];
    return printable(text.slice(start, end).trimEnd(), EXCERPT);
  };
  const spanAt = (offset: number): SourceSpan => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(1, line), column: Math.max(1, col) };
  };
  const issueAt = (offset: number, message: string, hint?: string): Issue => {
    const at = spanAt(offset);
    return { code: "POLICY_YAML", message, at, excerpt: excerptAt(at), ...(hint === undefined ? {} : { hint }) };
  };
  const deep = tooDeepAt(text);
  if (deep !== null) return { source: null, issues: [issueAt(0, `line ${String(deep)} is nested too deep`)] };
  let document: Document;
  let value: unknown;
  try {
    document = parseDocument(text, { lineCounter: lines, strict: true, uniqueKeys: false, version: "1.2", schema: "core", merge: false, prettyErrors: false, stringKeys: true, logLevel: "silent" });
  } catch (cause) {
    return { source: null, issues: [issueAt(0, `the file cannot be parsed: ${printable(cause instanceof Error ? cause.message : "unknown")}`)] };
  }
  const found = [...document.errors, ...document.warnings].slice(0, MAX_PROBLEMS);
  // What follows from a tab or an open quote is no problem of its own.
  const first = found.find((problem) => problem.code === "TAB_AS_INDENT" || problem.code === "MISSING_CHAR");
  const problems = (first === undefined ? found : [first]).map((problem) => issueAt(problem.pos[0], lowerStart(printable(problem.message)), HINTS.get(problem.code)));
  if (problems.length > 0) return { source: null, issues: problems };
  const plain = readPlain(document);
  const twice = plain.repeated.map(([offset, key]) => issueAt(offset, `key \`${printable(key, 60)}\` is given twice`, "remove one of them"));
  if (twice.length > 0) return { source: null, issues: twice };
  try {
    value = plain.aliased ? document.toJS({ maxAliasCount: MAX_ALIASES }) : plain.value;
  } catch (cause) {
    return { source: null, issues: [issueAt(0, lowerStart(printable(cause instanceof Error ? cause.message : "unknown")), "write repeated values out instead of using aliases")] };
  }
  const offsetOf = (path: readonly PropertyKey[]): number => {
    for (let length = path.length; length >= 0; length -= 1) {
      const node = document.getIn(path.slice(0, length), true);
      if (isNode(node) && node.range) return node.range[0];
    }
    return 0;
  };
  const source: SourceText = {
    value,
    placeOf: (path) => spanAt(offsetOf(path)),
    placeOfKey: (path, key) => {
      const node = path.length === 0 ? document.contents : document.getIn(path, true);
      if (isMap(node)) {
        for (const pair of node.items) {
          if (isScalar(pair.key) && String(pair.key.value) === key && pair.key.range) return spanAt(pair.key.range[0]);
        }
      }
      return spanAt(offsetOf(path));
    },
    excerptAt,
  };
  return { source, issues: [] };
}

interface Plain {
  /** The document as plain data; of no use when there are aliases in it. */
  readonly value: unknown;
  readonly aliased: boolean;
  /** Keys given twice in one map, with their offset. The parser's own check takes quadratic time. */
  readonly repeated: readonly (readonly [number, string])[];
}

/** One walk over the document in place of one for each question. */
function readPlain(document: Document): Plain {
  const repeated: (readonly [number, string])[] = [];
  let aliased = false;
  const read = (node: unknown): unknown => {
    if (isScalar(node)) return node.value;
    if (isSeq(node)) return node.items.map(read);
    if (!isMap(node)) {
      aliased ||= node !== null && node !== undefined;
      return null;
    }
    const entries: [string, unknown][] = [];
    const seen = new Set<string>();
    for (const { key, value } of node.items) {
      const name = isScalar(key) ? String(key.value) : "";
      if (seen.has(name) && isNode(key) && key.range && repeated.length < MAX_PROBLEMS) repeated.push([key.range[0], name]);
      seen.add(name);
      aliased ||= !isScalar(key);
      entries.push([name, read(value)]);
    }
    return Object.fromEntries(entries);
  };
  return { value: read(document.contents), aliased, repeated };
}

/** The line where nesting passes the limit, by a plain count of what opens and of indentation; null when it never does. */
function tooDeepAt(text: string): number | null {
  let open = 0;
  for (const [index, line] of text.split("\n").entries()) {
    if (/^\s*#/.test(line)) continue;
    const lead = /^(?:[ \t]|[-?:](?=[ \t]))*/.exec(line)?.[0] ?? "";
    if (lead.length > MAX_DEPTH * 4) return index + 1;
    for (let at = 0; at < line.length; at += 1) {
      const code = line.charCodeAt(at);
      if (code === 0x5b || code === 0x7b) open += 1;
      else if ((code === 0x5d || code === 0x7d) && open > 0) open -= 1;
      if (open > MAX_DEPTH) return index + 1;
    }
  }
  return null;
}

function lowerStart(message: string): string {
  const trimmed = message.replace(/\.$/, "");
  return /^[A-Z][a-z]/.test(trimmed) ? trimmed.charAt(0).toLowerCase() + trimmed.slice(1) : trimmed;
}
