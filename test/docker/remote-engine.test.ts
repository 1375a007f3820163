// A second engine that does not see this machine's files, for real: in namespaces of its own for mounts and network, where the
// sessions' folders are hidden from it, reached by its socket and over a loopback port. Removed afterwards; the engine of this
// machine only gives it an image.

import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, type AddressInfo, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { engineRig } from "../support/engine-rig.js";
import { snapshot } from "../support/snapshot.js";
import { whyNoEngine } from "./sandbox-rig.js";

const DOCKERD = ["/usr/bin/dockerd", "/usr/sbin/dockerd", "/usr/local/bin/dockerd"].find((path) => existsSync(path));
const missing = (await whyNoEngine()) ?? (DOCKERD === undefined ? "there is no dockerd to start" : null);
const START_MS = 30_000;
/** The smallest there is: all of it is carried over. */
const IMAGE = "ringfence/base:latest";

let base = "";
let far = "";
let engine: ChildProcess | null = null;
let relay: Server | null = null;

const client = (...args: readonly string[]): string => execFileSync("docker", ["-H", `unix://${base}/far.sock`, ...args], { encoding: "utf8", timeout: 60_000, stdio: ["ignore", "pipe", "pipe"] });

async function start(): Promise<void> {
  base = mkdtempSync(join(tmpdir(), "rf-far-"));
  for (const name of ["hidden", "data", "exec"]) mkdirSync(join(base, name));
  // A network of its own: an engine without a bridge would take the one of this machine's engine away.
  // And a containerd of its own: one that runs as a service would see no mount of this engine's.
  const daemon = `mount -t tmpfs tmpfs ${base}/hidden && mkdir -p /run/containerd && mount -t tmpfs tmpfs /run/containerd && exec ${DOCKERD} --data-root ${base}/data --exec-root ${base}/exec -H unix://${base}/far.sock --pidfile ${base}/pid --bridge=none --iptables=false --ip6tables=false`;
  engine = spawn("unshare", ["--mount", "--net", "--propagation", "private", "sh", "-c", daemon], { stdio: "ignore" });
  for (const until = performance.now() + START_MS; ; ) {
    try {
      client("version");
      break;
    } catch (error) {
      if (performance.now() > until) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  execFileSync("sh", ["-c", `docker save ${IMAGE} | docker -H unix://${base}/far.sock load`], { stdio: "ignore", timeout: 90_000 });
  relay = createServer((socket) => {
    const near = connect(`${base}/far.sock`);
    socket.pipe(near).pipe(socket);
    for (const each of [socket, near]) each.on("error", () => void [socket, near].forEach((one) => one.destroy()));
  });
  await new Promise<void>((resolve) => relay?.listen(0, "127.0.0.1", resolve));
  far = `tcp://127.0.0.1:${(relay.address() as AddressInfo).port}`;
}

describe.skipIf(missing !== null)(`an engine that does not see this machine's files${missing === null ? "" : ` (skipped: ${missing})`}`, () => {
  beforeAll(start, 120_000);

  afterAll(async () => {
    relay?.close();
    const ended = new Promise((resolve) => engine?.once("exit", resolve));
    engine?.kill("SIGTERM");
    await ended;
    rmSync(base, { recursive: true, force: true });
  }, 60_000);

  it.each([["behind a socket, told by a nonce", (): string => `unix://${base}/far.sock`], ["over a port", (): string => far]] as const)("%s: the folder is sent, judged, undone and reviewed all the same", async (_name, host) => {
    vi.stubEnv("DOCKER_HOST", host());
    const rig = await engineRig({ image: IMAGE, parent: join(base, "hidden"), files: { "a.txt": "one\n", ".env": "TOKEN=hunter2\n", ".github/workflows/ci.yml": "on: push\n" }, gate: "off" });
    try {
      const before = snapshot(rig.folder);
      const session = await rig.open();
      expect(session.opened.controls.find(({ id }) => id === "workspace-mode")?.detail).toMatch(/^tar: /);
      const { stdout, findings } = await session.run("cat .env a.txt 2>/dev/null; echo x > .github/workflows/ci.yml; echo two >> a.txt; echo x > lefthook.yml");
      expect([stdout, findings.map(({ path, reverted, held }) => `${path} ${held === undefined ? reverted : held.by}`)]).toEqual(["one\n", ["lefthook.yml true", ".github/workflows/ci.yml read-only-mount", ".env mask"]]);
      await session.session.close("finished");
      expect([client("ps", "-aq"), client("volume", "ls", "-q")]).toEqual(["", ""]);
      const workspace = await rig.deps.workspaces.reopen(session.session.id);
      const changes = await workspace.changes(new AbortController().signal);
      expect([changes.map(({ path }) => path), Buffer.from((await workspace.readChanged("a.txt", 100))?.content ?? []).toString()]).toEqual([["a.txt"], "one\ntwo\n"]);
      expect(snapshot(rig.folder)).toEqual(before);
    } finally {
      await rig.close();
      vi.unstubAllEnvs();
    }
  });
});
