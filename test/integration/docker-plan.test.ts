// What is asked of an engine, and which engine is asked: shapes and refusals, without an engine.

import { describe, expect, it } from "vitest";
import { checkRoot, containerOptions } from "../../src/adapters/docker/container-options.js";
import { engineAddresses, type DiscoveryInput } from "../../src/adapters/docker/discover.js";
import { overlayOptions } from "../../src/adapters/docker/overlay-volume.js";
import { seccompProfile } from "../../src/adapters/docker/seccomp-profile.js";
import { createDockerProvider } from "../../src/adapters/docker/provider.js";
import { currentLease, isLeaseAlive, leaseState } from "../../src/adapters/system/lease.js";
import type { SandboxSpec } from "../../src/ports/sandbox.js";
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createHash } from "node:crypto";
import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";

const MIB = 1024 * 1024;
const SPEC: SandboxSpec = {
  sessionId: "ses_plan",
  image: "image",
  workspace: { kind: "overlay", lower: ["/state/protect", "/state/lower"], upper: "/state/upper", work: "/state/work" },
  root: "/workspace",
  uid: 1000,
  gid: 1001,
  limits: { memoryBytes: 1024 * MIB, processes: 100, cpus: 1.5, tmpBytes: 64 * MIB },
};

describe("the container asked for", () => {
  it("has no network, no rights but those of the guard, and nothing writable but the workspace and memory folders", () => {
    const options = containerOptions({ spec: SPEC, imageId: "sha256:1", volume: "vol", runtimeDir: "/a:b,c/runtime", nonceName: ".n", engine: { cgroupVersion: 2, userNamespace: false, processors: 2, seccomp: true, arch: "amd64" }, labels: { a: "b" } });
    expect(options).toEqual({
      Image: "sha256:1",
      User: "0:0",
      Hostname: "sandbox",
      WorkingDir: "/",
      Env: [],
      Entrypoint: ["/.ringfence/bin/rf-enter"],
      Cmd: ["1000", "1001", "/workspace", ".n", "4096", "off"],
      Labels: { a: "b" },
      Healthcheck: { Test: ["NONE"] },
      Tty: false,
      OpenStdin: true,
      StdinOnce: true,
      AttachStdin: true,
      AttachStdout: true,
      AttachStderr: true,
      HostConfig: {
        AutoRemove: true,
        NetworkMode: "none",
        ReadonlyRootfs: true,
        CapDrop: ["ALL"],
        CapAdd: ["SETUID", "SETGID", "KILL", "SETPCAP", "CHOWN", "SYS_PTRACE"],
        SecurityOpt: ["no-new-privileges", `seccomp=${JSON.stringify(seccompProfile("amd64"))}`],
        Privileged: false,
        Init: false,
        IpcMode: "private",
        CgroupnsMode: "private",
        Memory: 1024 * MIB,
        MemorySwap: 1024 * MIB,
        PidsLimit: 124,
        NanoCpus: 1_500_000_000,
        ShmSize: 16 * MIB,
        LogConfig: { Type: "none", Config: {} },
        Tmpfs: {
          "/tmp": `rw,exec,nosuid,nodev,mode=1777,size=${64 * MIB},nr_inodes=16384`,
          "/var/tmp": `rw,exec,nosuid,nodev,mode=1777,size=${16 * MIB},nr_inodes=4096`,
          "/dev/shm": `rw,noexec,nosuid,nodev,mode=1777,size=${16 * MIB},nr_inodes=4096`,
          "/run": `rw,noexec,nosuid,nodev,mode=0755,size=${8 * MIB},nr_inodes=2048,uid=1000,gid=1001`,
          "/home/agent": `rw,exec,nosuid,nodev,mode=0700,size=${64 * MIB},nr_inodes=16384,uid=1000,gid=1001`,
        },
        Mounts: [
          { Type: "bind", Source: "/a:b,c/runtime", Target: "/.ringfence", ReadOnly: true, BindOptions: { Propagation: "rprivate" } },
          { Type: "volume", Source: "vol", Target: "/workspace", ReadOnly: false, VolumeOptions: { NoCopy: true, Labels: {}, DriverConfig: { Name: "local", Options: {} } } },
        ],
      },
    });
  });

  it("takes no more processors than there are, and the engine's own users where it would map them", () => {
    const options = containerOptions({ spec: SPEC, imageId: "i", volume: "v", runtimeDir: "/r", nonceName: ".n", engine: { cgroupVersion: 1, userNamespace: true, processors: 1, seccomp: false, arch: "amd64" }, labels: {} });
    expect(options.HostConfig).toMatchObject({ NanoCpus: 1_000_000_000, UsernsMode: "host", SecurityOpt: ["no-new-privileges"] });
    expect(options.HostConfig).not.toHaveProperty("CgroupnsMode");
  });

  it("refuses places for the workspace that hide the system or are no clean path", () => {
    for (const root of ["/workspace", "/srv", "/testbed", "/home/agent/project", "/var/www", "/opt/a b"]) expect(() => checkRoot(root), root).not.toThrow();
    for (const root of ["/", "", "workspace", "/a/../etc", "/a//b", "/a/", "/usr/local", "/etc", "/proc/1", "/dev", "/.ringfence/bin", "/tmp", "/home", "/home/agent", "/run/x", "/a\nb"]) {
      expect(() => checkRoot(root), root).toThrow(expect.objectContaining({ code: "USAGE_INVALID" }));
    }
  });
});

describe("the overlay asked for", () => {
  it("names its layers in order, takes no set-id files or devices, and switches off what would hide changes", () => {
    expect(overlayOptions(SPEC.workspace)).toEqual({
      type: "overlay",
      device: "overlay",
      o: "nosuid,nodev,lowerdir=/state/protect:/state/lower,upperdir=/state/upper,workdir=/state/work,redirect_dir=off,metacopy=off,index=off",
    });
  });

  it("refuses paths that would become options or further layers", () => {
    for (const bad of ["/a:b", "/a,suid", "/a\\b", "/a\tb", "/a\nb", "relative", "", "/a\"b"]) {
      for (const mount of [{ ...SPEC.workspace, upper: bad }, { ...SPEC.workspace, work: bad }, { ...SPEC.workspace, lower: ["/fine", bad] }]) {
        expect(() => overlayOptions(mount), bad).toThrow(expect.objectContaining({ code: "WORKSPACE_REFUSED" }));
      }
    }
    expect(() => overlayOptions({ ...SPEC.workspace, lower: [] })).toThrow(expect.objectContaining({ code: "WORKSPACE_REFUSED" }));
    expect(() => overlayOptions({ ...SPEC.workspace, upper: `/${"x".repeat(4000)}` })).toThrow(expect.objectContaining({ code: "WORKSPACE_REFUSED" }));
  });
});

describe("the engine chosen", () => {
  const input = (environment: Record<string, string>, home = "/nowhere", exists: DiscoveryInput["exists"] = () => false): DiscoveryInput => ({ environment, home, exists });

  it("is the one of DOCKER_HOST when that is a socket here", () => {
    expect(engineAddresses(input({ DOCKER_HOST: "unix:///run/x.sock" }))).toEqual([{ socketPath: "/run/x.sock", from: "DOCKER_HOST" }]);
  });

  it("is one elsewhere only over TLS, SSH or this machine's loopback", () => {
    for (const host of ["tcp://10.0.0.1:2375", "tcp://127.0.0.1.evil.test:2375", "npipe:////./pipe/docker", "http://x", "host", "ssh://-oProxyCommand=x@host", "ssh://h%20-x", "ssh://u:p@host", "tcp://127.0.0.1:2375/path", "ssh://-host"]) {
      expect(() => engineAddresses(input({ DOCKER_HOST: host })), host).toThrow(expect.objectContaining({ code: "ENGINE_REMOTE" }));
    }
    const remote = (environment: Record<string, string>): unknown => engineAddresses(input(environment, "/home/me"))[0]?.remote;
    expect(remote({ DOCKER_HOST: "tcp://127.0.0.1:2375" })).toEqual({ kind: "tcp", host: "127.0.0.1", port: 2375, certificates: null });
    expect(remote({ DOCKER_HOST: "tcp://far.test", DOCKER_TLS_VERIFY: "1" })).toEqual({ kind: "tcp", host: "far.test", port: 2376, certificates: "/home/me/.docker" });
    expect(remote({ DOCKER_HOST: "tcp://far.test:1", DOCKER_TLS_VERIFY: "1", DOCKER_CERT_PATH: "/c" })).toEqual({ kind: "tcp", host: "far.test", port: 1, certificates: "/c" });
    expect(remote({ DOCKER_HOST: "ssh://me@far.test:22" })).toEqual({ kind: "ssh", host: "far.test", words: ["-o", "BatchMode=yes", "-T", "-p", "22", "--", "me@far.test"] });
  });

  it("is else the default socket, then the places of users that exist", () => {
    const exists = (path: string): boolean => path.endsWith("docker.sock");
    expect(engineAddresses(input({ XDG_RUNTIME_DIR: "/run/user/1" }, "/home/me", exists)).map((address) => address.socketPath)).toEqual([
      "/var/run/docker.sock",
      "/run/user/1/docker.sock",
      "/home/me/.docker/run/docker.sock",
    ]);
    expect(engineAddresses(input({})).map((address) => address.socketPath)).toEqual(["/var/run/docker.sock"]);
  });

  it("is the one of the chosen context, refused when it is elsewhere or unknown", () => {
    const home = mkdtempSync(join(tmpdir(), "ringfence-home-"));
    try {
      const context = (name: string, host: string): void => {
        const folder = join(home, ".docker", "contexts", "meta", createHash("sha256").update(name).digest("hex"));
        mkdirSync(folder, { recursive: true });
        writeFileSync(join(folder, "meta.json"), JSON.stringify({ Name: name, Endpoints: { docker: { Host: host } } }));
      };
      context("near", "unix:///near.sock");
      context("far", "tcp://far.test:2375");
      const choose = (name: string): DiscoveryInput => {
        writeFileSync(join(home, ".docker", "config.json"), JSON.stringify({ currentContext: name }));
        return input({}, home, () => true);
      };
      expect(engineAddresses(choose("near"))).toEqual([{ socketPath: "/near.sock", from: "the context `near`" }]);
      expect(() => engineAddresses({ ...choose("far"), exists: (path) => !path.endsWith(".pem") })).toThrow(expect.objectContaining({ code: "ENGINE_REMOTE" }));
      expect(() => engineAddresses({ ...choose("far"), environment: { DOCKER_CONTEXT: "near" } })).not.toThrow();
      expect(engineAddresses(choose("default"))[0]).toEqual({ socketPath: "/var/run/docker.sock", from: "the default socket" });
      writeFileSync(join(home, ".docker", "config.json"), "{ not json");
      expect(() => engineAddresses(input({}, home, () => true))).toThrow(expect.objectContaining({ code: "ENGINE_UNAVAILABLE" }));
    } finally {
      rmSync(home, { recursive: true });
    }
  });

  it("that does not answer is named with its reason", async () => {
    const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined, child: () => quiet };
    const provider = createDockerProvider({ runtimeDir: "/absent", lease: "none", telemetry: quiet, socketPath: "/absent/docker.sock" });
    await expect(provider.info()).rejects.toMatchObject({ code: "ENGINE_UNAVAILABLE", message: expect.stringContaining("/absent/docker.sock") as string });
    await expect(provider.open(SPEC, new AbortController().signal)).rejects.toMatchObject({ code: "ENGINE_UNAVAILABLE" });
  });
});

describe("a lease", () => {
  it("lives with its process, and is known to be dead after it", () => {
    const own = currentLease();
    expect(leaseState(own)).toBe("alive");
    const child = spawnSync("sh", ["-c", "echo $$"], { encoding: "utf8" });
    expect(leaseState(own.replace(/^v1\.\d+/, `v1.${child.stdout.trim()}`))).toBe("dead");
    expect(leaseState(own.replace(/^(v1\.\d+)\.\d+/, "$1.1"))).toBe("dead");
    expect(leaseState(own.replace(/[0-9a-f-]{36}/, "00000000-0000-0000-0000-000000000000"))).toBe("dead");
  });

  it("of another space of process numbers, or of another form, is not called dead", () => {
    expect(leaseState(currentLease().replace(/\d+$/, "1"))).toBe("unknown");
    for (const text of ["", "v2.1.1", "v1.1", "anything"]) expect([leaseState(text), isLeaseAlive(text)]).toEqual(["unknown", true]);
  });
});
