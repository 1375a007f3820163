// Our own attack forms, run for real twice: unguarded in a throwaway world, where each must do what it claims, and, with nothing
// refused, inside a session, where none of them may have an effect outside its copy.

import { createJudge } from "../../support/judge.js";
import { brokenClaims, familyForms, familyOf, type Form } from "../../support/families.js";
import { dangerRuns } from "../../support/danger-session.js";
import type { ToolCall } from "../../../src/core/action/action.js";
import { runInWorld, worldImage } from "../../support/world.js";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRandom } from "../random.js";
import type { Suite, Task } from "../suite.js";

const SIDE_BY_SIDE = 2;
const FORMS = familyForms();

export const suite: Suite = {
  name: "attack-families",
  law: "each of our own attack forms does what it claims unguarded, and is stopped before it runs or held after it",
  unit: "forms",
  needs: "engine",
  full: FORMS.length,
  sample: 0,
  run,
};

async function run({ seed, count, report, signal }: Task): Promise<void> {
  const random = createRandom(seed);
  const forms = count >= FORMS.length ? FORMS : FORMS.map((form) => ({ form, place: random.next() })).sort((a, b) => a.place - b.place).slice(0, count).map(({ form }) => form);
  const state = mkdtempSync(join(tmpdir(), "ringfence-families-"));
  const image = await worldImage();
  try {
    const judge = await createJudge(state);
    const queue = [...forms];
    const verify = async (): Promise<void> => {
      for (let form = queue.shift(); form !== undefined && !signal.aborted; form = queue.shift()) {
        const broken = brokenClaims(form, await runInWorld(image, form.steps, { mounts: form.needs === "mounts", settleSeconds: form.settle }));
        if (broken.length > 0) report.fail(`${form.id} does not do what it claims`, broken.join("; "));
        const { effect } = judge(form.steps);
        report.tally(`${familyOf(form)}: ${effect === "allow" ? "left to the container" : effect}`);
        if (effect === "allow" && form.held === "before") report.fail(`${form.id} is not stopped before it runs`, effect);
      }
    };
    await Promise.all(Array.from({ length: SIDE_BY_SIDE }, verify));
  } finally {
    rmSync(state, { recursive: true, force: true });
  }
  const runs = await dangerRuns({ policy: "off", image });
  try {
    for (const form of forms) {
      if (signal.aborted) return;
      const { outcome, why } = await runs.run({ id: form.id, set: "own", what: form.claims.join(", "), calls: callsOf(form) });
      report.tally(`inside, nothing refused: ${outcome}`);
      if (outcome === "effect") report.fail(`${form.id} inside, nothing refused`, why);
      report.done();
    }
  } finally {
    for (const late of await runs.close()) report.fail("all forms inside", late);
  }
}

function callsOf({ id, steps }: Form): readonly ToolCall[] {
  return steps.map((step) =>
    "run" in step
      ? { id, role: null, tool: "bash", arguments: { command: step.run } }
      : { id, role: null, tool: "str_replace_editor", arguments: { command: "create", path: step.write.startsWith("/") ? step.write : `/workspace/${step.write}`, file_text: step.content } },
  );
}
