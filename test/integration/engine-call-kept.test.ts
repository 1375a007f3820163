// What a request to the engine leaves behind in a process that lives on: nothing, though the caller's signal lives as long.

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { engineCall } from "../../src/adapters/docker/engine-call.js";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

describe("a request to the engine", () => {
  it("is forgotten when it has ended, under a signal that lives on", async () => {
    const { signal } = new AbortController();
    const seen: WeakRef<AbortSignal>[] = [];
    for (let index = 0; index < 5; index += 1) await engineCall({ what: "asking", limitMs: 60_000, signal }, async (own) => void seen.push(new WeakRef(own)));
    // Weak references are held until the turn of the event loop ends.
    await new Promise((resolve) => setImmediate(resolve));
    collect();
    expect(seen.map((ref) => ref.deref())).toEqual(seen.map(() => undefined));
    expect(signal.aborted).toBe(false);
  });

  it("ends with the caller's signal, before and while it runs", async () => {
    const ending = new AbortController();
    const running = engineCall({ what: "asking", limitMs: 60_000, signal: ending.signal }, () => new Promise(() => undefined));
    ending.abort();
    await expect(running).rejects.toMatchObject({ code: "CANCELLED" });
    await expect(engineCall({ what: "asking", limitMs: 60_000, signal: ending.signal }, async () => undefined)).rejects.toMatchObject({ code: "CANCELLED" });
    await expect(engineCall({ what: "asking", limitMs: 5 }, () => new Promise(() => undefined))).rejects.toThrow(/did not end within 5 ms/u);
  });
});
