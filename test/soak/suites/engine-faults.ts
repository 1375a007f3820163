// The engine fails under a session: dockerd is killed, stopped in order, restarted while its containers live on, stands still, dies in
// the same moment as the orchestrator; its containerd is killed. It is an engine of the suite's own. After each the engine is there
// again, and one later command follows.

import { join } from "node:path";
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
  full: 60,
  sample: 0,
  run,
};

const IMAGE = "ringfence/kimi-dev:latest";
/** How long a program of the agent may run on after its guard lost the engine, or the orchestrator's direct line ended. */
const UNGUARDED_MS = 1_000;
/** The same where only silence tells: fifteen seconds that the guard counts, and what ending takes on a busy machine. */
const SILENT_MS = 18_000;
/** Longer than the guard waits. */
const STILL_MS = 17_000;
const TICK = "echo tick >> ticks; sleep 0.1";

interface Trial {
  readonly engine: OwnEngine;
  readonly rig: Rig;
  readonly victim: Running;
}

type Lane = "plain" | "restoring" | "patient";

interface Kind {
  readonly name: string;
  /** Which of the suite's engines: an ordinary one, one that leaves its containers running when it ends, or a second ordinary one for what takes long. */
  readonly on: Lane;
  /** The line goes through the engine instead of past it: the path of the socket would be too long. */
  readonly through?: boolean;
  /** The fault comes while the session starts. */
  readonly early?: boolean;
  /** Brings the fault, looks at what runs meanwhile, and has the engine back at the end. Words for all that was wrong. */
  readonly fault: (trial: Trial) => Promise<readonly string[]>;
}

const both = (within: number) => (trial: Trial) => {
  trial.victim.kill("SIGKILL");
  return engineDies(trial, "SIGKILL", within);
};

const KINDS: readonly Kind[] = [
  { name: "kill", on: "plain", fault: (trial) => engineDies(trial, "SIGKILL") },
  { name: "kill with live-restore", on: "restoring", fault: (trial) => engineDies(trial, "SIGKILL") },
  { name: "stop", on: "plain", fault: (trial) => engineDies(trial, "SIGTERM") },
  { name: "restart with live-restore", on: "restoring", fault: (trial) => engineDies(trial, "SIGTERM") },
  { name: "kill containerd", on: "plain", fault: containerdDies },
  { name: "kill while it starts", on: "plain", early: true, fault: (trial) => engineDies(trial, "SIGKILL") },
  { name: "kill under a line through it", on: "plain", through: true, fault: (trial) => engineDies(trial, "SIGKILL") },
  { name: "orchestrator and engine at once", on: "plain", fault: both(UNGUARDED_MS) },
  { name: "orchestrator and engine with live-restore at once", on: "restoring", fault: both(UNGUARDED_MS) },
  { name: "orchestrator and engine at once, the line through it", on: "patient", through: true, fault: both(SILENT_MS) },
  { name: "both stand still, and go on", on: "patient", fault: bothStandStill },
  { name: "stands still under a line through it", on: "patient", through: true, fault: standsStill },
];

async function run({ seed, count, report, signal }: Task): Promise<void> {
  const missing = whyNotHere() ?? whyNoOwnEngine();
  if (missing !== null) throw new Error(missing);
  const random = createRandom(seed);
  // Each engine has its own faults, one after the other; the engines fail side by side.
  const lane = async (on: Lane): Promise<void> => {
    const engine = await openOwnEngine([IMAGE], on === "restoring" ? ["--live-restore"] : []);
    try {
      for (let index = 0; index < count && !signal.aborted; index += 1) {
        const kind = KINDS[index % KINDS.length];
        if (kind?.on !== on) continue;
        const { wrong, note } = await oneFault(engine, kind, random.fork(`${index}`));
        report.tally(`${kind.name}: ${note}`);
        for (const text of wrong) report.fail(`fault ${index} of seed ${seed}: ${kind.name}`, text);
        report.done();
      }
    } finally {
      await engine.remove();
    }
  };
  const ends = await Promise.allSettled((["plain", "restoring", "patient"] as const).map(lane));
  for (const end of ends) if (end.status === "rejected") throw end.reason;
}

async function oneFault(engine: OwnEngine, kind: Kind, random: Random): Promise<{ readonly wrong: readonly string[]; readonly note: string }> {
  const outer = createRig({ DOCKER_HOST: engine.host });
  const rig = kind.through === true ? createRig({ DOCKER_HOST: engine.host, RINGFENCE_HOME: join(outer.scratch, "a-path-that-no-socket-can-have".repeat(3), "state") }) : outer;
  try {
    const folder = rig.workspace({ "a.txt": "one\n" });
    const before = treePicture(folder, { exact: true });
    const victim = rig.start(["exec", "--json", "--workspace", folder, "--shell", `echo begun; while :; do ${TICK}; done`]);
    const started = victim.until("the call started", () => victim.out().includes('"type":"execution.started"'));
    await (kind.early === true ? Promise.race([pause(random.next() * 600), victim.ended]) : started);
    started.catch(() => undefined);
    await pause(random.next() * 500);
    const wrong: string[] = [...(await kind.fault({ engine, rig, victim }))];
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
    if (rig !== outer) rig.remove();
    outer.remove();
  }
}

/**
 * The engine is ended and comes back. Meanwhile the command line, where it lives, leaves by itself with one line, and nothing of the
 * agent runs for longer than `within` milliseconds.
 */
async function engineDies({ engine, rig, victim }: Trial, signal: "SIGTERM" | "SIGKILL", within: number = UNGUARDED_MS): Promise<readonly string[]> {
  await engine.end(signal);
  const wrong = await agentsEnd(rig, within);
  const { code, err } = await victim.ended;
  if (code !== KILLED) wrong.push(...toldTruly(code, err));
  await engine.start();
  return wrong;
}

/** An engine that answers nothing, with the line through it: the guard hears nothing and ends the container; what the orchestrator then says is true. */
async function standsStill({ engine, rig, victim }: Trial): Promise<readonly string[]> {
  engine.halt("SIGSTOP");
  const wrong = await agentsEnd(rig, SILENT_MS);
  engine.halt("SIGCONT");
  const { code, err } = await victim.ended;
  return [...wrong, ...toldTruly(code, err), ...(err.includes("nothing was heard of the orchestrator") || err.includes("its container stopped") ? [] : [`it does not say why: ${err}`])];
}

/** As on a machine that sleeps: nothing is lost. The line goes past the engine. */
async function bothStandStill({ engine, victim }: Trial): Promise<readonly string[]> {
  engine.halt("SIGSTOP");
  victim.kill("SIGSTOP");
  await pause(STILL_MS);
  victim.kill("SIGCONT");
  engine.halt("SIGCONT");
  await pause(300);
  const wrong = victim.out().includes('"type":"call.closed"') ? ["the call ended although nothing of it had"] : [];
  return [...wrong, ...(await interrupted(victim))];
}

/** containerd is killed and comes back, and the session goes on as if nothing had been. */
async function containerdDies({ engine, victim }: Trial): Promise<readonly string[]> {
  await engine.restartContainerd();
  await pause(300);
  const wrong = victim.out().includes('"type":"call.closed"') ? ["the call ended although its container lived"] : [];
  return [...wrong, ...(await interrupted(victim))];
}

async function interrupted(victim: Running): Promise<readonly string[]> {
  victim.kill("SIGINT");
  const { code, err } = await victim.ended;
  return code === 130 ? [] : [`Ctrl-C ended with ${code}: ${err}`];
}

/** As a shell tells SIGKILL. */
const KILLED = 137;

function toldTruly(code: number, err: string): readonly string[] {
  const wrong = [75, 125].includes(code) ? [] : [`the command line left with ${code}: ${err}`];
  return err.split("\n").filter((line) => line.startsWith("ringfence: ")).length === 1 ? wrong : [...wrong, `not one line: ${err}`];
}

/** Waits for the end of all programs of the agent. */
async function agentsEnd(rig: Rig, within: number): Promise<string[]> {
  const begun = performance.now();
  while (agentsOf(rig).length > 0 && performance.now() < begun + within) await pause(20);
  const alive = agentsOf(rig);
  if (alive.length === 0) return [];
  const wrong = [`${alive.length} programs of the agent run ${within} ms after the fault`];
  await eventually("the programs of the agent have ended", () => agentsOf(rig).length === 0, 30_000).catch((error: unknown) => wrong.push(String(error)));
  return wrong;
}

/** Programs of the agent: all inside but the guard's own. */
function agentsOf(rig: Rig): readonly string[] {
  return [...processesInside(rig.state).values()].filter((words) => words !== "" && !words.startsWith("/.ringfence/"));
}
