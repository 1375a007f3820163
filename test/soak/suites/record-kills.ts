// The orchestrator is killed (SIGKILL) at a random moment while it keeps its record: the real engine and the real ledger, in a process of
// its own, with the in-memory twins for container and workspace, so that a thousand kills take minutes. By the clock, and just before a
// random call of the system that writes, syncs or exchanges a name. `kills` does the same to whole sessions in containers.

import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { createRecordingTelemetry } from "../../../src/adapters/memory/system.js";
import { createLedgerStore, type FileLedgerStore } from "../../../src/adapters/store/index.js";
import { createSystemClock } from "../../../src/adapters/system/clock.js";
import { sha256 } from "../../../src/adapters/system/hasher.js";
import { createSigner } from "../../../src/adapters/system/signer.js";
import { processStart } from "../../../src/adapters/system/process-start.js";
import { openStateDir } from "../../../src/adapters/system/state-dir.js";
import { blobsOf } from "../../../src/core/bundle/index.js";
import { canonicalJson, type VerifyReport } from "../../../src/core/ledger/index.js";
import { sessionState, type AuditEvent } from "../../../src/core/session/index.js";
import type { SessionId } from "../../../src/core/shared/index.js";
import { recoverSessions } from "../../../src/engine/recover.js";
import { createRig } from "../../support/rig.js";
import { CHECKOUT } from "../checkout.js";
import { createRandom, type Random } from "../random.js";
import type { Report, Suite, Task } from "../suite.js";

export const suite: Suite = {
  name: "record-kills",
  law: "whenever the orchestrator is killed, no acknowledged record and no output it points at is lost, the record verifies or names the line in doubt, and recovery closes it truly",
  unit: "kills",
  needs: "nothing",
  full: 1_000,
  sample: 50,
  run,
};

const LANES = 2;
/** Every so many kills a second verifier, in another language, reads what is left. */
const SECOND_EVERY = 10;
/** One in so many is killed while it starts. */
const EARLY = 0.1;
/** What is killed just before: writes, syncs, changes of names. The number is the most of its kind that is waited for. */
const MOMENTS = { write: 300, pwrite64: 40, fdatasync: 60, fsync: 8, openat: 250, rename: 12, link: 2, unlink: 4, mkdir: 8 } as const;
const KINDS = Object.keys(MOMENTS) as [keyof typeof MOMENTS, ...(keyof typeof MOMENTS)[]];
/** Longest wait for the remains of a victim to be remains. */
const GONE_MS = 10_000;

interface World {
  readonly child: string;
  readonly hasStrace: boolean;
  /** What a victim needs for its start, and from there for its first hundred records. */
  readonly startMs: number;
  readonly lifeMs: number;
  readonly report: Report;
  readonly second: Left[];
}

/** What a kill left, for the second verifier. */
interface Left {
  readonly what: string;
  readonly ledger: string;
  readonly checkpoint: string;
  readonly key: string;
  readonly ours: string;
}

async function run({ seed, count, report, signal }: Task): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "ringfence-victims-"));
  try {
    const child = join(folder, "victim.mjs");
    await build({ absWorkingDir: CHECKOUT, entryPoints: [join(CHECKOUT, "test", "soak", "record-victim.ts")], bundle: true, platform: "node", format: "esm", outfile: child, logLevel: "error", banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" } });
    const hasStrace = spawnSync("strace", ["-V"]).status === 0;
    const world: World = { child, hasStrace, ...(await measure(folder, child)), report, second: [] };
    report.figure("a victim starts within, ms", Math.round(world.startMs));
    report.figure("and keeps its first hundred records within, ms", Math.round(world.lifeMs));
    const random = createRandom(seed);
    let next = 0;
    const lane = async (): Promise<void> => {
      while (next < count && !signal.aborted) {
        const index = next;
        next += 1;
        const { wrong, at } = await oneKill(world, folder, index, random.fork(`${index}`));
        for (const text of wrong) report.fail(`kill ${index} of seed ${seed}: ${at}`, text);
        report.done();
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
    for (const text of compareSecond(world.second)) report.fail("the second verifier", text);
    report.tally("read by a second verifier", world.second.length);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** How and when a victim is killed: so long after its start or after its work begins, unless its tracer does it before. */
interface Death {
  readonly words: readonly string[];
  readonly from: "start" | "open";
  readonly afterMs: number;
  /** For who reads of it. */
  readonly at: string;
}

interface Victim {
  readonly out: string;
  /** It was killed before it ended by itself. */
  readonly isKilled: boolean;
}

async function kill({ words, from, afterMs }: Death): Promise<Victim> {
  const [program = "", ...rest] = words;
  // The whole group is killed: a tracer that dies alone would let its victim go on.
  const victim = spawn(program, rest, { stdio: ["ignore", "pipe", "pipe"], detached: true });
  let out = "";
  let err = "";
  let timer: NodeJS.Timeout | null = null;
  const arm = (): void => {
    timer ??= setTimeout(() => process.kill(-(victim.pid ?? 0), "SIGKILL"), afterMs);
  };
  if (from === "start") arm();
  victim.stdout.on("data", (chunk: Buffer) => {
    out += chunk.toString();
    if (timer === null && /^open$/mu.test(out)) arm();
  });
  victim.stderr.on("data", (chunk: Buffer) => void (err += chunk.toString()));
  const [code, by] = (await once(victim, "close")) as [number | null, string | null];
  if (timer !== null) clearTimeout(timer);
  const isKilled = by === "SIGKILL" || code === 137;
  if (!isKilled && code !== 0) throw new Error(`a victim ended by itself with ${String(code)}: ${err.slice(0, 2_000)}`);
  const pid = Number(/^pid (\d+)$/mu.exec(out)?.[1] ?? 0);
  // Nothing of it is open any more, but it may not have died wholly where its tracer was killed with it.
  const begun = performance.now();
  while (pid > 0 && processStart(pid) !== null) {
    if (performance.now() - begun > GONE_MS) throw new Error(`process ${pid} does not die`);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return { out, isKilled };
}

/** How long a victim needs here and now, so that moments fall into its life on a slow machine too. */
async function measure(folder: string, child: string): Promise<Pick<World, "startMs" | "lifeMs">> {
  const stateDir = openStateDir(mkdtempSync(join(folder, "state-")));
  const begun = performance.now();
  const victim = spawn(process.execPath, [child, "run", stateDir, "ses_measured0", "1"], { stdio: ["ignore", "pipe", "inherit"] });
  let out = "";
  let opened = Number.NaN;
  try {
    const ended = await new Promise<number>((resolve, reject) => {
      victim.stdout.on("data", (chunk: Buffer) => {
        out += chunk.toString();
        if (Number.isNaN(opened) && /^open$/mu.test(out)) opened = performance.now();
        if (/^seq 100 /mu.test(out)) resolve(performance.now());
      });
      victim.once("close", () => reject(new Error("the victim does not keep a record")));
    });
    return { startMs: opened - begun, lifeMs: ended - opened };
  } finally {
    victim.kill("SIGKILL");
  }
}

/** Just before a random call of the system, or by the clock. */
function deathOf({ hasStrace, startMs, lifeMs }: World, words: readonly string[], random: Random): Death {
  if (!hasStrace || random.next() < 0.7) {
    const isEarly = random.next() < EARLY;
    const afterMs = random.next() * (isEarly ? startMs * 1.3 : lifeMs * 3);
    return { words, from: isEarly ? "start" : "open", afterMs, at: `${afterMs.toFixed(1)} ms after its ${isEarly ? "start" : "opening"}` };
  }
  const kind = random.pick(KINDS);
  const place = random.int(1, MOMENTS[kind]);
  return { words: ["strace", "--follow-forks", "--seccomp-bpf", "--output=/dev/null", `--trace=${kind}`, `--inject=${kind}:signal=SIGKILL:when=${place}`, ...words], from: "open", afterMs: lifeMs * 5, at: `before ${kind} ${place}` };
}

async function oneKill(world: World, folder: string, index: number, random: Random): Promise<{ readonly wrong: readonly string[]; readonly at: string }> {
  const stateDir = openStateDir(mkdtempSync(join(folder, "state-")));
  const id: SessionId = `ses_victim${String(index).padStart(6, "0")}`;
  const store = createLedgerStore({ stateDir, clock: createSystemClock(), hasher: sha256, signer: createSigner(stateDir), telemetry: createRecordingTelemetry() });
  try {
    const node = [process.execPath, world.child];
    const first = deathOf(world, [...node, "run", stateDir, id, String(random.int(1, 1_000_000))], random);
    const { out } = await kill(first);
    const wrong = [...(await checkKilled(world, store, id, out, index))];
    if (random.next() < 0.25) {
      // Killed again while it is recovered: the record has to survive that too.
      const again = deathOf(world, [...node, "recover", stateDir, id, "0"], random);
      const { isKilled } = await kill(again);
      world.report.tally(isKilled ? "killed again while it was recovered" : "recovered by another process");
      wrong.push(...(await checkKilled(world, store, id, out, index)).map((text) => `after ${again.at} of recovering: ${text}`));
    }
    wrong.push(...(await checkRecovered(world, store, id)));
    return { wrong, at: first.at };
  } finally {
    rmSync(stateDir, { recursive: true, force: true });
  }
}

/** What was acknowledged is there, to the byte, with what it points at; and what is left holds, or names the line in doubt. */
async function checkKilled({ report, second }: World, store: FileLedgerStore, id: SessionId, out: string, index: number): Promise<readonly string[]> {
  const acknowledged = [...out.matchAll(/^seq (\d+) (sha256:[0-9a-f]{64})$/gmu)].map(([, seq, digest]) => ({ seq: Number(seq), digest }));
  const file = store.ledgerFile(id);
  if (!existsSync(file) || statSync(file).size === 0) {
    report.tally("before the first record");
    return acknowledged.length === 0 ? [] : [`${acknowledged.length} records were acknowledged, and there is none`];
  }
  const verdict = await store.verify(id);
  const note = store.checkpoint(id) ?? "";
  const isTorn = !verdict.ok && verdict.fault === "torn" && verdict.headHolds && verdict.line === verdict.records + 1;
  report.tally(isTorn ? "names the line in doubt" : verdict.ok && verdict.unsigned > 0 ? "verifies, the last records after the signed head" : verdict.ok ? "verifies" : "does not verify");
  if (!verdict.ok && !isTorn) return [`it does not verify: ${verdict.fault} at line ${String(verdict.line)}: ${verdict.message}`];
  if (isTorn || index % SECOND_EVERY === 0) second.push({ what: `kill ${index}`, ledger: readFileSync(file).toString("base64"), checkpoint: note, key: store.publicKeyPem(), ours: wordOf(verdict) });
  const events = await store.read(id);
  const wrong = acknowledged.flatMap(({ seq, digest }) => (digestOf(events[seq]) === digest ? [] : [`acknowledged record ${seq} is not there as it was`]));
  for (const digest of blobsOf(events)) if ((await store.readBlob(id, digest).catch(() => null)) === null) wrong.push(`the record points at ${digest}, which is not there`);
  report.tally("records acknowledged", acknowledged.length);
  return wrong;
}

function digestOf(event: AuditEvent | undefined): string | null {
  return event === undefined ? null : sha256(canonicalJson(event));
}

function wordOf(report: VerifyReport): string {
  return report.ok ? `ok ${report.records} ${report.signed ?? 0}` : `line ${String(report.line)}`;
}

/** One recovery closes it: what was running is in doubt, nothing before it moved, all of it is signed. */
async function checkRecovered({ report }: World, store: FileLedgerStore, id: SessionId): Promise<readonly string[]> {
  if (!existsSync(store.ledgerFile(id))) return [];
  const before = statSync(store.ledgerFile(id)).size === 0 ? [] : await store.read(id);
  const { deps } = createRig();
  const told: string[] = [];
  const telemetry = { ...deps.telemetry, warn: (message: string, fields?: object) => void told.push(`${message} ${JSON.stringify(fields)}`) };
  await recoverSessions({ ...deps, store, telemetry, openSessions: { ...deps.openSessions, abandoned: async () => [id] } });
  if (before.length === 0) return existsSync(store.ledgerFile(id)) ? [`an empty record is still there: ${told.join("; ")}`] : [];
  const verdict = await store.verify(id);
  const after = await store.read(id);
  const state = sessionState(after);
  const wrong: string[] = [];
  if (!verdict.ok || verdict.unsigned > 0) wrong.push(`after recovery it is ${verdict.ok ? "not all signed" : `${verdict.fault}: ${verdict.message}`}`);
  if (JSON.stringify(after.slice(0, before.length)) !== JSON.stringify(before)) wrong.push("recovery changed what was on record");
  if (state?.closed === null || state === null) wrong.push(`recovery did not close it: ${told.join("; ")}`);
  const ends = new Map(after.flatMap((event) => (event.type === "call.closed" ? [[event.call, event.data.outcome] as const] : [])));
  for (const event of before) {
    if (event.type !== "execution.started" || before.some((other) => other.type === "call.closed" && other.call === event.call)) continue;
    report.tally("calls in doubt");
    if (ends.get(event.call) !== "in-doubt") wrong.push(`${String(event.call)} was running and is called ${String(ends.get(event.call))}`);
  }
  return wrong;
}

/** Verdicts of test/verifier/verify.py that differ from ours. Without Python here there is nothing to compare. */
function compareSecond(cases: readonly Left[]): readonly string[] {
  if (spawnSync("python3", ["--version"]).status !== 0 || cases.length === 0) return [];
  const input = cases.map(({ ledger, checkpoint, key }) => `${JSON.stringify({ ledger, checkpoint, key })}\n`).join("");
  const verdicts = execFileSync("python3", [join(CHECKOUT, "test", "verifier", "verify.py"), "--batch"], { input, encoding: "utf8", maxBuffer: 64 * 1024 * 1024, timeout: 300_000 }).trimEnd().split("\n");
  return cases.flatMap(({ what, ours }, at) => (verdicts[at] === ours ? [] : [`${what}: ours ${ours}, theirs ${String(verdicts[at])}`]));
}
