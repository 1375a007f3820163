// JSON that can be looked at: the same value, and nothing in its text steers a terminal, turns text round or hides.

const LOUD = /[\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff0-\ufffb]|[\u{e0000}-\u{e0fff}]/gu;

/**
 * A value as JSON text. Control, bidi and invisible characters that JSON lets through are written as its escapes, so a reader gets the same.
 * @param indent signs a level is moved in by; left out: one line
 */
export function quietJson(value: unknown, indent?: number): string {
  // Undefined for what JSON has no text of, as in JSON.stringify.
  const text = JSON.stringify(value, null, indent) as string | undefined;
  return (text ?? "null").replace(LOUD, (sign) => Array.from({ length: sign.length }, (_, at) => `\\u${sign.charCodeAt(at).toString(16).padStart(4, "0")}`).join(""));
}
