// Everything around a running call fails: its container is killed, its guard is, the state disk is full, the clock is moved, the
// user's folder is removed meanwhile. Then one later command.

import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createRig, pause, sessionFolders, whyNotHere, type Rig, type Running } from "../../e2e/rig.js";
import { treePicture } from "../../support/tree-picture.js";
import { eventsIn, leftBehind, processesInside, recordOf, untruths } from "../aftermath.js";
import { createRandom, type Random } from "../random.js";
import type { Suite, Task } from "../suite.js";

export const suite: Suite = {
  name: "faults",
  law: "whatever fails around a running call, nothing runs on without its guard, the session says how it ended, and one later command leaves nothing behind",
  unit: "faults",
  needs: "engine",
  full: 50,
  sample: 3,
  run,
};

const KINDS = ["container killed", "guard killed", "disk full", "clock moved", "folder removed"] as const;
type Kind = (typeof KINDS)[number];
/** From the death of the guard to the record that says so, what the machine needs besides left out by a wide margin. */
const NOTICE_MS = 1_000;
const MIB = 1024 * 1024;
const SLOW = "echo begun; echo made > made.txt; sleep 60";

async function run({ seed, count, report, signal }: Task): Promise<void> {
  const missing = whyNotHere();
  if (missing !== null) throw new Error(missing);
  const random = createRandom(seed);
  let slowest = 0;
  for (let index = 0; index < count && !signal.aborted; index += 1) {
    const kind = KINDS[index % KINDS.length] ?? "guard killed";
    const { wrong, status, noticeMs } = await oneFault(kind, random.fork(`${index}`));
    slowest = Math.max(slowest, noticeMs ?? 0);
    report.tally(`${kind}: ${status}`);
    for (const text of wrong) report.fail(`fault ${index} of seed ${seed}: ${kind}`, text);
    report.done();
  }
  report.figure("slowest notice of a dead guard, ms", Math.round(slowest));
  report.figure("wall clock moved by", FAKETIME === null ? "a Date of its own" : "libfaketime");
  report.figure("another command's clocks", ELSEWHEN === null ? "the same" : "another time namespace");
}

interface Trial {
  readonly rig: Rig;
  readonly folder: string;
  readonly random: Random;
  readonly victim: Running;
  readonly session: string;
}

interface Told {
  readonly wrong: readonly string[];
  /** How the session must stand. */
  readonly stands: string;
  readonly noticeMs?: number;
}

const FAULTS: Readonly<Record<Kind, (trial: Trial) => Promise<Told>>> = {
  "container killed": async ({ rig, victim, session }) => {
    // From when the engine says it is dead: its client alone may take half a second.
    rig.docker("kill", rig.docker("ps", "--quiet", "--filter", `label=dev.ringfence.session=${session}`));
    return brokenWithin(victim, performance.now());
  },
  "guard killed": async ({ rig, random, victim }) => {
    const guards = [...processesInside(rig.state)].filter(([, words]) => words.startsWith("/.ringfence/"));
    const [pid = 0] = guards[random.int(0, guards.length - 1)] ?? [];
    const begun = performance.now();
    process.kill(pid, "SIGKILL");
    // The killer that waits is made anew by its parent: the call goes on, guarded.
    const told = await Promise.race([brokenWithin(victim, begun), pause(NOTICE_MS * 2).then(() => null)]);
    if (told !== null) return told;
    victim.kill("SIGINT");
    const { code } = await victim.ended;
    return { wrong: code === 130 ? [] : [`Ctrl-C ended with ${code}`], stands: "cancelled" };
  },
  "disk full": async ({ rig, victim }) => {
    const disk = join(rig.state, "..");
    fill(disk);
    victim.kill("SIGINT");
    const { code, err } = await victim.ended;
    for (const name of readdirSync(disk)) if (name.startsWith("fill-")) rmSync(join(disk, name));
    // The watch of the disk may have ended the call before Ctrl-C did (137), and the end may or may not find room for its record.
    return { wrong: [125, 130, 137].includes(code) && !err.includes("internal error") ? [] : [`ended with ${code}: ${err}`], stands: "any" };
  },
  "clock moved": async ({ victim, random, rig }) => {
    // The wall clock as the program sees it jumps while the call runs, back and forth; meanwhile another command comes from where every
    // clock of the kernel shows something else.
    const wrong: string[] = [];
    for (const sign of [random.pick([-1, 1]), random.pick([-1, 1])]) {
      setClock(rig, sign * random.int(60, 400 * 86_400));
      await pause(200);
    }
    const other = await rig.run(["sessions"], ELSEWHEN === null ? {} : { through: ELSEWHEN });
    if (other.code !== 0 || !/ {2}open {2}/u.test(other.out)) wrong.push(`another command takes it for ended: ${other.code}: ${other.out}${other.err}`);
    await pause(200);
    if (victim.out().includes('"type":"call.closed"')) wrong.push("the call ended because the clock moved");
    victim.kill("SIGINT");
    const { code, err } = await victim.ended;
    return { wrong: code === 130 ? wrong : [...wrong, `Ctrl-C ended with ${code}: ${err}`], stands: "cancelled" };
  },
  "folder removed": async ({ folder, victim }) => {
    renameSync(folder, `${folder}.gone`);
    victim.kill("SIGINT");
    const { code, err } = await victim.ended;
    renameSync(`${folder}.gone`, folder);
    return { wrong: [125, 130].includes(code) && !err.includes("internal error") ? [] : [`ended with ${code}: ${err}`], stands: "any" };
  },
};

async function oneFault(kind: Kind, random: Random): Promise<{ readonly wrong: readonly string[]; readonly status: string; readonly noticeMs?: number }> {
  const outer = createRig();
  const isFull = kind === "disk full";
  const disk = join(outer.scratch, "disk");
  mkdirSync(disk);
  if (isFull) execFileSync("mount", ["-t", "tmpfs", "-o", "size=48m,mode=0700", "ringfence-soak", disk]);
  const rig = isFull ? createRig({ RINGFENCE_HOME: join(disk, "state") }) : kind === "clock moved" ? clockRig(outer) : outer;
  try {
    const folder = outer.workspace({ "a.txt": "one\n" });
    const before = treePicture(folder, { exact: true });
    const victim = rig.start(["exec", "--json", "--workspace", folder, "--shell", SLOW]);
    await victim.until("the call started", () => victim.out().includes('"type":"execution.started"'));
    await pause(random.next() * 300);
    const session = victimSession(rig);
    const told = await FAULTS[kind]({ rig, folder, random, victim, session });
    const printed = eventsIn(victim.out());
    const later = await rig.run(random.pick([["sessions"], ["exec", "--workspace", folder, "--", "true"], ["show", "last"]]));
    const ended = recordOf(rig, session).some(({ type }) => type === "execution.finished");
    const status = (await rig.sessions()).find(({ id }) => id === session)?.status ?? "gone";
    return {
      status,
      ...(told.noticeMs === undefined ? {} : { noticeMs: told.noticeMs }),
      wrong: [
        ...told.wrong,
        ...(later.code === 0 ? [] : [`the later command ended with ${later.code}: ${later.err}`]),
        ...(told.stands === "any" || told.stands === status ? [] : [`it stands as ${status}, not ${told.stands}`]),
        ...(ended || status === "in doubt" ? [] : [`nobody saw its call end, and it stands as ${status}`]),
        ...(await leftBehind(rig)).filter((line) => !line.startsWith("ringfence-soak ")),
        ...(await untruths(rig, printed)),
        ...(JSON.stringify(treePicture(folder, { exact: true })) === JSON.stringify(before) ? [] : ["the user's folder is not what it was"]),
      ],
    };
  } finally {
    if (rig !== outer) rig.remove();
    if (isFull) execFileSync("umount", ["--lazy", disk]);
    outer.remove();
  }
}

/** To the last page. */
function fill(disk: string): void {
  const { blocks, bsize } = statfsSync(disk);
  for (let size = MIB; size >= 4096; size /= 4) {
    try {
      for (let part = 0; part * size < blocks * bsize; part += 1) writeFileSync(join(disk, `fill-${size}-${part}`), Buffer.alloc(size));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
    }
  }
}

function victimSession(rig: Rig): string {
  return sessionFolders(rig.state).find((id) => recordOf(rig, id).length > 0) ?? "";
}

/** The command line leaves by itself, the call is in doubt, and both come within a second of the death. */
async function brokenWithin(victim: Running, begun: number): Promise<Told> {
  await victim.until("the session says it is broken", () => victim.out().includes('"reason":"broken"')).catch(() => undefined);
  const noticeMs = performance.now() - begun;
  const { code, err } = await victim.ended;
  const wrong = code === 125 ? [] : [`ended with ${code}: ${err}`];
  return { wrong: noticeMs <= NOTICE_MS ? wrong : [...wrong, `it took ${Math.round(noticeMs)} ms to say so`], stands: "in doubt", noticeMs };
}

function clockFile(rig: Rig): string {
  return join(rig.state, "..", "clock");
}

/** Seconds from the machine's own. */
function setClock(rig: Rig, seconds: number): void {
  // Exchanged, so that no reader finds half of it.
  writeFileSync(`${clockFile(rig)}.new`, `${seconds < 0 ? "" : "+"}${seconds}\n`);
  renameSync(`${clockFile(rig)}.new`, clockFile(rig));
}

/** Starts a program where the monotonic clock and the one since boot show something else; null where the kernel has no such thing. */
const ELSEWHEN = ((words: readonly string[]) => (spawnSync(words[0] ?? "", [...words.slice(1), "true"]).status === 0 ? words : null))(["unshare", "--time", "--monotonic", "3000000", "--boottime", "3000000"]);

/** libfaketime, which gives every reading of the wall clock by the C library an offset; null where it is not installed. */
const FAKETIME = ["x86_64", "aarch64"].map((machine) => `/usr/lib/${machine}-linux-gnu/faketime/libfaketimeMT.so.1`).find((path) => existsSync(path)) ?? null;

/** Programs of this rig read their wall clock with an offset from a file, looked up at every reading. */
function clockRig(outer: Rig): Rig {
  const clock = join(outer.scratch, "clock");
  writeFileSync(clock, "+0\n");
  if (FAKETIME !== null) return createRig({ RINGFENCE_HOME: outer.state, LD_PRELOAD: FAKETIME, FAKETIME_TIMESTAMP_FILE: clock, FAKETIME_NO_CACHE: "1", FAKETIME_DONT_FAKE_MONOTONIC: "1", NO_FAKE_STAT: "1" });
  const shift = join(outer.scratch, "shift.cjs");
  const source = `const { readFileSync } = require("node:fs");
const Real = Date;
const offset = () => { try { return Number(readFileSync(${JSON.stringify(clock)}, "utf8")) * 1000 || 0; } catch { return 0; } };
globalThis.Date = class Date extends Real {
  constructor(...args) { super(...(args.length === 0 ? [Real.now() + offset()] : args)); }
  static now() { return Real.now() + offset(); }
};
`;
  writeFileSync(shift, source);
  return createRig({ RINGFENCE_HOME: outer.state, NODE_OPTIONS: `--require=${shift}` });
}
