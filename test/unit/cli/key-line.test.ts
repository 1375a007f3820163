// The line a person types for a program: edited at its end, sent whole, with keys of their own.

import { describe, expect, it } from "vitest";
import { createKeyLine } from "../../../src/surfaces/cli/key-line.js";

function typing(...chunks: readonly (string | Uint8Array)[]): { readonly told: readonly string[]; readonly shown: string } {
  const told: string[] = [];
  const shown: string[] = [];
  const take = createKeyLine({ onLine: (text) => told.push(`line ${text}`), onKey: (key) => told.push(key), show: (text) => shown.push(text) });
  for (const chunk of chunks) take(typeof chunk === "string" ? Buffer.from(chunk) : chunk);
  return { told, shown: shown.join("") };
}

describe("a typed line", () => {
  it("is shown as it is typed, and taken away when it is sent", () => {
    expect(typing("ab", "\r")).toEqual({ told: ["line ab"], shown: `ab${"\b \b".repeat(2)}` });
    expect(typing("abc\u007f\u007fd\r").told).toEqual(["line ad"]);
    expect(typing("abc\u0015d\n").told).toEqual(["line d"]);
    expect(typing("ü".slice(0, 1), Buffer.from("é").subarray(0, 1), Buffer.from("é").subarray(1), "\r").told).toEqual(["line üé"]);
  });

  it("gives keys by themselves; the end of input only on an empty line", () => {
    expect(typing("ab\u0003\u0004\u001a\u001ca\u0004\r").told).toEqual(["C-c", "C-d", "C-z", "C-\\", "line a"]);
  });

  it("holds no control characters, whatever is pasted, and no more than fits", () => {
    expect(typing("a\u001b[A\u001b[200~b\u001bOP\t\u0007\u202ec\u0000\r").told).toEqual(["line abc"]);
    expect(typing(`${"x".repeat(10_000)}\r`).told[0]).toHaveLength(4_005);
  });
});
