// A record whose maker was killed between the file and the signed head of it: nothing was acknowledged, and nothing is left of it.

import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createRecordingTelemetry, createSteppingClock } from "../../src/adapters/memory/system.js";
import { createLedgerStore, type FileLedgerStore } from "../../src/adapters/store/index.js";
import { sha256 } from "../../src/adapters/system/hasher.js";
import { createSigner } from "../../src/adapters/system/signer.js";
import { openStateDir } from "../../src/adapters/system/state-dir.js";
import type { SessionId } from "../../src/core/shared/index.js";
import { recoverSessions } from "../../src/engine/recover.js";
import { createRig } from "../support/rig.js";
import { note, opened } from "./ledger.contract.js";

const ID: SessionId = "ses_unborn01";
let stateDir: string;
let store: FileLedgerStore;
const head = (): string => join(stateDir, "heads", `${ID}.checkpoint`);

beforeEach(() => {
  stateDir = openStateDir(mkdtempSync(join(tmpdir(), "ringfence-unborn-")));
  store = createLedgerStore({ stateDir, clock: createSteppingClock(), hasher: sha256, signer: createSigner(stateDir), telemetry: createRecordingTelemetry() });
});
afterEach(() => rmSync(stateDir, { recursive: true, force: true }));

async function recover(): Promise<{ readonly recovered: readonly unknown[]; readonly cleared: readonly string[] }> {
  const { deps } = createRig();
  const cleared: string[] = [];
  const openSessions = { mark: async () => undefined, abandoned: async () => [ID], clear: async (id: string) => void cleared.push(id) };
  return { recovered: await recoverSessions({ ...deps, store, openSessions }), cleared };
}

it.each(["without a head", "with an empty head"])("%s is removed by the next recovery, and its mark with it", async (how) => {
  mkdirSync(dirname(store.ledgerFile(ID)), { recursive: true, mode: 0o700 });
  mkdirSync(dirname(head()), { recursive: true, mode: 0o700 });
  writeFileSync(store.ledgerFile(ID), "", { mode: 0o600 });
  if (how.includes("empty")) writeFileSync(head(), "", { mode: 0o600 });
  expect(await recover()).toEqual({ recovered: [], cleared: [ID] });
  expect([existsSync(dirname(store.ledgerFile(ID))), existsSync(head())]).toEqual([false, false]);
});

it("is not what an emptied record with its head is: that is refused, and stays", async () => {
  const ledger = await store.create(ID);
  await ledger.append([opened("/w"), note("one")]);
  await ledger.close();
  writeFileSync(store.ledgerFile(ID), "");
  await expect(store.reopen(ID)).rejects.toMatchObject({ code: "LEDGER_INVALID" });
  expect(await recover()).toEqual({ recovered: [], cleared: [] });
  expect(await store.verify(ID)).toMatchObject({ ok: false, fault: "cut" });
});
