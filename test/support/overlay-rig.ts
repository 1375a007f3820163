// A real workspace, mounted as the sandbox would mount it, for tests. Needs root, `mount` and rf-scan (built, or gcc).

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createHostOpacity } from "../../src/adapters/files/host-opacity.js";
import { findScanProgram, type OpacityReader } from "../../src/adapters/files/opacity.js";
import { removeTree } from "../../src/adapters/files/remove-tree.js";
import { createWorkspaceProvider } from "../../src/adapters/files/workspace.js";
import type { Telemetry } from "../../src/ports/system.js";
import type { Workspace, WorkspaceProvider } from "../../src/ports/workspace.js";
import { plainBash } from "./plain-bash.js";

const CACHE = join(import.meta.dirname, "..", "..", "node_modules", ".cache", "ringfence-tests");
const NATIVE = join(import.meta.dirname, "..", "..", "src", "sandboxd", "native", "rf-scan.c");

export const silent: Telemetry = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined, child: () => silent };

export interface OverlayRig {
  readonly base: string;
  /** The user's folder. */
  readonly folder: string;
  readonly stateDir: string;
  readonly provider: WorkspaceProvider;
  readonly workspace: Workspace;
  /** Where the merged view is mounted. */
  readonly view: string;
  /** Runs bash as the agent, in the merged view. */
  run(script: string): string;
  /** Runs bash as the user, in the user's folder. */
  asUser(script: string): string;
  unmount(): void;
  mount(): void;
  close(): void;
}

export interface Ability {
  readonly opacity: OpacityReader | null;
  /** What is missing; null when everything is there. */
  readonly missing: string | null;
}

/** Finds out once whether overlays can be mounted here. */
export function overlayAbility(): Ability {
  if (process.getuid?.() !== 0) return { opacity: null, missing: "needs root" };
  const scratch = mkdtempSync(join(tmpdir(), "rf-ability-"));
  try {
    for (const name of ["l", "u", "w", "m"]) mkdirSync(join(scratch, name));
    try {
      execFileSync("mount", ["-t", "overlay", "overlay", "-o", `lowerdir=${scratch}/l,upperdir=${scratch}/u,workdir=${scratch}/w`, `${scratch}/m`], { stdio: "pipe" });
    } catch {
      return { opacity: null, missing: "overlay cannot be mounted here" };
    }
    execFileSync("umount", [`${scratch}/m`]);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  const program = scanProgram();
  if (program === null) return { opacity: null, missing: "rf-scan is not built and there is no gcc" };
  return { opacity: createHostOpacity(program), missing: null };
}

/** Compiled from the source, once, where there is a compiler, so that never an older build is tested; else the built one. */
export function scanProgram(): string | null {
  const version = createHash("sha256").update(readFileSync(NATIVE)).digest("hex").slice(0, 16);
  const program = join(CACHE, `rf-scan-${version}`);
  if (existsSync(program)) return program;
  mkdirSync(CACHE, { recursive: true });
  const making = mkdtempSync(join(CACHE, "making-"));
  try {
    execFileSync("gcc", ["-static", "-O2", "-std=gnu17", "-o", join(making, "rf-scan"), NATIVE], { stdio: "pipe" });
    renameSync(join(making, "rf-scan"), program);
    return program;
  } catch {
    // No compiler here.
    return findScanProgram();
  } finally {
    rmSync(making, { recursive: true, force: true });
  }
}

/** @param setUp bash, run in the user's folder before the session begins */
export async function openOverlayRig(ability: Ability, setUp: string): Promise<OverlayRig> {
  const base = realpathSync(mkdtempSync(join(tmpdir(), "rf-overlay-")));
  const folder = join(base, "project: one, 'two'");
  const stateDir = join(base, "state");
  const view = join(base, "view");
  for (const path of [folder, view, join(base, "home")]) mkdirSync(path);
  plainBash(folder, setUp);
  const provider = createWorkspaceProvider({ stateDir, home: join(base, "home"), telemetry: silent, opacity: ability.opacity });
  const workspace = await provider.create("ses_test0001", folder);
  let mounted = false;
  const rig: OverlayRig = {
    base,
    folder,
    stateDir,
    provider,
    workspace,
    view,
    run: (script) => plainBash(view, script),
    asUser: (script) => plainBash(folder, script),
    mount: () => {
      const { lower, upper, work } = workspace.mount;
      execFileSync("mount", ["-t", "overlay", "overlay", "-o", `nosuid,nodev,lowerdir=${lower.join(":")},upperdir=${upper},workdir=${work},redirect_dir=off,metacopy=off,index=off`, view]);
      mounted = true;
    },
    unmount: () => {
      if (mounted) execFileSync("umount", [view]);
      mounted = false;
    },
    close: () => {
      rig.unmount();
      removeTree(base);
    },
  };
  rig.mount();
  return rig;
}
