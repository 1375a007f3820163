// Composition of what reading and reviewing stored sessions needs. Loads no engine client.

import { createWorkspaceProvider } from "./adapters/files/workspace.js";
import { openOperatorLog } from "./adapters/log/pino.js";
import { createLedgerStore, type FileLedgerStore } from "./adapters/store/index.js";
import { createSystemClock } from "./adapters/system/clock.js";
import { sha256 } from "./adapters/system/hasher.js";
import { createSigner } from "./adapters/system/signer.js";
import { resolveStateDir } from "./adapters/system/state-dir.js";
import type { Telemetry } from "./ports/system.js";
import type { WorkspaceProvider } from "./ports/workspace.js";

/** What a call of the library or a command needs of the state folder. */
export interface Stored {
  readonly stateDir: string;
  readonly store: FileLedgerStore;
  readonly workspaces: WorkspaceProvider;
  readonly telemetry: Telemetry;
  readonly close: () => Promise<void>;
}

/** Opens the state folder and what is kept there. Loads no engine client. */
export async function openStore(env: NodeJS.ProcessEnv): Promise<Stored> {
  const stateDir = resolveStateDir(env);
  const log = openOperatorLog(stateDir, env["RINGFENCE_LOG_LEVEL"] ?? "info");
  const clock = createSystemClock();
  const store = createLedgerStore({ stateDir, clock, hasher: sha256, signer: createSigner(stateDir), telemetry: log.telemetry });
  const workspaces = createWorkspaceProvider({ stateDir, home: env["HOME"] ?? "/root", telemetry: log.telemetry });
  return {
    stateDir,
    store,
    workspaces,
    telemetry: log.telemetry,
    close: async () => log.flush(),
  };
}
