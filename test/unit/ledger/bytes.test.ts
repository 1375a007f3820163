// Hexadecimal and base 64 against Node's own, and the texts that must not decode.

import { describe, expect, it } from "vitest";
import { base64ToBytes, bytesToBase64, bytesToHex, hexToBytes, utf8Length } from "../../../src/core/ledger/bytes.js";

const samples = Array.from({ length: 70 }, (_, n) => Buffer.from(Array.from({ length: n }, (__, i) => (i * 37 + n * 11) & 255)));

describe("bytes", () => {
  it("agree with the platform in hexadecimal and base 64, both ways", () => {
    for (const bytes of samples) {
      expect(bytesToHex(bytes)).toBe(bytes.toString("hex"));
      expect(Buffer.from(hexToBytes(bytes.toString("hex")))).toEqual(bytes);
      expect(bytesToBase64(bytes)).toBe(bytes.toString("base64"));
      expect(Buffer.from(base64ToBytes(bytes.toString("base64")) ?? "none")).toEqual(bytes);
    }
  });

  it.each(["A", "AA", "AAA", "A===", "AB==", "AAB=", "A=AA", "AA=A", "AA-_", " AAA", "AAA\n", "===="])("refuse %j as base 64", (text) => {
    expect(base64ToBytes(text)).toBeNull();
  });

  it("count UTF-8 as the platform does", () => {
    for (const text of ["", "a", "é", "€", "\u{1f600}", "a€\u{1f600}é\u07ff\u0800\ud7ff\ue000\uffff"]) expect(utf8Length(text)).toBe(Buffer.byteLength(text));
  });
});
