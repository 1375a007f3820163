// Composition of what reading and reviewing stored sessions needs. Loads no engine client.

import { releaseDeadMounts } from "./adapters/files/disk-mounts.js";
import type { DiskSupport } from "./adapters/files/session-disk.js";
import { createWorkspaceProvider } from "./adapters/files/workspace.js";
import { openOperatorLog } from "./adapters/log/pino.js";
import { createLedgerStore, type FileLedgerStore } from "./adapters/store/index.js";
import { createSystemClock } from "./adapters/system/clock.js";
import { sha256 } from "./adapters/system/hasher.js";
import { currentLease, isLeaseAlive } from "./adapters/system/lease.js";
import { createSigner } from "./adapters/system/signer.js";
import { resolveStateDir } from "./adapters/system/state-dir.js";
import { printable } from "./core/shared/index.js";
import type { RunProgram, Telemetry } from "./ports/system.js";
import type { WorkspaceProvider } from "./ports/workspace.js";

/** What a call of the library or a command needs of the state folder. */
export interface Stored {
  readonly stateDir: string;
  readonly store: FileLedgerStore;
  readonly workspaces: WorkspaceProvider;
  readonly telemetry: Telemetry;
  /** Undoes the mounts that dead processes left. Costs one read of the kernel's list when there are none. */
  readonly releaseDead: () => Promise<void>;
  readonly close: () => Promise<void>;
}

const SYSTEM_PATH = "/usr/sbin:/usr/bin:/sbin:/bin";

/** Programs of the host, by the adapter for them, which is loaded when the first is run. */
export const runProgram: RunProgram = async (file, args, timeoutMs) => {
  const { runHostCommand } = await import("./adapters/process/run.js");
  const path = process.env["PATH"];
  return runHostCommand({ file, args, timeoutMs, environment: { PATH: path === undefined ? SYSTEM_PATH : `${path}:${SYSTEM_PATH}`, LC_ALL: "C" } });
};

/** What disks of sessions are made with, in this process. */
export function diskSupport(env: NodeJS.ProcessEnv, telemetry: Telemetry): DiskSupport {
  return { env, lease: currentLease(), isLeaseAlive, run: runProgram, telemetry };
}

/** Opens the state folder and what is kept there. Loads no engine client. */
export async function openStore(env: NodeJS.ProcessEnv): Promise<Stored> {
  const stateDir = resolveStateDir(env);
  const log = openOperatorLog(stateDir, env["RINGFENCE_LOG_LEVEL"] ?? "info");
  const clock = createSystemClock();
  const store = createLedgerStore({ stateDir, clock, hasher: sha256, signer: createSigner(stateDir), telemetry: log.telemetry });
  const disks = diskSupport(env, log.telemetry);
  const workspaces = createWorkspaceProvider({ stateDir, home: env["HOME"] ?? "/root", telemetry: log.telemetry, disks });
  return {
    stateDir,
    store,
    workspaces,
    telemetry: log.telemetry,
    releaseDead: async () => {
      const failures = await releaseDeadMounts(stateDir, isLeaseAlive, runProgram);
      if (failures.length > 0) log.telemetry.warn("mounts of dead sessions stay", { failures: failures.map((line) => printable(line, 300)) });
    },
    close: async () => log.flush(),
  };
}
