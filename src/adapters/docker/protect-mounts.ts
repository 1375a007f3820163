// What policy makes impossible, as the engine is asked for it: read-only mounts over names of the workspace, and paths of the
// image that read as empty. Pure; a path that could leave the workspace is refused.

import type { HostConfig, MountSettings } from "dockerode";
import { isAbsolute } from "node:path";
import { isWorkspacePath } from "../../core/reconcile/names.js";
import { GuardError, printable } from "../../core/shared/index.js";
import type { SandboxSpec } from "../../ports/sandbox.js";

/** What engines mask by themselves; naming more replaces their list. */
const ENGINE_MASKED = ["/proc/asound", "/proc/acpi", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware", "/sys/devices/virtual/powercap"];

/** Mounts over names of the workspace, outer ones first; all but folders above others read-only. Throws SANDBOX_FAILED for a name or a source that is none. */
export function protectMounts({ protect = [], root, workspace }: SandboxSpec): MountSettings[] {
  // Engines insist on it for what lies in their own folder; nothing is ever mounted there that could come along.
  const propagation = workspace.kind === "tar" ? "rslave" : "rprivate";
  return protect.map(({ path, source, kind }) => {
    const clean = isWorkspacePath(path) && isAbsolute(source) && !source.split("/").includes("..") && printable(source, source.length) === source;
    if (!clean) throw new GuardError("SANDBOX_FAILED", `\`${printable(path)}\` cannot be protected by a mount`);
    // What is mounted below the source on the host would come along writable.
    return { Type: "bind", Source: source, Target: `${root}/${path}`, ReadOnly: kind !== "ancestor", BindOptions: { Propagation: propagation, NonRecursive: true } } as MountSettings;
  });
}

/** Paths of the image that read as empty, where it has them. */
export function hiddenPaths({ hidden = [] }: SandboxSpec): Pick<HostConfig, "MaskedPaths"> {
  return hidden.length === 0 ? {} : { MaskedPaths: [...ENGINE_MASKED, ...hidden] };
}
