// Removes what dead orchestrators left on the engine. Must never touch what a living one owns, nor what is not labelled ours.

import type Docker from "dockerode";
import { printable } from "../../core/shared/index.js";
import type { LeaseState } from "../system/lease.js";
import { engineCall } from "./engine-call.js";
import { findHostProcess, killFrozen } from "./host-kill.js";
import { OWNER_LABEL } from "./labels.js";
import { removeContainer, removeVolume } from "./remove.js";

export interface ReapReport {
  readonly containers: readonly string[];
  readonly volumes: readonly string[];
  /** What could not be removed, and why. */
  readonly failures: readonly string[];
}

const LIST_MS = 20_000;
/** A volume whose owner cannot be told from here is left alone this long after it was made. */
const UNKNOWN_OWNER_MS = 24 * 60 * 60_000;

/** Removes containers and volumes of ours whose owner is dead. */
export async function reapOrphans(docker: Docker, stateOf: (lease: string) => LeaseState, nowMs: number): Promise<ReapReport> {
  const filters = { label: [OWNER_LABEL] };
  const containers = await engineCall({ what: "listing containers", limitMs: LIST_MS }, () => docker.listContainers({ all: true, filters }));
  const report: { containers: string[]; volumes: string[]; failures: string[] } = { containers: [], volumes: [], failures: [] };
  const attempt = async (into: string[], name: string, remove: () => Promise<void>): Promise<void> => {
    try {
      await remove();
      into.push(name);
    } catch (cause) {
      report.failures.push(`${printable(name)}: ${cause instanceof Error ? cause.message : String(cause)}`);
    }
  };
  for (const container of containers) {
    const state = stateOf(container.Labels[OWNER_LABEL] ?? "");
    // One that does not run serves nobody, whoever made it; it may only be about to start.
    const old = container.State !== "running" && nowMs - container.Created * 1000 > UNKNOWN_OWNER_MS;
    if (state === "dead" || (state === "unknown" && old)) await attempt(report.containers, container.Id, async () => {
      if (container.State === "paused") await endFrozen(docker, container.Id);
      await removeContainer(docker, container.Id);
    });
  }
  const volumes = await engineCall({ what: "listing volumes", limitMs: LIST_MS }, () => docker.listVolumes({ filters }));
  for (const volume of volumes.Volumes) {
    const state = stateOf(volume.Labels[OWNER_LABEL] ?? "");
    const old = nowMs - createdMs(volume) > UNKNOWN_OWNER_MS;
    if (state === "dead" || (state === "unknown" && old)) await attempt(report.volumes, volume.Name, () => removeVolume(docker, volume.Name));
  }
  return report;
}

/** A container that was frozen when its owner died does nothing more before its end, where it is seen from here. */
async function endFrozen(docker: Docker, id: string): Promise<void> {
  const pid = await docker.getContainer(id).inspect().then(({ State }) => State.Pid, () => 0);
  const first = findHostProcess(pid, id);
  if (first !== null) killFrozen(first);
}

function createdMs(volume: object): number {
  const text = "CreatedAt" in volume && typeof volume.CreatedAt === "string" ? Date.parse(volume.CreatedAt) : Number.NaN;
  return Number.isNaN(text) ? Number.POSITIVE_INFINITY : text;
}
