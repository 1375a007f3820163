// The disk of one session from its making to its end: made and mounted for the session, let go of when it has ended, opened
// again for review. Where it cannot be had the layers lie in plain folders, and the reason is kept.

import { closeSync, existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { randomBytes } from "node:crypto";
import { GuardError, LIMITS, printable } from "../../core/shared/index.js";
import type { SessionDisk } from "../../ports/sandbox.js";
import type { RunProgram, Telemetry } from "../../ports/system.js";
import type { WorkspaceLimits } from "../../ports/workspace.js";
import { engineSees, roomFor, whyNoDisk } from "./disk-ability.js";
import { diskSize, isTight, makeImage, mountImage, openImage, syncImage, trimImage, unmountImage } from "./disk-image.js";
import { claimMount, disclaimMount, isHeld, isMounted, mountsOf, releaseDeadMounts } from "./disk-mounts.js";
import { layerPaths, type LayerPaths } from "./layers.js";

const TRIAL_BYTES = 16 * 1024 * 1024;
const TRIAL_FILES = 64;

/** What disks are made with. */
export interface DiskSupport {
  readonly env: NodeJS.ProcessEnv;
  /** Lease of this process. */
  readonly lease: string;
  readonly isLeaseAlive: (lease: string) => boolean;
  readonly run: RunProgram;
  readonly telemetry: Telemetry;
}

/** Where a session writes. */
export interface WritableLayer {
  readonly upper: string;
  readonly work: string;
  /** null where they are plain folders on the disk of the state folder. */
  readonly disk: SessionDisk | null;
  /** Why there is no disk; null when there is one. */
  readonly why: string | null;
  /** Throws when what was written may not have found room on the disk behind. Cheap while there is plenty. */
  readonly check: () => Promise<void>;
  /** Throws STATE_UNUSABLE when not all that was written is kept. Idempotent. */
  readonly close: () => Promise<void>;
}

/** Plain folders, which are there already. */
export function plainLayer(paths: LayerPaths, why: string): WritableLayer {
  return { upper: paths.upper, work: paths.work, disk: null, why, check: async () => undefined, close: async () => undefined };
}

/** Makes a session's disk, and tells why not where that does not work; leaves nothing behind then. What is known beforehand is told at once. Never fails. */
export function makeDisk(paths: LayerPaths, stateDir: string, most: WorkspaceLimits, support: DiskSupport | null): WritableLayer | Promise<WritableLayer> {
  const refusal = support === null ? "" : whyNoDisk({ env: support.env, stateDir });
  return support === null || refusal !== null ? plainLayer(paths, refusal ?? "") : makeMounted(paths, stateDir, most, support);
}

async function makeMounted(paths: LayerPaths, stateDir: string, most: WorkspaceLimits, support: DiskSupport): Promise<WritableLayer> {
  const { run, lease } = support;
  const size = diskSize(roomFor(stateDir, most.bytes ?? LIMITS.workspaceBytes), most.files ?? LIMITS.workspaceFiles);
  try {
    await makeImage(paths.image, size, run);
    claimMount(paths.disk, lease);
    await mountImage(paths.image, paths.disk, run);
    if (engineSees(paths.disk) === false) throw new Error("the engine does not see what is mounted here");
    const layer = { upper: join(paths.disk, "upper"), work: join(paths.disk, "work") };
    for (const folder of [layer.upper, layer.work]) mkdirSync(folder, { mode: 0o700 });
    return mountedLayer(paths, { ...layer, disk: { image: paths.image, ...size } }, support);
  } catch (error) {
    await undo(paths, run);
    return plainLayer(paths, printable(error instanceof Error ? error.message : String(error), 300));
  }
}

/**
 * Opens what a session wrote, for reading. While the session runs in another process it is read where that one has it.
 * Throws STATE_UNUSABLE when the disk cannot be opened here.
 */
export async function openDisk(paths: LayerPaths, stateDir: string, support: DiskSupport | null): Promise<WritableLayer> {
  if (!existsSync(paths.image)) return plainLayer(paths, "");
  const inPlace = { upper: join(paths.disk, "upper"), work: join(paths.disk, "work"), disk: null, why: null, check: async () => undefined, close: async () => undefined };
  if (support === null ? isMounted(paths.disk) : isHeld(paths.disk, support.isLeaseAlive)) return inPlace;
  if (support === null) throw cannotOpen("it is a disk of its own");
  const { run, isLeaseAlive, lease } = support;
  await releaseDeadMounts(stateDir, isLeaseAlive, run);
  const at = join(paths.folder, `review-${process.pid}-${randomBytes(4).toString("hex")}`);
  claimMount(at, lease);
  try {
    const fd = await openImage(paths.image, at, run);
    const state = { open: true };
    const close = async (): Promise<void> => {
      if (state.open) closeSync(fd);
      state.open = false;
    };
    // By number of this process, so that a helper of ours may read it too.
    return { ...inPlace, upper: `/proc/${process.pid}/fd/${fd}/upper`, work: `/proc/${process.pid}/fd/${fd}/work`, close };
  } catch (error) {
    if (error instanceof GuardError) throw error;
    throw cannotOpen(error instanceof Error ? error.message : String(error), error);
  } finally {
    disclaimMount(at);
  }
}

/** Takes a session's mounts away; throws STATE_UNUSABLE while they are somebody's who lives, or are in use. */
export async function releaseDisk(paths: LayerPaths, stateDir: string, sessionId: string, support: DiskSupport | null): Promise<void> {
  for (const at of mountsOf(stateDir, sessionId)) {
    if (support === null) throw inUse("it is mounted");
    if (isHeld(at, (lease) => lease !== support.lease && support.isLeaseAlive(lease))) throw inUse("another process works on it");
    try {
      await unmountImage(at, support.run);
    } catch (error) {
      throw inUse(error instanceof Error ? error.message : String(error), error);
    }
    disclaimMount(at);
  }
  disclaimMount(paths.disk);
}

function mountedLayer(paths: LayerPaths, layer: { readonly upper: string; readonly work: string; readonly disk: SessionDisk }, { run, telemetry }: DiskSupport): WritableLayer {
  const state: { closing: Promise<void> | null } = { closing: null };
  return {
    ...layer,
    why: null,
    check: async () => {
      if (isTight(paths.image, paths.disk)) await syncImage(paths.disk, run);
    },
    close: () => {
      state.closing ??= (async () => {
        try {
          await trimImage(paths.image, paths.disk, run);
          await syncImage(paths.disk, run);
        } finally {
          await letGo(paths.disk, run, telemetry);
        }
      })();
      return state.closing;
    },
  };
}

/** One that is in use stays, with the lease that tells the next command to undo it: nothing of the session is lost by that. */
async function letGo(mountPoint: string, run: RunProgram, telemetry: Telemetry): Promise<void> {
  try {
    await unmountImage(mountPoint, run);
    disclaimMount(mountPoint);
  } catch (error) {
    telemetry.warn("the disk of a session is in use and stays mounted", { mountPoint, cause: printable(String(error), 300) });
  }
}

/** After a making that failed half-way. */
async function undo(paths: LayerPaths, run: RunProgram): Promise<void> {
  if (isMounted(paths.disk)) await unmountImage(paths.disk, run).catch(() => undefined);
  disclaimMount(paths.disk);
  rmSync(paths.image, { force: true });
}

function cannotOpen(why: string, cause?: unknown): GuardError {
  return new GuardError("STATE_UNUSABLE", `what the session wrote cannot be opened: ${printable(why, 300)}`, { cause, hint: "review it as root, on the machine and outside of containers, where the session ran" });
}

function inUse(why: string, cause?: unknown): GuardError {
  return new GuardError("STATE_UNUSABLE", `the disk of the session cannot be let go of: ${printable(why, 300)}`, { cause, hint: "end what uses it, and run the command again" });
}

/**
 * Tries whether sessions get disks of their own here, with a small one that is gone again afterwards. Null when they do, else
 * why not.
 */
export async function tryDisk(stateDir: string, support: DiskSupport): Promise<string | null> {
  const folder = mkdtempSync(join(stateDir, "disk-trial-"));
  const paths = { ...layerPaths(stateDir, "trial"), folder, image: join(folder, "disk.img"), disk: join(folder, "disk") };
  try {
    const layer = await makeDisk(paths, stateDir, { bytes: TRIAL_BYTES, files: TRIAL_FILES }, support);
    await layer.close();
    return layer.why;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
