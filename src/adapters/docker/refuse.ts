// What would undo containment, found in what an engine is about to be asked for and in what it says it made.
// Pure. Knows only shapes it was told of: a field of the wrong shape is refused, not passed over.

import { GuardError, printable } from "../../core/shared/index.js";

/** What a container of ours may have, and nothing beyond it. */
export interface Permitted {
  /** Capabilities, without the `CAP_` before them. */
  readonly capabilities: readonly string[];
  /** Places inside that may be mounted, and what each may come from: a path of this machine, or the name of a volume. */
  readonly mounts: ReadonlyMap<string, { readonly kind: "bind" | "volume"; readonly source: string; readonly writable: boolean; readonly propagation?: string }>;
  /** Must a filter of system calls of ours be there. */
  readonly seccomp: string | null;
  /** Version of the engine's control groups: only in version 1 is the host's namespace of them no sharing. */
  readonly cgroupVersion: 1 | 2;
  /** The program that was asked to run the container; null where the engine's own was. */
  readonly runtime: string | null;
  /** Folders in memory. */
  readonly places: readonly string[];
  /** Process 1. */
  readonly entrypoint: string;
  /** Container whose network is shared: one of ours, which has none either. Left out: none is. */
  readonly beside?: string;
}

type Fields = Readonly<Record<string, unknown>>;

/** Reasons not to start, empty when there is none. `container` has `HostConfig` and, when it was made, `Mounts`. */
export function undoesContainment(container: Fields, permitted: Permitted): readonly string[] {
  const host = fields(container["HostConfig"]);
  if (host === null) return ["the engine tells nothing of the container's rights"];
  return [...program(container, host, permitted), ...rights(host, permitted), ...namespaces(host, permitted), ...filters(host, permitted), ...devices(host), ...mounts(host, container, permitted), ...memoryPlaces(host, permitted), ...limits(host)];
}

/** Throws SANDBOX_FAILED, naming every reason, when something would undo containment. */
export function refuseUncontained(container: Fields, permitted: Permitted): void {
  const reasons = undoesContainment(container, permitted);
  if (reasons.length > 0) throw new GuardError("SANDBOX_FAILED", `the container would not be contained: ${reasons.map((reason) => printable(reason)).join("; ")}`);
}

/** What runs as process 1, and what runs it. Asked for at the top, told by the engine in a part of its own. */
function program(container: Fields, host: Fields, { entrypoint, runtime }: Permitted): readonly string[] {
  const made = fields(container["Config"]) ?? container;
  const first = made["Entrypoint"] === undefined ? undefined : list(made["Entrypoint"])[0];
  const reasons = first === undefined || first === entrypoint ? [] : [`process 1 is ${first}`];
  const user = made["User"];
  if (user !== undefined && user !== "0:0") reasons.push(`process 1 runs as ${String(user)}`);
  const chosen = host["Runtime"];
  return runtime !== null && chosen !== undefined && chosen !== runtime ? [...reasons, `run by ${String(chosen)}`] : reasons;
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

function namespaces(host: Fields, { cgroupVersion, beside }: Permitted): readonly string[] {
  const reasons = ["PidMode", "IpcMode", "UTSMode", "CgroupnsMode"].flatMap((name) => {
    const mode = host[name];
    if (mode === undefined || mode === null || mode === "") return [];
    // On control groups of version 1 the engine names its default `host`; nothing of them can be written inside.
    if (name === "CgroupnsMode" && mode === "host" && cgroupVersion === 1) return [];
    return typeof mode !== "string" || SHARED.test(mode) ? [`${name} ${String(mode)}`] : [];
  });
  // Left to the engine, messages may be shared with other containers.
  if (host["IpcMode"] !== undefined && host["IpcMode"] !== "private" && host["IpcMode"] !== "none" && !SHARED.test(String(host["IpcMode"]))) reasons.push(`IpcMode ${String(host["IpcMode"])}`);
  if (typeof host["CgroupParent"] === "string" && host["CgroupParent"] !== "") reasons.push(`control group of ${host["CgroupParent"]}`);
  // Mapped users are switched off only where the engine maps them, or the workspace would belong to nobody.
  const network = host["NetworkMode"];
  return network === (beside === undefined ? "none" : `container:${beside}`) ? reasons : [...reasons, `network ${typeof network === "string" && network !== "" ? network : "of the engine"}`];
}

/** What every list an engine makes of its own has in it. */
const KERNEL_FILES = { MaskedPaths: ["/proc/kcore", "/proc/keys", "/sys/firmware"], ReadonlyPaths: ["/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus"] } as const;

function filters(host: Fields, { seccomp }: Permitted): readonly string[] {
  const options = list(host["SecurityOpt"]).map((option) => option.replace(/^([a-z-]+):/, "$1="));
  const reasons = options.filter((option) => /^(?:seccomp|apparmor|systempaths)=unconfined$/.test(option) || option === "no-new-privileges=false" || option === "label=disable" || option === "writable-cgroups=true");
  const filter = options.filter((option) => option.startsWith("seccomp="));
  if (seccomp !== null && !(filter.length === 1 && filter[0] === `seccomp=${seccomp}`)) reasons.push("not the system call filter of ours");
  if (!options.some((option) => option === "no-new-privileges" || option === "no-new-privileges=true")) reasons.push("new privileges can be had");
  for (const name of ["MaskedPaths", "ReadonlyPaths"] as const) {
    // Left out, the engine takes its own list; an empty one shows the kernel's files.
    const given = host[name];
    if (!Array.isArray(given)) continue;
    if (given.length === 0) reasons.push(`${name} empty`);
    else reasons.push(...KERNEL_FILES[name].filter((path) => !given.includes(path)).map((path) => `${path} not in ${name}`));
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
    // Folders in memory are looked at by themselves.
    if (kind === "tmpfs" && permitted.places.includes(target)) continue;
    const plan = permitted.mounts.get(target);
    const source = kind === "volume" && mount["Name"] !== undefined ? text(mount["Name"]) : text(mount["Source"]);
    const writable = mount["RW"] === undefined ? mount["ReadOnly"] !== true : mount["RW"] !== false;
    if (plan === undefined || plan.kind !== kind || plan.source !== source) reasons.push(`mount of ${source} at ${target}`);
    else if (writable && !plan.writable) reasons.push(`writable mount at ${target}`);
    const propagation = text(mount["Propagation"] ?? fields(mount["BindOptions"])?.["Propagation"]);
    if (!["", "private", "rprivate", plan?.propagation ?? ""].includes(propagation)) reasons.push(`mount at ${target} with propagation ${propagation}`);
  }
  return reasons;
}

/** Folders in memory: those of the plan, without set-user rights and devices, limited in bytes and files. */
function memoryPlaces(host: Fields, { places }: Permitted): readonly string[] {
  return Object.entries(fields(host["Tmpfs"]) ?? {}).flatMap(([place, value]) => {
    const options = text(value).split(",");
    const needed = ["nosuid", "nodev"].every((name) => options.includes(name)) && ["size=", "nr_inodes="].every((name) => options.some((option) => option.startsWith(name)));
    const widened = ["suid", "dev", "size=0", "nr_inodes=0"].some((name) => options.includes(name));
    return places.includes(place) && needed && !widened ? [] : [`folder in memory at ${place}`];
  });
}

function limits(host: Fields): readonly string[] {
  const reasons = ["Memory", "PidsLimit", "NanoCpus"].filter((name) => !(typeof host[name] === "number" && Number(host[name]) > 0)).map((name) => `no limit: ${name}`);
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
