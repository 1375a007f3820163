// Containers that would not be contained are refused, as asked for and as the engine says it made them.

import { describe, expect, it } from "vitest";
import { GUARD_CAPABILITIES, containerOptions } from "../../src/adapters/docker/container-options.js";
import { refuseUncontained, undoesContainment, type Permitted } from "../../src/adapters/docker/refuse.js";
import { seccompProfile } from "../../src/adapters/docker/seccomp-profile.js";
import type { SandboxSpec } from "../../src/ports/sandbox.js";

const MIB = 1024 * 1024;
const SPEC: SandboxSpec = {
  sessionId: "ses_refuse",
  image: "image",
  workspace: { kind: "overlay", lower: ["/l"], upper: "/u", work: "/w" },
  root: "/workspace",
  uid: 1000,
  gid: 1000,
  limits: { memoryBytes: 1024 * MIB, processes: 100, cpus: 1, tmpBytes: 64 * MIB },
};
const asked = containerOptions({ spec: SPEC, imageId: "i", volume: "vol", runtimeDir: "/runtime", nonceName: ".n", engine: { cgroupVersion: 1, userNamespace: false, processors: 1, seccomp: true, arch: "amd64" }, labels: {} });
const filter = JSON.stringify(seccompProfile("amd64"));
const permitted: Permitted = {
  capabilities: GUARD_CAPABILITIES,
  mounts: new Map([
    ["/.ringfence", { kind: "bind", source: "/runtime", writable: false }],
    ["/workspace", { kind: "volume", source: "vol", writable: true }],
  ]),
  seccomp: filter,
  cgroupVersion: 1,
  runtime: null,
  places: Object.keys(asked.HostConfig?.Tmpfs ?? {}),
  entrypoint: "/.ringfence/bin/rf-enter",
};
/** What an engine answers about the container it made. */
const MADE = [
  { Type: "bind", Source: "/runtime", Destination: "/.ringfence", Mode: "", RW: false, Propagation: "rprivate" },
  { Type: "volume", Name: "vol", Source: "/var/lib/docker/volumes/vol/_data", Destination: "/workspace", Driver: "local", Mode: "z", RW: true, Propagation: "" },
];

const ATTEMPTS: readonly (readonly [name: string, change: Readonly<Record<string, unknown>>, reason: string])[] = [
  ["privileged", { Privileged: true }, "privileged"],
  ["a capability more", { CapAdd: ["SETUID", "SYS_ADMIN"] }, "added capability SYS_ADMIN"],
  ["every capability", { CapAdd: ["ALL"] }, "added capability ALL"],
  ["capabilities kept", { CapDrop: [] }, "capabilities not dropped"],
  ["a writable root", { ReadonlyRootfs: false }, "writable root"],
  ["the host's processes", { PidMode: "host" }, "PidMode host"],
  ["another container's processes", { PidMode: "container:abc" }, "PidMode container:abc"],
  ["the host's messages", { IpcMode: "host" }, "IpcMode host"],
  ["messages others may join", { IpcMode: "shareable" }, "IpcMode shareable"],
  ["the host's name", { UTSMode: "host" }, "UTSMode host"],
  ["the host's network", { NetworkMode: "host" }, "network host"],
  ["the engine's bridge", { NetworkMode: "bridge" }, "network bridge"],
  ["the engine's default network", { NetworkMode: "" }, "network of the engine"],
  ["another container's network", { NetworkMode: "container:abc" }, "network container:abc"],
  ["no filter", { SecurityOpt: ["no-new-privileges", "seccomp=unconfined"] }, "seccomp=unconfined; not the system call filter of ours"],
  ["no filter, in the old spelling", { SecurityOpt: ["no-new-privileges", "seccomp:unconfined"] }, "seccomp=unconfined; not the system call filter of ours"],
  ["the engine's own filter", { SecurityOpt: ["no-new-privileges"] }, "not the system call filter of ours"],
  ["a second filter", { SecurityOpt: ["no-new-privileges", `seccomp=${filter}`, "seccomp={}"] }, "not the system call filter of ours"],
  ["no AppArmor", { SecurityOpt: ["no-new-privileges", `seccomp=${filter}`, "apparmor=unconfined"] }, "apparmor=unconfined"],
  ["no labels", { SecurityOpt: ["no-new-privileges", `seccomp=${filter}`, "label=disable"] }, "label=disable"],
  ["the kernel's files shown", { SecurityOpt: ["no-new-privileges", `seccomp=${filter}`, "systempaths=unconfined"] }, "systempaths=unconfined"],
  ["nothing masked", { MaskedPaths: [] }, "MaskedPaths empty"],
  ["nothing read-only in /proc", { ReadonlyPaths: [] }, "ReadonlyPaths empty"],
  ["new privileges", { SecurityOpt: [`seccomp=${filter}`] }, "new privileges can be had"],
  ["new privileges in words", { SecurityOpt: [`seccomp=${filter}`, "no-new-privileges=false"] }, "no-new-privileges=false; new privileges can be had"],
  ["a device", { Devices: [{ PathOnHost: "/dev/sda", PathInContainer: "/dev/sda", CgroupPermissions: "rwm" }] }, "Devices given"],
  ["all devices by rule", { DeviceCgroupRules: ["a *:* rwm"] }, "DeviceCgroupRules given"],
  ["a graphics card", { DeviceRequests: [{ Count: -1 }] }, "DeviceRequests given"],
  ["kernel settings", { Sysctls: { "kernel.msgmax": "1" } }, "kernel settings given"],
  ["the engine's socket", { Binds: ["/var/run/docker.sock:/var/run/docker.sock"] }, "bind mounts outside the plan"],
  ["another's volumes", { VolumesFrom: ["abc"] }, "volumes of another container"],
  ["the host's root", { Mounts: [{ Type: "bind", Source: "/", Target: "/host", ReadOnly: true }] }, "mount of / at /host"],
  ["another source at our place", { Mounts: [{ Type: "bind", Source: "/root", Target: "/.ringfence", ReadOnly: true }] }, "mount of /root at /.ringfence"],
  ["a folder in place of our volume", { Mounts: [{ Type: "bind", Source: "vol", Target: "/workspace" }] }, "mount of vol at /workspace"],
  ["a runtime the agent may write", { Mounts: [{ Type: "bind", Source: "/runtime", Target: "/.ringfence" }] }, "writable mount at /.ringfence"],
  ["mounts that come and go", { Mounts: [{ Type: "bind", Source: "/runtime", Target: "/.ringfence", ReadOnly: true, BindOptions: { Propagation: "rshared" } }] }, "mount at /.ringfence with propagation rshared"],
  ["the engine's process 1", { Init: true }, "the engine's own process 1"],
  ["further groups", { GroupAdd: ["docker"] }, "added groups"],
  ["messages left to the engine", { IpcMode: "" }, "IpcMode "],
  ["a control group elsewhere", { CgroupParent: "/system.slice" }, "control group of /system.slice"],
  ["the kernel's memory shown", { MaskedPaths: ["/proc/keys", "/sys/firmware"] }, "/proc/kcore not in MaskedPaths"],
  ["kernel settings that can be written", { ReadonlyPaths: ["/proc/bus", "/proc/irq"] }, "/proc/sys not in ReadonlyPaths; /proc/sysrq-trigger not in ReadonlyPaths"],
  ["devices in a folder in memory", { Tmpfs: { "/tmp": "rw,nosuid,nodev,dev,size=1000,nr_inodes=10" } }, "folder in memory at /tmp"],
  ["a folder in memory without a limit", { Tmpfs: { "/tmp": "rw,nosuid,nodev,size=1000" } }, "folder in memory at /tmp"],
  ["another folder in memory", { Tmpfs: { "/etc": "rw,nosuid,nodev,size=1000,nr_inodes=10" } }, "folder in memory at /etc"],
  ["a folder in memory over the system", { Mounts: [{ Type: "tmpfs", Target: "/usr" }] }, "mount of  at /usr"],
  ["the host's disk as a device mount", { Mounts: [{ Type: "bind", Source: "/dev/sda", Target: "/workspace/disk" }] }, "mount of /dev/sda at /workspace/disk"],
  ["the engine's socket as a mount", { Mounts: [{ Type: "bind", Source: "/var/run/docker.sock", Target: "/workspace/s", ReadOnly: true }] }, "mount of /var/run/docker.sock at /workspace/s"],
  ["no processor limit", { NanoCpus: 0 }, "no limit: NanoCpus"],
  ["no memory limit", { Memory: 0 }, "no limit: Memory"],
  ["endless swap", { MemorySwap: -1 }, "no limit: swap"],
  ["no process limit", { PidsLimit: null }, "no limit: PidsLimit"],
  ["no killer when memory is short", { OomKillDisable: true }, "out-of-memory killer off"],
  ["a place before the host's processes", { OomScoreAdj: -500 }, "put before the host's own processes when memory is short"],
];

describe("a container that would not be contained", () => {
  it("is not the one we ask for, nor the one an engine makes of it", () => {
    expect(undoesContainment({ ...asked }, permitted)).toEqual([]);
    expect(undoesContainment({ HostConfig: { ...asked.HostConfig, CapAdd: ["CAP_SETUID", "CAP_KILL"], PidMode: "", UTSMode: "", CgroupnsMode: "host", Binds: null, Devices: [] }, Mounts: MADE }, permitted)).toEqual([]);
  });

  for (const [name, change, reason] of ATTEMPTS) {
    it(`is refused: ${name}`, () => {
      const container = { HostConfig: { ...asked.HostConfig, ...change }, Mounts: MADE };
      expect(undoesContainment(container, permitted).join("; ")).toBe(reason);
      expect(() => refuseUncontained(container, permitted)).toThrow(expect.objectContaining({ code: "SANDBOX_FAILED" }));
    });
  }

  it("is refused when another program is process 1, by another user, or another program runs it", () => {
    const made = (config: object, change: object = {}) => undoesContainment({ HostConfig: { ...asked.HostConfig, ...change }, Mounts: MADE, Config: config }, { ...permitted, runtime: "runsc" });
    expect(made({ Entrypoint: ["/.ringfence/bin/rf-enter"], User: "0:0" }, { Runtime: "runsc" })).toEqual([]);
    expect(made({ Entrypoint: ["/bin/sh"], User: "1000" }, { Runtime: "runc" })).toEqual(["process 1 is /bin/sh", "process 1 runs as 1000", "run by runc"]);
  });

  it("shares control groups of version 2 only when it says `host`", () => {
    const host = { HostConfig: { ...asked.HostConfig, CgroupnsMode: "host" }, Mounts: MADE };
    expect(undoesContainment(host, { ...permitted, cgroupVersion: 2 })).toEqual(["CgroupnsMode host"]);
    expect(undoesContainment(host, permitted)).toEqual([]);
  });

  it("is refused when the engine added a mount, or tells nothing", () => {
    const added = { Type: "volume", Name: "0123", Source: "/var/lib/docker/volumes/0123/_data", Destination: "/data", RW: true, Propagation: "" };
    expect(undoesContainment({ HostConfig: asked.HostConfig, Mounts: [...MADE, added] }, permitted)).toEqual(["mount of 0123 at /data"]);
    expect(undoesContainment({ HostConfig: asked.HostConfig, Mounts: [{ ...MADE[0], RW: true }] }, permitted)).toEqual(["writable mount at /.ringfence"]);
    expect(undoesContainment({}, permitted)).toEqual(["the engine tells nothing of the container's rights"]);
  });
});
