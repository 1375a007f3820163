// RedCode-Exec and the Linux tests of Atomic Red Team, run for real inside sessions: with the policy as users have it, and with
// nothing refused, so that the container and the comparison stand alone. The rows come from the shared corpora.

import { dangerRows, type DangerRow } from "../../support/danger-rows.js";
import { dangerRuns } from "../../support/danger-session.js";
import { worldImage } from "../../support/world.js";
import { createRandom } from "../random.js";
import type { Suite, Task } from "../suite.js";

const MODES = ["on", "off"] as const;

export const suite: Suite = {
  name: "dangerous-programs",
  law: "a dangerous program changes, reaches and reads nothing outside its own copy, whether policy judges it or not",
  unit: "programs, each with the policy on and off",
  needs: "engine",
  full: Math.max(1, dangerRows().length),
  sample: 0,
  run,
};

async function run({ seed, count, report, signal }: Task): Promise<void> {
  const rows = chosen(dangerRows(), count, seed);
  if (rows.length === 0) throw new Error("the shared corpora are not there: nothing was run");
  // The world has the tools that these programs use, and secrets of its own in places that belong to root.
  const image = await worldImage();
  const outcomes = new Map<string, string[]>();
  for (const policy of MODES) {
    const runs = await dangerRuns({ policy, image });
    try {
      report.figure("ports of the machine that were listened on", runs.ports.length);
      for (const row of rows) {
        if (signal.aborted) return;
        const { outcome, why } = await runs.run(row);
        report.tally(`${row.set}, policy ${policy}: ${outcome}`);
        outcomes.set(row.id, [...(outcomes.get(row.id) ?? []), why === "" ? outcome : `${outcome} (${why})`]);
        if (outcome === "effect") report.fail(`${row.id}, policy ${policy}: ${row.what}`, why);
        if (policy === "off") report.done();
      }
    } finally {
      for (const late of await runs.close()) report.fail(`all rows, policy ${policy}`, late);
    }
  }
  for (const row of rows) report.figure(`${row.id} ${row.what}`, (outcomes.get(row.id) ?? []).join("; policy off: "));
}

/** A sample that the seed gives again; all of them in their order when all are asked for. */
export function chosen(rows: readonly DangerRow[], count: number, seed: number): readonly DangerRow[] {
  if (count >= rows.length) return rows;
  const random = createRandom(seed);
  return rows
    .map((row) => ({ row, place: random.next() }))
    .sort((a, b) => a.place - b.place)
    .slice(0, count)
    .map(({ row }) => row);
}
