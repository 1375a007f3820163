// Every soak suite that needs no engine, on its sample: the same code and the same law, fewer cases.

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readOptions } from "./options.js";
import { createRandom } from "./random.js";
import { SEED, tryOut, type Suite } from "./suite.js";

const FOLDER = join(import.meta.dirname, "suites");
const seed = Number(process.env["RINGFENCE_SEED"] ?? SEED);
const suites = await Promise.all(
  readdirSync(FOLDER)
    .filter((name) => name.endsWith(".ts"))
    .sort()
    .map(async (name) => ({ name, suite: ((await import(join(FOLDER, name))) as { readonly suite: Suite }).suite })),
);
const never = new AbortController().signal;

describe("soak suites, a sample", () => {
  it("each is named as its file, and asks for no more in the sample than in full", () => {
    for (const { name, suite } of suites) {
      expect(`${suite.name}.ts`).toBe(name);
      expect(suite.full).toBeGreaterThanOrEqual(suite.sample);
    }
  });

  for (const { suite } of suites.filter((one) => one.suite.needs === "nothing" && one.suite.sample > 0)) {
    it(`${suite.name}: ${suite.law} (${suite.sample} ${suite.unit}, seed ${seed})`, { timeout: 120_000 }, async () => {
      const { cases, failures } = await tryOut(suite, { seed, count: suite.sample, signal: never });
      expect(failures).toEqual([]);
      expect(cases).toBeGreaterThanOrEqual(suite.sample);
    });
  }
});

const made = (run: Suite["run"]): Suite => ({ name: "made", law: "", unit: "", needs: "nothing", full: 4, sample: 2, run });

describe("what runs a suite", () => {
  it("counts cases and failures", async () => {
    const suite = made(async ({ count, report }) => {
      for (let n = 0; n < count; n += 1) {
        if (n === 1) report.fail("case 1", "seen");
        report.tally(n % 2 === 0 ? "even" : "odd");
        report.done();
      }
    });
    expect(await tryOut(suite, { seed: 1, count: 3, signal: never })).toEqual({ cases: 3, failed: 1, failures: [{ case: "case 1", seen: "seen" }], tallies: { even: 2, odd: 1 }, figures: {} });
  });

  it("a suite that ends early or throws did not hold", async () => {
    expect(await tryOut(made(async ({ report }) => report.done()), { seed: 1, count: 3, signal: never })).toMatchObject({ cases: 1, failed: 1, failures: [{ seen: "it ended after 1 of 3 cases" }] });
    expect(await tryOut(made(() => Promise.reject(new Error("no"))), { seed: 1, count: 3, signal: never })).toMatchObject({ failed: 1 });
  });

  it("the same seed gives the same chance", () => {
    const draw = (seed: number): readonly number[] => Array.from({ length: 5 }, ((random) => () => random.int(1, 1_000_000))(createRandom(seed)));
    expect(draw(7)).toEqual(draw(7));
    expect(draw(7)).not.toEqual(draw(8));
    expect(createRandom(7).fork("a").int(1, 1_000_000)).not.toBe(createRandom(7).fork("b").int(1, 1_000_000));
  });

  it("words that are wrong are told in one line", () => {
    const suite = made(async () => undefined);
    expect(readOptions(["--suite", "made", "--count", "3", "--seed", "9"], [suite])).toMatchObject({ suites: [suite], count: 3, seed: 9, out: null });
    expect(() => readOptions(["--suite", "x"], [suite])).toThrow("there is no suite `x`; there are: made");
    expect(() => readOptions(["--count", "0"], [suite])).toThrow("--count takes a whole number from 1 on");
    expect(() => readOptions(["--nope"], [suite])).toThrow();
  });
});
