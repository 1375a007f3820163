// The workspace contract, run on the in-memory twin always and on a real overlay where one can be mounted.

import { chmodSync, lstatSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "vitest";
import { digestOf } from "../../src/adapters/files/entry.js";
import { createMemoryWorkspaceProvider, type MemoryNode, type MemoryTree } from "../../src/adapters/memory/workspace.js";
import { openOverlayRig, overlayAbility } from "../support/overlay-rig.js";
import { lookProgram, openTarRig } from "../support/tar-rig.js";
import { workspaceContract, type Hands } from "./workspace.contract.js";

const hasher = (bytes: Uint8Array | string): `sha256:${string}` => digestOf(typeof bytes === "string" ? Buffer.from(bytes) : bytes);

workspaceContract("in memory", async (setUp) => {
  const nodes = new Map<string, MemoryNode>();
  setUp(handsOnMap(nodes));
  const provider = createMemoryWorkspaceProvider({ folders: new Map([["/project", nodes]]), hasher });
  const workspace = await provider.create("ses_memory01", "/project");
  const made = provider.workspaceOf("ses_memory01");
  return { provider, sessionId: "ses_memory01", workspace, agent: handsOnTree(made.view), user: handsOnTree(made.base), release: () => undefined, close: () => undefined };
});

const ability = overlayAbility();
if (ability.missing === null) {
  workspaceContract("on an overlay", async (setUp) => {
    const rig = await openOverlayRig(ability, "umask 022");
    // What the user has before the session: the layers were made, nothing is mounted yet.
    rig.unmount();
    setUp(handsOnDisk(rig.folder));
    rig.mount();
    return {
      provider: rig.provider,
      sessionId: "ses_test0001",
      workspace: rig.workspace,
      agent: handsOnDisk(rig.view),
      user: handsOnDisk(rig.folder),
      release: () => rig.unmount(),
      close: () => rig.close(),
    };
  });
} else {
  describe(`workspace contract: on an overlay (skipped: ${ability.missing})`, () => {
    it.skip("needs an overlay", () => undefined);
  });
}
if (lookProgram() !== null) {
  workspaceContract("sent as a tar", async (setUp) => {
    const rig = await openTarRig((folder) => setUp(handsOnDisk(folder)));
    return {
      provider: rig.provider,
      sessionId: "ses_test0001",
      workspace: rig.workspace,
      agent: handsOnDisk(rig.view),
      user: handsOnDisk(rig.folder),
      release: () => undefined,
      close: () => rig.close(),
    };
  });
} else {
  describe("workspace contract: sent as a tar (skipped: rf-look is not built and there is no gcc)", () => {
    it.skip("needs rf-look", () => undefined);
  });
}

function handsOnDisk(root: string): Hands {
  return {
    write: (path, content, mode = 0o644) => {
      writeFileSync(join(root, path), content);
      chmodSync(join(root, path), mode);
    },
    mkdir: (path) => mkdirSync(join(root, path), { mode: 0o755 }),
    remove: (path) => rmSync(join(root, path), { recursive: true }),
    symlink: (path, target) => {
      if (lstatSync(join(root, path), { throwIfNoEntry: false }) !== undefined) rmSync(join(root, path));
      symlinkSync(target, join(root, path));
    },
  };
}

function handsOnTree(tree: MemoryTree): Hands {
  return {
    write: (path, content, mode = 0o644) => tree.set(path, { kind: "file", content, mode }),
    mkdir: (path) => tree.set(path, { kind: "directory" }),
    remove: (path) => tree.remove(path),
    symlink: (path, target) => tree.set(path, { kind: "symlink", target }),
  };
}

function handsOnMap(nodes: Map<string, MemoryNode>): Hands {
  return {
    write: (path, content, mode = 0o644) => void nodes.set(path, { kind: "file", content, mode }),
    mkdir: (path) => void nodes.set(path, { kind: "directory" }),
    remove: (path) => void nodes.delete(path),
    symlink: (path, target) => void nodes.set(path, { kind: "symlink", target }),
  };
}
