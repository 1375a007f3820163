// The sandbox contract on the in-memory twin, and the faults it can be ordered to have.

import { describe, expect, it } from "vitest";
import { createMemorySandboxProvider, type SandboxFaults, type SandboxScript } from "../../src/adapters/memory/sandbox.js";
import { createMemoryWorkspaceProvider, type MemoryTree } from "../../src/adapters/memory/workspace.js";
import { GuardError } from "../../src/core/shared/index.js";
import type { SandboxSpec } from "../../src/ports/sandbox.js";
import { PROGRAMS, bash, collect, ended, sandboxContract } from "./sandbox.contract.js";

const never = new AbortController().signal;

const SPEC: SandboxSpec = {
  sessionId: "ses_memory",
  image: "memory",
  workspace: { kind: "overlay", lower: ["/lower"], upper: "/upper", work: "/work" },
  root: "/workspace",
  uid: 1000,
  gid: 1000,
  limits: { memoryBytes: 1, processes: 1, cpus: 1, tmpBytes: 1 },
};

/** Answers to the contract's programs. */
const script: SandboxScript = ({ argv, environment }) => {
  if (argv[0] !== "bash") return null;
  switch (argv.at(-1)) {
    case PROGRAMS.nothing:
      return {};
    case PROGRAMS.exits3:
      return { exitCode: 3 };
    case PROGRAMS.bothStreams:
      return { stdout: "out\n", stderr: "err\n" };
    case PROGRAMS.allBytes:
      return { stdout: Uint8Array.from({ length: 256 }, (_unused, byte) => byte) };
    case PROGRAMS.thousand:
      return { stdout: "7".padStart(1000, "0") };
    case PROGRAMS.echoes:
      return { echoes: true };
    case PROGRAMS.printsThenWaits:
      return { stdout: "begun\n", runsForever: true };
    case PROGRAMS.diesBySignal:
      return { signal: "SIGTERM" };
    case PROGRAMS.environment:
      return { stdout: `${environment["FIRST"]}|${environment["SECOND"]}|${environment["HOME"] ?? "none"}|none\n` };
    default:
      return null;
  }
};

async function memoryTree(): Promise<MemoryTree> {
  const workspaces = createMemoryWorkspaceProvider({ folders: new Map([["/project", new Map()]]), hasher: () => "sha256:0" });
  await workspaces.create(SPEC.sessionId, "/project");
  return workspaces.workspaceOf(SPEC.sessionId).view;
}

sandboxContract("in memory", async () => {
  const tree = await memoryTree();
  return {
    provider: createMemorySandboxProvider({ treeOf: () => tree, script }),
    spec: SPEC,
    plant: async (_sandbox, what, path) => tree.set(path, what === "link" ? { kind: "symlink", target: "/etc" } : { kind: what === "folder" ? "directory" : "fifo" }),
    clean: async () => undefined,
  };
});

describe("the in-memory sandbox", () => {
  const faulty = async (faults: SandboxFaults): ReturnType<ReturnType<typeof createMemorySandboxProvider>["open"]> => {
    const tree = await memoryTree();
    return createMemorySandboxProvider({ treeOf: () => tree, script, faults: () => faults }).open(SPEC, never);
  };

  it("throws, hangs until cancelled, and lies on order", async () => {
    const thrown = new GuardError("SANDBOX_FAILED", "on order");
    await expect(collect(await faulty({ run: { kind: "throw", error: thrown } }), bash(SPEC, "true"))).rejects.toBe(thrown);
    await expect((await faulty({ apply: { kind: "hang" } })).apply([], AbortSignal.timeout(20))).rejects.toMatchObject({ code: "CANCELLED" });
    await expect((await faulty({ readFile: { kind: "lie", result: { ok: false, reason: "missing", detail: "a lie" } } })).readFile("x", 1, never)).resolves.toEqual({ ok: false, reason: "missing", detail: "a lie" });
    await expect(faulty({ open: { kind: "throw", error: thrown } })).rejects.toBe(thrown);
  });

  it("lets a scripted program change the workspace", async () => {
    const tree = await memoryTree();
    const provider = createMemorySandboxProvider({ treeOf: () => tree, script: () => ({ changes: (view) => view.set("made", { kind: "file", content: "by it" }) }) });
    const sandbox = await provider.open(SPEC, never);
    expect(await collect(sandbox, bash(SPEC, "anything"))).toEqual(ended({}));
    expect(await sandbox.readFile("made", 100, never)).toEqual({ ok: true, content: new TextEncoder().encode("by it"), mode: 0o644 });
    expect(provider.opened[0]?.requests.map((request) => request.argv.at(-1))).toEqual(["anything"]);
  });

  it("dies under a call, and stays dead", async () => {
    const tree = await memoryTree();
    const provider = createMemorySandboxProvider({ treeOf: () => tree, script });
    const sandbox = await provider.open(SPEC, never);
    const running = collect(sandbox, bash(SPEC, PROGRAMS.printsThenWaits, { timeoutMs: 50 }));
    provider.opened[0]?.breakNow("killed from outside");
    await expect(running).rejects.toMatchObject({ code: "SANDBOX_BROKEN" });
    expect(await sandbox.ended).toEqual({ reason: "broken", detail: "killed from outside" });
    await expect(collect(sandbox, bash(SPEC, "true"))).rejects.toMatchObject({ code: "SANDBOX_BROKEN" });
  });
});
