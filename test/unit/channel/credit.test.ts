// Credit keeps what is under way bounded, whatever the other side claims.

import { describe, expect, it } from "vitest";
import { createCreditReturn, createCreditWindow } from "../../../src/core/channel/index.js";

describe("a credit window", () => {
  it("starts full, gives what it has, and is refilled by what comes back", () => {
    const window = createCreditWindow(100);
    expect([window.take(30), window.take(90), window.take(1), window.available()]).toEqual([30, 70, 0, 0]);
    window.give(40);
    expect([window.available(), window.take(50)]).toEqual([40, 40]);
  });

  it("never grows past its size, and takes no negative amount", () => {
    const window = createCreditWindow(100);
    window.give(1_000_000);
    window.give(-50);
    expect([window.take(-5), window.available()]).toEqual([0, 100]);
  });
});

describe("a credit return", () => {
  it("collects small amounts and gives them back together", () => {
    const owed = createCreditReturn(10);
    expect([owed(4), owed(5), owed(1), owed(3), owed(20)]).toEqual([0, 0, 10, 0, 23]);
  });
});
