// A name that the user adds and policy hides: where the sandbox cannot tell that it is hidden, nothing may run any more.

import { describe, expect, it } from "vitest";
import { followUserEdits } from "../../src/engine/user-edits.js";
import type { HideResult } from "../../src/ports/sandbox.js";
import type { FolderListener } from "../../src/ports/workspace.js";
import { compilePolicy } from "../../src/core/policy/index.js";
import { sha256 } from "../../src/adapters/system/hasher.js";

const POLICY = `version: 1
id: t
title: t
rules:
  - id: t.secret
    effect: deny
    layer: L2
    threats: [maestro:L2/data-exfiltration]
    message: a secret
    when:
      - file: { operations: [read], paths: ["./.env"] }
    match: [{ read: .env }]
    notMatch: [{ read: a.txt }]
`;

function follow(hide: (paths: readonly string[]) => Promise<readonly HideResult[]>) {
  const compiled = compilePolicy([{ name: "t.policy.yaml", text: POLICY }], { hash: sha256 });
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.error));
  let listener: FolderListener | null = null;
  const watch = { add: () => undefined, listen: (given: FolderListener) => ((listener = given), 1), settled: async () => undefined, stop: () => undefined };
  type Input = Parameters<typeof followUserEdits>[0];
  const input = { watch, options: { policy: compiled.value, defaults: { root: "/workspace", home: "/home/agent" } }, role: null, enforced: { protection: { masked: [] }, plan: { premasked: [] } }, workspace: {}, sandbox: { hide } };
  const edits = followUserEdits(input as unknown as Input);
  const told: FolderListener = listener ?? expect.fail("nobody listens");
  told.onName({ path: ".env", kind: "file" });
  return edits;
}

describe("a name to hide that the user adds", () => {
  it("lets calls go on once it is hidden", async () => {
    expect(await follow(async (paths) => paths.map(() => "hidden")).settle()).toBeNull();
  });

  it.each([
    ["fails", async (): Promise<readonly HideResult[]> => Promise.reject(new Error("gone"))],
    ["says nothing", async (): Promise<readonly HideResult[]> => []],
    ["says that it failed", async (): Promise<readonly HideResult[]> => ["failed"]],
  ])("ends them where the sandbox %s", async (_name, hide) => {
    expect(await follow(hide).settle()).toMatch(/`\.env` .*t\.secret.* start a new session/u);
  });
});
