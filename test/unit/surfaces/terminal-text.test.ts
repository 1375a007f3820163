// What an agent prints reaches a terminal only in this form: colours, and nothing that steers.

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sanitiseTerminal } from "../../../src/surfaces/cli/terminal-text.js";

const RUNS = 200 * (process.env["RINGFENCE_SOAK"] === "1" ? 20 : 1);
const ESC = "\u001b";
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Filters the pieces of one stream. */
function filtered(...pieces: readonly Uint8Array[]): string {
  const filter = sanitiseTerminal();
  return pieces.map(filter).join("");
}

/** A text that ends what the filter may hold back. */
const END = "\n.";

const HOSTILE: readonly (readonly [string, string, string])[] = [
  ["clipboard (OSC 52)", `${ESC}]52;c;ZXZpbA==\u0007`, "\\x1b]52;c;ZXZpbA==\\x07"],
  ["title", `${ESC}]0;mine${ESC}\\`, "\\x1b]0;mine\\x1b\\"],
  ["link (OSC 8)", `${ESC}]8;;http://evil\u0007text`, "\\x1b]8;;http://evil\\x07text"],
  ["cursor up and erased line", `${ESC}[1A${ESC}[2K`, "\\x1b[1A\\x1b[2K"],
  ["cleared screen", `${ESC}[2J${ESC}[H`, "\\x1b[2J\\x1b[H"],
  ["other screen", `${ESC}[?1049h`, "\\x1b[?1049h"],
  ["question to the terminal", `${ESC}[6n${ESC}[c`, "\\x1b[6n\\x1b[c"],
  ["device control", `${ESC}P+q544e${ESC}\\`, "\\x1bP+q544e\\x1b\\"],
  ["eight-bit control", "\u009b2J\u0090x\u009c", "\\x9b2J\\x90x\\x9c"],
  ["reset of the terminal", `${ESC}c`, "\\x1bc"],
  ["bell, form feed, delete", "\u0007\u000c\u007f", "\\x07\\x0c\\x7f"],
  ["text that runs backwards", "a\u202eb\u2066c\u200f", "a\\u{202e}b\\u{2066}c\\u{200f}"],
  ["invisible characters", "a\u200bb\ufeffc\u{e0041}", "a\\u{200b}b\\u{feff}c\\u{e0041}"],
  ["concealed text", `${ESC}[8mhidden`, "\\x1b[8mhidden"],
  ["concealed text among colours", `${ESC}[1;08;31mhidden`, "\\x1b[1;08;31mhidden"],
  ["unended colour", `${ESC}[31;${"1;".repeat(30)}m`, `\\x1b[31;${"1;".repeat(30)}m`],
  ["nested escapes", `${ESC}${ESC}[31m`, `\\x1b${ESC}[31m`],
  ["escape in the midst of a sequence", `${ESC}[3${ESC}[0m`, `\\x1b[3${ESC}[0m`],
];

const KEPT: readonly (readonly [string, string])[] = [
  ["plain lines", "one\n\ttwo\n"],
  ["carriage return and backspace", "10%\r20%\b\b"],
  ["colours", `${ESC}[1;31mred${ESC}[0m ${ESC}[mx`],
  ["256 colours, number 8 too", `${ESC}[38;5;8mgrey${ESC}[48;5;8m`],
  ["true colours with 8 in them", `${ESC}[38;2;8;8;8mx${ESC}[48;2;8;8;8;1m`],
  ["colours with colons", `${ESC}[38:2::1:8:3mx${ESC}[4:3m`],
  ["end of concealed text", `${ESC}[28m`],
  ["text of the world", "größer 日本 \u{1f600} é"],
];

describe("the terminal filter", () => {
  it.each(HOSTILE)("shows and does not obey: %s", (_what, text, shown) => {
    expect(filtered(bytes(text + END))).toBe(shown + END);
  });

  it.each(KEPT)("keeps %s", (_what, text) => {
    expect(filtered(bytes(text + END))).toBe(text + END);
  });

  it.each([...HOSTILE.map(([what, text]) => [what, text] as const), ...KEPT])("gives the same wherever the stream is cut: %s", (_what, text) => {
    const whole = bytes(`a${text}${END}`);
    const expected = filtered(whole);
    for (let at = 0; at <= whole.length; at += 1) expect(filtered(whole.subarray(0, at), whole.subarray(at))).toBe(expected);
    expect(filtered(...Array.from(whole, (byte) => Uint8Array.of(byte)))).toBe(expected);
  });

  it("shows bytes that are no UTF-8 as replacement characters, also where a character was cut", () => {
    expect(filtered(Uint8Array.of(0x61, 0xff, 0xfe, 0x62))).toBe("a\ufffd\ufffdb");
    expect(filtered(Uint8Array.of(0xe2, 0x82), Uint8Array.of(0xac, 0x0a))).toBe("€\n");
    expect(filtered(Uint8Array.of(0xe2, 0x82), bytes("x"))).toBe("\ufffdx");
    // Overlong and surrogate forms of an escape are no escape.
    expect(filtered(Uint8Array.of(0xc0, 0x9b, 0x5b, 0x32, 0x4a))).toBe("\ufffd\ufffd[2J");
  });

  it("lets nothing through but text, lines and colours, whatever comes and however it is cut", () => {
    const piece = fc.oneof(
      fc.uint8Array({ maxLength: 12 }),
      fc.constantFrom(...HOSTILE.map(([, text]) => bytes(text)), ...KEPT.map(([, text]) => bytes(text))),
      fc.constantFrom(`${ESC}`, `${ESC}[`, `${ESC}[3`, "8m", ";8", "m", "1A", "]52;").map(bytes),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
        const out = filtered(...pieces);
        const rest = out.replace(/\u001b\[[0-9;:]*m/gu, "");
        expect(rest).not.toMatch(/[^\P{Cc}\n\t\r\b]/u);
        expect(rest).not.toMatch(/[\u202a-\u202e\u2066-\u2069\u200b-\u200f\ufeff]/u);
        expect(out).not.toMatch(/\u001b\[(?:\d{1,2};)?8m/u);
        const joined = new Uint8Array(pieces.reduce((sum, one) => sum + one.length, 0));
        let at = 0;
        for (const one of pieces) {
          joined.set(one, at);
          at += one.length;
        }
        expect(filtered(joined)).toBe(out);
      }),
      { numRuns: RUNS },
    );
  });

  it("keeps two streams apart", () => {
    const [out, err] = [sanitiseTerminal(), sanitiseTerminal()];
    expect(out(bytes(`${ESC}[3`))).toBe("");
    expect(err(bytes("1m"))).toBe("1m");
    expect(out(bytes("1m"))).toBe(`${ESC}[31m`);
  });
});
