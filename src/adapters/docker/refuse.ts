// What would undo containment, found in what an engine is about to be asked for and in what it says it made.
// Pure. Knows only shapes it was told of: a field of the wrong shape is refused, not passed over.

import { GuardError, printable } from "../../core/shared/index.js";

/** What a container of ours may have, and nothing beyond it. */
export interface Permitted {
  /** Capabilities, without the `CAP_` before them. */
  readonly capabilities: readonly string[];
  /** Places inside that may be mounted, and what each may come from: a path of this machine, or the name of a volume. */
  readonly mounts: ReadonlyMap<string, { readonly kind: "bind" | "volume"; readonly source: string; readonly writable: boolean }>;
  /** Must a filter of system calls of ours be there. */
  readonly seccomp: string | null;
}

type Fields = Readonly<Record<string, unknown>>;

/** Reasons not to start, empty when there is none. `container` has `HostConfig` and, when it was made, `Mounts`. */
export function undoesContainment(container: Fields, permitted: Permitted): readonly string[] {
  const host = fields(container["HostConfig"]);
  if (host === null) return ["the engine tells nothing of the container's rights"];
  return [...rights(host, permitted), ...namespaces(host), ...filters(host, permitted), ...devices(host), ...mounts(host, container, permitted), ...limits(host)];
}

/** Throws SANDBOX_FAILED, naming every reason, when something would undo containment. */
export function refuseUncontained(container: Fields, permitted: Permitted): void {
  const reasons = undoesContainment(container, permitted);
  if (reasons.length > 0) throw new GuardError("SANDBOX_FAILED", `the container would not be contained: ${reasons.map((reason) => printable(reason)).join("; ")}`);
}

function rights(host: Fields, permitted: Permitted): readonly string[] {
  const added = list(host["CapAdd"]).filter((name) => !permitted.capabilities.includes(name.replace(/^CAP_/, "")));
  const reasons = added.map((name) => `added capability ${name}`);
  if (host["Privileged"] === true) reasons.push("privileged");
  if (!list(host["CapDrop"]).some((name) => name.toUpperCase() === "ALL")) reasons.push("capabilities not dropped");
  if (host["ReadonlyRootfs"] !== true) reasons.push("writable root");
  if (list(host["GroupAdd"]).length > 0) reasons.push("added groups");
  // A program of the engine as process 1 runs with rights the guard never sees.
  if (host["Init"] === true) reasons.push("the engine's own process 1");
  return reasons;
}

/** Modes that share a namespace of the host's or of another container's; the empty one and `private` share none. */
const SHARED = /^(?:host|container:|shareable)/;

function namespaces(host: Fields): readonly string[] {
  const reasons = ["PidMode", "IpcMode", "UTSMode", "CgroupnsMode"].flatMap((name) => {
    const mode = host[name];
    if (mode === undefined || mode === null || mode === "") return [];
    // On control groups of version 1 the engine names its default `host`; nothing of them can be written inside.
    if (name === "CgroupnsMode" && mode === "host") return [];
    return typeof mode !== "string" || SHARED.test(mode) ? [`${name} ${String(mode)}`] : [];
  });
  // Mapped users are switched off only where the engine maps them, or the workspace would belong to nobody.
  const network = host["NetworkMode"];
  return network === "none" ? reasons : [...reasons, `network ${typeof network === "string" && network !== "" ? network : "of the engine"}`];
}

function filters(host: Fields, { seccomp }: Permitted): readonly string[] {
  const options = list(host["SecurityOpt"]).map((option) => option.replace(/^([a-z-]+):/, "$1="));
  const reasons = options.filter((option) => /^(?:seccomp|apparmor|systempaths)=unconfined$/.test(option) || option === "no-new-privileges=false" || option === "label=disable" || option === "writable-cgroups=true");
  const filter = options.filter((option) => option.startsWith("seccomp="));
  if (seccomp !== null && !(filter.length === 1 && filter[0] === `seccomp=${seccomp}`)) reasons.push("not the system call filter of ours");
  if (!options.some((option) => option === "no-new-privileges" || option === "no-new-privileges=true")) reasons.push("new privileges can be had");
  for (const name of ["MaskedPaths", "ReadonlyPaths"]) {
    // Left out, the engine takes its own list; an empty one shows the kernel's files.
    if (Array.isArray(host[name]) && host[name].length === 0) reasons.push(`${name} empty`);
  }
  return reasons;
}

function devices(host: Fields): readonly string[] {
  const reasons = ["Devices", "DeviceRequests", "DeviceCgroupRules"].filter((name) => !isEmpty(host[name]));
  return [...reasons.map((name) => `${name} given`), ...(isEmpty(host["Sysctls"]) ? [] : ["kernel settings given"])];
}

function mounts(host: Fields, container: Fields, permitted: Permitted): readonly string[] {
  const reasons: string[] = [];
  if (!isEmpty(host["Binds"])) reasons.push("bind mounts outside the plan");
  if (!isEmpty(host["VolumesFrom"])) reasons.push("volumes of another container");
  // As asked for, and as made: the engine adds what an image declares.
  for (const mount of [...objects(host["Mounts"]), ...objects(container["Mounts"])]) {
    const target = text(mount["Target"] ?? mount["Destination"]);
    const kind = text(mount["Type"]);
    if (kind === "tmpfs") continue;
    const plan = permitted.mounts.get(target);
    const source = kind === "volume" && mount["Name"] !== undefined ? text(mount["Name"]) : text(mount["Source"]);
    const writable = mount["RW"] === undefined ? mount["ReadOnly"] !== true : mount["RW"] !== false;
    if (plan === undefined || plan.kind !== kind || plan.source !== source) reasons.push(`mount of ${source} at ${target}`);
    else if (writable && !plan.writable) reasons.push(`writable mount at ${target}`);
    const propagation = text(mount["Propagation"] ?? fields(mount["BindOptions"])?.["Propagation"]);
    if (!["", "private", "rprivate"].includes(propagation)) reasons.push(`mount at ${target} with propagation ${propagation}`);
  }
  return reasons;
}

function limits(host: Fields): readonly string[] {
  const reasons = ["Memory", "PidsLimit"].filter((name) => !(typeof host[name] === "number" && Number(host[name]) > 0)).map((name) => `no limit: ${name}`);
  if (typeof host["MemorySwap"] === "number" && host["MemorySwap"] < 0) reasons.push("no limit: swap");
  if (host["OomKillDisable"] === true) reasons.push("out-of-memory killer off");
  return typeof host["OomScoreAdj"] === "number" && host["OomScoreAdj"] < 0 ? [...reasons, "put before the host's own processes when memory is short"] : reasons;
}

function fields(value: unknown): Fields | null {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : null;
}

function objects(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value.map((item) => fields(item) ?? {}) : [];
}

function list(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  return Array.isArray(value) ? value.length === 0 : typeof value === "object" && Object.keys(value).length === 0;
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
