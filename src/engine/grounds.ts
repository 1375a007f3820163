// What a session stands on: its workspace and the sandbox on it, in the best way the engine allows. An engine that turns out
// not to see this machine's files is sent them instead, when nothing has run yet.

import type { KeptBase } from "../ports/base.js";
import type { Control } from "../core/session/event.js";
import { GuardError, LIMITS, type Role } from "../core/shared/index.js";
import type { Sandbox, SandboxSpec, WorkspaceMode } from "../ports/sandbox.js";
import type { UserFolderObserver, Workspace } from "../ports/workspace.js";
import type { EngineDeps } from "./deps.js";
import { leftSomething } from "./break-off.js";
import { OutdatedNames, attestEnforcement, enforce, enforcedSpec, isOutdated, writableBy, type Enforced } from "./enforcement.js";
import type { SessionOptions } from "./live.js";

export interface Grounds {
  readonly workspace: Workspace;
  readonly sandbox: Sandbox;
  /** What was made of what policy forbids; null for nothing. */
  readonly enforced: Enforced | null;
  /** What was seen to hold of it. */
  readonly enforcement: readonly Control[];
  /** The user's folder as it was; null where nobody keeps it. */
  readonly base: KeptBase | null;
}

export interface GroundsRequest {
  readonly deps: EngineDeps;
  readonly options: SessionOptions;
  readonly id: string;
  /** The user's folder. */
  readonly path: string;
  readonly role: Role | null;
  /** Ways to try, the best first. */
  readonly modes: readonly WorkspaceMode[];
  /** Gets what takes each step back, in the order they were made. */
  readonly undo: (() => Promise<void>)[];
  /** Follows what the user does to the folder meanwhile; left out: nobody does. A folder that is sent needs none: nothing of it shows inside. */
  readonly userFolder?: UserFolderObserver | undefined;
  /** The folder is kept as it is now, while the sandbox starts. */
  readonly keepBase?: boolean;
}

/** The ways for a session: the one that is asked for, else those of the engine. */
export async function workspaceModes(deps: EngineDeps, options: SessionOptions, signal: AbortSignal): Promise<readonly WorkspaceMode[]> {
  const { workspaceMode } = options.defaults;
  if (workspaceMode !== undefined) return [workspaceMode];
  const modes = (await deps.sandboxes.modes?.(signal)) ?? ["overlay"];
  return deps.workspaces.createTar === undefined ? modes.filter((mode) => mode !== "tar") : modes;
}

/** Opens the first way that holds. What a way that does not hold had made is taken back before the next is tried. */
export async function openGrounds(request: GroundsRequest, signal: AbortSignal): Promise<Grounds> {
  const { deps, id, modes, undo } = request;
  for (const [index, mode] of modes.entries()) {
    const before = undo.length;
    try {
      return await openIn(request, mode, signal);
    } catch (error) {
      if (!(error instanceof GuardError) || error.code !== "ENGINE_REMOTE" || leftSomething(error) || index === modes.length - 1) throw error;
      deps.telemetry.info("the engine does not see this machine's files; they are sent to it", { session: id });
      for (const step of undo.splice(before).reverse()) await step();
    }
  }
  throw new GuardError("ENGINE_UNSUPPORTED", "the engine can be given no workspace");
}

/**
 * Opens on the names that the folder is expected to hold, while it is looked at. Where it demands something else than those, what was made is
 * taken back, and made again from what there is.
 */
async function openIn(request: GroundsRequest, mode: WorkspaceMode, signal: AbortSignal): Promise<Grounds> {
  const before = request.undo.length;
  try {
    return await openOne(request, mode, true, signal);
  } catch (error) {
    if (!(error instanceof OutdatedNames) || leftSomething(error.cause)) throw error instanceof OutdatedNames ? error.cause : error;
    request.deps.telemetry.info("the folder is not what it was; what was made for it is made anew", { session: request.id });
    for (const step of request.undo.splice(before).reverse()) await step();
    return openOne(request, mode, false, signal);
  }
}

async function openOne({ deps, options, id, path, role, undo, userFolder, keepBase: isBaseKept }: GroundsRequest, mode: WorkspaceMode, mayExpect: boolean, signal: AbortSignal): Promise<Grounds> {
  const { root, sandbox: limits, runtime, record } = options.defaults;
  const most = writableBy(limits);
  const workspace = mode === "overlay" ? await deps.workspaces.create(id, path, most) : await deps.workspaces.createTar?.(id, path, most);
  if (workspace === undefined) throw new GuardError("ENGINE_UNSUPPORTED", "this installation cannot send a workspace to an engine");
  undo.push(() => deps.workspaces.remove(id));
  const expected = await enforce(options, workspace, role, signal, { userFolder: mode === "overlay" ? userFolder : undefined, mayExpect });
  undo.push(async () => expected?.watch?.stop());
  await workspace.ready?.(signal);
  const spec: SandboxSpec = {
    sessionId: id,
    image: options.image,
    workspace: workspace.mount,
    root,
    uid: workspace.uid,
    gid: workspace.gid,
    limits,
    ...(runtime === undefined ? {} : { runtime }),
    ...(record === undefined ? {} : { record }),
    ...(workspace.pack === undefined ? {} : { fill: workspace.pack }),
    ...enforcedSpec(expected),
    // The folder is looked at while the sandbox starts: before that the engine reads from the disk too, and one would wait for the other.
    onStarting: () => start(),
  };
  const { start, promise: proving } = startedLater(() => prove(expected));
  if (expected?.isExpected !== true) start();
  // What is kept of the folder leaves out what is hidden: it waits until that is sure.
  const keeping = isBaseKept === true ? proving.then((enforced) => keepBase(deps, { workspace, enforced }, signal)) : null;
  keeping?.catch(() => undefined);
  try {
    const sandbox = await deps.sandboxes.open(spec, signal);
    undo.push(() => sandbox.close());
    // Only programs of ours have run inside until now.
    start();
    const enforced = await proving;
    await workspace.attach?.(sandbox, root, signal);
    return { workspace, sandbox, enforced, enforcement: await attestEnforcement(sandbox, options, enforced, signal), base: (await keeping) ?? null };
  } catch (error) {
    start();
    // Nobody takes the workspace down under the one who still reads the folder.
    await keeping?.catch(() => undefined);
    if (!(error instanceof OutdatedNames) && expected !== null && (await isOutdated(expected.prove))) throw new OutdatedNames("the folder is not what it was", { cause: error });
    throw error;
  }
}

/** Work that begins when it is first told to; a failure is for whoever waits for it. */
function startedLater<T>(work: () => Promise<T>): { readonly start: () => void; readonly promise: Promise<T> } {
  let start = (): void => undefined;
  const promise = new Promise<void>((resolve) => (start = resolve)).then(work);
  promise.catch(() => undefined);
  return { start: () => start(), promise };
}

/** What was enforced, once it is what the folder demands. */
async function prove(expected: Enforced | null): Promise<Enforced | null> {
  const proof = await expected?.prove();
  if (proof?.kind === "outdated") throw new OutdatedNames("the folder is not what it was");
  return expected === null || proof === undefined ? null : { ...expected, names: proof.names };
}

/** Keeps the user's folder as it is now. One with more names than are kept is not looked through again to find that out. */
export async function keepBase({ bases }: Pick<EngineDeps, "bases">, { workspace, enforced }: Pick<Grounds, "workspace" | "enforced">, signal: AbortSignal): Promise<KeptBase | null> {
  if (bases === undefined) return null;
  if (enforced !== null && enforced.names > LIMITS.baseNames) return { digest: null, files: 0, bytes: 0, why: `the folder holds more than ${LIMITS.baseNames} names` };
  return bases.keep(workspace.path, hiddenNames(enforced), signal);
}

/** What the agent does not see is not kept either. */
function hiddenNames(enforced: Enforced | null): readonly string[] {
  return enforced === null ? [] : [...enforced.protection.masked, ...enforced.protection.linkedSecrets];
}
