// Names as policy compares them: home written out, and the folding under which deny and ask see one name in many spellings.

import { normalisePath } from "../action/paths.js";

/** A path that a tool names, made absolute: `~` and `~/…` mean home. Null when no file can have it. */
export function absolutePath(path: string, base: { readonly cwd: string; readonly home: string }): string | null {
  const expanded = path === "~" ? base.home : path.startsWith("~/") ? `${base.home}/${path.slice(2)}` : path;
  return normalisePath(expanded, base.cwd);
}

const INVISIBLE = /\p{Default_Ignorable_Code_Point}/gu;
const ASCII = /^[\x20-\x7e]*$/;

/** Tells whether a text is printable ASCII, which has one spelling but for letter case. */
export function isAscii(text: string): boolean {
  return ASCII.test(text);
}

/** One spelling for every name that a person or a case-insensitive file system may take for another. */
export function foldName(text: string): string {
  if (isAscii(text)) return text.toLowerCase();
  return text.normalize("NFKC").replace(INVISIBLE, "").toLowerCase();
}

/** The names between slashes, without empty ones. */
export function segmentsOf(path: string): readonly string[] {
  return path.split("/").filter((part) => part !== "");
}
