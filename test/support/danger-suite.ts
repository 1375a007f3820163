// RedCode-Exec and the Linux tests of Atomic Red Team as a soak suite: run for real inside sessions, with the policy as users have
// it or with nothing refused, so that the container and the comparison stand alone. The rows come from the shared corpora.

import { createRandom } from "../soak/random.js";
import type { Suite, Task } from "../soak/suite.js";
import { dangerRows, type DangerRow } from "./danger-rows.js";
import { dangerRuns } from "./danger-session.js";
import { worldImage } from "./world.js";

/** The suite of one mode. */
export function dangerSuite(name: string, policy: "on" | "off", law: string): Suite {
  return { name, law, unit: "programs", needs: "engine", full: Math.max(1, dangerRows().length), sample: 0, run: (task) => run(task, policy) };
}

async function run({ seed, count, report, signal }: Task, policy: "on" | "off"): Promise<void> {
  const rows = chosen(dangerRows(), count, seed);
  if (rows.length === 0) throw new Error("the shared corpora are not there: nothing was run");
  // The world has the tools that these programs use, and secrets of its own in places that belong to root.
  const runs = await dangerRuns({ policy, image: await worldImage() });
  try {
    report.figure("ports of the machine that were listened on", runs.ports.length);
    for (const row of rows) {
      if (signal.aborted) return;
      const { outcome, why } = await runs.run(row);
      report.tally(`${row.set}: ${outcome}`);
      report.figure(`${row.id} ${row.what}`, why === "" ? outcome : `${outcome} (${why})`);
      if (outcome === "effect") report.fail(`${row.id} ${row.what}`, why);
      report.done();
    }
  } finally {
    for (const late of await runs.close()) report.fail("all rows", late);
  }
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
