// Runs the ledger contract against both stores.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createMemoryLedgerStore } from "../../src/adapters/memory/ledger.js";
import { createRecordingTelemetry, createSteppingClock } from "../../src/adapters/memory/system.js";
import { createLedgerStore } from "../../src/adapters/store/index.js";
import { sha256 } from "../../src/adapters/system/hasher.js";
import { createSigner } from "../../src/adapters/system/signer.js";
import { openStateDir } from "../../src/adapters/system/state-dir.js";
import { ledgerContract } from "./ledger.contract.js";

ledgerContract("memory", async () => {
  const store = createMemoryLedgerStore({ clock: createSteppingClock(), hasher: sha256 });
  return { store, tamper: async (id, edit) => store.replaceText(id, edit(store.text(id))), dispose: async () => {} };
});

ledgerContract("disk", async () => {
  const stateDir = openStateDir(mkdtempSync(join(tmpdir(), "ringfence-ledger-")));
  const store = createLedgerStore({ stateDir, clock: createSteppingClock(), hasher: sha256, signer: createSigner(stateDir), telemetry: createRecordingTelemetry() });
  return {
    store,
    tamper: async (id, edit) => {
      const path = join(stateDir, "sessions", id, "ledger.jsonl");
      writeFileSync(path, edit(readFileSync(path, "utf8")));
    },
    dispose: async () => rmSync(stateDir, { recursive: true, force: true }),
  };
});
