// Both ways a folder comes to an engine hold the same: what policy hides and protects, what is undone, what is reviewed when
// the sandbox is gone. The gate is off, so that only mounts, absence and reconciliation answer.

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { applyChanges } from "../../src/adapters/files/apply.js";
import type { Change } from "../../src/core/reconcile/change.js";
import type { Workspace } from "../../src/ports/workspace.js";
import { engineRig, type EngineRig, type EngineSession } from "../support/engine-rig.js";
import { snapshot } from "../support/snapshot.js";
import { leftOn, whyNoEngine } from "./sandbox-rig.js";

const missing = await whyNoEngine();
const never = new AbortController().signal;
const FILES = { "src/a.js": "one\n", "src/b.js": "two\n", "docs/d.md": "doc\n", ".env": "TOKEN=hunter2\n", ".github/workflows/ci.yml": "on: push\n" };
const rigs: EngineRig[] = [];

async function opened(mode: "overlay" | "tar"): Promise<EngineSession & { readonly rig: EngineRig }> {
  const rig = await engineRig({ files: FILES, setUp: "git init -q -b main . && git add -A && git commit -qm first", gate: "off", mode });
  rigs.push(rig);
  return { ...(await rig.open()), rig };
}

async function reviewed({ rig, session }: EngineSession & { readonly rig: EngineRig }): Promise<{ readonly workspace: Workspace; readonly changes: readonly Change[] }> {
  await session.close("finished");
  const workspace = await rig.deps.workspaces.reopen(session.id);
  return { workspace, changes: await workspace.changes(never) };
}

const names = (changes: readonly Change[]): readonly string[] => changes.map((change) => `${change.operation} ${change.path}`);

afterEach(async () => {
  for (const rig of rigs.splice(0)) await rig.close();
});

describe.skipIf(missing !== null).each(["overlay", "tar"] as const)(`a workspace by %s${missing === null ? "" : ` (skipped: ${missing})`}`, { timeout: 120_000 }, (mode) => {
  it("hides secrets, holds protected names and the folders above them, and is reviewed and taken over afterwards", async () => {
    const session = await opened(mode);
    const before = snapshot(session.rig.folder);
    const { stdout } = await session.run("cat .env; echo x > .github/workflows/ci.yml; echo x > .github/workflows/new.yml; echo x > .vscode/tasks.json; echo x > .git/hooks/pre-commit; mv .github/workflows .github/w; mkdir -p .husky/x; grep -rl hunter2 . --exclude-dir=.git; cat .github/workflows/ci.yml");
    expect(stdout).toBe("on: push\n");
    // A view copies what cannot be renamed; in a volume the folder above is a mount itself.
    if (mode === "tar") expect((await session.run("mv .github g; ls -d g .github")).stdout).toBe(".github\n");
    await session.run("echo more >> src/a.js; rm src/b.js; rm -rf docs; mkdir docs; printf n > docs/n; ln -s n docs/l; printf '\\0\\1' > $'odd\\n\\xff'; truncate -s 64M sparse; chmod 600 src/a.js; mkdir -p made/deep");
    const again = await session.run("echo more >> src/a.js");
    expect(names(again.changes)).toEqual(["modify src/a.js"]);
    expect(snapshot(session.rig.folder)).toEqual(before);
    expect(session.opened.controls.filter(({ id, state }) => ["workspace-copy", "secrets-masked", "protected-read-only"].includes(id) && state === "attested")).toHaveLength(3);
    const { workspace, changes } = await reviewed(session);
    expect(leftOn(session.session.id)).toEqual([]);
    expect(names(changes)).toEqual(["delete docs/d.md", "create docs/l", "create docs/n", "create made", "create made/deep", "create odd\n\\xff", "create sparse", "modify src/a.js", "delete src/b.js"]);
    const { applied } = await applyChanges({ workspace, changes });
    expect([applied.length, session.rig.asUser("cat src/a.js docs/l; stat -c '%a %s %U' src/a.js; ls -d made/deep; stat -c '%s %b' sparse")]).toEqual([9, expect.stringMatching(/^one\nmore\nmore\nn600 14 \w+\nmade\/deep\n67108864 \d{1,3}\n$/)]);
  });

  it("is not fooled by folders that are swapped with links: nothing is read or written through one, here or inside", async () => {
    const session = await opened(mode);
    const outside = join(dirname(session.rig.folder), "outside");
    mkdirSync(outside);
    writeFileSync(join(outside, "f"), "host secret\n");
    const before = snapshot(session.rig.folder);
    // What is forbidden is done in folders that become links while the call ends, and links to others' files take their place.
    const swap = "while :; do mv nested/.git/hooks nested/.git/h; ln -s /workspace/src nested/.git/hooks; rm nested/.git/hooks; mv nested/.git/h nested/.git/hooks; done";
    await session.run(`mkdir -p nested/.git/hooks; echo x > nested/.git/hooks/pre-commit; rm -rf docs; ln -s ${outside} docs; ln -s ${outside}/f src/leak; (${swap}) >/dev/null 2>&1 & sleep 0.3`);
    const second = await session.run("mkdir -p nested/.git; rm -rf nested/.git/hooks; ln -s /workspace/src nested/.git/hooks; ls -l nested/.git");
    expect([second.findings.some(({ reverted }) => reverted), session.session.isBroken()], second.message).toEqual([true, false]);
    const seen = await session.run("cat src/a.js src/b.js; ls src; test -e nested/.git/hooks || test -L nested/.git/hooks || echo undone");
    expect(seen.stdout).toBe("one\ntwo\na.js\nb.js\nleak\nundone\n");
    expect(snapshot(session.rig.folder)).toEqual(before);
    const { workspace, changes } = await reviewed(session);
    for (const { path, after } of changes) {
      const content = after === null ? null : await workspace.readChanged(path, 1024 * 1024);
      expect(Buffer.from(content?.content ?? []).toString(), path).not.toContain("host secret");
    }
    expect([await workspace.readChanged("docs/f", 100), await workspace.readChanged("src/leak/f", 100)]).toEqual([null, null]);
    const { skipped } = await applyChanges({ workspace, changes });
    expect(skipped.map(({ path }) => path)).toEqual(expect.arrayContaining(["src/leak"]));
    expect([readdirSync(outside), readFileSync(join(outside, "f"), "utf8")]).toEqual([["f"], "host secret\n"]);
  });
});
