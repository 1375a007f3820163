// Folders above what is protected: whatever an agent does to them, a protected name stays where it is, with what it holds. Every
// attack runs with the policy gate off, as the folder's owner and as user 0, on folders of the user's, on held places, on folders
// that the session copied up and on such as it made.

import { afterEach, describe, expect, it } from "vitest";
import { engineRig, type EngineRig } from "../support/engine-rig.js";
import { snapshot } from "../support/snapshot.js";
import { whyNoEngine } from "./sandbox-rig.js";

const missing = await whyNoEngine();
if (missing !== null) console.warn(`attacks on folders did not run: ${missing}`);

const SOAK = process.env["RINGFENCE_SOAK"] === "1";
const FILES = { "src/a.js": "one\n", ".github/workflows/ci.yml": "on: push\n", ".github/ISSUE.md": "issue\n", "pkg/inner/b.js": "two\n", "deploy/deep/.env": "TOKEN=hunter2\n", "deploy/deep/app.yaml": "kind\n" };
const REPOSITORIES = "git init -q -b main . && git add -A && git commit -qm first && cd pkg/inner && git init -q -b main . && git add -A && git commit -qm inner";

/** A folder and a protected name below it, or itself: one that exists, one that is held before it does, one in a repository deeper down. */
const TARGETS: readonly (readonly [folder: string, name: string])[] = [
  [".github", ".github/workflows/ci.yml"],
  [".github/workflows", ".github/workflows/ci.yml"],
  [".vscode", ".vscode/tasks.json/x"],
  [".claude", ".claude/settings.json"],
  [".git", ".git/hooks/pre-commit"],
  [".git/info", ".git/info/attributes"],
  ["pkg", "pkg/inner/.git/config"],
  ["pkg/inner", "pkg/inner/.git/config"],
  ["pkg/inner/.git", "pkg/inner/.git/config"],
];

const TOOLS = `cat > /tmp/mv.py <<'END'
import ctypes, os, sys
a, *hows = sys.argv[1:]
b = 'gone-by-python'
libc = ctypes.CDLL(None, use_errno=True)
def renameat2(a, b, flags):
  if libc.syscall(316 if os.uname().machine == 'x86_64' else 276, -100, a.encode(), -100, b.encode(), flags) != 0: raise OSError(ctypes.get_errno(), '')
for how in hows:
  try:
    if how == 'rename': os.rename(a, b)
    elif how == 'exchange': renameat2(a, 'other', 2)
    elif how == 'exchanged': renameat2('other', a, 2)
    elif how == 'over': os.rename('other', a)
    elif how == 'keep': renameat2(a, b, 1)
    elif how == 'fd': os.rename(os.path.basename(a), b, src_dir_fd=os.open(os.path.dirname('./' + a), 0), dst_dir_fd=os.open('/proc/self/cwd', 0))
    print('RENAMED', how, a)
  except OSError: pass
END
true`;

/** From what needs the folder whole to what leaves least of it. */
const ATTACKS = [
  "mkdir -p other; touch $A/new; chmod 750 $A; chmod 755 $A; mkdir -p $A/made; mv $A/made $A/moved",
  "python3 /tmp/mv.py $A rename keep fd exchange exchanged over; rm -rf $A/new $A/moved",
  "mkdir -p $(dirname $P); echo evil >> $P; echo evil > $P.new; mv -f $P.new $P; rm -f $P.new; ln -sf /tmp/evil $P",
  "mv $A gone6",
  "mkdir -p own/x; rm -rf $A; mv -T own $A; mkdir -p other; python3 /tmp/mv.py $A over rename exchange",
  "rm -rf $A; mkdir -p $A; mkdir -p $(dirname $P); echo evil > $P",
  "rm -rf $A; mkdir -p /tmp/evil; ln -sfT /tmp/evil $A; echo evil > $A",
  "find $A -depth -delete; unlink $A; rmdir $A",
].join("\n");
const CLEAN = "rm -rf gone* other own";

/** What must be as it was, by what the kernel shows inside. */
const LOOK =
  "cat .github/workflows/ci.yml; ls -A .github/workflows .git/hooks pkg/inner/.git/hooks .vscode/tasks.json .claude/settings.json; cat .git/info/attributes .git/commondir pkg/inner/.git/commondir; cat .git/config pkg/inner/.git/config | sha256sum; for r in . pkg/inner; do git -C $r log --oneline | wc -l; done; stat -c '%F %n' .git .github .github/workflows .vscode .claude .git/info pkg/inner/.git; grep -rl -e hunter .; grep -rl evil .github .vscode .claude .git pkg/inner/.git; true";

const rigs: EngineRig[] = [];
afterEach(async () => {
  for (const rig of rigs.splice(0)) await rig.close();
});

describe.skipIf(missing !== null)("a folder above a protected name", { timeout: 300_000 }, () => {
  for (const uid of [1000, 0]) {
    it(`cannot be carried away, replaced or emptied of it by user ${uid}`, async () => {
      const rig = await engineRig({ files: FILES, setUp: REPOSITORIES, gate: "off", uid });
      rigs.push(rig);
      const { session, run } = await rig.open();
      const before = snapshot(rig.folder);
      await run(TOOLS);
      const clean = (await run(LOOK)).stdout;
      expect(clean).toContain("on: push");
      for (const [folder, name] of uid === 0 && !SOAK ? TARGETS.filter((_, index) => index % 3 === 1) : TARGETS) {
        const done = await run(`A=${folder}; P=${name}; ${ATTACKS}\n${CLEAN}`);
        expect([folder, done.stdout]).toEqual([folder, ""]);
        expect([folder, done.findings.filter((finding) => finding.about !== "program" && !finding.reverted && !finding.rule.startsWith("reconcile."))]).toEqual([folder, []]);
        expect([folder, (await run(LOOK)).stdout]).toEqual([folder, clean]);
      }
      expect((await run("git fsck 2>&1 && git -C pkg/inner fsck 2>&1 && echo whole")).stdout).toMatch(/whole\n$/u);
      expect(session.isBroken()).toBe(false);
      expect(snapshot(rig.folder)).toEqual(before);
    });

    it(`made by user ${uid} in the session is put right after the call, with a finding`, async () => {
      const rig = await engineRig({ files: FILES, setUp: REPOSITORIES, gate: "off", uid });
      rigs.push(rig);
      const { session, run } = await rig.open();
      for (const name of [".gitlab/ci/x.yml", "new/.github/workflows/x.yml", "new/deep/.vscode/tasks.json", ".circleci/config.yml", "made/.git/hooks/pre-commit", ".GitHub/Workflows/x.yml"]) {
        const [top = ""] = name.split("/");
        const done = await run(`mkdir -p ${name.slice(0, name.lastIndexOf("/"))} && echo evil > ${name} && mv ${top} aside && mv aside ${top}`);
        expect([name, done.findings.some((finding) => finding.reverted && finding.path.startsWith(top))]).toEqual([name, true]);
        expect([name, (await run(`test -e ${name} && cat ${name}; true`)).stdout]).toEqual([name, ""]);
      }
      // Moved in from elsewhere, whole, and put together from parts.
      const moved = await run("mkdir -p /tmp/g/workflows build/hooks; echo evil > /tmp/g/workflows/y.yml; cp -r /tmp/g sub.github; mkdir -p lib; mv sub.github lib/.github; echo evil > build/hooks/pre-push; mkdir -p lib/r; mv build lib/r/.git");
      expect(new Set(moved.findings.map((finding) => finding.rule))).toEqual(new Set(["X.ci-files", "X.git-hooks", "X.git-settings"]));
      expect((await run("find lib -type f; true")).stdout).toBe("");
      expect(session.isBroken()).toBe(false);
    });
  }

  it("may be moved when nothing but a hidden name is in it: the secret stays unseen", async () => {
    const rig = await engineRig({ files: FILES, gate: "off" });
    rigs.push(rig);
    const { run } = await rig.open();
    await run(TOOLS);
    const { stdout } = await run("python3 /tmp/mv.py deploy rename keep; mv deploy gone; ls -A gone/deep; rm -rf deploy; mkdir -p deploy/deep; mv gone/deep deploy/other; rmdir deploy/deep; mv deploy d2; mkdir deploy; mv d2/other deploy/deep; ls -A deploy/deep; grep -r hunter . ; true");
    expect(stdout).toBe("app.yaml\napp.yaml\n");
    expect(rig.asUser("cat deploy/deep/.env")).toBe("TOKEN=hunter2\n");
  });
});
