// `npm run bench -- --ledger [--check] [--json] [--records N]`: what the record costs. Durable appends against a bare sync of the same bytes on
// the same disk, turn by turn; appends that arrive together; and the verification of N records (10,000,000 unless told otherwise) with the
// memory it takes. The records are those of a session through the engine, repeated. Needs no engine of containers.

import { execFileSync } from "node:child_process";
import { closeSync, fdatasyncSync, fsyncSync, mkdtempSync, openSync, rmSync, statSync, writeFileSync, writeSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { createRecordingTelemetry } from "../../src/adapters/memory/system.js";
import { createLedgerStore } from "../../src/adapters/store/index.js";
import { sessionPaths } from "../../src/adapters/store/paths.js";
import { createSystemClock } from "../../src/adapters/system/clock.js";
import { sha256 } from "../../src/adapters/system/hasher.js";
import { createSigner } from "../../src/adapters/system/signer.js";
import { openStateDir } from "../../src/adapters/system/state-dir.js";
import { canonicalJson, createMerkleTree, digestBytes, genesis, sealRecord, signCheckpoint, type VerifyReport } from "../../src/core/ledger/index.js";
import type { EventDraft } from "../../src/core/session/event.js";
import type { Digest, SessionId } from "../../src/core/shared/index.js";
import { bash, create, createRig, never } from "../support/rig.js";

const args = process.argv.slice(2);
const RECORDS = Number(args[args.indexOf("--records") + 1] ?? 0) || 10_000_000;
/** Rounds of either figure; what is told is the median of them, so that a slow spell of the disk or of the machine counts once. */
const ROUNDS = 9;
/**
 * Appends, and bare syncs, of one round, after some that are not counted: they pay for what the other kind left. So many that most of the rounds are
 * of a process that has been recording for a while, whose code the platform has compiled.
 */
const TURNS = 400;
const UNCOUNTED = 4;
const TOGETHER = 20_000;
const AT_ONCE = 200;
const MEMORY_MIB = 64;
const LARGE: SessionId = "ses_benchlarge";

const verifies = args.indexOf("--verify");
const scratch = verifies >= 0 ? null : mkdtempSync(join(process.env["RINGFENCE_BENCH_DIR"] ?? tmpdir(), "ringfence-bench-ledger-"));
const stateDir = scratch === null ? (args[verifies + 1] ?? "") : openStateDir(join(scratch, "state"));
const signer = createSigner(stateDir);
const store = createLedgerStore({ stateDir, clock: createSystemClock(), hasher: sha256, signer, telemetry: createRecordingTelemetry() });

interface Bar {
  readonly name: string;
  readonly value: number;
  readonly bar: number;
  readonly atMost: boolean;
}

if (scratch === null) await verifyHere(stateDir);
else {
  try {
    await measure();
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function measure(): Promise<void> {
  const drafts = await sessionDrafts();
  const durable = await measureDurable(drafts);
  const together = await measureTogether(drafts);
  const verified = await measureVerify(drafts);
  const bars: readonly Bar[] = [
    { name: "durable append p50 / one fsync of the same bytes on the same disk", value: durable.ratio, bar: 1.5, atMost: true },
    { name: "events a second that arrive together, each durable", value: together.perSecond, bar: 20_000, atMost: false },
    { name: "records verified in a second", value: verified.perSecond, bar: 200_000, atMost: false },
    { name: `memory that ${RECORDS.toLocaleString("en")} records take more than a tenth of them, MiB`, value: verified.growthMiB, bar: MEMORY_MIB, atMost: true },
  ];
  const told = bars.map((row) => ({ ...row, held: row.atMost ? row.value <= row.bar : row.value >= row.bar }));
  const result = { cpus: cpus().length, node: process.version, durable, together, ...verified, bars: told };
  if (args.includes("--json")) process.stdout.write(`${JSON.stringify(result)}\n`);
  else {
    process.stdout.write(`${result.cpus} processors, Node ${result.node}; ${verified.bytesARecord.toFixed(0)} bytes a record\n`);
    process.stdout.write(`  append, durable  p50 ${durable.append.toFixed(3)} ms; write and fsync of the same bytes ${durable.fsync.toFixed(3)} ms, fdatasync ${durable.fdatasync.toFixed(3)} ms; rounds ${durable.ratios.map((ratio) => ratio.toFixed(2)).join(" ")}\n`);
    process.stdout.write(`  together         ${together.perSecond.toFixed(0)} events a second, ${AT_ONCE} at once, ${together.bare.toFixed(0)} as bare writes and syncs of as many bytes; rounds ${together.rates.map((rate) => rate.toFixed(0)).join(" ")}\n`);
    process.stdout.write(`  verified         ${RECORDS.toLocaleString("en")} records, ${verified.seconds.toFixed(1)} s, ${verified.perSecond.toFixed(0)} a second; memory at most ${verified.peakMiB.toFixed(0)} MiB, of a tenth of them ${verified.tenthMiB.toFixed(0)} MiB\n`);
    for (const { name, value, bar, held } of told) process.stdout.write(`  ${held ? "held  " : "MISSED"}  ${name}: ${value.toFixed(2)} (bar ${bar})\n`);
  }
  process.exitCode = args.includes("--check") && told.some(({ held }) => !held) ? 1 : 0;
}

/** What the engine records of some calls: short and long outputs, edits, a refusal, changes. */
async function sessionDrafts(): Promise<readonly EventDraft[]> {
  const rig = createRig({ programs: Object.fromEntries(Array.from({ length: 8 }, (_, n) => [`work ${n}`, { stdout: `line of output ${n}\n`.repeat(1 + n * 8), changes: (tree) => void tree.set(`out/${n}.txt`, { kind: "file", content: `${n}` }) }])) });
  const session = await rig.open();
  for (let n = 0; n < 8; n += 1) await session.call(n % 4 === 3 ? create(`made/${n}.txt`, "text\n".repeat(20)) : bash(`work ${n}`), {}, never);
  await session.call(create(".git/hooks/pre-commit", "#!/bin/sh\n"), {}, never);
  await session.close("finished");
  return (await rig.events(session)).map(({ call, type, data }) => ({ call, type, data }) as EventDraft);
}

interface Durable {
  readonly append: number;
  readonly fsync: number;
  readonly fdatasync: number;
  readonly ratio: number;
  readonly ratios: readonly number[];
}

/**
 * One record at a time, in turn with bare writes of as many bytes and a sync each. Each begins in a process that was at rest, as between two
 * calls. An append pays for the signed head of the one before, which dirties a second file; the bare syncs do not.
 */
async function measureDurable(drafts: readonly EventDraft[]): Promise<Durable> {
  execFileSync("sync");
  const ledger = await store.create("ses_benchdurable");
  const bare = openSync(join(stateDir, "bare"), "a", 0o600);
  const lines = drafts.map((draft) => Buffer.from(sealRecord(draft, { seq: 1_000, prev: genesis(sha256, LARGE), session: "ses_benchdurable", time: "2026-01-01T00:00:00.000Z" }, sha256).line));
  const kinds = {
    append: (n: number) => ledger.append([drafts[n % drafts.length] ?? EMPTY]),
    fsync: (n: number) => syncOnce(bare, lines[n % lines.length] ?? NOTHING, fsyncSync),
    fdatasync: (n: number) => syncOnce(bare, lines[n % lines.length] ?? NOTHING, fdatasyncSync),
  };
  const rounds: { append: number; fsync: number; fdatasync: number }[] = [];
  for (let round = 0; round < ROUNDS; round += 1) rounds.push({ append: await timed(kinds.append), fsync: await timed(kinds.fsync), fdatasync: await timed(kinds.fdatasync) });
  closeSync(bare);
  await ledger.close();
  const ratios = rounds.map(({ append, fsync }) => append / fsync);
  return { append: median(rounds.map(({ append }) => append)), fsync: median(rounds.map(({ fsync }) => fsync)), fdatasync: median(rounds.map(({ fdatasync }) => fdatasync)), ratio: median(ratios), ratios };
}

/** The median of one kind in one round, in milliseconds. */
async function timed(act: (n: number) => unknown): Promise<number> {
  const samples: number[] = [];
  for (let n = 0; n < UNCOUNTED + TURNS; n += 1) {
    const begun = performance.now();
    const pending = act(n);
    if (pending !== undefined) await pending;
    if (n >= UNCOUNTED) samples.push(performance.now() - begun);
    await rest();
  }
  return median(samples);
}

const REST_MS = 2;
const NOTHING = new Uint8Array(0);
const EMPTY: EventDraft = { call: null, type: "session.discarded", data: { reason: "" } };

async function rest(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, REST_MS));
}

function syncOnce(fd: number, bytes: Uint8Array, sync: (fd: number) => void): void {
  writeSync(fd, bytes);
  sync(fd);
}

/** Events a second where so many callers append, each again as soon as its own is durable; and what the disk takes of as many bytes. */
async function measureTogether(drafts: readonly EventDraft[]): Promise<{ readonly perSecond: number; readonly bare: number; readonly rates: readonly number[] }> {
  const ledger = await store.create("ses_benchtogether");
  const fd = openSync(join(stateDir, "bare-together"), "a", 0o600);
  const group = Buffer.from(Array.from({ length: AT_ONCE }, (_, n) => sealRecord(drafts[n % drafts.length] ?? EMPTY, { seq: 1_000, prev: genesis(sha256, LARGE), session: "ses_benchtogether", time: "2026-01-01T00:00:00.000Z" }, sha256).line).join(""));
  const rates: number[] = [];
  const bares: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const begun = performance.now();
    await Promise.all(Array.from({ length: AT_ONCE }, async (_, caller) => {
      for (let n = 0; n < TOGETHER / AT_ONCE; n += 1) await ledger.append([drafts[(caller + n) % drafts.length] ?? EMPTY]);
    }));
    rates.push((TOGETHER / (performance.now() - begun)) * 1000);
    const from = performance.now();
    for (let n = 0; n < TOGETHER / AT_ONCE; n += 1) syncOnce(fd, group, fsyncSync);
    bares.push((TOGETHER / (performance.now() - from)) * 1000);
  }
  closeSync(fd);
  await ledger.close();
  return { perSecond: median(rates), bare: median(bares), rates };
}

async function measureVerify(drafts: readonly EventDraft[]) {
  const tenth = await verifyLarge(drafts, Math.ceil(RECORDS / 10));
  const whole = await verifyLarge(drafts, RECORDS);
  return { seconds: whole.seconds, perSecond: RECORDS / whole.seconds, peakMiB: whole.peakMiB, tenthMiB: tenth.peakMiB, growthMiB: whole.peakMiB - tenth.peakMiB, bytesARecord: whole.bytes / RECORDS };
}

async function verifyLarge(drafts: readonly EventDraft[], records: number): Promise<{ readonly seconds: number; readonly peakMiB: number; readonly bytes: number }> {
  const bytes = writeLarge(drafts, records);
  // A process of its own, so that the memory is that of the verification.
  const { seconds, peakMiB, report } = JSON.parse(execFileSync(process.execPath, [process.argv[1] ?? "", "--verify", stateDir], { encoding: "utf8" })) as { readonly seconds: number; readonly peakMiB: number; readonly report: VerifyReport };
  if (!report.ok || report.records !== records || report.unsigned !== 0) throw new Error(`the ledger that was made does not verify: ${JSON.stringify(report)}`);
  return { seconds, peakMiB, bytes };
}

async function verifyHere(dir: string): Promise<void> {
  const own = createLedgerStore({ stateDir: dir, clock: createSystemClock(), hasher: sha256, signer: createSigner(dir), telemetry: createRecordingTelemetry() });
  const begun = performance.now();
  const report = await own.verify(LARGE);
  const seconds = (performance.now() - begun) / 1000;
  process.stdout.write(JSON.stringify({ seconds, peakMiB: process.resourceUsage().maxRSS / 1024, report }));
}

/** As sealRecord makes them; what does not change is made canonical once. */
function writeLarge(drafts: readonly EventDraft[], records: number): number {
  const paths = sessionPaths(stateDir, LARGE);
  for (const folder of [paths.sessions, paths.heads, paths.folder]) openStateDir(folder);
  const fd = openSync(paths.ledger, "w", 0o600);
  const heads = drafts.map(({ call, data, type }) => ({ head: `{"call":${canonicalJson(call)},"data":${canonicalJson(data)}`, end: `","session":"${LARGE}","time":"2026-01-01T00:00:00.000Z","type":"${type}","v":1}`.slice(1) }));
  const tree = createMerkleTree(sha256);
  let prev: Digest = genesis(sha256, LARGE);
  let lines: string[] = [];
  for (let seq = 0; seq < records; seq += 1) {
    const { head, end } = heads[seq % heads.length] ?? { head: "", end: "" };
    const tail = `,"prev":"${prev}","seq":${seq}${end}`;
    prev = sha256(`ringfence/ledger/v1/record\n${head}${tail}`);
    tree.append(digestBytes(prev));
    lines.push(`${head},"hash":"${prev}"${tail}\n`);
    if (lines.length < 4_000) continue;
    writeSync(fd, lines.join(""));
    lines = [];
  }
  writeSync(fd, lines.join(""));
  closeSync(fd);
  writeFileSync(paths.checkpoint, signCheckpoint({ session: LARGE, size: records, root: tree.root() }, signer, sha256), { mode: 0o600 });
  return statSync(paths.ledger).size;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
