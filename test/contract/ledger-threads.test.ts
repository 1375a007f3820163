// A ledger large enough for several threads is verified by them, and says the same as one in order where anything is wrong with it.

import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createRecordingTelemetry, createSteppingClock } from "../../src/adapters/memory/system.js";
import { createLedgerStore, type FileLedgerStore } from "../../src/adapters/store/index.js";
import { THREADS_FROM, verifyByThreads } from "../../src/adapters/store/verify-threads.js";
import { sha256 } from "../../src/adapters/system/hasher.js";
import { createSigner } from "../../src/adapters/system/signer.js";
import { openStateDir } from "../../src/adapters/system/state-dir.js";
import { openHead, SIGNER } from "../unit/ledger/sample.js";
import { publicKeyPem } from "../../src/adapters/system/hasher.js";
import { canonicalJson, createMerkleTree, digestBytes, genesis, signCheckpoint } from "../../src/core/ledger/index.js";
import type { Digest, SessionId } from "../../src/core/shared/index.js";

const ID: SessionId = "ses_threads01";
const isBuilt = existsSync(fileURLToPath(new URL("../../dist/lib/adapters/store/verify-worker.js", import.meta.url)));
const PAD = canonicalJson({ effect: "ask", reason: "a reason €\n".repeat(180) });
let folder: string;
let path: string;
let records = 0;
let store: FileLedgerStore;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "ringfence-threads-"));
  const stateDir = openStateDir(join(folder, "state"));
  store = createLedgerStore({ stateDir, clock: createSteppingClock(), hasher: sha256, signer: createSigner(stateDir), telemetry: createRecordingTelemetry() });
  path = join(folder, "large.jsonl");
  const fd = openSync(path, "w");
  const tree = createMerkleTree(sha256);
  let prev: Digest = genesis(sha256, ID);
  for (let bytes = 0; bytes < THREADS_FROM + 1_000_000; records += 1) {
    const tail = `,"prev":"${prev}","seq":${records},"session":"${ID}","time":"2026-01-01T00:00:00.000Z","type":"session.tightened","v":1}`;
    const head = `{"call":null,"data":${PAD}`;
    prev = sha256(`ringfence/ledger/v1/record\n${head}${tail}`);
    tree.append(digestBytes(prev));
    bytes += writeSync(fd, `${head},"hash":"${prev}"${tail}\n`);
  }
  closeSync(fd);
  writeFileSync(`${path}.checkpoint`, signCheckpoint({ session: ID, size: records, root: tree.root() }, SIGNER, sha256));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const verify = (file: string): ReturnType<FileLedgerStore["verify"]> => store.verify(file, { publicKeyPem: publicKeyPem(SIGNER.publicKey), checkpoints: [`${path}.checkpoint`] });

it.skipIf(!isBuilt)(`is answered by threads where it is sound${isBuilt ? "" : " (skipped: not built)"}`, async () => {
  const fd = openSync(path, "r");
  try {
    const answer = await verifyByThreads({ fd, size: statSync(path).size, session: ID, heads: [openHead(readFileSync(`${path}.checkpoint`, "utf8"))] });
    expect(answer?.report).toMatchObject({ ok: true, records, signed: records, unsigned: 0 });
    expect(answer?.report).toEqual(await verify(path));
  } finally {
    closeSync(fd);
  }
});

it("names the line of one changed byte, and of a cut end", async () => {
  const copy = join(folder, "copy.jsonl");
  const bytes = readFileSync(path);
  const at = Math.floor(bytes.length * 0.7);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  writeFileSync(copy, bytes);
  const line = bytes.subarray(0, at).reduce((count, byte) => count + (byte === 10 ? 1 : 0), 1);
  expect(await verify(copy)).toMatchObject({ ok: false, fault: "changed", line });
  bytes[at] ^= 1;
  writeFileSync(copy, bytes);
  truncateSync(copy, bytes.length - 100);
  expect(await verify(copy)).toMatchObject({ ok: false, fault: "cut", line: records });
});
