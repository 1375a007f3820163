// The corpus of destructive forms with the policy gate off: nothing is refused, so mounts, masks and reconciliation answer.
// Each form runs in a session; protected names are looked at through the mount afterwards, and the user's folder byte for byte
// at the end. A seeded sample in every run, all of it with RINGFENCE_SOAK=1.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { describe, expect, it } from "vitest";
import type { Observation } from "../../src/engine/observation.js";
import { engineRig, type EngineRig, type EngineSession } from "../support/engine-rig.js";
import { snapshot } from "../support/snapshot.js";
import { whyNoEngine } from "./sandbox-rig.js";

interface Form {
  readonly id: string;
  readonly text: string;
  readonly destroys: string;
  /** `quiet`: nothing is left to find, the kernel or the container took it all; `either`: depends on what the image has. */
  readonly expect?: "quiet" | "either";
}

const FOLDER = join(import.meta.dirname, "..", "adversarial", "destructive");
const corpus: readonly Form[] = readdirSync(FOLDER)
  .filter((name) => name.endsWith(".yaml"))
  .sort()
  .flatMap((name) => parse(readFileSync(join(FOLDER, name), "utf8")) as readonly Form[]);

const missing = await whyNoEngine();
if (missing !== null) console.warn(`the destructive corpus did not run: ${missing}`);

const SOAK = process.env["RINGFENCE_SOAK"] === "1";
const SEED = Number(process.env["RINGFENCE_SEED"] ?? 20_261_122);
const SAMPLE = 30;
const A_SESSION = 15;

/** A sample that a seed gives again: every form's place by a hash of its id. */
function sampled(forms: readonly Form[]): readonly Form[] {
  const place = (id: string): number => [...id].reduce((sum, char) => Math.imul(sum ^ char.charCodeAt(0), 16_777_619) >>> 0, SEED >>> 0);
  return [...forms].sort((a, b) => place(a.id) - place(b.id)).slice(0, SAMPLE);
}

const FILES = { "src/a.js": "one\n", ".env": "TOKEN=hunter2\n", ".github/workflows/ci.yml": "on: push\n", "README.md": "read me\n" };

/** What must be there after every form, by what the kernel shows inside. */
const LOOK = "cat .github/workflows/ci.yml; echo ==; git config --get core.hooksPath; git config --get core.fsmonitor; ls .git/hooks .github/workflows; cat .git/commondir; echo ==; cat .env; ls -A ~ /tmp /run | grep -E '^(\\.bashrc|\\.gitconfig|\\.npmrc|\\.profile|\\.ssh|\\.zshenv|\\.env)$'; true";

interface Outcome {
  readonly form: Form;
  readonly done: Observation;
  readonly look: string;
}

async function runForms(forms: readonly Form[]): Promise<{ readonly outcomes: readonly Outcome[]; readonly before: readonly string[]; readonly after: readonly string[]; readonly clean: string }> {
  const rig: EngineRig = await engineRig({ files: FILES, setUp: "git init -q -b main . && rm -f .git/hooks/* && git add -A && git commit -qm first", gate: "off" });
  try {
    const before = snapshot(rig.folder);
    const outcomes: Outcome[] = [];
    let session: EngineSession = await rig.open();
    const clean = (await session.run(LOOK)).stdout;
    for (const [index, form] of forms.entries()) {
      // A fresh view now and then, and after what left nothing to work on.
      const tired = index > 0 && (index % A_SESSION === 0 || session.session.isBroken() || (await session.run("test -f src/a.js && test -f .git/HEAD && test -f .git/index")).exitCode !== 0);
      if (tired) {
        await session.session.close("finished");
        session = await rig.open();
      }
      const done = await session.run(form.text);
      const look = session.session.isBroken() ? "broken" : (await session.run(LOOK)).stdout;
      outcomes.push({ form, done, look });
    }
    await session.session.close("finished");
    return { outcomes, before, after: snapshot(rig.folder), clean };
  } finally {
    await rig.close();
  }
}

/** What tells that a form met something: a finding, an undone call, or the kernel's own words. */
function wasHeld({ done }: Outcome): boolean {
  return done.findings.length > 0 || /read-only file system|device or resource busy|resource busy|permission denied|operation not permitted|cross-device|EBUSY|EROFS|could not (?:lock|write)|unable to|cannot|is a directory/iu.test(`${done.stderr}\n${done.stdout}`);
}

describe.skipIf(missing !== null)("a destructive form", () => {
  it("is one of at least a hundred, each with a name of its own", () => {
    expect(corpus.length).toBeGreaterThanOrEqual(100);
    expect(new Set(corpus.map(({ id }) => id)).size).toBe(corpus.length);
  });

  it("leaves protected names as they were, the user's folder byte for byte, and a cause that is named", { timeout: 900_000 }, async () => {
    const forms = SOAK ? corpus : sampled(corpus);
    const { outcomes, before, after, clean } = await runForms(forms);
    expect(after).toEqual(before);
    expect(outcomes.filter(({ look }) => look !== clean).map(({ form, look, done }) => ({ id: form.id, text: form.text, look, left: done.findings }))).toEqual([]);
    expect(outcomes.filter((one) => one.form.expect === undefined && !wasHeld(one)).map(({ form, done }) => ({ id: form.id, text: form.text, out: done.stdout, err: done.stderr, outcome: done.outcome }))).toEqual([]);
    // What the comparison itself remarks (a link that leads outside) is told and may stay; what a rule forbids may not.
    expect(outcomes.flatMap(({ done }) => done.findings).filter((finding) => !finding.reverted && !finding.rule.startsWith("reconcile."))).toEqual([]);
  });
});
