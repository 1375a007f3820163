// What `doctor` says of an engine: which known escapes its versions have, and what it cannot hold. Pure.

import type { EngineInfo } from "./adapters/docker/engine.js";
import { escapesOf, isDistributed, type Part } from "./adapters/docker/known-escapes.js";
import type { Checkup } from "./compose-doctor.js";

/** One row for each part with known escapes, and one for each thing lost. */
export function engineLimits(info: EngineInfo): readonly Checkup[] {
  return [...versions(info), ...lost(info)];
}

function versions(info: EngineInfo): readonly Checkup[] {
  const parts: readonly (readonly [Part, string])[] = [["engine", info.version], ["runc", info.parts.runc], ["containerd", info.parts.containerd], ["kernel", info.kernel]];
  return parts.map(([part, version]): Checkup => {
    if (version === "" || version === "unknown") return { id: idOf(part), state: "note", detail: "the engine does not tell its version", mend: null };
    const known = escapesOf(part, version);
    if (known.length === 0) return { id: idOf(part), state: "ok", detail: `${version}, without known escapes`, mend: null };
    const open = known.filter((escape) => escape.heldBy === null);
    const list = known.map(({ id, what, heldBy }) => `${id} (${what}${heldBy === null ? "" : `; here ${heldBy}`})`).join(", ");
    const marked = isDistributed(version) ? "; by its number alone, its distribution may have mended them: see its changelog" : "";
    return { id: idOf(part), state: open.length > 0 && marked === "" ? "lost" : "note", detail: `${version} has ${list}${marked}`, mend: `update ${part === "runc" || part === "containerd" ? part : `the ${part}`}` };
  });
}

/** The engine has a row of its own already. */
function idOf(part: Part): string {
  return part === "engine" ? "engine-version" : part;
}

function lost(info: EngineInfo): readonly Checkup[] {
  const unlimited: readonly Checkup[] =
    info.cannotLimit === undefined || info.cannotLimit.length === 0 ? [] : [{ id: "engine-limits", state: "lost", detail: `the engine's kernel cannot limit: ${info.cannotLimit.join(", ")}`, mend: "switch on the control groups it needs" }];
  if (info.runtime !== "runc") return [...unlimited, { id: "live-hide", state: "lost", detail: "a secret that you add while a session runs cannot be hidden from it: the session ends then", mend: null }];
  return [...unlimited, { id: "kernel-boundary", state: "note", detail: `the agent's programs use this machine's kernel; runtimes here: ${info.runtimes.join(", ")}`, mend: "`--runtime runsc` or `kata` puts a kernel between, where the engine has it" }];
}

/** What a workspace that is sent cannot have, in words. */
export const TAR_LOST = "no limit of its disk while a call runs, only after it and of each file; no hints of changes while a call runs; each start sends the folder, at most 200,000 names and 4 GiB, and each call is looked through as a whole";

/** How a folder comes to this engine, and what is lost by it. */
export function modeRow(info: EngineInfo): Checkup {
  const why = info.rootless ? "the engine maps users" : info.local ? null : "the engine is not on this machine";
  if (why === null) return { id: "workspace-mode", state: "ok", detail: "a copy-on-write view where a nonce shows that the engine sees this machine's files, else the folder is sent to it", mend: null };
  return { id: "workspace-mode", state: "lost", detail: `${why}, so folders are sent to it as a tar: ${TAR_LOST}`, mend: "use an engine on this machine that runs as root, for more" };
}

/** The row on what limits a workspace. @param why there is no disk for each session; null when there is */
export function diskRow(why: string | null): Checkup {
  if (why === null) return { id: "disk-limited", state: "ok", detail: "each session writes to a disk of its own: the kernel limits its bytes and its files", mend: null };
  return {
    id: "disk-limited",
    state: "lost",
    detail: `the kernel does not limit what a call writes to its workspace (${why}): it is watched from outside, and a call past the limit is ended within a moment; files that were deleted but are still open are not seen until the disk is nearly full`,
    mend: "run as root outside of containers with e2fsprogs and util-linux, or keep the state folder on a file system of its own",
  };
}
