// A process of its own that is killed: the real engine with the real record on disk; only container and workspace are the in-memory twins.
// Bundled before it is run. argv: mode (`run`, `recover`), state folder, session id, seed. Prints one line for each record that was
// acknowledged: `seq N DIGEST`; before them `pid N` and, where its work on the record begins, `open`.

import { writeSync } from "node:fs";
import { createLedgerStore } from "../../src/adapters/store/index.js";
import { createRecordingTelemetry } from "../../src/adapters/memory/system.js";
import { createSystemClock } from "../../src/adapters/system/clock.js";
import { sha256 } from "../../src/adapters/system/hasher.js";
import { createSigner } from "../../src/adapters/system/signer.js";
import { canonicalJson } from "../../src/core/ledger/index.js";
import { recoverSessions } from "../../src/engine/recover.js";
import { openSession } from "../../src/engine/session.js";
import { bash, create, createRig, never } from "../support/rig.js";
import { createRandom } from "./random.js";

const [mode = "", stateDir = "", id = "", seed = "0"] = process.argv.slice(2);
/** More than any victim lives to see. */
const CALLS = 10_000;
const LARGE_CHARS = 400_000;
const random = createRandom(Number(seed));
const store = createLedgerStore({ stateDir, clock: createSystemClock(), hasher: sha256, signer: createSigner(stateDir), telemetry: createRecordingTelemetry() });
const rig = createRig({ onEvent: (event) => say(`seq ${event.seq} ${sha256(canonicalJson(event))}`) });

say(`pid ${process.pid}`);
if (mode === "recover") {
  say("open");
  const openSessions = { ...rig.deps.openSessions, abandoned: async () => [id] };
  await recoverSessions({ ...rig.deps, store, openSessions });
  say("recovered");
} else {
  const ids = [id.slice("ses_".length)];
  const session = await openSession({ ...rig.deps, store, ids: { next: () => ids.shift() ?? rig.deps.ids.next() } }, rig.options, never);
  say("open");
  for (let n = 0; n < CALLS; n += 1) await session.call(nextCall(n), {}, never);
}

/** Short and long outputs, arguments that do not fit into a record, edits, changes that policy undoes. */
function nextCall(n: number): ReturnType<typeof bash> {
  if (random.next() < 0.2) return create(`made/${n}.txt`, `${n} ${"text ".repeat(random.int(0, random.next() < 0.2 ? LARGE_CHARS / 5 : 200))}`);
  const command = `work ${n}`;
  const stdout = `${n} ${"line\n".repeat(random.int(0, random.next() < 0.2 ? LARGE_CHARS / 5 : 400))}`;
  const forbidden = random.next() < 0.2;
  rig.programs.set(command, { stdout, changes: (tree) => void tree.set(forbidden ? "protected/x.txt" : `out/${n}.txt`, { kind: "file", content: `${n}` }) });
  return bash(command);
}

function say(line: string): void {
  writeSync(1, `${line}\n`);
}
