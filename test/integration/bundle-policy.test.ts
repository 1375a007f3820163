// A bundle holds the policy that was in force, as text, and only the one that the record names; and says it where it has none.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { keepPolicy } from "../../src/adapters/files/policy-keep.js";
import { exportBundle } from "../../src/compose-bundle.js";
import { verifyBundle } from "../../src/compose-bundle-check.js";
import { withPolicy } from "../../src/compose-bundle-policy.js";
import { importTrajectories } from "../../src/compose-import.js";
import { loadPolicyTexts } from "../../src/compose-policy.js";
import { readTar } from "../../src/core/archive/index.js";
import type { JsonObject } from "../../src/core/shared/index.js";

const POLICY = 'version: 1\nid: own\ntitle: Own\nrules:\n  - id: own.ls\n    effect: allow\n    message: listing\n    when: [{ exec: { programs: [ls] } }]\n    match: [{ command: "ls" }]\n';
let folder = "";
let env: NodeJS.ProcessEnv = {};
let session = "";
let texts: Awaited<ReturnType<typeof loadPolicyTexts>>;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "ringfence-bundle-"));
  env = { PATH: process.env["PATH"], HOME: folder, RINGFENCE_HOME: join(folder, "state"), RINGFENCE_LOG_LEVEL: "silent" };
  const policy = join(folder, "own.policy.yaml");
  const file = join(folder, "one.json");
  writeFileSync(policy, POLICY);
  writeFileSync(file, JSON.stringify([{ role: "assistant", content: "", tool_calls: [{ id: "a", function: { name: "bash", arguments: '{"command":"ls"}' } }] }, { role: "tool", tool_call_id: "a", content: "x\n" }]));
  texts = await loadPolicyTexts([policy], env, null);
  const [done] = await importTrajectories({ paths: [file], policies: [policy], env });
  session = done?.ok === true ? done.session.session : "";
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function exported(name: string): Promise<{ readonly left: readonly string[]; readonly policy: JsonObject | null; readonly isSound: boolean }> {
  const made = await exportBundle(session, join(folder, name), env, { force: true });
  const archive = readTar(readFileSync(made.file), { files: 100, bytes: 1e8 });
  const bytes = archive.ok ? archive.value.get("policy.json") : undefined;
  return { left: made.left.filter(({ what }) => what === "policy.json").map(({ why }) => why), policy: bytes === undefined ? null : (JSON.parse(Buffer.from(bytes).toString("utf8")) as JsonObject), isSound: verifyBundle(made.file, { keyFile: null, headFile: null }).ok };
}

it("says why there is none, and holds it once it is kept; texts that make another policy are left out", async () => {
  const state = join(folder, "state");
  rmSync(join(state, "policies"), { recursive: true, force: true });
  expect(await exported("a.tar")).toEqual({ left: ["its text was not kept"], policy: null, isSound: true });
  keepPolicy(state, texts.policy.digest, texts.texts);
  const { left, policy, isSound } = await exported("b.tar");
  expect([left, isSound, policy?.["digest"]]).toEqual([[], true, texts.policy.digest]);
  expect(JSON.stringify(policy?.["texts"])).toContain("own.ls");
  const file = join(state, "policies", `${texts.policy.digest.slice("sha256:".length)}.json`);
  writeFileSync(file, readFileSync(file, "utf8").replace("effect: allow", "effect: deny"));
  expect(await exported("c.tar")).toEqual({ left: ["its kept texts make another policy under this version"], policy: null, isSound: true });
});

it("is held against the record by what it compiles to: of another version only told, of this one a fault", async () => {
  const state = join(folder, "state");
  rmSync(join(state, "policies"), { recursive: true, force: true });
  keepPolicy(state, texts.policy.digest, texts.texts);
  const { file } = await exportBundle(session, join(folder, "d.tar"), env, { force: true });
  const report = verifyBundle(file, { keyFile: null, headFile: null });
  const archive = readTar(readFileSync(file), { files: 100, bytes: 1e8 });
  const files = archive.ok ? archive.value : new Map<string, Uint8Array>();
  const policy = Buffer.from(files.get("policy.json") ?? []).toString("utf8");
  const product = (JSON.parse(Buffer.from(files.get("ledger.jsonl") ?? []).toString("utf8").split("\n")[0] ?? "") as { readonly data: { readonly product: string } }).data.product;
  const judged = (text: string, by: string) => withPolicy(report, new Map([...files, ["policy.json", Buffer.from(text)]]), by);
  expect(judged(policy, product)).toEqual(report);
  const changed = policy.replace("message: listing", "message: anything");
  expect(judged(changed, product)).toMatchObject({ ok: false, verdict: "invalid", faults: ["its `policy.json` makes another policy than the one on record"] });
  expect(judged(changed, "ringfence 99.0.0")).toMatchObject({ ok: true, unknown: [...report.unknown, expect.stringContaining("makes another policy than the one on record under ringfence 99.0.0") as string] });
  expect(judged(policy.replace("version: 1", "version: x"), product).faults).toEqual(["its `policy.json` does not compile"]);
  expect(judged(policy.replace(/"digest": "sha256:./u, '"digest": "sha256:x'), product).faults).toEqual(["its `policy.json` is not the policy on record"]);
  for (const none of ["[]", "null", "{", '{"v":1,"texts":[null]}', '{"v":1,"texts":[{"name":"a","text":"b","tier":"nobody"}]}']) expect(judged(none, product).faults).toEqual(["its `policy.json` is no policy"]);
});
