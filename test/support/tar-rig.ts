// A workspace that is sent, without an engine: unpacked by the system's tar beside the user's folder, and looked through by
// the runtime's own tool, started here.

import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packageFile } from "../../src/adapters/system/package-root.js";
import { removeTree } from "../../src/adapters/files/remove-tree.js";
import { createWorkspaceProvider } from "../../src/adapters/files/workspace.js";
import type { EnforcementPlan } from "../../src/core/policy/index.js";
import type { Sandbox } from "../../src/ports/sandbox.js";
import type { Protection, Workspace, WorkspaceProvider } from "../../src/ports/workspace.js";
import { silent } from "./overlay-rig.js";
import { plainBash } from "./plain-bash.js";

const CACHE = join(import.meta.dirname, "..", "..", "node_modules", ".cache", "ringfence-tests");
const NATIVE = join(import.meta.dirname, "..", "..", "src", "sandboxd", "native");
const SOURCES = ["rf-look.c", "sha256.c", "sha256.h"].map((name) => join(NATIVE, name));
const never = new AbortController().signal;

/** Compiled from the source, once, where there is a compiler, so that never an older build is tested; else the built one. */
export function lookProgram(): string | null {
  const version = createHash("sha256").update(Buffer.concat(SOURCES.map((path) => readFileSync(path)))).digest("hex").slice(0, 16);
  const program = join(CACHE, `rf-look-${version}`);
  if (existsSync(program)) return program;
  mkdirSync(CACHE, { recursive: true });
  const making = mkdtempSync(join(CACHE, "making-"));
  try {
    execFileSync("gcc", ["-static", "-O2", "-std=gnu17", "-o", join(making, "rf-look"), ...SOURCES.filter((path) => path.endsWith(".c"))], { stdio: "pipe" });
    renameSync(join(making, "rf-look"), program);
    return program;
  } catch {
    // No compiler here.
    const built = packageFile("dist", "runtime", "bin", "rf-look");
    return existsSync(built) ? built : null;
  } finally {
    rmSync(making, { recursive: true, force: true });
  }
}

/** Runs programs on this machine as a sandbox would run them. */
export const hostSandbox: Pick<Sandbox, "run"> = {
  run: (request, sink, signal) =>
    new Promise((resolve, reject) => {
      const [file = "", ...args] = request.argv;
      const child = spawn(file, args, { cwd: request.cwd, env: request.environment, stdio: ["pipe", "pipe", "pipe"], signal });
      let bytes = 0;
      child.stdout.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
        sink.stdout(chunk);
      });
      child.stderr.on("data", (chunk: Buffer) => sink.stderr(chunk));
      child.stdin.on("error", () => undefined);
      child.on("error", reject);
      child.on("close", (exitCode, ended) => resolve({ exitCode, signal: ended, ended: "exit", durationMs: 0, stdoutBytes: bytes, stderrBytes: 0, stdoutDropped: 0, stderrDropped: 0, killed: 0, quiescent: true }));
      child.stdin.end(request.stdin ?? Buffer.alloc(0));
    }),
};

export interface TarRig {
  readonly base: string;
  readonly folder: string;
  readonly stateDir: string;
  readonly provider: WorkspaceProvider;
  readonly workspace: Workspace;
  /** What the agent sees. */
  readonly view: string;
  readonly protection: Protection | null;
  /** Runs bash as the agent, in its copy. */
  run(script: string): string;
  close(): void;
}

/** @param setUp the user's work before the session begins; `plan` makes what policy asks for of it */
export async function openTarRig(setUp: (folder: string) => void, plan?: EnforcementPlan): Promise<TarRig> {
  const program = lookProgram();
  if (program === null) throw new Error("rf-look is not built and there is no gcc");
  const base = realpathSync(mkdtempSync(join(tmpdir(), "rf-tar-")));
  const [folder, view, stateDir] = [join(base, "project: one, 'two'"), join(base, "view"), join(base, "state")];
  for (const path of [folder, view, join(base, "home")]) mkdirSync(path);
  setUp(folder);
  const provider = createWorkspaceProvider({ stateDir, home: join(base, "home"), telemetry: silent, opacity: null, mask: null, lookProgram: program });
  const workspace = (await provider.createTar?.("ses_test0001", folder)) as Workspace;
  const protection = plan === undefined ? null : ((await workspace.protect?.(plan, never)) ?? null);
  await unpack(workspace, view);
  await workspace.attach?.(hostSandbox, view, never);
  return {
    base,
    folder,
    stateDir,
    provider,
    workspace,
    view,
    protection,
    run: (script) => plainBash(view, script),
    close: () => removeTree(base),
  };
}

async function unpack(workspace: Workspace, view: string): Promise<void> {
  const child = spawn("tar", ["-x", "--same-permissions", "--numeric-owner", "-f", "-", "-C", view], { stdio: ["pipe", "ignore", "pipe"] });
  const errors: Buffer[] = [];
  child.stderr.on("data", (chunk: Buffer) => errors.push(chunk));
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
  for await (const piece of workspace.pack?.({ uid: workspace.uid, gid: workspace.gid }, never) ?? []) {
    if (!child.stdin.write(piece)) await new Promise((resolve) => child.stdin.once("drain", resolve));
  }
  child.stdin.end();
  if ((await ended) !== 0) throw new Error(`tar: ${Buffer.concat(errors).toString()}`);
}
