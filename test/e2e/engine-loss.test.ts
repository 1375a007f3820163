// The engine goes away under a session: its container is killed, or the connection is cut. One clear line, the right code,
// what ran is in doubt on record, nothing stays, and the user's folder is as it was.

import { readFileSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { treePicture } from "../support/tree-picture.js";
import { createRig, docker, leftInTheEnd, lines, sessionFolders, whyNotHere, type Rig, type Running } from "./rig.js";

const missing = whyNotHere();
if (missing !== null) console.warn(`left out: ${missing}`);
const rigs: Rig[] = [];
afterAll(() => {
  for (const rig of rigs) rig.remove();
});

const PROGRAM = "echo started; echo made > made.txt; sleep 60";

interface Trial {
  readonly rig: Rig;
  readonly folder: string;
  readonly process: Running;
  readonly session: string;
  readonly before: readonly string[];
}

async function running(env: Readonly<Record<string, string>> = {}, rig: Rig = newRig()): Promise<Trial> {
  const folder = rig.workspace({ "a.txt": "one\n" });
  const before = treePicture(folder, { exact: true });
  const process = rig.start(["exec", "--workspace", folder, "--shell", PROGRAM], { env });
  await process.until("the command speaks", () => process.out().includes("started"));
  return { rig, folder, process, session: sessionFolders(rig.state)[0] ?? "", before };
}

function newRig(): Rig {
  const rig = createRig();
  rigs.push(rig);
  return rig;
}

async function expectInDoubt({ rig, folder, session, before }: Trial, err: string): Promise<void> {
  expect(lines(err).filter((line) => !line.startsWith("ringfence: session "))).toEqual([expect.stringMatching(/^ringfence: .*(?:sandbox|engine).* \(.*in doubt.*\)$/u)]);
  const events = lines(readFileSync(rig.ledger(session), "utf8")).map((line) => JSON.parse(line) as { readonly type: string; readonly data: Record<string, unknown> });
  expect(events.filter(({ type }) => type !== "risk.updated").slice(-2)).toEqual([expect.objectContaining({ type: "call.closed", data: expect.objectContaining({ outcome: "in-doubt" }) }), expect.objectContaining({ type: "session.closed", data: expect.objectContaining({ reason: "broken" }) })]);
  expect((await rig.run(["log", "verify", session])).code).toBe(0);
  expect((await rig.sessions())[0]).toMatchObject({ id: session, status: "in doubt" });
  expect(treePicture(folder, { exact: true })).toEqual(before);
}

describe.skipIf(missing !== null)("in mid-session", () => {
  it("a container that is killed from outside breaks the session", async () => {
    const trial = await running();
    docker("kill", docker("ps", "--quiet", "--filter", `label=dev.ringfence.session=${trial.session}`));
    const { code, out, err } = await trial.process.ended;
    expect([code, out]).toEqual([125, "started\n"]);
    await expectInDoubt(trial, err);
    expect(await leftInTheEnd([trial.session], trial.rig.state)).toEqual([]);
  });

  it("an engine that goes away breaks the session, and the next command removes what it left", async () => {
    const rig = newRig();
    const relay = await openRelay(join(rig.scratch, "engine.sock"), engineSocket());
    const trial = await running({ DOCKER_HOST: `unix://${join(rig.scratch, "engine.sock")}` }, rig);
    relay.cut();
    const { code, out, err } = await trial.process.ended;
    expect([code, out]).toEqual([125, "started\n"]);
    await expectInDoubt(trial, err);
    const later = await rig.run(["exec", "--workspace", trial.folder, "--", "true"]);
    expect(later.code).toBe(0);
    expect(await leftInTheEnd([trial.session], rig.state)).toEqual([]);
  });

  it("an engine that goes away while a session starts is one line and 75, and nothing ran", async () => {
    const rig = newRig();
    const folder = rig.workspace({ "a.txt": "one\n" });
    const socket = join(rig.scratch, "engine.sock");
    // Cut at the first request that makes a container.
    const relay = await openRelay(socket, engineSocket(), "/containers/create");
    const { code, out, err } = await rig.run(["exec", "--workspace", folder, "--", "true"], { env: { DOCKER_HOST: `unix://${socket}` } });
    relay.cut();
    expect([code, out, lines(err)]).toEqual([75, "", [expect.stringMatching(/^ringfence: creating the container failed: .+ \(.+\)$/u)]]);
    expect((await rig.run(["exec", "--workspace", folder, "--", "true"])).code).toBe(0);
    expect(await leftInTheEnd(["ringfence-ses_"], rig.state).then((left) => left.filter((line) => sessionFolders(rig.state).some((id) => line.includes(id))))).toEqual([]);
  });
});

interface Relay {
  readonly cut: () => void;
}

/** Carries connections to the engine until it is cut, or until a request names `fuse`. */
async function openRelay(path: string, target: string, fuse: string | null = null): Promise<Relay> {
  const sockets = new Set<Socket>();
  const cut = (): void => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  const server: Server = createServer({ allowHalfOpen: true }, (client) => {
    const engine = connect({ path: target, allowHalfOpen: true });
    for (const socket of [client, engine]) {
      sockets.add(socket);
      socket.on("error", () => socket.destroy());
    }
    client.on("data", (chunk: Buffer) => {
      if (fuse !== null && chunk.toString("latin1").includes(fuse)) cut();
      else engine.write(chunk);
    });
    client.on("end", () => engine.end());
    client.on("close", () => engine.destroy());
    engine.pipe(client);
    engine.on("close", () => client.destroy());
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return { cut };
}

function engineSocket(): string {
  const host = process.env["DOCKER_HOST"] ?? "";
  return host.startsWith("unix://") ? host.slice("unix://".length) : "/var/run/docker.sock";
}
