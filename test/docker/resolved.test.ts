// What a name leads to, not what it is called: links, repositories that the session makes under any name and in any order, other
// spellings. No mount can hold these; after the call nothing of them is there, and a finding says why. The gate is off.

import { afterEach, describe, expect, it } from "vitest";
import { engineRig, type EngineRig } from "../support/engine-rig.js";
import { snapshot } from "../support/snapshot.js";
import { whyNoEngine } from "./sandbox-rig.js";

const missing = await whyNoEngine();
if (missing !== null) console.warn(`tests of names by what they lead to did not run: ${missing}`);

const SOAK = process.env["RINGFENCE_SOAK"] === "1";
const rigs: EngineRig[] = [];
afterEach(async () => {
  for (const rig of rigs.splice(0)) await rig.close();
});

const STORE = "mkdir -p $D/objects $D/refs";
const HEAD = "echo 'ref: refs/heads/main' > $D/HEAD";
const CONFIG = "printf '[core]\\n\\tfsmonitor = touch /tmp/ran\\n' > $D/config";

/** Calls one after the other, and what must not be there afterwards. `kernel`: a mount refuses it, so that there is nothing to find. */
const ATTACKS: readonly (readonly [what: string, calls: readonly string[], gone: readonly string[], held?: "kernel"])[] = [
  ["a file `.git` that names a folder", [`D=store; ${STORE}; ${HEAD}; ${CONFIG}; mkdir w; echo 'gitdir: ../store' > w/.git`], ["w/.git", "store/config"]],
  ["a file `.git` in another spelling", ["mkdir w; echo 'gitdir: /tmp/x' > w/.GIT"], ["w/.GIT"]],
  ["a link `.git`", [`D=store; ${STORE}; ${HEAD}; mkdir w; ln -s ../store w/.git`], ["w/.git"]],
  ["a bare repository", ["git init -q --bare b; printf '#!/bin/sh\\n' > b/hooks/pre-receive"], ["b/config", "b/hooks/pre-receive"]],
  ["one put together, settings last", [`D=p1; ${STORE}`, `D=p1; ${HEAD}`, `D=p1; ${CONFIG}`], ["p1/HEAD"]],
  ["one put together, settings first", [`mkdir p2; D=p2; ${CONFIG}`, `D=p2; ${STORE}`, `D=p2; ${HEAD}`], ["p2/HEAD"]],
  ["one put together, objects last", [`mkdir p3; D=p3; ${CONFIG}; ${HEAD}`, `D=p3; mkdir $D/refs`, `D=p3; mkdir $D/objects`], ["p3/objects"]],
  ["one that borrows another's store", [`mkdir p4; D=p4; ${HEAD}; ${CONFIG}`, "echo ../.git > p4/commondir"], ["p4/commondir"]],
  ["the workspace itself as one", ["D=.; mkdir -p objects refs hooks; echo 'ref: refs/heads/main' > HEAD; printf '[core]\\n' > config; echo x > hooks/post-checkout"], ["HEAD", "config", "hooks/post-checkout"]],
  ["one inside the user's", ["mkdir -p .git/modules/m/hooks; echo x > .git/modules/m/hooks/post-checkout; printf '[core]\\n' > .git/modules/m/config; mkdir -p .git/worktrees/t; echo ../../.. > .git/worktrees/t/commondir"], [".git/modules/m/hooks/post-checkout", ".git/modules/m/config", ".git/worktrees/t/commondir"]],
  ["a work tree of the user's", ["git worktree add -q ../workspace/wt HEAD 2>/dev/null || git worktree add -q wt HEAD; true"], ["wt/.git"]],
  ["hooks through a link", ["git init -q r; mkdir plain; echo x > plain/post-checkout; rm -rf r/.git/hooks; ln -s ../../plain r/.git/hooks"], ["r/.git/hooks"]],
  ["hooks under the folder's other names", ["ln -s .git g; echo x > g/hooks/post-merge; echo x > ./.git/../.git/hooks/post-merge; cd .git && echo x > hooks/post-merge"], [".git/hooks/post-merge"], "kernel"],
  ["other spellings of a pipeline's folder", ["mkdir -p .GitHub/Workflows .gitHub/workflows; echo x > .GitHub/Workflows/a.yml; echo x > .gitHub/workflows/a.yml"], [".GitHub/Workflows/a.yml", ".gitHub/workflows/a.yml"]],
  ["spellings that only look the same", ["d=$(printf '.g\\u200cit'); mkdir -p s/$d/hooks; echo x > s/$d/hooks/pre-commit; w=$(printf '.gi\\uff54hub'); mkdir -p $w/workflows; echo x > $w/workflows/a.yml; mkdir n; printf x > n/$(printf '.V\\u0053code'); mkdir -p n2/.VSCODE; echo '{}' > n2/.VSCODE/tasks.json"], ["s/.g\u200cit/hooks/pre-commit", ".gi\uff54hub/workflows/a.yml", "n2/.VSCODE/tasks.json"]],
  ["a link at a protected name", ["mkdir -p q/real; echo '{}' > q/real/tasks.json; ln -s real q/.vscode; ln -s /tmp/evil .circleci"], ["q/.vscode", ".circleci"]],
  ["a hard link to a protected file", ["ln .git/config stolen; ln .github/workflows/ci.yml stolen2; test -e stolen && echo x >> stolen; test -e stolen2 && echo x >> stolen2; mv stolen .git/config"], ["stolen", "stolen2"], "kernel"],
];

const LOOK = "cat .github/workflows/ci.yml; sha256sum .git/config; ls -A .git/hooks | grep -v sample; git status >/dev/null; find /tmp -name ran";

describe.skipIf(missing !== null)("a protected thing under another name", { timeout: 240_000 }, () => {
  for (const uid of [1000, 0]) {
    it(`is not there after the call of user ${uid}, and a finding says why`, async () => {
      const rig = await engineRig({ files: { "src/a.js": "one\n", ".github/workflows/ci.yml": "on: push\n" }, setUp: "git init -q -b main . && rm -f .git/hooks/* && git add -A && git commit -qm first", gate: "off", uid });
      rigs.push(rig);
      const { session, run } = await rig.open();
      const before = snapshot(rig.folder);
      const clean = (await run(LOOK)).stdout;
      for (const [what, calls, gone, held] of uid === 0 && !SOAK ? ATTACKS.filter((_, index) => index % 4 === 0) : ATTACKS) {
        const findings = [];
        for (const call of calls) findings.push(...(await run(call)).findings);
        const known = findings.filter(({ reverted, rule }) => reverted && rule.startsWith("X."));
        // What a mount refused is an attempt, told by the text and by the program; what could be made was undone.
        expect([what, known.some(({ about }) => about === undefined), held === undefined || known.some(({ about }) => about === "attempt")]).toEqual([what, held === undefined, true]);
        expect([what, findings.filter((finding) => finding.about !== "program" && !finding.reverted && !finding.rule.startsWith("reconcile."))]).toEqual([what, []]);
        const left = await run(`for f in ${gone.map((name) => `'${name}'`).join(" ")}; do test -e "$f" -o -L "$f" && echo "$f"; done; true`);
        expect([what, left.stdout]).toEqual([what, ""]);
        expect([what, (await run(LOOK)).stdout]).toEqual([what, clean]);
        await run("rm -rf store w b p1 p2 p3 p4 objects refs hooks HEAD config wt r plain g .GitHub .gitHub s n n2 q stolen stolen2");
      }
      expect(session.isBroken()).toBe(false);
      expect(snapshot(rig.folder)).toEqual(before);
    });
  }

  it("leaves ordinary folders of those names alone", async () => {
    const rig = await engineRig({ files: { "src/a.js": "one\n" }, setUp: "git init -q -b main . && git add -A && git commit -qm first", gate: "off" });
    rigs.push(rig);
    const { run } = await rig.open();
    const done = await run("mkdir -p src/hooks src/info config docs/objects docs/refs; echo x > src/hooks/useState.ts; echo x > config/app.json; echo x > src/config; echo x > docs/HEAD.md; echo x > HEAD; git add -A; git -c user.name=a -c user.email=a@x.test commit -qm second; git log --oneline | wc -l");
    expect([done.findings, done.stdout]).toEqual([[], "2\n"]);
  });
});
