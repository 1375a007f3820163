// Every published score through the built calculator: worked examples of AIVSS v0.8 and v0.5, directory pages, CVSS scenarios, rounding traps.

import { join } from "node:path";
import { existsSync, readFileSync } from "node:fs";
import { afterAll, describe, expect, it } from "vitest";
import { CANDIDATE_CVSS, DIRECTORY_PAGES, ROUNDING_TRAPS, V05_EXAMPLES, V08_EXAMPLES } from "../unit/risk/aivss-oracle.js";
import { createRig, type Result } from "./rig.js";

const KEYS = ["autonomy", "tools", "language", "context", "non_determinism", "opacity", "persistence", "identity", "multi_agent", "self_mod"];
const rig = createRig();
afterAll(() => rig.remove());

interface Case {
  readonly name: string;
  readonly args: readonly string[];
  readonly wanted: Readonly<Record<string, string>>;
}

const v08 = V08_EXAMPLES.flatMap(({ risk, cvss, base, factors, sum, aars, aivss, v08: lowered, floor }): readonly Case[] => {
  const list = factors.map((value, index) => `${KEYS[index] ?? ""}=${value}`).join(",");
  const mitigated = (formula: string, scores: readonly [string, string]): readonly Case[] =>
    (["0.83", "0.67"] as const).map((mf, index) => ({ name: `${risk}, ${formula}, MF ${mf}`, args: ["--formula", formula, "--cvss", cvss, "--factors", list, "--mf", mf], wanted: { cvss: base, aivss: scores[index] ?? "" } }));
  return [
    { name: `${risk}, vector and factors`, args: ["--cvss", cvss, "--factors", list], wanted: { cvss: base, factorSum: sum, aars, aivss } },
    { name: `${risk}, base and sum`, args: ["--base", base, "--sum", sum], wanted: { aars, aivss } },
    ...mitigated("0.8", lowered),
    ...mitigated("0.8-floor", floor),
  ];
});
const v05 = V05_EXAMPLES.map(([risk, base, sum, aivss]): Case => ({ name: `${risk}, v0.5`, args: ["--formula", "0.5", "--base", base, "--sum", sum], wanted: { aivss } }));
const pages = DIRECTORY_PAGES.map(([page, base, sum, thm, mf, , aivss]): Case => ({ name: page, args: ["--base", base, "--sum", sum, "--thm", thm, "--mf", mf], wanted: { aivss } }));
const scenarios = CANDIDATE_CVSS.map(([scenario, vector, score]): Case => ({ name: scenario, args: ["--cvss", vector, "--sum", "0"], wanted: { cvss: score } }));
const traps = ROUNDING_TRAPS.map(([base, sum, thm, mf, aivss]): Case => ({ name: `trap ${base} ${sum} ${thm} ${mf}`, args: ["--base", base, "--sum", sum, "--thm", thm, "--mf", mf], wanted: { aivss } }));
const cases = [...v08, ...v05, ...pages, ...scenarios, ...traps];

/** Runs all with a few at a time. */
async function each<T, R>(list: readonly T[], work: (one: T) => Promise<R>): Promise<readonly R[]> {
  const results = new Map<number, R>();
  const queue = list.entries();
  const worker = async (): Promise<void> => {
    for (const [index, one] of queue) results.set(index, await work(one));
  };
  await Promise.all([worker(), worker(), worker()]);
  return list.map((_, index) => results.get(index) as R);
}

function pick(fields: Readonly<Record<string, string>>, names: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(names.map((name) => [name, fields[name] ?? "none"]));
}

describe("ringfence aivss", () => {
  it(`gives every one of the ${cases.length} published scores exactly`, async () => {
    const results = await each(cases, ({ args }) => rig.run(["aivss", ...args, "--json"]));
    const fields = (text: string): Readonly<Record<string, string>> => Object.fromEntries(Object.entries(JSON.parse(text) as Readonly<Record<string, unknown>>).map(([key, value]) => [key, String(value)]));
    const got = results.map(({ code, out }, index) => ({ name: cases[index]?.name, code, ...pick(fields(out), Object.keys(cases[index]?.wanted ?? {})) }));
    // The numbers of the JSON are numbers: 7 is 7.0.
    const plain = (wanted: Readonly<Record<string, string>>): Readonly<Record<string, string>> => Object.fromEntries(Object.entries(wanted).map(([key, value]) => [key, String(Number(value))]));
    expect(got).toEqual(cases.map(({ name, wanted }) => ({ name, code: 0, ...plain(wanted) })));
  });

  it("has the five fields of the contract, and refuses what is no score", async () => {
    const good = await rig.run(["aivss", "--base", "8.7", "--sum", "5.2", "--json"]);
    expect(Object.keys(JSON.parse(good.out) as object).slice(0, 5)).toEqual(["cvss", "factorSum", "aars", "aivss", "band"]);
    const bad: readonly (readonly string[])[] = [["--base", "11", "--sum", "1"], ["--base", "1", "--sum", "11"], ["--cvss", "CVSS:4.0/AV:N", "--sum", "1"], ["--factors", "autonomy=2", "--base", "1"], ["--formula", "2.0", "--base", "1", "--sum", "1"], []];
    const results = await each(bad, (args) => rig.run(["aivss", ...args, "--json"]));
    expect(results.map(({ code, out }: Result) => [code, out])).toEqual(bad.map(() => [2, ""]));
  });
});

const ORACLE = join(import.meta.dirname, "..", "..", "..", "shared", "reference", "aivss-oracle.json");

describe("the copy of the published scores", () => {
  it.skipIf(!existsSync(ORACLE))("holds every row of the reference", () => {
    const oracle = JSON.parse(readFileSync(ORACLE, "utf8")) as Readonly<Record<"O1" | "O2" | "O3" | "O4" | "O5", readonly Readonly<Record<string, unknown>>[]>>;
    const one = (value: unknown): string => Number(value).toFixed(1);
    expect(V08_EXAMPLES.map(({ risk, cvss, base, aivss, v08: lowered, floor }) => [risk, cvss, base, aivss, ...lowered, ...floor])).toEqual(
      oracle.O1.map(({ risk, cvss, base, aivss }) => [risk, cvss, one(base), ...["0.8@mf1", "0.8@mf0.83", "0.8@mf0.67", "0.8-floor@mf0.83", "0.8-floor@mf0.67"].map((key) => one((aivss as Readonly<Record<string, number>>)[key]))]),
    );
    expect(V05_EXAMPLES.map(([risk, base, sum, aivss]) => [risk, Number(base), Number(sum), Number(aivss)])).toEqual(oracle.O2.map(({ risk, base, factorSum, aivss }) => [risk, base, factorSum, aivss]));
    expect(DIRECTORY_PAGES.map(([page, base, sum, thm, mf, , aivss]) => [page, ...[base, sum, thm, mf, aivss].map(Number)])).toEqual(oracle.O3.map(({ page, base, factorSum, thm, mf, aivss }) => [page, base, factorSum, thm, mf, aivss]));
    expect(CANDIDATE_CVSS.map(([, vector, score]) => [vector, Number(score)])).toEqual(oracle.O4.map(({ cvss, cvssBte }) => [cvss, cvssBte]));
    expect(ROUNDING_TRAPS.map((row) => row.map(Number))).toEqual(oracle.O5.map(({ base, factorSum, thm, mf, aivss }) => [base, factorSum, thm, mf, aivss]));
  });
});
