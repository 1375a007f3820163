// Sessions of a hundred steps run again: the sound one has no difference, the one with a planted difference has exactly that one.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { composeEngine } from "../../../src/compose.js";
import { rerunSession } from "../../../src/compose-rerun.js";
import { leftInTheEnd, whyNotHere } from "../../e2e/rig.js";
import { rerunSteps, RERUN_FILES } from "../../support/rerun-steps.js";
import { createRandom } from "../random.js";
import type { Suite, Task } from "../suite.js";

export const suite: Suite = {
  name: "rerun",
  law: "a recorded session runs again without a difference, and one with a planted difference names exactly that step",
  unit: "recorded steps run again",
  needs: "engine",
  full: 200,
  sample: 0,
  run,
};

const STEPS = 100;
const never = new AbortController().signal;

async function run({ count, seed, report, signal }: Task): Promise<void> {
  const missing = whyNotHere();
  if (missing !== null) throw new Error(missing);
  const random = createRandom(seed);
  const base = mkdtempSync(join(tmpdir(), "ringfence-soak-rerun-"));
  const env = { ...process.env, RINGFENCE_HOME: join(base, "state") };
  const ids: string[] = [];
  try {
    const orchestrator = await composeEngine({ env, approver: { terminal: null } });
    for (let done = 0, round = 0; done < count && !signal.aborted; round += 1) {
      const planted = round % 2 === 0 ? null : random.int(1, STEPS);
      const folder = join(base, `folder-${String(round)}`);
      for (const [path, content] of Object.entries(RERUN_FILES)) {
        mkdirSync(dirname(join(folder, path)), { recursive: true });
        writeFileSync(join(folder, path), content);
      }
      const session = await orchestrator.open({ workspace: folder }, never);
      try {
        for (const call of rerunSteps(STEPS, planted)) await session.call({ id: call.id, role: null, tool: call.tool, arguments: call.arguments as never }, {}, never);
      } finally {
        await session.close("finished");
      }
      rmSync(folder, { recursive: true });
      const begun = performance.now();
      const answer = await rerunSession({ session: session.id, env, workspace: null, image: null, policies: [], until: null, keepGoing: true, signal, hurry: never, startedBy: "soak", onStep: () => report.done() });
      report.figure(planted === null ? "ms for 100 steps" : "ms for 100 steps, one planted", Math.round(performance.now() - begun));
      ids.push(session.id, answer.rerun);
      done += answer.steps.length;
      const differing = answer.steps.filter(({ divergence }) => divergence !== null).map(({ number, divergence }) => `${String(number)} ${divergence?.kind ?? ""}`);
      const expected = planted === null ? [] : [`${String(planted)} output`];
      if (differing.join() !== expected.join() || answer.steps.length !== STEPS) report.fail(`round ${String(round)}, planted at ${String(planted)}`, `differs at ${differing.join() || "none"}, ${String(answer.steps.length)} steps`);
      report.tally(planted === null ? "sound" : "planted");
    }
    const left = await leftInTheEnd(ids, join(base, "state"));
    if (left.length > 0) report.fail("in the end", left.join("\n"));
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
}
