// Freezing by the engine: its own account of a container comes late where one change follows the other, and is waited for, with a limit.

import type Docker from "dockerode";
import { describe, expect, it } from "vitest";
import { createFreezer } from "../../src/adapters/docker/freezer.js";

/** An engine that says of a container what is next in the list, the last of it for ever; which of its orders came. */
function engine(says: readonly boolean[]) {
  const orders: string[] = [];
  const left = [...says];
  const container = {
    pause: async () => void orders.push("pause"),
    unpause: async () => void orders.push("unpause"),
    inspect: async () => ({ State: { Paused: (left.length > 1 ? left.shift() : left[0]) ?? false } }),
  };
  const held: boolean[] = [];
  const freezer = createFreezer(container as unknown as Docker.Container, { hold: (isFrozen) => void held.push(isFrozen) }, { looks: 4, everyMs: 1 });
  return { freezer, orders, held };
}

describe("freezing by the engine", () => {
  it("waits for the engine to have heard of it: news of the thaw before may come after the order", async () => {
    const { freezer, orders, held } = engine([true, false, false, true]);
    await freezer.freeze();
    await freezer.thaw();
    await freezer.freeze();
    expect([freezer.isFrozen(), orders, held]).toEqual([true, ["pause", "unpause", "pause"], [true, false, true]]);
  });

  it("is refused where the engine never says so", async () => {
    const { freezer } = engine([false]);
    await expect(freezer.freeze()).rejects.toMatchObject({ code: "SANDBOX_FAILED", message: expect.stringContaining("the engine did not freeze it") as string });
    expect(freezer.isFrozen()).toBe(false);
  });
});
