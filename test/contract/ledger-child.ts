// A process of its own that works on a ledger, for tests that kill it, starve it, or race it. Bundled before it is run.
// argv: mode, state folder, session id. Prints one line for each acknowledged append.

import { writeSync } from "node:fs";
import { createRecordingTelemetry } from "../../src/adapters/memory/system.js";
import { createLedgerStore } from "../../src/adapters/store/index.js";
import { createSystemClock } from "../../src/adapters/system/clock.js";
import { sha256 } from "../../src/adapters/system/hasher.js";
import { createSigner } from "../../src/adapters/system/signer.js";
import type { EventDraft } from "../../src/core/session/event.js";
import { GuardError, type SessionId } from "../../src/core/shared/index.js";

const [mode = "", stateDir = "", session = ""] = process.argv.slice(2);
const store = createLedgerStore({ stateDir, clock: createSystemClock(), hasher: sha256, signer: createSigner(stateDir), telemetry: createRecordingTelemetry() });
const say = (line: string): void => {
  writeSync(1, `${line}\n`);
};
const draft = (n: number): EventDraft => ({ call: null, type: "session.tightened", data: { reason: `${n} ${"pad ".repeat(n % 40)}`, effect: "ask" } });

try {
  const ledger = mode === "create" || mode === "pace" ? await store.create(session as SessionId) : await store.reopen(session as SessionId);
  say("open");
  if (mode === "hold") {
    await new Promise((resolve) => process.stdin.once("data", resolve));
  } else {
    for (let n = 0; ; n++) {
      const events = await ledger.append([draft(n), draft(n + 1)]);
      say(`seq ${events.at(-1)?.seq}`);
      if (mode === "pace") await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }
  await ledger.close();
  process.exit(0);
} catch (error) {
  say(error instanceof GuardError ? `error ${error.code}` : `error ${String(error)}`);
  process.exit(error instanceof GuardError ? 3 : 4);
}
