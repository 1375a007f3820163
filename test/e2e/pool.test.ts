// Sandboxes that stand ready: given once, with nothing of another session in them, only while they are what a new one would be, and
// gone when their process is.

import { execFileSync, spawn } from "node:child_process";
import { existsSync, readFileSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { composeEngine, type Orchestrator, type OpenedSession } from "../../src/compose.js";
import { createRig, docker, eventually, leftInTheEnd, sessionFolders, whyNotHere } from "./rig.js";

const missing = whyNotHere();
if (missing !== null) console.warn(`left out: ${missing}`);
const never = new AbortController().signal;
const rig = createRig();
const workspace = missing === null ? rig.workspace({ "a.txt": "one\n", "deploy/app.yaml": "kind\n" }) : "";
let orchestrator: Orchestrator;

const readyIds = (): readonly string[] => readdirSync(join(rig.state, "open")).filter((id) => !existsSync(rig.ledger(id)));
const opened = (session: OpenedSession): { readonly readyMs?: number; readonly controls: readonly { readonly state: string }[] } => (JSON.parse(readFileSync(rig.ledger(session.id), "utf8").split("\n")[0] ?? "") as { data: never }).data;
const run = async (session: OpenedSession, command: string): Promise<string> => (await session.call({ id: "1", role: null, tool: "bash", arguments: { command } }, {}, never)).stdout;
/** Kept ready, which waits until what was taken is made anew. */
const full = (): Promise<void> => orchestrator.keepReady({ workspace }, 1, never);

describe.skipIf(missing !== null)("a sandbox that stands ready", () => {
  beforeAll(async () => {
    orchestrator = await composeEngine({ env: { ...process.env, ...rig.env }, approver: { terminal: null } });
    await full();
  });
  afterAll(async () => {
    await orchestrator.drain();
    expect(readyIds()).toEqual([]);
    expect(await leftInTheEnd(sessionFolders(rig.state), rig.state)).toEqual([]);
    rig.remove();
  });

  it("is taken by one session, tested as any other, and the next one has nothing of it", async () => {
    const [prepared] = readyIds();
    const first = await orchestrator.open({ workspace }, never);
    expect([first.id, opened(first).readyMs]).toEqual([prepared, expect.any(Number)]);
    expect(await run(first, "echo mine > b.txt; echo two >> a.txt; echo tmp > /tmp/left; echo home > ~/left; cat a.txt")).toBe("one\ntwo\n");
    await full();
    const second = await orchestrator.open({ workspace }, never);
    const cold = await orchestrator.open({ workspace }, never);
    expect(second.id).not.toBe(first.id);
    expect(opened(second).readyMs).toEqual(expect.any(Number));
    expect(opened(cold).readyMs).toBeUndefined();
    expect(opened(second).controls).toEqual(opened(cold).controls);
    expect(await run(second, "cat a.txt; ls; ls /tmp/left ~/left 2>/dev/null")).toBe("one\na.txt\ndeploy\n");
    expect(await run(first, "cat b.txt /tmp/left ~/left")).toBe("mine\ntmp\nhome\n");
    for (const session of [first, second, cold]) await session.close("finished");
  });

  it("is not taken when names of the folder, or the folder itself, changed meanwhile", async () => {
    for (const [what, change] of [
      ["a secret came", () => writeFileSync(join(workspace, "deploy/.env"), "T=hunter1\n")],
      ["another mode", () => execFileSync("chmod", ["700", workspace])],
      ["another folder of that name", () => (renameSync(workspace, `${workspace}-old`), execFileSync("cp", ["-a", `${workspace}-old`, workspace]))],
    ] as const) {
      await full();
      const [prepared] = readyIds();
      change();
      const session = await orchestrator.open({ workspace }, never);
      expect([what, session.id === prepared, opened(session).readyMs]).toEqual([what, false, undefined]);
      expect([what, await run(session, "ls -A deploy; cat a.txt")]).toEqual([what, "app.yaml\none\n"]);
      await session.close("finished");
    }
  });

  it("is not taken by a session of another role or image, nor when its container is gone", async () => {
    await full();
    const [prepared = ""] = readyIds();
    for (const other of [{ role: "bugfixer" }, { image: "base" }]) {
      const session = await orchestrator.open({ workspace, ...other }, never);
      expect([other, opened(session).readyMs]).toEqual([other, undefined]);
      await session.close("finished");
    }
    expect(readyIds()).toEqual([prepared]);
    docker("kill", docker("ps", "--quiet", "--filter", `label=dev.ringfence.session=${prepared}`));
    const session = await orchestrator.open({ workspace }, never);
    expect([session.id === prepared, await run(session, "cat a.txt")]).toEqual([false, "one\n"]);
    await session.close("finished");
  });

  it("is taken down where none is wanted any more by the time it is made", async () => {
    await orchestrator.keepReady({ workspace }, 0, never);
    expect(readyIds()).toEqual([]);
    const making = full();
    await eventually("one is being made", () => readyIds().length === 1);
    await orchestrator.keepReady({ workspace }, 0, never);
    await making;
    expect(readyIds()).toEqual([]);
    const session = await orchestrator.open({ workspace }, never);
    expect(opened(session).readyMs).toBeUndefined();
    await session.close("finished");
  });

  it("ends with its process, however that ends, and the next command leaves nothing of it", async () => {
    const own = createRig();
    try {
      const folder = own.workspace({ "a.txt": "one\n" });
      const library = new URL("../../dist/lib/index.js", import.meta.url).href;
      const program = `const { composeEngine } = await import(${JSON.stringify(library)}); const o = await composeEngine({ env: process.env, approver: { terminal: null } }); await o.keepReady({ workspace: ${JSON.stringify(folder)} }, 2, new AbortController().signal); console.log("ready");`;
      const child = spawn(process.execPath, ["--input-type=module", "-e", program], { env: own.env, stdio: ["ignore", "pipe", "inherit"] });
      let out = "";
      child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
      await eventually("two stand ready", () => out.includes("ready"));
      const ids = sessionFolders(own.state);
      child.kill("SIGKILL");
      await new Promise((resolve) => child.once("close", resolve));
      expect([ids.length, await own.sessions()]).toEqual([2, []]);
      expect(await leftInTheEnd(ids, own.state)).toEqual([]);
      expect([sessionFolders(own.state), readdirSync(join(own.state, "open"))]).toEqual([[], []]);
    } finally {
      own.remove();
    }
  });
});
