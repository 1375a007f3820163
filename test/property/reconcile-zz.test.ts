// Random sequences of file operations on a real overlay: the changes found, applied in each way, give the very tree the
// agent saw; undone, the very tree it started from. Skipped, with the reason in the name, where overlays cannot be mounted.

import * as fc from "fast-check";
import { execFileSync } from "node:child_process";
import { appendFileSync, chmodSync, linkSync, lstatSync, mkdirSync, readdirSync, renameSync, rmdirSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { applyChanges } from "../../src/adapters/files/apply.js";
import { openPreimages } from "../../src/adapters/files/preimages.js";
import { rawFromPath } from "../../src/adapters/files/raw-path.js";
import type { Change } from "../../src/core/reconcile/change.js";
import { needsContent, reconcile, renderPatch, revertOps, type RevertOp } from "../../src/core/reconcile/index.js";
import { openOverlayRig, overlayAbility, type OverlayRig } from "../support/overlay-rig.js";
import { treePicture } from "../support/tree-picture.js";

const ability = overlayAbility();
const signal = new AbortController().signal;
const RUNS = process.env["RINGFENCE_SOAK"] === "1" ? 1_000 : 250;
const LIMIT = 1024 * 1024;

type Operation =
  | { readonly do: "write" | "append"; readonly at: string; readonly text: string; readonly mode: number }
  | { readonly do: "mkdir" | "remove" | "touch"; readonly at: string }
  | { readonly do: "chmod"; readonly at: string; readonly mode: number }
  | { readonly do: "rename" | "hardlink"; readonly at: string; readonly to: string }
  | { readonly do: "symlink"; readonly at: string; readonly text: string };

/** One character a byte. */
const name = fc.constantFrom("a", "b", "c.txt", "-d e", "a.b", 'q"\\t', "n\nl", "\xff\xfe", "\xc3\xbc", "\\x41");
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/"));
const text = fc.oneof(
  fc.array(fc.constantFrom("one", "two", "three", "", "\\ No newline", "--- a/x", "+++ b/x", "@@ -1 +1 @@", "tab\there", "cr\r", "\xe9\xff"), { maxLength: 12 }).map((lines) => lines.join("\n")),
  fc.constantFrom("", "\n", "same\n"),
);
const mode = fc.constantFrom(0o644, 0o755, 0o600);
const operation: fc.Arbitrary<Operation> = fc.oneof(
  fc.record({ do: fc.constantFrom("write" as const, "append" as const), at: path, text, mode }),
  fc.record({ do: fc.constantFrom("mkdir" as const, "remove" as const, "touch" as const), at: path }),
  fc.record({ do: fc.constant("chmod" as const), at: path, mode }),
  fc.record({ do: fc.constantFrom("rename" as const, "hardlink" as const), at: path, to: path }),
  fc.record({ do: fc.constant("symlink" as const), at: path, text: fc.constantFrom("a", "c.txt", "missing", "\xff") }),
);
const operations = fc.array(operation, { maxLength: 25 });

describe.skipIf(ability.missing !== null)(`what a session did, taken over or undone${ability.missing === null ? "" : ` (skipped: ${ability.missing})`}`, () => {
  it("apply gives the tree that the agent saw, modes included", { timeout: 280_000 }, async () => {
    await forAll(operations, async (rig, before, during) => {
      perform(rig.folder, before, rig);
      perform(rig.view, during, rig);
      const changes = await rig.workspace.changes(signal);
      const seen = treePicture(rig.view, { exact: false });
      rig.unmount();
      await applyChanges({ workspace: rig.workspace, changes });
      expect(treePicture(rig.folder, { exact: false })).toEqual(seen);
      const again = await rig.provider.reopen("ses_test0001");
      await applyChanges({ workspace: again, changes: await again.changes(signal) });
      expect(treePicture(rig.folder, { exact: false })).toEqual(seen);
    });
  });

  it("the patch, given to git, gives the tree that the agent saw, as far as git knows trees", { timeout: 280_000 }, async () => {
    await forAll(operations, async (rig, before, during) => {
      perform(rig.folder, before, rig);
      perform(rig.view, during, rig);
      const patch = renderPatch(await inputs(rig, await rig.workspace.changes(signal)));
      const options = { exact: false, withoutEmptyFolders: true, withoutModes: true };
      const seen = treePicture(rig.view, options).filter((line) => !/ folder $/.test(line));
      const copy = join(rig.base, "copy");
      execFileSync("cp", ["-a", rig.folder, copy]);
      writeFileSync(join(rig.base, "p.patch"), patch.bytes);
      if (patch.bytes.length > 0) execFileSync("git", ["apply", "--whitespace=nowarn", join(rig.base, "p.patch")], { cwd: copy, stdio: "pipe", env: { PATH: process.env["PATH"], GIT_CEILING_DIRECTORIES: rig.base, HOME: rig.base } });
      expect(treePicture(copy, options).filter((line) => !/ folder $/.test(line))).toEqual(seen);
    });
  });

  it("undoing a call gives the tree of before the call, also where earlier calls had changed it", { timeout: 280_000 }, async () => {
    await forAll(operations, async (rig, before, during) => {
      perform(rig.folder, before.slice(0, 12), rig);
      perform(rig.view, before.slice(12), rig);
      const earlier = await rig.workspace.changes(signal);
      const preimages = openPreimages(join(rig.base, "objects"));
      await preimages.remember(rig.workspace, earlier);
      const picture = treePicture(rig.view, { exact: false });
      perform(rig.view, during, rig);
      const judge = (): { effect: "deny"; reasons: [] } => ({ effect: "deny", reasons: [] });
      const outcome = reconcile({ before: earlier, after: await rig.workspace.changes(signal), judge, root: "/workspace" });
      for (const step of outcome.reverts.steps) {
        let content: Uint8Array | null = null;
        if (step.op === "restore" && needsContent(step)) {
          content = step.from === "previous" ? await preimages.load(step.entry.digest ?? "sha256:") : ((await rig.workspace.readBase(step.path, LIMIT))?.content ?? null);
        }
        for (const op of revertOps(step, content) ?? [undefined as never]) carryOut(rig, op);
      }
      expect(treePicture(rig.view, { exact: false })).toEqual(picture);
      const back = reconcile({ before: earlier, after: await rig.workspace.changes(signal), judge, root: "/workspace" });
      expect(back.callChanges).toEqual([]);
    });
  });
});

async function forAll(arbitrary: fc.Arbitrary<readonly Operation[]>, check: (rig: OverlayRig, before: readonly Operation[], during: readonly Operation[]) => Promise<void>): Promise<void> {
  await fc.assert(
    fc.asyncProperty(arbitrary, arbitrary, async (before, during) => {
      const rig = await openOverlayRig(ability, "umask 022");
      try {
        await check(rig, before, during);
      } finally {
        rig.close();
      }
    }),
    { numRuns: RUNS, seed: Number(process.env["SEED"]) },
  );
}

/** Does what can be done and leaves the rest, as a careless agent would. */
function perform(root: string, list: readonly Operation[], rig: OverlayRig): void {
  if (root === rig.folder) rig.unmount();
  for (const each of list) {
    const at = inside(root, each.at);
    try {
      switch (each.do) {
        case "write":
          writeFileSync(at, Buffer.from(each.text, "latin1"));
          chmodSync(at, each.mode);
          break;
        case "append":
          appendFileSync(at, Buffer.from(each.text, "latin1"));
          break;
        case "mkdir":
          mkdirSync(at);
          break;
        case "remove":
          removeAll(at);
          break;
        case "touch":
          appendFileSync(at, "");
          break;
        case "chmod":
          if (!lstatSync(at).isSymbolicLink()) chmodSync(at, lstatSync(at).isDirectory() ? 0o755 : each.mode);
          break;
        case "rename":
          renameSync(at, inside(root, each.to));
          break;
        case "hardlink":
          linkSync(at, inside(root, each.to));
          break;
        case "symlink":
          symlinkSync(Buffer.from(each.text, "latin1"), at);
          break;
      }
    } catch {
      // Not possible in this tree.
    }
  }
  if (root === rig.folder) rig.mount();
}

function removeAll(at: Buffer): void {
  const stats = lstatSync(at, { throwIfNoEntry: false });
  if (stats === undefined) return;
  if (!stats.isDirectory()) return unlinkSync(at);
  for (const name of readdirSync(at, { encoding: "buffer" })) removeAll(Buffer.concat([at, Buffer.from("/"), name]));
  rmdirSync(at);
}

function inside(root: string, raw: string): Buffer {
  return Buffer.concat([Buffer.from(`${root}/`), Buffer.from(raw, "latin1")]);
}

function carryOut(rig: OverlayRig, op: RevertOp): void {
  const at = inside(rig.view, rawFromPath(op.path));
  switch (op.op) {
    case "write":
      writeFileSync(at, op.content);
      return chmodSync(at, op.mode);
    case "mkdir":
      mkdirSync(at);
      return chmodSync(at, op.mode);
    case "symlink":
      return symlinkSync(Buffer.from(rawFromPath(op.target), "latin1"), at);
    case "chmod":
      return chmodSync(at, op.mode);
    case "remove":
      return lstatSync(at).isDirectory() ? rmdirSync(at) : unlinkSync(at);
  }
}

async function inputs(rig: OverlayRig, changes: readonly Change[]): Promise<{ change: Change; before: Uint8Array | null; after: Uint8Array | null }[]> {
  const out = [];
  for (const change of changes) {
    const before = change.before === null ? null : ((await rig.workspace.readBase(change.path, LIMIT))?.content ?? null);
    const after = change.after === null ? null : ((await rig.workspace.readChanged(change.path, LIMIT))?.content ?? null);
    out.push({ change, before, after });
  }
  return out;
}
