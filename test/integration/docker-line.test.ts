// The socket of a direct line: taken once, then gone; what a dead owner left is removed, nothing else.

import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openLine, reapLines } from "../../src/adapters/docker/line.js";

let dir = "";
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "ringfence-line-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** Whether a connection is made. */
const reach = (path: string): Promise<string> =>
  new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => resolve("connected"));
    socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? "error"));
  });

describe("a direct line", () => {
  it("goes to the first who comes; then there is no name and nobody listens", async () => {
    const line = await openLine(join(dir, "line"), "lease");
    if (line === null) throw new Error("no line");
    const taken = new Promise((resolve) => line.onConnect(resolve));
    const path = join(line.folder, "s");
    expect([statSync(join(dir, "line")).mode & 0o777, statSync(line.folder).mode & 0o777]).toEqual([0o700, 0o755]);
    expect(await reach(path)).toBe("connected");
    const socket = await taken;
    expect([socket !== null, existsSync(path), await reach(path)]).toEqual([true, false, "ENOENT"]);
    line.remove();
    expect(readdirSync(join(dir, "line"))).toEqual([]);
    (socket as { destroy: () => void }).destroy();
  });

  it("that nobody took is gone once it is not listened for", async () => {
    const line = await openLine(join(dir, "line"), "lease");
    line?.stopListening();
    expect(await reach(join(line?.folder ?? "", "s"))).toBe("ENOENT");
    line?.remove();
  });

  it("cannot be had where a path is too long for a socket, and leaves nothing there", async () => {
    expect(await openLine(join(dir, "x".repeat(120)), "lease")).toBeNull();
    expect(readdirSync(dir)).toEqual([]);
  });

  it("of a dead owner is removed, that of a living or an unknown one stays", async () => {
    const lines = await Promise.all(["dead", "alive", "unknown"].map((lease) => openLine(join(dir, "line"), lease)));
    for (const line of lines) line?.stopListening();
    writeFileSync(join(dir, "line", "stranger"), "");
    reapLines(join(dir, "line"), (lease) => lease as "dead" | "alive" | "unknown");
    expect(lines.map((line) => existsSync(line?.folder ?? ""))).toEqual([false, true, true]);
    expect(existsSync(join(dir, "line", "stranger"))).toBe(true);
  });
});
