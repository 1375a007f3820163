// Workspace and sandbox together on a real engine: what an agent does inside is what the workspace tells outside, and what
// is undone through the mount is gone from it. The user's folder stays as it was.

import { chownSync, lstatSync, mkdirSync, mkdtempSync, realpathSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { applyChanges } from "../../src/adapters/files/apply.js";
import { createHostOpacity } from "../../src/adapters/files/host-opacity.js";
import { openPreimages } from "../../src/adapters/files/preimages.js";
import { removeTree } from "../../src/adapters/files/remove-tree.js";
import { createWorkspaceProvider } from "../../src/adapters/files/workspace.js";
import { createHints } from "../../src/adapters/watch/hints.js";
import type { Change } from "../../src/core/reconcile/change.js";
import { needsContent, reconcile, revertOps, type Judge } from "../../src/core/reconcile/index.js";
import type { FileOp, Sandbox } from "../../src/ports/sandbox.js";
import type { Workspace } from "../../src/ports/workspace.js";
import { bash, collect } from "../contract/sandbox.contract.js";
import { scanProgram, silent } from "../support/overlay-rig.js";
import { plainBash } from "../support/plain-bash.js";
import { treePicture } from "../support/tree-picture.js";
import { dockerRig, whyNoEngine } from "./sandbox-rig.js";

const missing = await whyNoEngine();
const never = new AbortController().signal;
const closing: (() => Promise<void>)[] = [];

interface Session {
  readonly folder: string;
  readonly scratch: string;
  readonly workspace: Workspace;
  readonly sandbox: Sandbox;
  readonly run: (script: string) => Promise<void>;
}

/** A project of user `uid`, whose path is as awkward as paths get, and a sandbox on it. */
async function session(uid: number): Promise<Session> {
  const scratch = realpathSync(mkdtempSync(join(tmpdir(), "rf-together-")));
  const folder = join(scratch, "pro:ject, \\ 'x'");
  for (const path of ["", "src", "src/deep", "docs"]) mkdirSync(join(folder, path));
  for (const path of ["src/a.js", "src/b.js", "src/deep/c.js", "README.md"]) writeFileSync(join(folder, path), `${path}\n`);
  plainBash(folder, "chmod -R u=rwX,go=rX .");
  for (const path of ["", "src", "src/deep", "docs", "src/a.js", "src/b.js", "src/deep/c.js", "README.md"]) chownSync(join(folder, path), uid, uid);
  const program = scanProgram();
  const provider = createWorkspaceProvider({ stateDir: join(scratch, "state"), home: "/nonexistent", telemetry: silent, opacity: program === null ? null : createHostOpacity(program) });
  const workspace = await provider.create("ses_together01", folder);
  const rig = await dockerRig({ uid, change: { workspace: workspace.mount, uid: workspace.uid, gid: workspace.gid } });
  closing.push(async () => {
    await rig.clean();
    removeTree(scratch);
  });
  const sandbox = await rig.provider.open(rig.spec, never);
  const run = async (script: string): Promise<void> => {
    const result = await collect(sandbox, bash(rig.spec, script));
    expect([result.exitCode, result.stderr]).toEqual([0, ""]);
  };
  return { folder, scratch, workspace, sandbox, run };
}

const names = (changes: readonly Change[]): readonly string[] => changes.map((change) => `${change.operation} ${change.path}`);

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

describe.skipIf(missing !== null)(`workspace and sandbox${missing === null ? "" : ` (skipped: ${missing})`}`, { timeout: 60_000 }, () => {
  for (const uid of [1000, 0]) {
    it(`what user ${uid} does inside is found outside, and the folder stays untouched`, async () => {
      const { folder, workspace, run } = await session(uid);
      const before = treePicture(folder, { exact: true });
      await run("umask 022; echo x >> src/a.js; touch src/b.js; rm -rf docs; mkdir docs; rm -rf src/deep; mkdir src/deep; ln -s /etc/passwd out; mkfifo pipe; printf new > $'bad\\xff'; mv README.md READ");
      expect(names(await workspace.changes(never))).toEqual(["create READ", "delete README.md", "create bad\\xff", "create out", "create pipe", "modify src/a.js", "delete src/deep/c.js"]);
      expect(treePicture(folder, { exact: true })).toEqual(before);
    });

    it(`what is forbidden to user ${uid} is undone through the mount, to just before the call`, async () => {
      const { scratch, workspace, sandbox, run } = await session(uid);
      const kept = openPreimages(join(scratch, "kept"));
      await run("umask 022; printf 'first call\\n' > src/a.js; mkdir new; printf one > new/f");
      const earlier = await workspace.changes(never);
      await kept.remember(workspace, earlier);
      await run("umask 022; printf 'second\\n' > src/a.js; rm -rf src/deep; echo > src/deep; rm src/b.js; ln -s /etc/passwd src/b.js; rm -rf new; mkdir -p .github/workflows; echo x > .github/workflows/ci.yml; chmod 4777 README.md; echo fine > ok.txt");
      const judge: Judge = (change) => ({ effect: change.path === "ok.txt" ? "allow" : "deny", reasons: [] });
      const outcome = reconcile({ before: earlier, after: await workspace.changes(never), judge, root: "/workspace" });
      const ops: FileOp[] = [];
      for (const step of outcome.reverts.steps) {
        let content: Uint8Array | null = null;
        if (step.op === "restore" && needsContent(step)) content = step.from === "previous" ? await kept.load(step.entry.digest ?? "sha256:") : ((await workspace.readBase(step.path, 1_000))?.content ?? null);
        const made = revertOps(step, content);
        expect(made, step.path).not.toBeNull();
        ops.push(...(made ?? []));
      }
      expect((await sandbox.apply(ops, never)).filter((result) => result !== null)).toEqual([]);
      const left = reconcile({ before: earlier, after: await workspace.changes(never), judge, root: "/workspace" });
      expect(names(left.callChanges)).toEqual(["create ok.txt"]);
    });

    it(`what user ${uid} did is taken over with the folder's owner, after the sandbox is gone`, async () => {
      const { folder, workspace, sandbox, run } = await session(uid);
      await run("umask 022; echo changed > src/a.js; mkdir lib; echo n > lib/n.js; rm README.md; chmod 755 src/b.js");
      await sandbox.close();
      const result = await applyChanges({ workspace, changes: await workspace.changes(never) });
      expect(result.applied.map((each) => each.path)).toEqual(["README.md", "lib", "lib/n.js", "src/a.js", "src/b.js"]);
      expect(["lib", "lib/n.js", "src/a.js"].map((path) => lstatSync(join(folder, path)).uid)).toEqual([uid, uid, uid]);
    });
  }

  it("changes made inside arrive as hints outside", async () => {
    const { workspace, run } = await session(1000);
    const seen = new Set<string>();
    let heard: () => void = () => undefined;
    const wanted = ["create fresh.txt", "delete README.md"];
    const all = new Promise<void>((resolve) => {
      heard = () => {
        if (wanted.every((each) => seen.has(each))) resolve();
      };
    });
    const handle = await createHints(silent).start(workspace.mount, (path, event) => {
      seen.add(`${event} ${path}`);
      heard();
    });
    await run("echo x > fresh.txt; rm README.md; sleep 0.2");
    await all;
    await handle.stop();
    expect([...seen].sort()).toEqual(wanted);
  });
});
