// Every soak suite that needs the engine, on its sample: the same code and the same law, fewer cases.

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { SEED, tryOut, type Suite } from "../soak/suite.js";
import { whyNotHere } from "./rig.js";

const missing = whyNotHere();
if (missing !== null) console.warn(`left out: ${missing}`);
const FOLDER = join(import.meta.dirname, "..", "soak", "suites");
const seed = Number(process.env["RINGFENCE_SEED"] ?? SEED);
const suites = await Promise.all(
  readdirSync(FOLDER)
    .filter((name) => name.endsWith(".ts"))
    .sort()
    .map(async (name) => ((await import(join(FOLDER, name))) as { readonly suite: Suite }).suite),
);

describe.skipIf(missing !== null)("soak suites on the engine, a sample", () => {
  it("are found by looking", () => expect(suites.length).toBeGreaterThan(0));

  for (const suite of suites.filter((one) => one.needs === "engine" && one.sample > 0)) {
    it(`${suite.name}: ${suite.law} (${suite.sample} ${suite.unit}, seed ${seed})`, { timeout: 300_000 }, async () => {
      const { cases, failures } = await tryOut(suite, { seed, count: suite.sample, signal: new AbortController().signal });
      expect(failures).toEqual([]);
      expect(cases).toBeGreaterThanOrEqual(suite.sample);
    });
  }
});
