// Records of programs: whole, in pieces of any size, and malformed.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createProgramReader, type ProgramRecord } from "../../../src/core/channel/index.js";

function record(kind: number, ...parts: readonly (readonly number[] | string)[]): number[] {
  const rest = parts.flatMap((part) => (typeof part === "string" ? [...new TextEncoder().encode(part), 0] : [...part]));
  return [kind, ...u32(rest.length), ...rest];
}
const u32 = (value: number): number[] => [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];

const bytes = Uint8Array.from([
  ...record(1, u32(2), u32(1), u32(0), u32(1500), [3], "/usr/bin/ls", "/tmp", "ls", "", "-l"),
  ...record(5, u32(2), u32(77)),
  ...record(2, u32(2), u32(1), u32(0), u32(256), [0]),
  ...record(3, u32(2), "/tmp/f"),
  ...record(4, u32(3), u32(4)),
]);

const texts = (list: readonly ProgramRecord[]): unknown => JSON.parse(JSON.stringify(list, (_key, value: unknown) => (value instanceof Uint8Array ? new TextDecoder().decode(value) : value)));

const WHOLE = [
  { kind: "started", number: 2, parent: 1, atMicros: 1500, replaced: true, cut: true, image: "/usr/bin/ls", cwd: "/tmp", argv: ["ls", "", "-l"] },
  { kind: "ask", number: 2, pid: 77 },
  { kind: "ended", number: 2, atMicros: 2 ** 32, status: 256, replaced: false },
  { kind: "wrote", number: 2, path: "/tmp/f" },
  { kind: "lost", programs: 3, writes: 4 },
];

describe("records of programs", () => {
  it("come out the same, cut anywhere", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: bytes.length }), { maxLength: 12 }), (cuts) => {
        const reader = createProgramReader();
        const places = [0, ...[...cuts].sort((a, b) => a - b), bytes.length];
        const got = places.slice(1).flatMap((to, index) => reader.push(bytes.slice(places[index], to)) ?? [{ kind: "lost", programs: -1, writes: -1 } as const]);
        expect(texts(got)).toEqual(WHOLE);
      }),
    );
  });

  it.each([
    ["an unknown kind", record(9, u32(1))],
    ["a size past any record", [1, 255, 255, 255, 255]],
    ["a program without its folder", record(1, u32(1), u32(0), u32(0), u32(0), [0], "/x")],
    ["a start that is too short", record(1, u32(1))],
    ["an end of another size", record(2, u32(1))],
    ["a question of another size", record(5, u32(1))],
    ["a count of another size", record(4, u32(1))],
    ["an opening without a name", record(3, u32(1))],
  ])("with %s are malformed, and so is all that follows", (_what, bad) => {
    const reader = createProgramReader();
    expect(reader.push(Uint8Array.from(bad))).toBeNull();
    expect(reader.push(bytes)).toBeNull();
  });

  it("are total on bytes of any kind", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => void createProgramReader().push(noise)));
  });
});
