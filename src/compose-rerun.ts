// Composition of `replay run`: the recorded folder made again, the same image and the same policy, a session on it, and each of its calls
// held against the record. The user's folder is not touched, and what the re-run changed is thrown away.

import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { checkRoot } from "./adapters/docker/container-options.js";
import { restoreBase } from "./adapters/files/base-restore.js";
import { keptPolicy } from "./adapters/files/policy-keep.js";
import { createPreimages } from "./adapters/files/preimages.js";
import { sha256 } from "./adapters/system/hasher.js";
import { currentLease, isLeaseAlive } from "./adapters/system/lease.js";
import { composeDeps } from "./compose.js";
import { imageReference } from "./compose-image-names.js";
import { compileTexts, loadPolicy } from "./compose-policy.js";
import { argumentBlobs } from "./compose-arguments.js";
import { openRecord, type OpenedRecord } from "./compose-bundle-open.js";
import type { Stored } from "./compose-store.js";
import { DEFAULT_IMAGE, DEFAULTS } from "./config/defaults.js";
import { isImportFormat } from "./core/import/form.js";
import type { PolicySet, PolicyText } from "./core/policy/index.js";
import { readProfile, riskProfile } from "./core/risk/index.js";
import type { AuditEvent, EventData } from "./core/session/index.js";
import { GuardError, printable, type Digest, type SessionId } from "./core/shared/index.js";
import { recordedApprover, rerunCalls, type Kept, type RerunStep } from "./engine/rerun.js";
import { openSession, type Session } from "./engine/session.js";
import type { Recovered } from "./engine/recover.js";
import type { SandboxProvider } from "./ports/sandbox.js";

export type { RerunStep } from "./engine/rerun.js";

export interface RerunRequest {
  /** Id, beginning of an id, `last`, or a bundle. */
  readonly session: string;
  readonly env: NodeJS.ProcessEnv;
  /** A folder that holds what the recorded one held; null: the one that was kept. */
  readonly workspace: string | null;
  /** Another image than the recorded one; null for none. */
  readonly image: string | null;
  /** Other policies than the recorded one; empty for none. */
  readonly policies: readonly string[];
  readonly until: number | null;
  readonly keepGoing: boolean;
  readonly signal: AbortSignal;
  /** Set when the sandbox is to be ended under whatever runs. */
  readonly hurry: AbortSignal;
  readonly startedBy: string;
  readonly sandboxes?: SandboxProvider;
  readonly onRecovered?: (recovered: Recovered) => void;
  readonly onOpened?: (rerun: RerunHead) => void;
  readonly onStep?: (step: RerunStep) => void;
}

/** What is run, before the first call. */
export interface RerunHead {
  readonly recorded: SessionId;
  readonly rerun: SessionId;
  readonly calls: number;
  /** Where the folder came from. */
  readonly base: "kept" | "named";
  /** Held against what the file of an imported session claims; left out for every other. */
  readonly claimed?: true;
}

export interface RerunAnswer extends RerunHead {
  readonly steps: readonly RerunStep[];
  /** Steps that were held against the record without a difference. */
  readonly same: number;
  /** The first that differs; null when none does. */
  readonly first: RerunStep | null;
  readonly wasInterrupted: boolean;
}

/**
 * Runs a session again. The re-run is a session on record like any other.
 * Throws USAGE_INVALID for a session that cannot be run again and says why, STATE_UNUSABLE when what was kept of it is gone.
 */
export async function rerunSession(request: RerunRequest): Promise<RerunAnswer> {
  const record = await openRecord(request.session, request.env);
  const { stored, id } = record;
  try {
    const recorded = await stored.store.read(id);
    const [first] = recorded;
    if (first?.type !== "session.opened") throw new GuardError("SESSION_NOT_FOUND", `session ${id} has no opening record`);
    const plan = await planOf(record, first.data, request);
    const folder = makeFolder();
    try {
      if (plan.base !== null) restoreBase(stored.stateDir, plan.base, folder.workspace);
      return await runAgain({ stored, id, recorded, opened: first.data, plan, workspace: plan.workspace ?? folder.workspace }, request);
    } finally {
      folder.remove();
    }
  } finally {
    await stored.close();
  }
}

interface Plan {
  readonly policy: PolicySet;
  /** The kept folder; null where another is named. */
  readonly base: { readonly workspace: string; readonly digest: Digest } | null;
  readonly workspace: string | null;
}

/** What a re-run needs. Throws USAGE_INVALID with the reason where it is not to be had. */
async function planOf({ stored: { stateDir }, id, bundle }: OpenedRecord, opened: EventData["session.opened"], request: RerunRequest): Promise<Plan> {
  const cannot = (why: string, hint: string): GuardError => new GuardError("USAGE_INVALID", `session ${id} cannot be run again: ${why}`, { hint });
  if (opened.imported !== undefined && request.workspace === null) throw cannot("it was imported, and its file does not hold the folder that it ran on", "name one that holds the same with --workspace (and its image with --image); `ringfence replay redecide` judges its calls without running them");
  if (opened.imported !== undefined && !isImportFormat(opened.imported.format)) throw cannot(`its format \`${printable(opened.imported.format, 40)}\` is not known`, "`ringfence replay redecide` judges its calls without running them");
  if (opened.imported !== undefined && !canHold(opened.workspace.root)) throw cannot(`it worked in \`${printable(opened.workspace.root, 200)}\`, which is a folder of the system in a sandbox`, "import its file again with --root and a folder such as /workspace: a call whose folder the file tells still goes there first");
  const base = opened.base;
  if (bundle !== null && request.workspace === null) throw cannot("a bundle does not hold the folder that it ran on", "name one that holds the same with --workspace (and its image with --image, where the engine does not have it)");
  if (request.workspace === null && (base?.digest ?? null) === null) throw cannot(base === undefined ? "the folder was not kept as it was when it began" : `the folder was not kept as it was when it began: ${printable(base.why ?? "", 200)}`, "name a folder that holds the same with --workspace");
  const policy = await policyOf(bundle === null ? keptPolicy(stateDir, opened.policy.digest) : (bundle.policy?.texts ?? "the bundle does not hold its text"), opened, request);
  if (typeof policy === "string") throw cannot(policy, "name policy files with --policy: each decision is held against the record all the same");
  return { policy, workspace: request.workspace === null ? null : resolve(request.workspace), base: request.workspace !== null || base === undefined || base.digest === null ? null : { workspace: opened.workspace.path, digest: base.digest } };
}

function canHold(root: string): boolean {
  try {
    checkRoot(root);
    return true;
  } catch {
    return false;
  }
}

/** The recorded policy by its digest, from the texts that were kept of it; or why it is not to be had. */
async function policyOf(texts: readonly PolicyText[] | string, { policy }: EventData["session.opened"], { policies, env }: RerunRequest): Promise<PolicySet | string> {
  if (policies.length > 0) return loadPolicy(policies, env);
  if (typeof texts === "string") {
    const present = policy.profile === null ? null : await loadPolicy([], env);
    return present?.digest === policy.digest ? present : `the policy ${policy.digest.slice(0, 19)} is not to be had: ${texts}`;
  }
  const made = await compileTexts(texts).catch((error: unknown) => (error instanceof GuardError ? error : Promise.reject(error)));
  if (made instanceof GuardError) return "the kept texts of its policy are not valid under this version";
  return made.digest === policy.digest ? made : "the kept texts of its policy make another one under this version";
}

interface Again {
  readonly stored: Stored;
  readonly id: SessionId;
  readonly recorded: readonly AuditEvent[];
  readonly opened: EventData["session.opened"];
  readonly plan: Plan;
  readonly workspace: string;
}

async function runAgain({ stored, id, recorded, opened, plan, workspace }: Again, request: RerunRequest): Promise<RerunAnswer> {
  const { env, signal, hurry } = request;
  const blobs = await argumentBlobs(stored, id, recorded);
  const { deps } = await composeDeps({ env, approver: recordedApprover(recorded), ...(request.sandboxes === undefined ? {} : { sandboxes: request.sandboxes }), ...(request.onRecovered === undefined ? {} : { onRecovered: request.onRecovered }) });
  const seen: AuditEvent[] = [];
  const own = opened.riskProfile === undefined ? null : readProfile(opened.riskProfile).profile;
  const imported = opened.imported !== undefined && isImportFormat(opened.imported.format) ? { format: opened.imported.format, root: opened.workspace.root } : null;
  const session = await openSameImage(opened, request, (image) =>
    openSession(
      deps,
      {
        workspace,
        image,
        policy: plan.policy,
        profile: opened.policy.profile,
        risk: own ?? riskProfile(opened.policy.profile),
        role: opened.role,
        source: "replay",
        startedBy: request.startedBy,
        agent: opened.agent,
        defaults: { ...DEFAULTS, root: opened.workspace.root, timeoutMs: timeoutOf(recorded), ...(imported === null ? { runtime: opened.engine.runtime } : {}) },
        replayOf: id,
        onEvent: (event) => void seen.push(event),
      },
      signal,
    ),
  );
  const onHurry = (): void => void session.abandon("stopped at once by the person who started it");
  hurry.addEventListener("abort", onHurry);
  try {
    const head: RerunHead = { recorded: id, rerun: session.id, calls: recorded.filter(({ type }) => type === "call.received").length, base: plan.base === null ? "named" : "kept", ...(imported === null ? {} : { claimed: true as const }) };
    request.onOpened?.(head);
    const drift = driftOf(opened, seen[0]);
    if (drift !== null) request.onStep?.(drift);
    const isOver = drift !== null && !request.keepGoing;
    const kept = { recorded: keptOf(stored, id), rerun: keptOf(stored, session.id) };
    const steps = isOver ? [] : await rerunCalls({ recorded, seen, session, kept, argumentsOf: (digest) => blobs.get(digest) ?? null, hash: sha256, until: request.until ?? Number.MAX_SAFE_INTEGER, ...(imported === null ? {} : { imported }), keepGoing: request.keepGoing, signal, onStep: (step) => request.onStep?.(step) });
    const all = drift === null ? steps : [drift, ...steps];
    return { ...head, steps: all, same: steps.filter(({ divergence }) => divergence === null).length, first: all.find(({ divergence }) => divergence !== null) ?? null, wasInterrupted: signal.aborted };
  } finally {
    hurry.removeEventListener("abort", onHurry);
    await endOf(stored, session, signal.aborted);
  }
}

/** The recorded image by its id; where the engine has it no more, what goes by its name now, which is then another. */
async function openSameImage(opened: EventData["session.opened"], { image }: RerunRequest, open: (image: string) => Promise<Session>): Promise<Session> {
  if (image !== null) return open(imageReference(image));
  // No file tells the image.
  if (opened.imported !== undefined) return open(DEFAULT_IMAGE);
  try {
    return await open(opened.image.id);
  } catch (error) {
    if (!(error instanceof GuardError) || error.code !== "IMAGE_MISSING" || opened.image.reference === opened.image.id) throw error;
    return open(opened.image.reference);
  }
}

/** What all calls ran on or were judged under is another. */
function driftOf(opened: EventData["session.opened"], first: AuditEvent | undefined): RerunStep | null {
  if (first?.type !== "session.opened") return null;
  const { image, policy } = first.data;
  const step = { number: 0, call: null, summary: "before the first call", ran: false, workspace: null };
  if (opened.imported === undefined && image.id !== opened.image.id) return { ...step, divergence: { kind: "image", why: "it runs on another image", recorded: `${printable(opened.image.reference, 100)} ${opened.image.id.slice(0, 19)}`, rerun: `${printable(image.reference, 100)} ${image.id.slice(0, 19)}` } };
  if (policy.digest !== opened.policy.digest) return { ...step, divergence: { kind: "policy", why: "it is judged under another policy", recorded: opened.policy.digest.slice(0, 19), rerun: policy.digest.slice(0, 19) } };
  return null;
}

/** The longest time that a call had: the session's own is not on record. */
function timeoutOf(recorded: readonly AuditEvent[]): number {
  const limits = recorded.flatMap((event) => (event.type === "execution.started" ? [event.data.timeoutMs] : []));
  return limits.length === 0 ? DEFAULTS.timeoutMs : Math.max(...limits);
}

function keptOf({ store, stateDir }: Stored, id: SessionId): Kept {
  return {
    readBlob: (digest) => store.readBlob(id, digest),
    // Opened anew for each look: the session that runs adds to it.
    content: (digest) => createPreimages({ stateDir, sessionId: id }).load(digest),
  };
}

/** Closes the session and throws its layers away: what a re-run changed is compared, not kept. Its record stays. */
async function endOf({ store, workspaces }: Stored, session: Session, wasInterrupted: boolean): Promise<void> {
  await session.close(wasInterrupted ? "cancelled" : "finished");
  const ledger = await store.reopen(session.id);
  try {
    await workspaces.remove(session.id);
    await ledger.append([{ call: null, type: "session.discarded", data: { reason: "a re-run: what it changed is compared, not kept" } }]);
  } finally {
    await ledger.close();
  }
}

const PREFIX = "ringfence-rerun-";

/** A folder for the user's files as they were. What a process that was killed left is removed by the next. */
function makeFolder(): { readonly workspace: string; readonly remove: () => void } {
  const parent = realpathSync(tmpdir());
  for (const name of readdirSync(parent)) {
    if (!name.startsWith(PREFIX)) continue;
    const lease = readLease(join(parent, name));
    if (lease !== null && !isLeaseAlive(lease)) rmSync(join(parent, name), { recursive: true, force: true });
  }
  const folder = mkdtempSync(join(parent, PREFIX));
  writeFileSync(join(folder, "lease"), currentLease(), { mode: 0o600 });
  const workspace = join(folder, "workspace");
  mkdirSync(workspace);
  // The sandbox's user reaches the layers below it only through the mount; the folder itself must let it through.
  chmodSync(folder, 0o711);
  return { workspace, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

function readLease(folder: string): string | null {
  try {
    return readFileSync(join(folder, "lease"), "utf8");
  } catch {
    return null;
  }
}
