// What policy forbids is impossible inside, whatever the command says: the gate is off in all of these, so that only mounts,
// masks and reconciliation answer.

import { afterEach, describe, expect, it } from "vitest";
import { engineRig, type EngineRig, type EngineRigOptions, type EngineSession } from "../support/engine-rig.js";
import { snapshot } from "../support/snapshot.js";
import { whyNoEngine } from "./sandbox-rig.js";

const missing = await whyNoEngine();
if (missing !== null) console.warn(`enforcement tests did not run: ${missing}`);

const REPOSITORY = "git init -q -b main . && git add -A && git commit -qm first";
const FILES = {
  "src/a.js": "one\n",
  ".env": "TOKEN=hunter2\n",
  "deploy/.env.production": "TOKEN=hunter3\n",
  "deploy/app.yaml": "kind: App\n",
  ".github/workflows/ci.yml": "on: push\n",
  ".vscode/tasks.json": "{}\n",
};

const rigs: EngineRig[] = [];
async function opened(options: EngineRigOptions = {}): Promise<EngineSession & { readonly rig: EngineRig }> {
  const rig = await engineRig({ files: FILES, setUp: REPOSITORY, gate: "off", ...options });
  rigs.push(rig);
  return { ...(await rig.open()), rig };
}

afterEach(async () => {
  for (const rig of rigs.splice(0)) await rig.close();
});

const control = (session: EngineSession, id: string) => session.opened.controls.find((one) => one.id === id);

describe.skipIf(missing !== null)("a secret", () => {
  it("does not exist inside, under any of its names, and stays the user's", async () => {
    const session = await opened({ setUp: `${REPOSITORY}; ln .env src/plain.txt; ln -s deploy/.env.production link; ln -s ../src/real-secret deploy/.secrets; echo s3 > src/real-secret; mkdir keys; echo k > keys/id_rsa; ln -s keys .ssh` });
    const before = snapshot(session.rig.folder);
    const { stdout } = await session.run("cat .env deploy/.env.production src/plain.txt link deploy/.secrets src/real-secret keys/id_rsa /proc/self/cwd/.env 2>/dev/null; ls -A . deploy src keys; grep -rl hunter . 2>/dev/null; python3 -c \"import os; print([os.path.exists(p) for p in ('.env','deploy/.env.production','src/plain.txt','src/real-secret')])\"");
    expect(stdout).not.toMatch(/hunter|s3|\nk\n/);
    expect(stdout).toContain("[False, False, False, False]");
    expect(control(session, "secrets-masked")).toMatchObject({ state: "attested" });
    expect(snapshot(session.rig.folder)).toEqual(before);
  });

  it("is not in the patch, and survives the deletion and the return of its folder", async () => {
    const session = await opened();
    await session.run("rm -rf deploy && mkdir deploy && echo new > deploy/app.yaml && ls -A deploy");
    expect((await session.run("ls -A deploy; cat deploy/.env.production")).stdout).not.toMatch(/env|hunter/);
    const changes = (await session.events()).flatMap((event) => (event.type === "reconciliation.done" ? event.data.changes : []));
    expect(changes.map((change) => change.path)).not.toContain("deploy/.env.production");
    await session.session.close("finished");
    const { applyChanges } = await import("../../src/adapters/files/apply.js");
    const workspace = await session.rig.deps.workspaces.reopen(session.session.id);
    const all = await workspace.changes(new AbortController().signal);
    const result = await applyChanges({ workspace, changes: all });
    expect(result.applied.map(({ path }) => path)).toEqual(["deploy/app.yaml"]);
    expect(session.rig.asUser("cat deploy/.env.production")).toBe("TOKEN=hunter3\n");
  });

  it("is empty instead of absent below a folder that is shown read-only", async () => {
    const session = await opened({ role: "bugfixer", files: { ...FILES, "tests/.env": "TOKEN=hunter4\n", "tests/test_a.py": "def test(): pass\n" } });
    const { stdout } = await session.run("cat tests/.env; ls -A tests; echo x > tests/.env; echo x > tests/test_a.py; mv tests t; rm -rf tests; cat tests/test_a.py");
    expect(stdout).toContain("def test(): pass");
    expect(stdout).not.toContain("hunter");
  });

  it("that the user makes meanwhile at the top is hidden too", async () => {
    const session = await opened({ files: { "src/a.js": "one\n" }, setUp: "true" });
    session.rig.asUser("echo TOKEN=hunter9 > .env");
    expect((await session.run("cat .env; ls -A")).stdout).not.toMatch(/hunter|\.env/);
  });
});

describe.skipIf(missing !== null)("a protected name", () => {
  it.each([
    ["written", "echo x >> NAME"],
    ["truncated", ": > NAME"],
    ["removed", "rm -rf NAME"],
    ["renamed", "mv NAME x"],
    ["replaced", "echo x > y; mv -f y NAME"],
    ["linked over", "ln -sf /tmp/x NAME"],
    ["hard linked and written", "ln NAME h; echo x >> h"],
    ["opened by python", "python3 -c \"open('NAME','r+').write('x')\""],
    ["carried away with its folder", "d=NAME; mv ${d%/*} moved"],
    ["exchanged by a rename of folders", "d=NAME; mkdir other; python3 -c \"import ctypes,sys; l=ctypes.CDLL(None); print(l.syscall(316,-100,b'other',-100,sys.argv[1].encode(),2))\" ${d%/*}"],
    ["remounted", "mount -o remount,rw /workspace/NAME; umount -l /workspace/NAME; echo x >> NAME"],
    ["changed in mode and time", "chmod 777 NAME; touch -d 2001-01-01 NAME"],
    ["reached another way", "echo x >> /proc/self/cwd/NAME; echo x >> /proc/self/root/workspace/NAME"],
  ])("cannot be %s", async (_what, script) => {
    const session = await opened();
    const before = snapshot(session.rig.folder);
    const names = [".git/config", ".github/workflows/ci.yml", ".vscode/tasks.json"];
    for (const name of names) await session.run(script.replaceAll("NAME", name));
    const { stdout } = await session.run(names.map((name) => `cat ${name}`).join("; "));
    expect(stdout).toContain("[core]");
    expect(stdout).toContain("on: push");
    expect(stdout).not.toContain("x\n");
    expect(session.session.isBroken()).toBe(false);
    expect(snapshot(session.rig.folder)).toEqual(before);
  });

  it("tells of an attempt that only the program reports, with the gate on, as a report that weighs little", async () => {
    const rig = await engineRig({ setUp: REPOSITORY, files: { ...FILES, "t.py": "import sys\ntry:\n  open('.git' + 'hub/workflows/ci.yml', 'w')\nexcept OSError as error:\n  sys.exit(str(error))\n" } });
    rigs.push(rig);
    const session = await rig.open();
    const { decision, outcome, findings } = await session.run("python3 t.py");
    expect([decision.effect, outcome]).toEqual(["allow", "failed"]);
    expect(findings).toMatchObject([{ rule: "X.ci-files", path: ".github/workflows/ci.yml", about: "attempt", reverted: true, held: { by: "read-only-mount", name: ".github/workflows", told: ["program"], error: "EROFS" } }]);
    const events = await session.events();
    expect(events.find(({ type }) => type === "reconciliation.done")?.data).toMatchObject({ findings });
    expect([...session.session.risk().findings.keys()]).toEqual(["run.reported-refusal"]);
  });

  it("tells, with the gate off, of what the text says and the program confirms, with secrets taken out", async () => {
    const session = await opened();
    const token = `ghp_${"a1B2c3D4e5F6".repeat(3)}`;
    const { findings } = await session.run(`rm -rf .github; git ls-remote https://u:${token}@x.test/r`);
    expect(findings.filter(({ about }) => about !== "program")).toMatchObject([
      { rule: "X.ci-files", path: ".github/workflows", operation: "delete", held: { by: "read-only-mount", told: ["text", "program"], error: "EROFS" } },
      { rule: "X.ci-files", path: ".github/actions", operation: "delete", held: { by: "held-place", told: ["text", "program"], error: "EBUSY" } },
      { path: "", held: { by: "no-network", name: expect.stringContaining("[redacted:") as unknown, told: ["text"] } },
    ]);
    expect(JSON.stringify(await session.events())).not.toContain(token);
  });

  it("that does not exist yet cannot be made, and nothing of it shows in git or in the changes", async () => {
    const session = await opened({ files: { "src/a.js": "one\n" } });
    const { stdout } = await session.run(
      "for f in .github/workflows/x.yml .husky/pre-commit .mcp.json .vscode/tasks.json .claude/settings.json .cursor/mcp.json .git/hooks/pre-commit .git/commondir .git/config.worktree .git/info/attributes; do mkdir -p ${f%/*} 2>/dev/null; (echo evil > $f) 2>/dev/null && echo made $f; rm -rf $f; case $f in .git/*) ;; *) mv ${f%/*} gone 2>/dev/null && echo moved $f;; esac; (echo evil > $f) 2>/dev/null && echo made again $f; done; git status --porcelain",
    );
    expect(stdout.split("\n").filter((line) => /^made/.test(line))).toEqual([]);
    expect(control(session, "protected-read-only")).toMatchObject({ state: "attested" });
    const { stdout: seen } = await session.run("cat .git/commondir; find . -name x.yml -o -name pre-commit -o -name 'evil*' | grep -v '^./gone'; git status --porcelain | grep -v gone");
    expect(seen).toBe(".");
  });

  it("leaves git working", async () => {
    const session = await opened();
    const author = "-c user.name=a -c user.email=a@x.test";
    const { exitCode, stdout, stderr } = await session.run(
      `set -e; echo two > src/a.js; git add -A; git ${author} commit -qm second; git log --oneline | wc -l; echo three > src/a.js; git ${author} stash -q; git stash list | wc -l; git ${author} stash pop -q; git checkout -q -b topic; git ${author} commit -qam third; git checkout -q main; git status --porcelain; git ${author} merge -q topic; git gc -q; git fsck; git tag v1; git diff HEAD~1 --stat; git worktree list`,
    );
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout).toMatch(/^2\n1\n/);
    expect(session.session.isBroken()).toBe(false);
  });

  it("keeps its repository whole when somebody deletes or moves all that can go", async () => {
    const session = await opened({ files: { "src/a.js": "one\n", "README.md": "read me\n" } });
    for (const script of ["rm -rf .git", "mv .git gone; rm -rf gone", "python3 -c \"import shutil; shutil.rmtree('.git', ignore_errors=True)\""]) {
      const done = await session.run(script);
      expect(done.findings.map((finding) => finding.rule)).toContain("L2.repository-history");
      expect((await session.run("git fsck && git status --porcelain && git log --oneline | wc -l")).stdout).toBe("1\n");
    }
    const changes = await (await session.rig.deps.workspaces.reopen(session.session.id)).changes(new AbortController().signal);
    // `git status` itself writes the index anew.
    expect(changes.map((change) => change.path).filter((path) => path !== ".git/index")).toEqual([]);
  });

  it("in a repository made in the session is undone", async () => {
    const session = await opened();
    const made = await session.run("git init -q nested && printf '#!/bin/sh\\ntouch /tmp/ran\\n' > nested/.git/hooks/pre-commit && chmod +x nested/.git/hooks/pre-commit");
    expect(made.findings.map((finding) => finding.rule)).toContain("X.git-hooks");
    expect((await session.run("ls nested/.git/hooks/pre-commit")).exitCode).not.toBe(0);
  });

  it("behind a link is undone, and so is the link at its folder's name", async () => {
    const session = await opened({ files: { "src/a.js": "one\n" }, setUp: "true" });
    const made = await session.run("mkdir plain && echo '{}' > plain/tasks.json && ln -s plain .idea2 && ln -s plain .fleet && ln -s plain .devc");
    expect(made.findings.map((finding) => finding.path)).toContain(".fleet");
    expect(made.findings.map((finding) => finding.path)).not.toContain(".devc");
  });
});

describe.skipIf(missing !== null)("home and /tmp", () => {
  it("hold nothing that a later call would run", async () => {
    const session = await opened({ files: { "src/a.js": "one\n" }, setUp: REPOSITORY });
    const planted = await session.run("printf '[core]\\nhooksPath = /tmp/h\\n' > ~/.gitconfig; mkdir -p /tmp/h ~/.config/git; echo 'echo ran' > ~/.bashrc; echo script-shell=/tmp/x > ~/.npmrc; echo '[core]' > ~/.config/git/config; echo fine > /tmp/fine; echo x > /run/x; ln -s /tmp/h ~/.config/fish");
    expect(planted.outcome).toBe("reverted");
    expect(new Set(planted.findings.map((finding) => finding.path))).toEqual(new Set(["/home/agent/.gitconfig", "/home/agent/.config/git", "/home/agent/.bashrc", "/home/agent/.npmrc", "/home/agent/.config/fish", "/run/x"]));
    expect(planted.findings.every((finding) => finding.reverted)).toBe(true);
    const { stdout } = await session.run("ls -A ~ ~/.config /tmp /run");
    expect(stdout).not.toMatch(/gitconfig|bashrc|npmrc|fish/);
    expect(stdout).toContain("fine");
  });

  it("are looked at again when a name there is replaced without a trace in size", async () => {
    const session = await opened({ files: { "src/a.js": "one\n" }, setUp: "true" });
    expect((await session.run("echo ok > ~/plain")).findings).toEqual([]);
    const moved = await session.run("mv ~/plain ~/.profile");
    expect(moved.findings.map((finding) => [finding.path, finding.reverted])).toEqual([["/home/agent/.profile", true]]);
  });
});
