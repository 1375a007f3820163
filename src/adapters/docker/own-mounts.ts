// The mounts that every sandbox of ours has, for people: taken from the very options a sandbox is made with. Pure.

import type { SandboxLimits } from "../../ports/sandbox.js";
import { containerOptions } from "./container-options.js";

export interface OwnMount {
  readonly place: string;
  readonly writable: boolean;
  /** Where it comes from, in words or as a path of this machine. */
  readonly from: string;
}

/** @param runtimeDir the folder of the sandbox runtime */
export function ownMounts(root: string, limits: SandboxLimits, runtimeDir: string): readonly OwnMount[] {
  const workspace = "a copy-on-write view of the folder";
  const { HostConfig } = containerOptions({
    spec: { sessionId: "", image: "", workspace: { kind: "overlay", lower: [], upper: "", work: "" }, root, uid: 0, gid: 0, limits },
    imageId: "",
    volume: workspace,
    runtimeDir,
    nonceName: "",
    engine: { cgroupVersion: 2, userNamespace: false, processors: limits.cpus, seccomp: true, arch: "amd64" },
    labels: {},
  });
  const mounts = (HostConfig?.Mounts ?? []).map(({ Target, Source, ReadOnly }) => ({ place: Target, writable: ReadOnly !== true, from: Source ?? "" }));
  const places = Object.entries((HostConfig?.Tmpfs ?? {}) as Readonly<Record<string, string>>).map(([place, options]) => ({ place, writable: true, from: `memory, ${/size=(\d+)/.exec(options)?.[1] ?? "?"} bytes and ${/nr_inodes=(\d+)/.exec(options)?.[1] ?? "?"} files at most` }));
  return [...mounts, ...places];
}
