// The guard inside when nobody speaks to it: on a line through the engine it ends the container by itself; where it only seems so
// (a quiet call, a container that was paused, an orchestrator that was stopped but lives) nothing is lost.

import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { createRig, eventually, pause, type Rig } from "../e2e/rig.js";
import { processesOf } from "../support/container-processes.js";
import { containerOf, docker, dockerRig, leftOn, whyNoEngine, type DockerRig, type RigOptions } from "./sandbox-rig.js";
import { bash, collect } from "../contract/sandbox.contract.js";

const missing = await whyNoEngine();
const note = missing === null ? "" : ` (skipped: ${missing})`;
/** RF_SILENCE_CALL of the guard, with a second before and two after for a busy machine. */
const LEAST_MS = 14_000;
const MOST_MS = 18_000;
/** Longer than the guard would wait. */
const LONG_S = 17;
const never = new AbortController().signal;
const rigs: DockerRig[] = [];
const commands: Rig[] = [];

afterAll(async () => {
  for (const rig of rigs) await rig.clean();
  for (const rig of commands) rig.remove();
});

async function opened(options: RigOptions = {}) {
  const rig = await dockerRig({ direct: false, ...options });
  rigs.push(rig);
  return { rig, sandbox: await rig.provider.open(rig.spec, never) };
}

describe.skipIf(missing !== null)(`a guard that hears nothing${note}`, { timeout: 60_000 }, () => {
  it.concurrent("ends the container after fifteen seconds under a call, and says why", async () => {
    const relay = await openRelay(engineSocket());
    const { rig, sandbox } = await opened({ socketPath: relay.path });
    const container = containerOf(rig.spec.sessionId);
    const call = collect(sandbox, bash(rig.spec, "while :; do sleep 0.2; done", { timeoutMs: 60_000 })).catch((error: unknown) => error);
    await eventually("the program runs", () => processesOf(container).some(({ args }) => args.join(" ") === "sleep 0.2"), 5_000);
    const begun = performance.now();
    relay.hold();
    await eventually("its container has ended", () => docker("ps", "--quiet", "--no-trunc").includes(container) === false, MOST_MS);
    expect(performance.now() - begun).toBeGreaterThan(LEAST_MS);
    // What it says comes by the way that still works.
    expect(await call).toMatchObject({ code: "SANDBOX_BROKEN", message: expect.stringContaining("nothing was heard of the orchestrator for 15 seconds") });
    expect(await sandbox.ended).toMatchObject({ reason: "broken" });
    await sandbox.close();
    relay.close();
    expect(leftOn(rig.spec.sessionId)).toEqual([]);
  });

  it.concurrent("goes on where a call is only quiet, and between calls", async () => {
    const { rig, sandbox } = await opened();
    expect(await collect(sandbox, bash(rig.spec, `sleep ${LONG_S}; echo done`, { timeoutMs: 60_000 }))).toMatchObject({ exitCode: 0, stdout: "done\n" });
  });

  it.concurrent("goes on after its container was paused for longer", async () => {
    const { rig, sandbox } = await opened();
    const container = containerOf(rig.spec.sessionId);
    const call = collect(sandbox, bash(rig.spec, "for i in 1 2 3; do sleep 0.5; done; echo done", { timeoutMs: 60_000 }));
    await pause(500);
    docker("pause", container);
    await pause(LONG_S * 1_000);
    docker("unpause", container);
    expect(await call).toMatchObject({ exitCode: 0, stdout: "done\n" });
  });

  it.concurrent("goes on under a direct line when its orchestrator was stopped and goes on", async () => {
    const rig = createRig();
    commands.push(rig);
    const command = rig.start(["exec", "--quiet", "--workspace", rig.workspace({ "a.txt": "one\n" }), "--shell", "echo begun; sleep 2; echo done"]);
    await command.until("the program speaks", () => command.out().includes("begun"));
    command.kill("SIGSTOP");
    await pause(LONG_S * 1_000);
    command.kill("SIGCONT");
    expect(await command.ended).toMatchObject({ code: 0, out: "begun\ndone\n" });
  });
});

interface Relay {
  readonly path: string;
  /** From now on nothing goes to the engine over the connections there are; what comes from it does. */
  readonly hold: () => void;
  readonly close: () => void;
}

/** Stands between orchestrator and engine, as a network does. */
async function openRelay(engine: string): Promise<Relay> {
  const folder = mkdtempSync(join(tmpdir(), "ringfence-relay-"));
  const path = join(folder, "engine.sock");
  const sockets = new Set<Socket>();
  const held = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const there = connect({ path: engine, allowHalfOpen: true });
    for (const socket of [client, there]) {
      sockets.add(socket);
      socket.on("error", () => socket.destroy());
    }
    client.on("data", (chunk: Buffer) => (held.has(client) ? undefined : void there.write(chunk)));
    client.on("end", () => (held.has(client) ? undefined : void there.end()));
    client.on("close", () => there.destroy());
    there.pipe(client);
    there.on("close", () => client.destroy());
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return {
    path,
    hold: () => sockets.forEach((socket) => held.add(socket)),
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function engineSocket(): string {
  const host = process.env["DOCKER_HOST"] ?? "";
  return host.startsWith("unix://") ? host.slice("unix://".length) : "/var/run/docker.sock";
}
