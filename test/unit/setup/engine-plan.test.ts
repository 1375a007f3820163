// What set-up does about the engine, for every state of a machine. Pure: nothing is asked or started.

import { describe, expect, it } from "vitest";
import { engineCandidates, engineEnv, pingSocket } from "../../../scripts/setup/engine-find.mjs";
import { planEngine } from "../../../scripts/setup/engine-plan.mjs";
import { engineHint } from "../../../scripts/setup/engine-start.mjs";

const LOCAL = { host: "unix:///var/run/docker.sock", from: "the default socket", explicit: false };
const DEBIAN = { root: true, linux: true, distribution: "debian", hasApt: true, systemd: false, arch: "amd64" } as const;

function facts(changes: {
  readonly state?: "ready" | "silent" | "forbidden" | "elsewhere";
  readonly candidate?: typeof LOCAL;
  readonly machine?: Partial<{ root: boolean; linux: boolean; hasApt: boolean; systemd: boolean }>;
  readonly hasDockerd?: boolean;
  readonly hasClient?: boolean;
}): Parameters<typeof planEngine>[0] {
  return {
    engine: { state: changes.state ?? "silent", candidate: changes.candidate ?? LOCAL, detail: "there is no /var/run/docker.sock" },
    machine: { ...DEBIAN, ...changes.machine },
    hasDockerd: changes.hasDockerd ?? false,
    hasClient: changes.hasClient ?? true,
  };
}

describe("the engine's plan", () => {
  it("uses an engine that answers and changes nothing about it", () => {
    expect(planEngine(facts({ state: "ready", hasDockerd: true }))).toEqual({ kind: "use", host: LOCAL.host });
  });

  it("installs and starts one on Debian as root where none is", () => {
    expect(planEngine(facts({}))).toEqual({ kind: "install", packages: ["docker.io"], how: "dockerd" });
  });

  it("starts the service where systemd runs", () => {
    expect(planEngine(facts({ machine: { systemd: true } }))).toEqual({ kind: "install", packages: ["docker.io"], how: "systemd" });
    expect(planEngine(facts({ machine: { systemd: true }, hasDockerd: true }))).toEqual({ kind: "start", how: "systemd" });
  });

  it("starts an installed engine that does not run", () => {
    expect(planEngine(facts({ hasDockerd: true }))).toEqual({ kind: "start", how: "dockerd" });
  });

  it("starts the local engine also when DOCKER_HOST names its socket", () => {
    expect(planEngine(facts({ hasDockerd: true, candidate: { ...LOCAL, from: "DOCKER_HOST", explicit: true } }))).toEqual({ kind: "start", how: "dockerd" });
  });

  const stuck: readonly (readonly [string, Parameters<typeof facts>[0], RegExp])[] = [
    ["a user without root", { machine: { root: false } }, /sudo apt-get update && sudo apt-get install -y --no-install-recommends docker\.io/],
    ["a user without root and a stopped engine", { machine: { root: false }, hasDockerd: true }, /sudo node scripts\/setup\.mjs --only engine/],
    ["another distribution", { machine: { hasApt: false } }, /docs\.docker\.com\/engine\/install/],
    ["a machine that is not Linux", { machine: { linux: false } }, /Docker Desktop/],
    ["a socket that may not be used", { state: "forbidden" }, /usermod -aG docker/],
    ["an engine whose client is missing", { state: "ready", hasClient: false }, /docker-cli/],
    ["a DOCKER_HOST that does not answer", { candidate: { host: "unix:///nonexistent", from: "DOCKER_HOST", explicit: true } }, /unset DOCKER_HOST/],
    ["a context that does not answer", { candidate: { host: "unix:///nonexistent", from: "the context `x`", explicit: true } }, /docker context use default/],
    ["an engine on another machine", { state: "elsewhere", candidate: { host: "tcp://10.0.0.1:2375", from: "DOCKER_HOST", explicit: true } }, /unset DOCKER_HOST/],
  ];
  it.each(stuck)("acts on nothing and says what to run for %s", (_name, given, hint) => {
    const step = planEngine(facts(given));
    expect(step.kind).toBe("stuck");
    expect(step.kind === "stuck" ? step.hint : "").toMatch(hint);
  });
});

describe("the engines to try", () => {
  const nothing = (): boolean => false;

  it("are DOCKER_HOST alone when it is set", () => {
    const found = engineCandidates({ env: { DOCKER_HOST: "/x/docker.sock", XDG_RUNTIME_DIR: "/run/user/1" }, contextHost: null, home: "/h", exists: () => true });
    expect(found).toEqual([{ host: "unix:///x/docker.sock", from: "DOCKER_HOST", explicit: true }]);
  });

  it("are the chosen context before the default socket", () => {
    const found = engineCandidates({ env: {}, contextHost: { name: "lab", host: "unix:///lab.sock" }, home: "/h", exists: nothing });
    expect(found).toEqual([{ host: "unix:///lab.sock", from: "the context `lab`", explicit: true }]);
  });

  it("are the default socket, then those of the user that exist", () => {
    const found = engineCandidates({ env: { DOCKER_HOST: "", XDG_RUNTIME_DIR: "/run/user/1" }, contextHost: null, home: "/h", exists: (path) => path.startsWith("/run") });
    expect(found.map(({ host }) => host)).toEqual(["unix:///var/run/docker.sock", "unix:///run/user/1/docker.sock"]);
  });

  it("get a client environment that no context overrules", () => {
    expect(engineEnv({ PATH: "/bin", DOCKER_CONTEXT: "other" }, "unix:///a")).toEqual({ PATH: "/bin", DOCKER_HOST: "unix:///a" });
  });

  it("are silent, with the reason, where there is no socket", async () => {
    const candidate = { host: "unix:///nonexistent/docker.sock", from: "DOCKER_HOST", explicit: true };
    expect(await pingSocket(candidate)).toEqual({ state: "silent", candidate, detail: "there is no /nonexistent/docker.sock" });
  });
});

describe("an engine that does not start", () => {
  it.each([
    ["failed to start daemon: Error initializing network controller: error obtaining controller instance: failed to create NAT chain DOCKER: iptables failed", /iptables-legacy/],
    ["Devices cgroup isn't mounted", /control groups/],
    ["failed to mount overlay: operation not permitted", /privileged/],
    ["something new", /^see the log$/],
  ])("is explained from its log: %s", (log, hint) => {
    expect(engineHint(log, "see the log")).toMatch(hint);
  });
});
