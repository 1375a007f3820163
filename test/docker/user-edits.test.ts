// What the user does to the folder while a session runs: a secret that comes to be at any depth is not readable by the next call,
// stays the user's whatever the agent does around it, and what may have been seen is told.

import { execFileSync } from "node:child_process";
import { afterEach, describe, expect, it } from "vitest";
import { engineRig, type EngineRig, type EngineRigOptions, type EngineSession } from "../support/engine-rig.js";
import { whyNoEngine } from "./sandbox-rig.js";

const missing = await whyNoEngine();
if (missing !== null) console.warn(`tests of the user's own edits did not run: ${missing}`);

const rigs: EngineRig[] = [];
async function opened(options: EngineRigOptions = {}): Promise<EngineSession & { readonly rig: EngineRig }> {
  const rig = await engineRig({ files: { "src/a.js": "one\n", "deploy/app.yaml": "kind\n", "deploy/.env.old": "OLD=hunter0\n", "a/b/c/d/e.txt": "deep\n" }, gate: "off", ...options });
  rigs.push(rig);
  return { ...(await rig.open()), rig };
}

afterEach(async () => {
  for (const rig of rigs.splice(0)) await rig.close();
});

const owned = (rig: EngineRig, script: string): void => {
  rig.asUser(script);
  execFileSync("chown", ["-R", "--no-dereference", "1000:1000", rig.folder]);
};

describe.skipIf(missing !== null)("a secret that the user adds meanwhile", { timeout: 120_000 }, () => {
  it("cannot be read at any depth, however it comes: written, moved in, linked, renamed, in a folder of its own, by a checkout", async () => {
    const session = await opened({ setUp: "git init -q -b main . && git add src && git commit -qm first && git checkout -q -b keys && mkdir conf && echo K=hunter9 > conf/.env && git add -f conf && git commit -qm keys && git checkout -q main" });
    expect(session.opened.controls.find(({ id }) => id === "user-edits-watched")).toMatchObject({ state: "configured" });
    await session.run("cat deploy/.env deploy/.env.old; ls -A a/b/c/d; echo warm > deploy/mine.txt");
    const ways = [
      "echo T=hunter1 > deploy/.env",
      "echo T=hunter2 > ../outside; mv ../outside a/b/c/d/id_rsa",
      "mkdir -p new/deep && echo T=hunter3 > new/deep/.env.production",
      "mkdir ../whole && echo T=hunter4 > ../whole/server.pem && mv ../whole moved",
      "ln deploy/.env.old src/innocent.txt",
      "mv deploy/.env.old src/renamed.txt",
      "mkdir .ssh && echo T=hunter5 > .ssh/known",
      "git -c safe.directory='*' checkout -q keys",
    ];
    for (const way of ways) {
      owned(session.rig, way);
      const done = await session.run("grep -rI hunter . ; find . -type f -size +0 -exec head -c 200 {} + | grep -a hunter; cat deploy/.env a/b/c/d/id_rsa new/deep/.env.production moved/server.pem src/innocent.txt src/renamed.txt .ssh/known conf/.env 2>/dev/null; true");
      expect([way, done.stdout]).toEqual([way, ""]);
      expect([way, done.findings.filter(({ about }) => about !== "attempt").map(({ message }) => message).every((message) => /hidden before the call/u.test(message))]).toEqual([way, true]);
    }
    expect(session.session.isBroken()).toBe(false);
  });

  it("is not taken into the session by a deletion that is undone, and is still the user's", async () => {
    const session = await opened();
    owned(session.rig, "echo T=hunter1 > deploy/.env; mkdir more; echo T=hunter2 > more/.env");
    await session.run("rm -rf deploy more; mv a b; rm -rf src");
    const { stdout } = await session.run("grep -rI hunter . ; find . -name '.env*' -size +0; true");
    expect(stdout).toBe("");
    expect(session.rig.asUser("cat deploy/.env more/.env")).toBe("T=hunter1\nT=hunter2\n");
    await session.session.close("finished");
    const workspace = await session.rig.deps.workspaces.reopen(session.session.id);
    expect((await workspace.changes(new AbortController().signal)).map(({ path }) => path).filter((path) => path.endsWith(".env"))).toEqual([]);
    await workspace.close?.();
  });

  it("while a call runs is hidden at once, and the call is told to have run beside it", async () => {
    const session = await opened();
    const running = session.run("for i in $(seq 100); do cat more/.env 2>/dev/null && echo seen; sleep 0.05; test -d more && sleep 0.5 && cat more/.env && break; done; echo end");
    await new Promise((resolve) => setTimeout(resolve, 300));
    owned(session.rig, "mkdir more; echo T=hunter2 > more/.env");
    const done = await running;
    expect(done.stdout).toMatch(/end\n$/u);
    expect(done.findings.map(({ path, message }) => `${path}: ${message}`)).toContain("more/.env: a name that policy hides came to be in your folder while the call ran; it is hidden now, and may have been read before");
    expect((await session.run("cat more/.env; echo over >> more/.env; rm -f more/.env; umount more/.env; mv more m2; cat m2/.env more/.env; true")).stdout).toBe("");
  });

  it("by a link cannot be hidden: the session takes no more calls, and says why", async () => {
    const session = await opened();
    owned(session.rig, "echo T=hunter1 > src/plain; ln -s ../src/plain deploy/.env");
    await expect(session.run("cat src/a.js")).rejects.toMatchObject({ code: "SANDBOX_BROKEN", message: expect.stringMatching(/`deploy\/\.env` came to be in your folder.*start a new session/u) as string });
    await expect(session.run("cat src/a.js")).rejects.toMatchObject({ code: "SANDBOX_BROKEN" });
    await session.session.close("finished");
    expect((await session.events()).at(-1)).toMatchObject({ type: "session.closed", data: { reason: "broken", detail: expect.stringContaining("deploy/.env") as string } });
  });

  it("is told from ordinary edits, which the session sees and which cost it nothing", async () => {
    const session = await opened();
    owned(session.rig, "echo two > src/b.js; mkdir -p docs/x; echo d > docs/x/d.md; rm -r a; mkdir -p .github/workflows; echo on > .github/workflows/ci.yml");
    const done = await session.run("cat src/b.js docs/x/d.md; echo evil > .github/workflows/ci.yml; cat .github/workflows/ci.yml");
    expect(done.stdout).toContain("two\nd\n");
    expect(done.stdout).not.toContain("evil");
    expect(done.findings.filter(({ message }) => /policy hides/u.test(message))).toEqual([]);
    expect(session.rig.asUser("cat .github/workflows/ci.yml")).toBe("on\n");
  });
});
