// One step read by the index beside the record is the step of the whole record, or nothing: an index is never believed for another head,
// another length, or a record that is not the one it names.

import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createRecordingTelemetry, createSteppingClock } from "../../src/adapters/memory/system.js";
import { createLedgerStore, type FileLedgerStore } from "../../src/adapters/store/index.js";
import { sha256 } from "../../src/adapters/system/hasher.js";
import { createSigner } from "../../src/adapters/system/signer.js";
import { openStateDir } from "../../src/adapters/system/state-dir.js";
import { stepOf, timelineHeadOf, timelineOf, type ScoreAt } from "../../src/core/replay/index.js";
import type { AuditEvent } from "../../src/core/session/event.js";
import type { SessionId } from "../../src/core/shared/index.js";
import { openSession } from "../../src/engine/session.js";
import { bash, create, createRig, never } from "../support/rig.js";
import { note } from "./ledger.contract.js";

let stateDir: string;
let store: FileLedgerStore;
let id: SessionId;
const CALLS = 9;
const index = (): string => join(dirname(store.ledgerFile(id)), "steps.index");
const open = (): FileLedgerStore => createLedgerStore({ stateDir, clock: createSteppingClock(), hasher: sha256, signer: createSigner(stateDir), telemetry: createRecordingTelemetry() });

beforeEach(async () => {
  stateDir = openStateDir(mkdtempSync(join(tmpdir(), "ringfence-steps-")));
  store = open();
  const rig = createRig({ programs: { work: { stdout: "x".repeat(60_000), changes: (tree) => void tree.set("protected/x", { kind: "file", content: "x" }) }, ls: {} } });
  const session = await openSession({ ...rig.deps, store }, rig.options, never);
  for (let n = 0; n < CALLS; n += 1) await session.call(n % 3 === 0 ? bash("work") : n % 3 === 1 ? create(n === 4 ? ".git/hooks/x" : `made/${n}`, "x".repeat(40_000)) : bash("ls"), {}, never);
  await session.close("finished");
  id = session.id as SessionId;
});
afterEach(() => rmSync(stateDir, { recursive: true, force: true }));

const score = (event: AuditEvent | null | undefined): ScoreAt | null => (event?.type === "risk.updated" ? { score: event.data.score, band: event.data.band } : null);

/** Changes a byte of a file, from its beginning or its end. */
function flip(path: string, at: number): void {
  const bytes = readFileSync(path);
  const place = at < 0 ? bytes.length + at : at;
  bytes[place] = (bytes[place] ?? 0) ^ 1;
  writeFileSync(path, bytes);
}

describe("a step by its index", () => {
  it("is what it is in the whole record, with what stands above it, for every step; and no other exists", async () => {
    const timeline = timelineOf(await store.read(id));
    const head = timeline === null ? null : timelineHeadOf(timeline);
    for (let number = 1; number <= CALLS; number += 1) {
      const found = await store.readStep(id, number);
      if (found === null) throw new Error(`step ${number} is not found`);
      expect(stepOf(found.opened, found.records, { number, before: score(found.before), after: score(found.after) })).toEqual(timeline?.steps[number - 1]);
      expect([found.verdicts, score(found.last), found.steps, found.opened.data]).toEqual([head?.verdicts, { score: head?.live.score, band: head?.live.band }, CALLS, head?.opened]);
    }
    expect([await store.readStep(id, 0), await store.readStep(id, CALLS + 1)]).toEqual([null, null]);
  });

  it("is not given by an index that was changed, cut, made longer, or belongs to another session", async () => {
    const whole = readFileSync(index());
    const rows = whole.length - 64 - 45 * (await store.read(id)).length;
    for (const at of [3, rows - 3, rows + 1, Math.floor(whole.length / 2), whole.length - 70, whole.length - 1]) {
      flip(index(), at);
      expect([at, await store.readStep(id, 2)]).toEqual([at, null]);
      writeFileSync(index(), whole);
    }
    for (const bytes of [whole.subarray(0, -1), Buffer.concat([whole, Buffer.from("x")]), Buffer.alloc(0)]) {
      writeFileSync(index(), bytes);
      expect(await store.readStep(id, 2)).toBe(null);
    }
    const mine = id;
    const other = await store.create("ses_another01");
    await other.append([note("x")]);
    await other.close();
    id = "ses_another01";
    const theirs = readFileSync(index());
    id = mine;
    writeFileSync(index(), theirs);
    expect(await store.readStep(id, 1)).toBe(null);
  });

  it("is not given for a record that was changed, cut, or written on, and reading the whole says what it is", async () => {
    const ledger = store.ledgerFile(id);
    const whole = readFileSync(ledger);
    const place = whole.indexOf('"tool":"bash"');
    flip(ledger, place);
    expect(await store.readStep(id, 1)).toBe(null);
    await expect(store.readAndIndex(id)).rejects.toMatchObject({ code: "LEDGER_INVALID" });
    writeFileSync(ledger, whole);
    truncateSync(ledger, whole.length - 10);
    expect(await store.readStep(id, 1)).toBe(null);
    writeFileSync(ledger, Buffer.concat([whole, Buffer.from("x\n")]));
    expect(await store.readStep(id, 1)).toBe(null);
  });

  it("is made anew by who reads the whole, where it is absent or of an older head", async () => {
    unlinkSync(index());
    expect(await store.readStep(id, 1)).toBe(null);
    const before = await store.readAndIndex(id);
    expect((await store.readStep(id, 1))?.events).toBe(before.length);
    const ledger = await store.reopen(id);
    await ledger.append([{ call: null, type: "session.discarded", data: { reason: "by command" } }]);
    await ledger.close();
    expect(await store.readStep(id, 1)).toBe(null);
    await store.readAndIndex(id);
    expect((await store.readStep(id, CALLS))?.events).toBe(before.length + 1);
    expect(statSync(index()).mode & 0o777).toBe(0o600);
  });

  it("is not made for a record whose end nobody signed", async () => {
    const head = join(stateDir, "heads", `${id}.checkpoint`);
    const older = readFileSync(head, "utf8");
    const ledger = await store.reopen(id);
    await ledger.append([{ call: null, type: "session.discarded", data: { reason: "by command" } }]);
    await ledger.close();
    writeFileSync(head, older);
    unlinkSync(index());
    await store.readAndIndex(id);
    expect(existsSync(index())).toBe(false);
  });
});
