// The composition root: wires adapters to the engine and to review. Heavy adapters are loaded only where they are used.

import { join, resolve } from "node:path";
import { loadPolicyTexts } from "./compose-policy.js";
import { loadRiskProfile } from "./compose-profile.js";
import { openStore } from "./compose-store.js";
import { createForensics } from "./adapters/store/forensics.js";
import { createBaseKeeper } from "./adapters/files/base-store.js";
import { keepPolicy } from "./adapters/files/policy-keep.js";
import { createPreimages } from "./adapters/files/preimages.js";
import { createUserFolderObserver } from "./adapters/files/user-folder.js";
import { createSystemClock } from "./adapters/system/clock.js";
import { sha256 } from "./adapters/system/hasher.js";
import { createRandomIds } from "./adapters/system/ids.js";
import { currentLease, isLeaseAlive } from "./adapters/system/lease.js";
import { createSessionControl } from "./adapters/system/session-control.js";
import { createOpenSessions } from "./adapters/system/open-sessions.js";
import { packageFile } from "./adapters/system/package-root.js";
import { createRedactor } from "./adapters/system/redactor.js";
import { createKeyedDigest } from "./adapters/system/signer.js";
import { createAbsentApprover, createTerminalApprover, type TerminalApproverOptions } from "./adapters/approver/terminal.js";
import { DEFAULT_IMAGE, DEFAULT_PROFILE, DEFAULTS } from "./config/defaults.js";
import { imageReference } from "./compose-image-names.js";
import { productVersion } from "./config/product.js";
import { namedRoles, type PolicyText } from "./core/policy/index.js";
import type { RiskState } from "./core/risk/index.js";
import type { AgentInfo, AuditEvent, EventData } from "./core/session/index.js";
import { printable, type Role } from "./core/shared/index.js";
import type { EngineDeps } from "./engine/deps.js";
import { recoverSessions, type Recovered } from "./engine/recover.js";
import type { SessionOptions } from "./engine/live.js";
import { createPool } from "./engine/pool.js";
import { beginSession, openSession, type Session } from "./engine/session.js";
import type { Approver } from "./ports/approver.js";
import type { ImageCatalogue } from "./ports/images.js";
import type { RecordSetting, SandboxProvider, WorkspaceMode } from "./ports/sandbox.js";
import type { Telemetry } from "./ports/system.js";

export type { HarnessRequest, HarnessRun } from "./engine/harness.js";
export type { Observation } from "./engine/observation.js";
export { discardSession, openReview, resolveSession, type Review } from "./compose-review.js";
export { undoSession, type Undone } from "./compose-undo.js";
export { openStore, type Stored } from "./compose-store.js";

export interface ComposeOptions {
  readonly env: NodeJS.ProcessEnv;
  /** Who is asked: a terminal, or an approver of the caller's own. Nobody rejects. */
  readonly approver: { readonly terminal: TerminalApproverOptions | null } | Approver;
  /** Another place to run than the local engine. */
  readonly sandboxes?: SandboxProvider;
  readonly onRecovered?: (recovered: Recovered) => void;
}

export interface OpenOptions {
  readonly workspace: string;
  readonly policies?: readonly string[];
  /** False: policies found in the workspace are left out. */
  readonly workspacePolicies?: boolean;
  /** Risk profile: a built-in one's id, or a file. Left out: by the agent's name, the rubric's defaults for one that nobody has rated. */
  readonly profile?: string;
  readonly role?: Role | null;
  readonly image?: string;
  readonly root?: string;
  /** The engine's name of the program that runs containers; left out: the engine's own. */
  readonly runtime?: string;
  /** How the folder comes to the engine: as a copy-on-write view, or sent as a tar. Left out: in the best way the engine allows. */
  readonly workspaceMode?: WorkspaceMode;
  /** What is recorded, and judged, of the programs that calls run; left out: every program. */
  readonly recordExec?: RecordSetting;
  readonly timeoutMs?: number;
  /** How long a session that policy paused waits for `resume` where nobody can be asked here, in milliseconds; then it is stopped. Left out: not at all. */
  readonly pauseWaitMs?: number;
  readonly source?: EventData["session.opened"]["source"];
  readonly startedBy?: string;
  readonly agent?: Partial<AgentInfo>;
  readonly onEvent?: (event: AuditEvent) => void;
}

export type OpenedSession = Session & { readonly rules: number; /** Roles that the policy's rules are about. */ readonly roles: readonly string[] };

export interface Orchestrator {
  readonly stateDir: string;
  /** Opens a session. Rejects with GuardError, and leaves nothing behind, when anything is missing. */
  open(options: OpenOptions, signal: AbortSignal): Promise<OpenedSession>;
  readonly riskOf: (session: Session) => RiskState;
  /**
   * Keeps `size` sandboxes ready for sessions that are opened like this: for this folder, policy, role and image. `open` then takes one
   * that is still what a new one would be, and another is made once that session gave its first answer. Settles when they are ready.
   * Rejects for a folder that is sent to its engine, and for one that is not watched. What stands ready keeps the process alive until `drain`.
   */
  keepReady(options: OpenOptions, size: number, signal: AbortSignal): Promise<void>;
  /** Ends what stands ready and was not taken, and makes no more. Open sessions go on. Idempotent. */
  drain(): Promise<void>;
}

/** What the engine needs of this machine. Sessions that a crash left open are closed on record, and their containers removed, on the way. */
export async function composeDeps(options: ComposeOptions): Promise<{ readonly deps: EngineDeps; readonly stateDir: string }> {
  const stored = await openStore(options.env);
  const { stateDir, store, workspaces, telemetry } = stored;
  const lease = currentLease();
  const openSessions = createOpenSessions({ stateDir, lease, isLeaseAlive });
  const { createHints } = await import("./adapters/watch/hints.js");
  const keyedHex = createKeyedDigest(stateDir);
  const swept: Swept = options.sandboxes === undefined ? await dockerSandboxes({ env: options.env, stateDir, lease, telemetry }) : { sandboxes: options.sandboxes, isSwept: true };
  const deps: EngineDeps = {
    store,
    workspaces,
    sandboxes: swept.sandboxes,
    ...(swept.images === undefined ? {} : { images: swept.images }),
    observer: createHints(telemetry),
    userFolder: createUserFolderObserver(),
    preimages: (sessionId) => createPreimages({ stateDir, sessionId }),
    openSessions,
    bases: createBaseKeeper(stateDir, createRandomIds().next),
    control: createSessionControl(stateDir),
    forensics: createForensics(stateDir, sha256),
    approver: "terminal" in options.approver ? (options.approver.terminal === null ? createAbsentApprover("no terminal to ask on") : createTerminalApprover(options.approver.terminal)) : options.approver,
    clock: createSystemClock(),
    ids: createRandomIds(),
    telemetry,
    hasher: sha256,
    keyedDigest: (text) => `sha256:${keyedHex(text)}`,
    redactor: createRedactor(keyedHex),
    product: `ringfence ${productVersion(packageFile("package.json"))}`,
  };
  await stored.releaseDead();
  for (const recovered of await recoverSessions(deps, swept.isSwept)) options.onRecovered?.(recovered);
  return { deps, stateDir };
}

/** Wires everything. */
export async function composeEngine(options: ComposeOptions): Promise<Orchestrator> {
  const { deps, stateDir } = await composeDeps(options);
  const pool = createPool(deps, () => performance.now());
  const asked = (open: OpenOptions): ReturnType<typeof sessionOptions> => sessionOptions(open, options.env);
  return {
    stateDir,
    riskOf: (session) => session.risk(),
    open: async (open, signal) => {
      const { options: wanted, texts } = await asked(open);
      keepPolicy(stateDir, wanted.policy.digest, texts);
      const claimed = await pool.claim(wanted, signal);
      const about = { rules: wanted.policy.rules.length, roles: namedRoles(wanted.policy.rules) };
      if (claimed === null) return { ...(await openSession(deps, wanted, signal)), ...about };
      // The very same policy, as it was compiled for the sandbox.
      const session = await beginSession(deps, { ...wanted, policy: claimed.options.policy }, claimed.prepared, signal, claimed.readyMs);
      return { ...refilling(session, () => void pool.refill(wanted)), ...about };
    },
    keepReady: async (open, size, signal) => pool.keep((await asked(open)).options, size, signal),
    drain: () => pool.drain(),
  };
}

/** A sandbox is made in place of the one that was taken once its session gave its first answer, so that nobody waits for both. */
function refilling(session: Session, refill: () => void): Session {
  const state = { isDue: true };
  const due = (): void => {
    if (state.isDue) refill();
    state.isDue = false;
  };
  return { ...session, call: (...args) => session.call(...args).finally(due), close: (...args) => session.close(...args).finally(due), abandon: (...args) => session.abandon(...args).finally(due) };
}

async function sessionOptions(open: OpenOptions, env: NodeJS.ProcessEnv): Promise<{ readonly options: SessionOptions; readonly texts: readonly PolicyText[] }> {
  const workspace = resolve(open.workspace);
  const { policy, texts } = await loadPolicyTexts(open.policies ?? [], env, open.workspacePolicies === false ? null : workspace);
  const options: SessionOptions = {
    workspace,
    image: imageReference(open.image ?? DEFAULT_IMAGE),
    policy,
    profile: (open.policies ?? []).length === 0 ? DEFAULT_PROFILE : null,
    risk: await loadRiskProfile(open.profile, open.agent?.name ?? null),
    role: open.role ?? null,
    source: open.source ?? "library",
    startedBy: open.startedBy ?? "library",
    agent: { name: null, model: null, endpoint: null, version: null, sampling: null, ...open.agent },
    defaults: { ...DEFAULTS, ...(open.root === undefined ? {} : { root: open.root }), ...(open.runtime === undefined ? {} : { runtime: open.runtime }), ...(open.workspaceMode === undefined ? {} : { workspaceMode: open.workspaceMode }), ...(open.recordExec === undefined ? {} : { record: open.recordExec }), ...(open.timeoutMs === undefined ? {} : { timeoutMs: open.timeoutMs }), ...(open.pauseWaitMs === undefined ? {} : { pauseWaitMs: open.pauseWaitMs }) },
    ...(open.onEvent === undefined ? {} : { onEvent: open.onEvent }),
  };
  return { options, texts };
}

/**
 * The same for a command that opens no session: what crashes left open is closed on record, and removed from the engine
 * where one answers. Does nothing, and loads no engine client, when there is nothing. Gives what was removed from the engine.
 */
export async function recoverAbandoned(env: NodeJS.ProcessEnv, onRecovered: (recovered: Recovered) => void): Promise<Removed> {
  const { stateDir, store, workspaces, telemetry, releaseDead, close } = await openStore(env);
  try {
    const lease = currentLease();
    const openSessions = createOpenSessions({ stateDir, lease, isLeaseAlive });
    if ((await openSessions.abandoned()).length === 0) {
      await releaseDead();
      return NOTHING_REMOVED;
    }
    const { isSwept, removed = NOTHING_REMOVED } = await dockerSandboxes({ env, stateDir, lease, telemetry }).catch((cause: unknown) => {
      telemetry.warn("the engine was not looked at", { cause: printable(String(cause)) });
      return { isSwept: false, removed: NOTHING_REMOVED };
    });
    await releaseDead();
    for (const recovered of await recoverSessions({ store, openSessions, workspaces, telemetry }, isSwept)) onRecovered(recovered);
    return removed;
  } finally {
    await close();
  }
}

/** How much of crashed sessions was removed from the engine. */
export interface Removed {
  readonly containers: number;
  readonly volumes: number;
}

export const NOTHING_REMOVED: Removed = { containers: 0, volumes: 0 };

interface Swept {
  readonly sandboxes: SandboxProvider;
  readonly removed?: Removed;
  /** Nothing of crashed sessions is on the engine any more. */
  readonly isSwept: boolean;
  readonly images?: ImageCatalogue;
}

/** The local engine, with the containers and volumes of crashed sessions removed first. */
async function dockerSandboxes(options: { readonly env: NodeJS.ProcessEnv; readonly stateDir: string; readonly lease: string; readonly telemetry: Telemetry }): Promise<Swept> {
  const { createDockerProvider } = await import("./adapters/docker/provider.js");
  const { runtimeFolder } = await import("./adapters/docker/runtime-folder.js");
  const provider = createDockerProvider({ runtimeDir: await runtimeFolder(options.stateDir, packageFile("dist", "runtime"), options.env["RINGFENCE_IN_CONTAINER"] === "1"), lineDir: join(options.stateDir, "line"), lease: options.lease, telemetry: options.telemetry });
  const { failures, containers, volumes } = await provider.reap();
  if (failures.length > 0) options.telemetry.warn("what crashed sessions left on the engine is not all removed", { failures: failures.slice(0, 5) });
  const { createImageFacts } = await import("./adapters/docker/image-facts.js");
  const images = createImageFacts({ docker: () => provider.client(), installed: packageFile("dist", "images"), kept: join(options.stateDir, "images"), script: packageFile("sandbox-images", "inventory.sh"), lease: options.lease });
  return { sandboxes: provider, isSwept: failures.length === 0, removed: { containers: containers.length, volumes: volumes.length }, images };
}
