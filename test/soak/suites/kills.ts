// The orchestrator is killed (SIGKILL) at a random moment of a session's life: while it starts, runs a call, looks at what the
// call did and undoes it, closes, applies, or recovers what an earlier kill left. Then one later command.

import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createRig, pause, sessionFolders, whyNotHere, type Rig, type Running } from "../../e2e/rig.js";
import { treePicture } from "../../support/tree-picture.js";
import { eventsIn, leftBehind, recordOf, untruths } from "../aftermath.js";
import { createRandom, type Random } from "../random.js";
import type { Suite, Task } from "../suite.js";

export const suite: Suite = {
  name: "kills",
  law: "whenever the orchestrator is killed, one later command leaves nothing behind, tells truly how each session ended, and finds the user's folder as it was, or wholly applied",
  unit: "kills",
  needs: "engine",
  full: 100,
  sample: 6,
  run,
};

type Phase = "start" | "call" | "settle" | "close" | "apply" | "recover";
const PHASES = ["start", "call", "settle", "close", "apply", "recover"] as const satisfies readonly Phase[];
/** Commands that find what a crash left. */
const LATER = ["sessions", "exec", "diff", "show", "doctor"] as const;
const FILES = 150;

const BUSY = "python3 busy.py";
/**
 * Many files, a secret's name, and a folder that policy protects: there is much to compare and something to undo. It is put together when it
 * runs, and starts no program: what code says and which programs start is judged before, and this is about what comes after.
 */
const CODE = [
  "import os",
  "def trying(what, *words):",
  "    try: what(*words)",
  "    except OSError: pass",
  "def write(name, text, mode='w'):",
  "    with open(name, mode) as file: file.write(text)",
  "trying(os.makedirs, 'made')",
  `for i in range(1, ${FILES} + 1): write(f'made/{i}', f'{i}\\n')`,
  "trying(write, '.envrc', 'x\\n')",
  "os.remove('b.txt')",
  "write('a.txt', 'two\\n', 'a')",
  "os.chmod('c.txt', 0o755)",
  "trying(os.makedirs, '.github/workflows')",
  "trying(write, '.github/workflows/x.yml', 'x\\n')",
].join("\n");
const HIDDEN = `exec(${JSON.stringify([...CODE].reverse().join(""))}[::-1])\n`;

interface Lengths {
  readonly startMs: number;
  readonly settleMs: number;
  readonly closeMs: number;
  readonly applyMs: number;
  readonly recoverMs: number;
}

async function run({ seed, count, report, signal }: Task): Promise<void> {
  const missing = whyNotHere();
  if (missing !== null) throw new Error(missing);
  const random = createRandom(seed);
  const lengths = await measure();
  for (const [name, ms] of Object.entries(lengths)) report.figure(name, Math.round(ms));
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count && !signal.aborted) {
      const index = next;
      next += 1;
      const phase = PHASES[index % PHASES.length] ?? "start";
      const rig = createRig();
      try {
        const { wrong, outcome, at } = await oneKill(rig, phase, random.fork(`${index}`), lengths);
        report.tally(`${phase}: ${outcome}`);
        for (const text of wrong) report.fail(`kill ${index} of seed ${seed}: ${phase} at ${at.toFixed(1)} ms`, text);
      } finally {
        rig.remove();
      }
      report.done();
    }
  };
  // Two at a time: sessions side by side are part of what is tested.
  await Promise.all([lane(), lane()]);
}

function folderOf(rig: Rig): string {
  const folder = rig.workspace({ "a.txt": "one\n", "b.txt": "gone soon\n", "c.txt": "c\n", "busy.py": HIDDEN, "deep/er/d.txt": "d\n" });
  mkdirSync(join(folder, "empty"));
  return folder;
}

const reached = (process: Running, type: string) => (): boolean => process.out().includes(`"type":"${type}"`);
const execOf = (folder: string, program: string): readonly string[] => ["exec", "--json", "--workspace", folder, "--shell", program];

/** How long each phase takes here and now, so that moments fall into it on a slow machine too. */
async function measure(): Promise<Lengths> {
  const rig = createRig();
  try {
    const folder = folderOf(rig);
    const began = performance.now();
    const process = rig.start(execOf(folder, BUSY));
    await process.until("the session opened", reached(process, "session.opened"));
    const opened = performance.now();
    await process.until("the call started", reached(process, "execution.started"));
    const started = performance.now();
    await process.until("the call ended", reached(process, "call.closed"));
    const closed = performance.now();
    const { code, err } = await process.ended;
    const ended = performance.now();
    if (code !== 0) throw new Error(`the command to be killed ends with ${code}: ${err}`);
    const applied = await rig.run(["apply", "last", "--yes", "--accept-runs-later"]);
    if (applied.code !== 0) throw new Error(applied.err);
    const applyMs = performance.now() - ended;
    const listed = performance.now();
    await rig.run(["sessions"]);
    return { startMs: opened - began, settleMs: closed - started, closeMs: ended - closed, applyMs, recoverMs: (performance.now() - listed) * 3 };
  } finally {
    rig.remove();
  }
}

interface Killed {
  readonly wrong: readonly string[];
  /** What became of the session, for the tally. */
  readonly outcome: string;
  readonly at: number;
}

async function oneKill(rig: Rig, phase: Phase, random: Random, lengths: Lengths): Promise<Killed> {
  const folder = folderOf(rig);
  const before = treePicture(folder, { exact: true });
  const after = phase === "apply" ? await preparedForApply(rig, folder) : null;
  const victim = victimOf(rig, phase, folder, random);
  const at = await killWithin(victim, phase, random, lengths);
  if (phase === "recover") {
    const recovering = rig.start(["sessions"]);
    await Promise.race([pause(random.next() * lengths.recoverMs), recovering.ended]);
    recovering.kill("SIGKILL");
    await recovering.ended;
  }
  const printed = eventsIn(victim.out());
  const unclosed = sessionFolders(rig.state).filter((session) => recordOf(rig, session).some(({ type }) => type === "execution.started") && !recordOf(rig, session).some(({ type }) => type === "call.closed"));
  const later = await laterCommand(rig, phase, folder, random);
  const wrong = [...later.wrong, ...(await leftBehind(rig)), ...(await untruths(rig, printed))];
  const state = new Map((await rig.sessions()).map(({ id, status }) => [id, status]));
  for (const session of unclosed) if (state.get(session) !== "in doubt") wrong.push(`${session} was running and is called ${state.get(session) ?? "nothing"}`);
  wrong.push(...folderTold(rig, folder, { before, after, session: sessionFolders(rig.state)[0] ?? "" }));
  const subject = printed[0]?.session ?? sessionFolders(rig.state)[0];
  return { wrong, outcome: subject === undefined ? "no session" : (state.get(subject) ?? "gone"), at };
}

function victimOf(rig: Rig, phase: Phase, folder: string, random: Random): Running {
  if (phase === "apply") return rig.start(["apply", "last", "--yes", "--accept-runs-later"], { through: random.next() < 0.3 ? [] : killedAtCall(random) });
  return rig.start(execOf(folder, phase === "call" ? "echo made > made.txt; sleep 40 & sleep 30" : BUSY));
}

/** Calls of the system that exchange names or make notes of it. */
const EXCHANGES = ["rename", "link", "unlink", "mkdir", "rmdir", "chmod", "fsync"] as const;

/** Killed just before the n-th of these calls, where strace is there: moments between two names are too short to be met by a clock. */
function killedAtCall(random: Random): readonly string[] {
  const call = random.pick(EXCHANGES);
  const most = { rename: FILES + 8, link: 3, unlink: FILES + 4, mkdir: 4, rmdir: 2, chmod: 8, fsync: 8 }[call];
  return spawnSync("strace", ["-V"]).status === 0 ? ["strace", "--follow-forks", "--output=/dev/null", `--trace=${EXCHANGES.join(",")}`, `--inject=${call}:signal=SIGKILL:when=${random.int(1, most)}`] : [];
}

/** Kills at a random moment of the phase; gives the moment, from the beginning of the phase. */
async function killWithin(victim: Running, phase: Phase, random: Random, lengths: Lengths): Promise<number> {
  const length: Readonly<Record<Phase, number>> = { start: lengths.startMs * 1.3, call: 400, settle: lengths.settleMs, close: lengths.closeMs, apply: lengths.applyMs, recover: lengths.startMs + lengths.settleMs };
  if (phase === "call" || phase === "settle") await victim.until("the call started", reached(victim, "execution.started"));
  if (phase === "close") await victim.until("the call ended", reached(victim, "call.closed"));
  const at = phase === "apply" && random.next() < 0.7 ? 30_000 : random.next() * length[phase];
  await Promise.race([pause(at), victim.ended]);
  victim.kill("SIGKILL");
  await victim.ended;
  return at;
}

/** A session with much to take over. Gives what the folder will look like, from a copy that it is applied to with git. */
async function preparedForApply(rig: Rig, folder: string): Promise<readonly string[]> {
  const { code, err } = await rig.run(execOf(folder, BUSY));
  if (code !== 0) throw new Error(err);
  const copy = folderOf(rig);
  mkdirSync(join(copy, "made"));
  for (let i = 1; i <= FILES; i += 1) writeFileSync(join(copy, "made", String(i)), `${i}\n`);
  execFileSync("sh", ["-c", "rm b.txt; echo two >> a.txt; chmod 755 c.txt"], { cwd: copy });
  return treePicture(copy, { exact: false });
}

async function laterCommand(rig: Rig, phase: Phase, folder: string, random: Random): Promise<{ readonly wrong: readonly string[] }> {
  const none = sessionFolders(rig.state).every((session) => recordOf(rig, session).length === 0);
  const name = none ? "sessions" : random.pick(phase === "apply" ? ["sessions", "show", "diff"] : LATER);
  const words: Readonly<Record<string, readonly string[]>> = { sessions: ["sessions"], exec: ["exec", "--workspace", folder, "--", "true"], diff: ["diff", "last", "--stat"], show: ["show", "last"], doctor: ["doctor"] };
  const { code, err } = await rig.run(words[name] ?? [name]);
  const expected = code === 0 || name === "doctor" || (name === "diff" && err.includes("no workspace"));
  return { wrong: expected && !err.includes("internal error") ? [] : [`the later command \`${name}\` ended with ${code}: ${err}`] };
}

/** The folder is as it was; where it was being applied to it may instead be wholly as the session left it, on record as applied. */
function folderTold(rig: Rig, folder: string, { before, after, session }: { readonly before: readonly string[]; readonly after: readonly string[] | null; readonly session: string }): readonly string[] {
  const isApplied = recordOf(rig, session).some(({ type }) => type === "session.applied");
  if (after === null || !isApplied) {
    // A folder that was put back has new times and inodes where names were exchanged: content, kinds and modes count.
    const now = treePicture(folder, { exact: after === null });
    const was = after === null ? before : before.map((line) => line.replace(/ \d+ \d+ \d+:\d+$/u, ""));
    return sameLines(was, now) ? [] : [`the folder is not what it was: ${difference(was, now)}`];
  }
  const now = treePicture(folder, { exact: false });
  return sameLines(after, now) ? [] : [`on record as applied, but: ${difference(after, now)}`];
}

function sameLines(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((line, index) => line === b[index]);
}

function difference(was: readonly string[], now: readonly string[]): string {
  const [old, fresh] = [new Set(was), new Set(now)];
  return [...was.filter((line) => !fresh.has(line)).map((line) => `-${line}`), ...now.filter((line) => !old.has(line)).map((line) => `+${line}`)].slice(0, 12).join("\n");
}
