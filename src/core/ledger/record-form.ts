// The form of one line, apart from its place in the chain.

import { printable } from "../shared/index.js";
import { isCanonicalText } from "./canonical.js";

const MEMBERS = "call,data,hash,prev,seq,session,time,type,v";

/** The object in a line; null when there is none. */
export function parseObject(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null;
  } catch {
    return null; // the caller reports the line as malformed
  }
}

/** Tells whether a line is in canonical form and has the nine members of a record, with their kinds, and no other. */
export function isWholeRecord(text: string, parsed: Readonly<Record<string, unknown>>): boolean {
  const { call, data } = parsed;
  if (Object.keys(parsed).join() !== MEMBERS) return false;
  if (typeof data !== "object" || data === null || Array.isArray(data)) return false;
  return (call === null || typeof call === "string") && isCanonicalText(text, parsed);
}

/** Says why a line is no record; `text` is null when its bytes are not UTF-8. */
export function describeMalformed(text: string | null): string {
  if (text === null) return "the line is not UTF-8";
  if (text === "") return "the line is empty";
  if (text.endsWith("\r")) return "the line ends with a carriage return";
  if (text.startsWith("\ufeff")) return "the line begins with a byte order mark";
  return `the line is no record: it ends with \`${printable(text.slice(-40), 60)}\``;
}
