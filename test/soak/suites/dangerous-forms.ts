// Forms that other guards' tests call dangerous: each is run unguarded in a throwaway world, and of those that really destroy or
// disclose something our policy must stop nearly all before they run. Their labels are not believed, and neither are ours.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { corpusRows } from "../../support/corpora.js";
import { createJudge } from "../../support/judge.js";
import { harmOf, runInWorld, worldImage } from "../../support/world.js";
import { createRandom } from "../random.js";
import type { Suite, Task } from "../suite.js";

interface Form {
  readonly id: string;
  readonly set: string;
  readonly command: string;
}

/** Share of the really dangerous forms of a set that must be stopped. */
const BAR = 0.97;
/** At one time. */
const SIDE_BY_SIDE = 2;
const SHOWN = 3;

const DCG = (corpusRows<{ id: string; class: string; expected: string; command: string }>("dcg-corpus/cases.jsonl") ?? []).filter((row) => row.class === "shell-git" && row.expected === "deny");
const CCSN = (corpusRows<{ id: string; expected: string; command: string }>("cc-safety-net/cases.jsonl") ?? []).filter((row) => row.expected === "deny");
const FORMS: readonly Form[] = [...DCG.map(({ id, command }) => ({ id, command, set: "dcg-corpus, shell and git" })), ...CCSN.map(({ id, command }) => ({ id, command, set: "cc-safety-net" }))];

export const suite: Suite = {
  name: "dangerous-forms",
  law: "of the forms that really destroy or disclose something, at least 97 % are stopped before they run",
  unit: "forms",
  needs: "engine",
  full: Math.max(1, FORMS.length),
  sample: 0,
  run,
};

async function run({ seed, count, report, signal }: Task): Promise<void> {
  if (FORMS.length === 0) throw new Error("the shared corpora are not there: nothing was run");
  const random = createRandom(seed);
  const forms = count >= FORMS.length ? FORMS : [...FORMS].map((form) => ({ form, place: random.next() })).sort((a, b) => a.place - b.place).slice(0, count).map(({ form }) => form);
  const state = mkdtempSync(join(tmpdir(), "ringfence-forms-"));
  const counts = new Map<string, { real: number; stopped: number }>();
  try {
    const judge = await createJudge(state);
    const image = await worldImage();
    const queue = [...forms];
    const work = async (): Promise<void> => {
      for (let form = queue.shift(); form !== undefined && !signal.aborted; form = queue.shift()) {
        const steps = [{ run: form.command }];
        const harm = harmOf(await runInWorld(image, steps));
        const { effect } = judge(steps);
        report.tally(`${form.set}: ${harm.length === 0 ? "does nothing as written" : "really dangerous"}, ${effect}`);
        if (harm.length > 0) {
          const seen = counts.get(form.set) ?? { real: 0, stopped: 0 };
          counts.set(form.set, { real: seen.real + 1, stopped: seen.stopped + (effect === "allow" ? 0 : 1) });
          if (effect === "allow") report.figure(`allowed: ${form.id} ${form.command}`, harm.slice(0, SHOWN).join("; "));
        }
        report.done();
      }
    };
    await Promise.all(Array.from({ length: SIDE_BY_SIDE }, work));
  } finally {
    rmSync(state, { recursive: true, force: true });
  }
  for (const [set, { real, stopped }] of counts) {
    report.figure(`${set}: stopped of the really dangerous`, `${stopped} of ${real}`);
    // A small sample proves no rate.
    if (count >= FORMS.length && stopped < BAR * real) report.fail(set, `only ${stopped} of ${real} are stopped`);
  }
}
