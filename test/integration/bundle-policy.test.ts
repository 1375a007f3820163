// A bundle holds the policy that was in force, as text, and only the one that the record names; and says it where it has none.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { keepPolicy } from "../../src/adapters/files/policy-keep.js";
import { exportBundle, verifyBundle } from "../../src/compose-bundle.js";
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
  expect(await exported("a.tar")).toEqual({ left: ["its text was not kept"], policy: null, isSound: true });
  const state = join(folder, "state");
  keepPolicy(state, texts.policy.digest, texts.texts);
  const { left, policy, isSound } = await exported("b.tar");
  expect([left, isSound, policy?.["digest"]]).toEqual([[], true, texts.policy.digest]);
  expect(JSON.stringify(policy?.["texts"])).toContain("own.ls");
  const file = join(state, "policies", `${texts.policy.digest.slice("sha256:".length)}.json`);
  writeFileSync(file, readFileSync(file, "utf8").replace("effect: allow", "effect: deny"));
  expect(await exported("c.tar")).toEqual({ left: ["its kept texts make another policy under this version"], policy: null, isSound: true });
});
