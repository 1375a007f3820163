// What every workspace keeps to, whatever holds it: the engine builds on this and on nothing else.

import { createHash } from "node:crypto";
import { afterEach, describe, expect, it } from "vitest";
import type { Change } from "../../src/core/reconcile/change.js";
import type { Workspace, WorkspaceProvider } from "../../src/ports/workspace.js";

/** One prepared session, and hands to change what the agent and the user see. */
export interface WorkspaceHarness {
  readonly provider: WorkspaceProvider;
  readonly sessionId: string;
  readonly workspace: Workspace;
  readonly agent: Hands;
  readonly user: Hands;
  /** The sandbox is gone: nothing holds the layers any more. */
  release(): void;
  close(): void;
}

export interface Hands {
  write(path: string, content: string, mode?: number): void;
  mkdir(path: string): void;
  /** With all below. */
  remove(path: string): void;
  symlink(path: string, target: string): void;
}

const LIMIT = 1024 * 1024;
const signal = new AbortController().signal;

/** @param make a session on a user's folder with these hands' work already done; `setUp` runs as the user before it begins */
export function workspaceContract(name: string, make: (setUp: (user: Hands) => void) => Promise<WorkspaceHarness>): void {
  describe(`workspace contract: ${name}`, () => {
    const opened: WorkspaceHarness[] = [];
    const open = async (): Promise<WorkspaceHarness> => {
      const harness = await make((user) => {
        user.mkdir("src");
        user.write("src/a.js", "a\n");
        user.write("src/b.js", "b\n", 0o755);
        user.symlink("link", "src/a.js");
      });
      opened.push(harness);
      return harness;
    };
    const digest = (text: string): string => `sha256:${createHash("sha256").update(text).digest("hex")}`;
    const file = (text: string, mode = 0o644): unknown => ({ kind: "file", mode, bytes: text.length, digest: digest(text), target: null });
    const operations = (changes: readonly Change[]): readonly string[] => changes.map((change) => `${change.operation} ${change.path}`);
    const text = (found: { readonly content: Uint8Array } | null): string | null => (found === null ? null : Buffer.from(found.content).toString());

    afterEach(() => {
      for (const harness of opened.splice(0)) harness.close();
    });

    it("starts without changes", async () => {
      const { workspace } = await open();
      expect(await workspace.changes(signal)).toEqual([]);
    });

    it("tells each change with both sides, sorted by path", async () => {
      const { workspace, agent } = await open();
      agent.write("src/a.js", "changed\n");
      agent.write("new.txt", "new\n", 0o600);
      agent.remove("src/b.js");
      agent.symlink("link", "elsewhere");
      const link = (target: string): unknown => ({ kind: "symlink", mode: 0o777, bytes: target.length, digest: digest(target), target });
      expect(await workspace.changes(signal)).toEqual([
        { path: "link", operation: "modify", before: link("src/a.js"), after: link("elsewhere") },
        { path: "new.txt", operation: "create", before: null, after: file("new\n", 0o600) },
        { path: "src/a.js", operation: "modify", before: file("a\n"), after: file("changed\n") },
        { path: "src/b.js", operation: "delete", before: file("b\n", 0o755), after: null },
      ]);
    });

    it("calls a changed mode metadata, and the same content written again nothing", async () => {
      const { workspace, agent } = await open();
      agent.write("src/b.js", "b\n", 0o644);
      agent.write("src/a.js", "a\n");
      expect(await workspace.changes(signal)).toEqual([{ path: "src/b.js", operation: "metadata", before: file("b\n", 0o755), after: file("b\n") }]);
    });

    it("lists everything below a deleted folder, and what replaces it", async () => {
      const { workspace, agent } = await open();
      agent.remove("src");
      expect(operations(await workspace.changes(signal))).toEqual(["delete src", "delete src/a.js", "delete src/b.js"]);
      agent.mkdir("src");
      agent.write("src/c.js", "c\n");
      expect(operations(await workspace.changes(signal))).toEqual(["delete src/a.js", "delete src/b.js", "create src/c.js"]);
      agent.remove("src");
      agent.write("src", "file\n");
      expect(operations(await workspace.changes(signal))).toEqual(["modify src", "delete src/a.js", "delete src/b.js"]);
    });

    it("forgets a change that was taken back", async () => {
      const { workspace, agent } = await open();
      agent.write("src/a.js", "x\n");
      agent.write("t", "t");
      expect(operations(await workspace.changes(signal))).toEqual(["modify src/a.js", "create t"]);
      agent.write("src/a.js", "a\n");
      agent.remove("t");
      expect(await workspace.changes(signal)).toEqual([]);
    });

    it("hands out the very same list while nothing changes", async () => {
      const { workspace, agent } = await open();
      agent.write("t", "t");
      const first = await workspace.changes(signal);
      expect(await workspace.changes(signal)).toBe(first);
    });

    it("keeps the state before the session when the user edits meanwhile", async () => {
      const { workspace, agent, user } = await open();
      agent.write("src/a.js", "agent\n");
      const first = await workspace.changes(signal);
      user.write("src/a.js", "user\n");
      agent.write("t", "t");
      const second = await workspace.changes(signal);
      expect(second.find((change) => change.path === "src/a.js")).toEqual(first[0]);
    });

    it("reads the user's own content and the session's, and nothing where there is nothing", async () => {
      const { workspace, agent } = await open();
      agent.write("src/a.js", "changed\n");
      agent.remove("src/b.js");
      agent.write("new.txt", "new\n");
      await workspace.changes(signal);
      expect(await workspace.readBase("src/a.js", LIMIT)).toMatchObject({ entry: file("a\n") });
      expect(text(await workspace.readBase("src/a.js", LIMIT))).toBe("a\n");
      expect(text(await workspace.readBase("src/b.js", LIMIT))).toBe("b\n");
      expect(text(await workspace.readBase("link", LIMIT))).toBe("src/a.js");
      expect(await workspace.readBase("new.txt", LIMIT)).toBeNull();
      expect(text(await workspace.readChanged("src/a.js", LIMIT))).toBe("changed\n");
      expect(text(await workspace.readChanged("new.txt", LIMIT))).toBe("new\n");
      expect(text(await workspace.readChanged("link", LIMIT))).toBe("src/a.js");
      const opened = await workspace.openChanged("src/a.js");
      const buffer = new Uint8Array(4);
      expect([opened?.bytes, opened?.read(buffer, 2), Buffer.from(buffer).toString(), opened?.read(buffer, 8)]).toEqual([8, 4, "ange", 0]);
      opened?.close();
      expect(await workspace.openChanged("src/b.js")).toBeNull();
      expect(await workspace.readChanged("src/b.js", LIMIT)).toBeNull();
      expect(await workspace.readChanged("src/a.js/below", LIMIT)).toBeNull();
      expect(await workspace.readChanged("link/below", LIMIT)).toBeNull();
    });

    it("refuses paths that leave it, and files past the limit", async () => {
      const { workspace } = await open();
      for (const path of ["../x", "/etc/passwd", "", "a//b", "a/../b", ".", "a\\x2f..\\x2fb"]) {
        await expect(workspace.readBase(path, LIMIT)).rejects.toMatchObject({ code: "USAGE_INVALID" });
        await expect(workspace.readChanged(path, LIMIT)).rejects.toMatchObject({ code: "USAGE_INVALID" });
      }
      await expect(workspace.readBase("src/a.js", 1)).rejects.toMatchObject({ code: "WORKSPACE_LIMIT" });
    });

    it("stops when the signal is aborted", async () => {
      const { workspace } = await open();
      await expect(workspace.changes(AbortSignal.abort())).rejects.toMatchObject({ code: "CANCELLED" });
    });

    it("opens a session again with its changes, and is gone after removal", async () => {
      const { provider, sessionId, workspace, agent, release } = await open();
      agent.write("src/a.js", "changed\n");
      const changes = await workspace.changes(signal);
      const again = await provider.reopen(sessionId);
      expect([again.path, again.mount, again.uid, again.gid]).toEqual([workspace.path, workspace.mount, workspace.uid, workspace.gid]);
      expect(await again.changes(signal)).toEqual(changes);
      release();
      await provider.remove(sessionId);
      await expect(provider.reopen(sessionId)).rejects.toMatchObject({ code: "SESSION_NOT_FOUND" });
      await provider.remove(sessionId);
    });

    it("gives a session one workspace, and refuses a missing folder and the whole machine", async () => {
      const { provider, sessionId, workspace } = await open();
      await expect(provider.create(sessionId, workspace.path)).rejects.toMatchObject({ code: "SESSION_BUSY" });
      await expect(provider.create("ses_other001", `${workspace.path}/missing`)).rejects.toMatchObject({ code: "WORKSPACE_NOT_FOUND" });
      await expect(provider.create("ses_other002", "/")).rejects.toMatchObject({ code: "WORKSPACE_REFUSED" });
    });
  });
}
