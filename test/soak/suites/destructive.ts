// The corpus of destructive forms with the policy gate off: nothing is refused, so mounts, masks and reconciliation answer.
// Each form runs in a session; protected names are looked at through the mount afterwards, the user's folder byte for byte, and the
// record for a finding that names what the form says it must: what held it, the name, rule and threat.

import type { Finding } from "../../../src/core/reconcile/index.js";
import type { Observation } from "../../../src/engine/observation.js";
import { whyNotHere } from "../../e2e/rig.js";
import { destructiveForms, wrongFinding, type Form } from "../../support/destructive.js";
import { engineRig, type EngineRig, type EngineSession } from "../../support/engine-rig.js";
import { snapshot } from "../../support/snapshot.js";
import { createRandom } from "../random.js";
import type { Suite, Task } from "../suite.js";

const corpus = destructiveForms();

export const suite: Suite = {
  name: "destructive",
  law: "with the gate off a destructive form leaves protected names as they were and the user's folder byte for byte, and a finding on record names what held it, the name, rule and threat",
  unit: "destructive forms",
  needs: "engine",
  full: corpus.length,
  sample: 24,
  run,
};

const A_SESSION = 15;
const FILES = { "src/a.js": "one\n", ".env": "TOKEN=hunter2\n", ".github/workflows/ci.yml": "on: push\n", "README.md": "read me\n" };
const SET_UP = "git init -q -b main . && rm -f .git/hooks/* && git add -A && git commit -qm first";

/** What must be there after every form, by what the kernel shows inside. A search path that a form left is carried on: not for this. */
const LOOK = "PATH=/usr/bin:/bin; cd /workspace; cat .github/workflows/ci.yml; echo ==; git config --get core.hooksPath; git config --get core.fsmonitor; ls .git/hooks .github/workflows; cat .git/commondir; echo ==; cat .env; ls -A ~ /tmp /run | grep -E '^(\\.bashrc|\\.gitconfig|\\.npmrc|\\.profile|\\.ssh|\\.zshenv|\\.env)$'; true";
/** Fit for the next form: there is something to destroy, and no search path or start file of an earlier form is carried on. */
const FIT = 'cd /workspace; test -f src/a.js && test -f .git/HEAD && test -f .git/index && [ -n "$(git ls-files .github)" ] && [ -z "$BASH_ENV" ] && case $PATH in /tmp*) false;; esac';

async function run({ seed, count, report, signal }: Task): Promise<void> {
  const missing = whyNotHere() ?? (process.getuid?.() === 0 ? null : "layers that belong to several users need root");
  if (missing !== null) throw new Error(missing);
  const forms = shuffled(seed).slice(0, count);
  const rig = await engineRig({ files: FILES, setUp: SET_UP, gate: "off" });
  try {
    const before = snapshot(rig.folder).join("\n");
    let refused = 0;
    let session = await rig.open();
    const clean = (await session.run(LOOK)).stdout;
    for (const [index, form] of forms.entries()) {
      if (signal.aborted) break;
      // A fresh view now and then, and after what left nothing to work on.
      if (index > 0 && (index % A_SESSION === 0 || session.session.isBroken() || (await session.run(FIT)).exitCode !== 0)) session = await renewed(rig, session);
      const done = await session.run(form.text);
      const look = session.session.isBroken() ? "the session is broken" : (await session.run(LOOK)).stdout;
      const findings = await recorded(session, done);
      for (const wrong of judged(form, done, findings, look === clean ? null : look)) report.fail(`${form.id} (${form.family}): ${form.text}`, wrong);
      if (snapshot(rig.folder).join("\n") !== before) report.fail(`${form.id} (${form.family}): ${form.text}`, "the user's folder is not what it was");
      if (done.decision.effect !== "allow") refused += 1;
      report.tally(`${form.family}: ${witnessOf(form, findings)}`);
      report.tally(`all: ${witnessOf(form, findings)}`);
      report.done();
    }
    await session.session.close("finished");
    report.figure("forms that policy would have refused or asked about", refused);
  } finally {
    await rig.close();
  }
}

/** The same order for a seed, whatever else the corpus holds. */
function shuffled(seed: number): readonly Form[] {
  const random = createRandom(seed);
  return corpus.map((form) => ({ form, place: random.fork(form.id).next() })).sort((a, b) => a.place - b.place).map(({ form }) => form);
}

async function renewed(rig: EngineRig, old: EngineSession): Promise<EngineSession> {
  await old.session.close("finished");
  return rig.open();
}

/** The findings of a call as they stand in the record. */
async function recorded(session: EngineSession, { call }: Observation): Promise<readonly Finding[]> {
  return (await session.events()).flatMap((event) => (event.type === "reconciliation.done" && event.call === call ? event.data.findings : []));
}

/** Who tells of what the form must be found by. */
function witnessOf(form: Form, findings: readonly Finding[]): string {
  if (form.finds === "nothing") return "held, and nothing tells of it";
  const held = findings.find(({ held: one }) => one !== undefined && form.finds === `${one.by} ${one.name}`)?.held;
  if (held === undefined) return form.finds.startsWith("undone ") ? "undone" : "not named";
  return `held, told by ${held.told.join(" and ")}`;
}

/** @param look what is seen inside, where it is not what it was */
function judged(form: Form, done: Observation, findings: readonly Finding[], look: string | null): readonly string[] {
  const told = `${done.outcome}\n${done.stdout}\n${done.stderr}`;
  // What the comparison itself remarks (a link that leads outside) is told and may stay, and so is a program that ran; what a rule forbids may not stay.
  const stays = done.findings.filter((finding) => finding.about !== "program" && !finding.reverted && !finding.rule.startsWith("reconcile."));
  const wrong = wrongFinding(form, findings);
  return [
    ...(look === null ? [] : [`protected names are not what they were:\n${look}\n${told}`]),
    ...(wrong === null ? [] : [`${wrong}\n${told}`]),
    ...(stays.length === 0 ? [] : [`not undone: ${JSON.stringify(stays)}`]),
  ];
}
