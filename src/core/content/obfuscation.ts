// Code that hides what it runs: decoded and run in one go, written in escapes, built from character codes, pushed out of sight. Text
// that is only encoded (images, hashes, test data) is not; it takes something that runs what was decoded.

import type { Span } from "./hidden-characters.js";

/** What turns data into text or bytes. */
const DECODER =
  /\b(?:atob|b64decode|b64_decode|base64_decode|urlsafe_b64decode|standard_b64decode|b32decode|b85decode|a85decode|unhexlify|a2b_hex|a2b_base64|fromhex|fromCharCode|fromCodePoint|unescape|decode64|strict_decode64|urlsafe_decode64|decodebytes|decodestring|FromBase64String|DecodeString|convert_uu|str_rot13|gzinflate|gzuncompress|hex2bin|inflateSync|gunzipSync|unzipSync|inflateRawSync|brotliDecompressSync)\b|\bBuffer\s{0,3}\.\s{0,3}from\s{0,3}\([^()\n]{0,4000}?,\s{0,3}["'`](?:base64|base64url|hex)["'`]|\bBuffer\s{0,3}\.\s{0,3}from\s{0,3}\([^(),\n]{1,200},\s{0,3}[$\w.]{1,40}\s{0,3}\)|\bBuffer\s{0,3}\.\s{0,3}from\s{0,3}\(\s{0,3}\[|\b(?:zlib|bz2|lzma|gzip)\s{0,2}\.\s{0,2}decompress\b|\bmarshal\s{0,2}\.\s{0,2}loads\b|\bcodecs\s{0,2}\.\s{0,2}decode\b|\.decode\(\s{0,3}["'](?:base64|hex|rot13|rot_13|zip|zlib|bz2|cp1026|cp037|cp500)["']|\bjoin\(\s{0,3}(?:map\(\s{0,3}chr\b|chr\()|\bpack\(\s{0,3}["'][Hhmu]\*?["']|\bunpack\(\s{0,3}["'][mu]0?["']|\bbase64\s{1,3}(?:-d|-D|--decode)\b/g;

/** What runs text. A method of another object is none, but for the ones spelt out. */
const SINK =
  /(?<![.\w$])(?:eval|exec|execfile|Function|compile|__import__|instance_eval|class_eval|module_eval|system|popen|shell_exec|passthru|proc_open|create_function|Invoke-Expression|iex|execSync|spawnSync|spawn|run_code)\s{0,3}\(|\b(?:os|subprocess|commands|child_process|cp|vm|Kernel|binding|builtins|__builtins__|globalThis|window|global|self|sys|pty|runpy|exec)\s{0,2}\.\s{0,2}(?:system|popen|popen2|popen3|popen4|call|run|check_call|check_output|getoutput|getstatusoutput|Popen|exec|execSync|execFile|execFileSync|spawn|spawnSync|runInThisContext|runInNewContext|runInContext|compileFunction|eval|instance_eval|class_eval|Command|CommandContext)\s{0,3}\(|\bnew\s{1,3}(?:Function|vm\.Script)\s{0,3}\(|\.constructor\s{0,3}\(\s{0,3}["'`]/g;

/** How far a decoder may stand inside a call that runs it, in characters. */
const REACH = 400;
/** Most decoders and sinks of one text that are compared. */
const MOST = 500;

/** Where code hides itself, in order; at most `most`. */
export function findObfuscation(text: string, most: number = 100): readonly Span[] {
  const spans = [...decodedAndRun(text), ...escapedAndRun(text), ...pushedOutOfSight(text), ...encodedPrograms(text)].toSorted((a, b) => a.start - b.start);
  const out: Span[] = [];
  for (const span of spans) {
    const last = out.at(-1);
    if (last !== undefined && span.start < last.end) out[out.length - 1] = { start: last.start, end: Math.max(last.end, span.end) };
    else if (out.length < most) out.push(span);
  }
  return out;
}

function matches(pattern: RegExp, text: string): readonly RegExpMatchArray[] {
  const found: RegExpMatchArray[] = [];
  for (const match of text.matchAll(pattern)) {
    found.push(match);
    if (found.length >= MOST) break;
  }
  return found;
}

/** A decoder inside the brackets of a sink, or a name that holds what was decoded inside them. */
function decodedAndRun(text: string): readonly Span[] {
  const decoders = matches(DECODER, text);
  if (decoders.length === 0) return [];
  const sinks = matches(SINK, text);
  const names = new Map<string, number>();
  for (const decoder of decoders) for (const name of namesBefore(text, decoder.index ?? 0)) if (!names.has(name)) names.set(name, decoder.index ?? 0);
  return sinks.flatMap((sink) => {
    const start = sink.index ?? 0;
    const open = start + sink[0].length;
    const inside = text.slice(open, closing(text, open));
    const direct = decoders.some((decoder) => (decoder.index ?? 0) >= open && (decoder.index ?? 0) < open + inside.length);
    const named = [...names].some(([name, from]) => from < start && new RegExp(`(?<![.\\w$"'])${name.replaceAll("$", "\\$")}(?![\\w$"'])`).test(inside));
    return direct || named ? [{ start, end: open + inside.length }] : [];
  });
}

/** End of the brackets that opened before `at`, or `REACH` characters on. */
function closing(text: string, at: number): number {
  let depth = 1;
  const end = Math.min(text.length, at + REACH);
  for (let index = at; index < end; index += 1) {
    const char = text[index];
    if (char === "(") depth += 1;
    else if (char === ")") depth -= 1;
    if (depth === 0) return index;
  }
  return end;
}

/** Names that the statement around a place gives its value to: `x = …`, `const x = …`, `x, err := …`. */
function namesBefore(text: string, at: number): readonly string[] {
  const start = Math.max(0, at - REACH);
  const before = text.slice(start, at);
  const line = before.slice(Math.max(before.lastIndexOf("\n"), before.lastIndexOf(";")) + 1);
  const given = /(?:^|[\s(,])(?:const|let|var|my|our|auto|char|string)?\s{0,4}([$A-Za-z_][\w$]{0,60})(?:\s{0,3},\s{0,3}[A-Za-z_]\w{0,60})?\s{0,3}(?::?=)(?!=)/.exec(line);
  return given?.[1] === undefined ? [] : [given[1]];
}

const ESCAPED = /(?<![.\w$])(?:eval|exec|Function|compile|__import__|getattr)\s{0,3}\([^"'`\n)]{0,60}["'`](?:\\x[0-9a-fA-F]{2}|\\[0-7]{3}|\\u[0-9a-fA-F]{4}|\\u\{[0-9a-fA-F]{1,6}\}){4,}/g;

/** A literal of escapes that is run. */
function escapedAndRun(text: string): readonly Span[] {
  return matches(ESCAPED, text).map((match) => ({ start: match.index ?? 0, end: (match.index ?? 0) + match[0].length }));
}

/** Code behind so many blanks that no window shows it, after other text on the line. */
const OUT_OF_SIGHT = /\S[ \t]{200,}(?=[^\s#/*|])/g;

function pushedOutOfSight(text: string): readonly Span[] {
  if (!/[ \t]{200}/.test(text)) return [];
  return matches(OUT_OF_SIGHT, text).flatMap((match) => {
    const end = (match.index ?? 0) + match[0].length;
    const after = text.slice(end, text.indexOf("\n", end) < 0 ? text.length : text.indexOf("\n", end));
    return /[=(]/.test(after) && /[;)]/.test(after) ? [{ start: match.index ?? 0, end: end + Math.min(after.length, REACH) }] : [];
  });
}

/** Forms that only a tool for hiding code writes. */
const ENCODED_PROGRAMS: readonly RegExp[] = [
  /[[\]()!+]{300,}/g, // JSFuck
  // Decoded by one program and run by the next, or by the shell itself.
  /\b(?:base64\s{1,3}(?:-d|-D|--decode)|base32\s{1,3}(?:-d|--decode)|xxd\s{1,3}-r|uudecode|openssl\s{1,3}(?:enc|base64)\b[^\n|;]{0,60}\s-d)[^\n|;]{0,120}\|\s{0,3}(?:sudo\s{1,3})?(?:\S{0,40}\/)?(?:(?:ba|da|z|k)?sh|python[0-9.]{0,4}|perl|node|ruby|php)\b/g,
  /\beval\s{1,3}["']?(?:\$\(|`)[^\n]{0,400}?\b(?:base64\s{1,3}(?:-d|-D|--decode)|xxd\s{1,3}-r|uudecode)\b/g,
  /\b__pyarmor__\s{0,3}\(/g,
  /\beval\(function\(p,a,c,k,e,[rd]\)/g,
  /[\u{1d400}-\u{1d7ff}]{3,}\s{0,3}[(.=]/gu, // mathematical letters, which Python reads as plain ones
];

/** Names that a program renamed by such a tool has many of. */
const RENAMED = /\b_0x[0-9a-f]{4,8}\b/g;
const RENAMED_NAMES = 8;

function encodedPrograms(text: string): readonly Span[] {
  const spans = ENCODED_PROGRAMS.flatMap((pattern) => matches(pattern, text).map((match) => ({ start: match.index ?? 0, end: (match.index ?? 0) + Math.min(match[0].length, REACH) })));
  const renamed = matches(RENAMED, text);
  const first = renamed[0];
  if (first === undefined || new Set(renamed.map((match) => match[0])).size < RENAMED_NAMES) return spans;
  return [...spans, { start: first.index ?? 0, end: (first.index ?? 0) + first[0].length }];
}
