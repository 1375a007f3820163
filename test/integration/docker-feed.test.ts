// Bytes for a program on a terminal: words to `rf-tty` among them, which nothing that is typed can be taken for.

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { asSize, asTyped } from "../../src/adapters/docker/feed.js";

const TTY = new URL("../../dist/runtime/bin/rf-tty", import.meta.url).pathname;
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("what is typed on a terminal", () => {
  it("stays as it is, but for a NUL, and a size is told behind one", () => {
    expect(asTyped(bytes("ls\n"))).toEqual(bytes("ls\n"));
    expect(asTyped(Uint8Array.of(1, 0, 2))).toEqual(Uint8Array.of(1, 0, 0, 0, 0, 0, 2));
    expect(asSize(41, 300)).toEqual(Uint8Array.of(0, 0, 41, 1, 44));
  });

  it.skipIf(!existsSync(TTY))("reaches the program whole, and the size its terminal, however it is cut", () => {
    const input = Buffer.concat([asTyped(Uint8Array.of(0)), bytes("a"), asSize(41, 300), bytes("b\n"), asSize(7, 9), asTyped(Uint8Array.of(65, 0, 10))]);
    const { stdout } = spawnSync(TTY, ["24", "80", "sh", "-c", "stty -echo; echo ready; head -c 8 | od -An -tx1; stty size"], { input, encoding: "utf8", timeout: 20_000 });
    expect(stdout.replaceAll("\r", "").trim().split("\n").at(-1)).toBe("7 9");
    expect(stdout).toMatch(/00 61 62 0a 41 00 0a/u);
  });
});
