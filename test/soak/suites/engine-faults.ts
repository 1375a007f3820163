// The engine fails under a session: dockerd is killed, stopped in order, restarted while its containers live on, its containerd
// is killed. It is an engine of the suite's own. After each the engine is there again, and one later command follows.

import { createRig, eventually, pause, sessionFolders, whyNotHere, type Rig, type Running } from "../../e2e/rig.js";
import { treePicture } from "../../support/tree-picture.js";
import { eventsIn, leftBehind, processesInside, recordOf, untruths } from "../aftermath.js";
import { openOwnEngine, whyNoOwnEngine, type OwnEngine } from "../own-engine.js";
import { createRandom, type Random } from "../random.js";
import type { Suite, Task } from "../suite.js";

export const suite: Suite = {
  name: "engine-faults",
  law: "whatever happens to the engine under a session, no program of the agent outlives its guard, the record says what is in doubt, and one later command removes what is left",
  unit: "faults of the engine",
  needs: "engine",
  full: 40,
  sample: 0,
  run,
};

const IMAGE = "ringfence/kimi-dev:latest";
const KINDS = ["kill", "kill with live-restore", "stop", "restart with live-restore", "kill containerd", "kill while it starts"] as const;
type Kind = (typeof KINDS)[number] | "kill both";
/** How long a program of the agent may run on after its guard lost the engine. */
const UNGUARDED_MS = 1_000;
const TICK = "echo tick >> ticks; sleep 0.1";

async function run({ seed, count, report, signal }: Task): Promise<void> {
  const missing = whyNotHere() ?? whyNoOwnEngine();
  if (missing !== null) throw new Error(missing);
  const random = createRandom(seed);
  const plain = await openOwnEngine([IMAGE]);
  try {
    const restoring = await openOwnEngine([IMAGE], ["--live-restore"]);
    try {
      for (let index = 0; index < count && !signal.aborted; index += 1) {
        const kind = KINDS[index % KINDS.length] ?? "kill";
        const engine = kind.includes("live-restore") ? restoring : plain;
        const { wrong, note } = await oneFault(engine, kind, random.fork(`${index}`));
        report.tally(`${kind}: ${note}`);
        for (const text of wrong) report.fail(`fault ${index} of seed ${seed}: ${kind}`, text);
        report.done();
      }
    } finally {
      await restoring.remove();
    }
  } finally {
    await plain.remove();
  }
}

async function oneFault(engine: OwnEngine, kind: Kind, random: Random): Promise<{ readonly wrong: readonly string[]; readonly note: string }> {
  const rig = createRig({ DOCKER_HOST: engine.host });
  try {
    const folder = rig.workspace({ "a.txt": "one\n" });
    const before = treePicture(folder, { exact: true });
    const victim = rig.start(["exec", "--json", "--workspace", folder, "--shell", `echo begun; while :; do ${TICK}; done`]);
    const started = victim.until("the call started", () => victim.out().includes('"type":"execution.started"'));
    await (kind === "kill while it starts" ? Promise.race([pause(random.next() * 600), victim.ended]) : started);
    started.catch(() => undefined);
    await pause(random.next() * 500);
    const wrong: string[] = [];
    if (kind === "kill containerd") wrong.push(...(await containerdDies(engine, victim)));
    else wrong.push(...(await engineDies(engine, rig, kind, victim)));
    const printed = eventsIn(victim.out());
    const later = await rig.run(random.pick([["sessions"], ["exec", "--workspace", folder, "--", "true"]]));
    if (later.code !== 0) wrong.push(`the later command ended with ${later.code}: ${later.err}`);
    wrong.push(...(await leftBehind(rig)), ...(await untruths(rig, printed)));
    for (const session of sessionFolders(rig.state)) {
      const ran = recordOf(rig, session).some(({ type, call }) => type === "execution.started" && !recordOf(rig, session).some((end) => end.type === "execution.finished" && end.call === call));
      const status = (await rig.sessions()).find(({ id }) => id === session)?.status;
      if (ran && status !== "in doubt") wrong.push(`${session} was running and is called ${status ?? "nothing"}`);
    }
    if (JSON.stringify(treePicture(folder, { exact: true })) !== JSON.stringify(before)) wrong.push("the user's folder is not what it was");
    return { wrong, note: printed.length === 0 ? "nothing ran" : ((await rig.sessions()).find(({ id }) => id === printed[0]?.session)?.status ?? "gone") };
  } finally {
    rig.remove();
  }
}

/** The engine is ended and comes back. Meanwhile the command line leaves by itself with one line, and nothing of the agent runs. */
async function engineDies(engine: OwnEngine, rig: Rig, kind: Kind, victim: Running): Promise<readonly string[]> {
  const wrong: string[] = [];
  if (kind === "kill both") victim.kill("SIGKILL");
  await engine.end(kind === "stop" || kind.startsWith("restart") ? "SIGTERM" : "SIGKILL");
  const limit = performance.now() + UNGUARDED_MS;
  while (agentsOf(rig).length > 0 && performance.now() < limit) await pause(20);
  const alive = agentsOf(rig);
  // Where the orchestrator died with the engine nobody is there to end it; sandboxd sees that by itself, a little later.
  if (alive.length > 0 && kind !== "kill both") wrong.push(`${alive.length} programs of the agent run ${UNGUARDED_MS} ms after the engine was gone`);
  if (alive.length > 0) await eventually("the programs of the agent have ended", () => agentsOf(rig).length === 0, 30_000).catch((error: unknown) => wrong.push(String(error)));
  const { code, err } = await victim.ended;
  if (kind !== "kill both" && ![75, 125].includes(code)) wrong.push(`the command line left with ${code}: ${err}`);
  if (kind !== "kill both" && err.split("\n").filter((line) => line.startsWith("ringfence: ")).length !== 1) wrong.push(`not one line: ${err}`);
  await engine.start();
  return wrong;
}

/** containerd is killed and comes back, and the session goes on as if nothing had been. */
async function containerdDies(engine: OwnEngine, victim: Running): Promise<readonly string[]> {
  await engine.restartContainerd();
  await pause(300);
  const wrong = victim.out().includes('"type":"call.closed"') ? ["the call ended although its container lived"] : [];
  victim.kill("SIGINT");
  const { code, err } = await victim.ended;
  return code === 130 ? wrong : [...wrong, `Ctrl-C ended with ${code}: ${err}`];
}

/** Programs of the agent: all inside but the guard's own. */
function agentsOf(rig: Rig): readonly string[] {
  return [...processesInside(rig.state).values()].filter((words) => words !== "" && !words.startsWith("/.ringfence/"));
}
