// An import that is cut off is told as one, whoever cut it; what an imported session has no use for is refused in words; files that are no
// files are not waited for.

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { discardSession, openReview, openStore, recoverAbandoned } from "../../src/compose.js";
import { exportBundle } from "../../src/compose-bundle.js";
import { verifyBundle } from "../../src/compose-bundle-check.js";
import { importTrajectories } from "../../src/compose-import.js";
import { searchSessions } from "../../src/compose-sessions.js";
import { sessionState, sessionStatus, type SessionState } from "../../src/core/session/index.js";
import type { SessionId } from "../../src/core/shared/index.js";

const CLI = fileURLToPath(new URL("../../bin/ringfence.mjs", import.meta.url));
const built = existsSync(fileURLToPath(new URL("../../dist/cli/ringfence.mjs", import.meta.url)));
let folder = "";
let env: NodeJS.ProcessEnv = {};
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "ringfence-ends-"));
  env = { PATH: process.env["PATH"], HOME: folder, RINGFENCE_HOME: join(folder, "state"), RINGFENCE_LOG_LEVEL: "silent" };
  writeFileSync(join(folder, "many.json"), JSON.stringify(Array.from({ length: 300 }, (_, index) => ({ role: "assistant", tool_calls: [{ id: String(index), type: "function", function: { name: "bash", arguments: JSON.stringify({ command: `echo ${String(index)}` }) } }] }))));
  writeFileSync(join(folder, "few.json"), JSON.stringify([{ role: "assistant", tool_calls: [{ id: "1", type: "function", function: { name: "bash", arguments: '{"command":"ls"}' } }] }]));
});
afterEach(() => rmSync(join(folder, "state"), { recursive: true, force: true }));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function stateOf(id: SessionId): Promise<{ readonly state: SessionState | null; readonly isIntact: boolean; readonly last: string }> {
  const { store, close } = await openStore(env);
  try {
    const events = await store.read(id);
    return { state: sessionState(events), isIntact: (await store.verify(id)).ok, last: events.at(-1)?.type ?? "" };
  } finally {
    await close();
  }
}

const ids = (): readonly SessionId[] => readdirSync(join(folder, "state", "sessions")) as SessionId[];
const marks = (): readonly string[] => (existsSync(join(folder, "state", "open")) ? readdirSync(join(folder, "state", "open")) : []);

describe("an import that does not come to its end", () => {
  it("is closed on record as interrupted, with the calls it came to", async () => {
    const abort = new AbortController();
    abort.abort();
    await expect(importTrajectories({ paths: [join(folder, "many.json")], env, format: "chat", signal: abort.signal })).rejects.toMatchObject({ code: "CANCELLED" });
    const [id] = ids();
    const { state, isIntact, last } = await stateOf(id ?? "ses_none");
    expect([isIntact, last, state?.closed?.reason, state?.calls.length, sessionStatus(state), marks()]).toEqual([true, "session.closed", "cancelled", 1, "incomplete", []]);
    expect((await searchSessions({ query: { status: "incomplete" }, limit: 5, rebuild: false, env })).found.map((one) => one.id)).toEqual([id]);
  });

  it("is closed by the next command when its process was killed, and nothing of it is called in doubt", async () => {
    const [outcome] = await importTrajectories({ paths: [join(folder, "few.json")], env, format: "chat" });
    if (outcome?.ok !== true) throw new Error("not imported");
    const { store, close } = await openStore(env);
    const events = await store.read(outcome.session.session);
    const cut = await store.create("ses_cutoff01");
    // All but the end of its only call, and of the session.
    await cut.append(events.filter(({ type }) => ["session.opened", "call.received", "decision.made"].includes(type)).map(({ call, type, data }) => ({ call, type, data }) as never));
    await cut.close();
    await close();
    mkdirSync(join(folder, "state", "open"), { recursive: true });
    writeFileSync(join(folder, "state", "open", "ses_cutoff01"), "v1.1.1.00000000-0000-0000-0000-000000000000.1");
    const told: unknown[] = [];
    await recoverAbandoned(env, (recovered) => void told.push(recovered));
    const { state, isIntact } = await stateOf("ses_cutoff01");
    expect([told, isIntact, state?.closed, sessionStatus(state)]).toEqual([[{ session: "ses_cutoff01", inDoubt: [] }], true, { reason: "recovered", detail: "the import was cut off: the file may have more", calls: 1 }, "incomplete"]);
    expect(state?.calls[0]?.outcome).toBe("cancelled");
  });
});

describe("an imported session", () => {
  it("has its policy in its bundle, and nothing to review, take over or throw away", async () => {
    const [outcome] = await importTrajectories({ paths: [join(folder, "few.json")], env, format: "chat" });
    const id = outcome?.ok === true ? outcome.session.session : "ses_none";
    const made = await exportBundle(id, join(folder, "few.tar"), env, { force: false });
    expect(made.left.map(({ what }) => what)).toEqual(["changes.patch"]);
    expect(verifyBundle(made.file, { keyFile: null, headFile: null }).ok).toBe(true);
    for (const refused of [openReview(id, env), discardSession(id, env)]) await expect(refused).rejects.toMatchObject({ code: "USAGE_INVALID" });
    expect((await stateOf(id)).last).toBe("session.closed");
  });
});

describe("what is no regular file", () => {
  it.skipIf(!built)("is refused at once where a bundle, a key, a head or a trajectory is wanted", async () => {
    await importTrajectories({ paths: [join(folder, "few.json")], env, format: "chat" });
    for (const args of [["bundle", "verify", "/dev/zero"], ["log", "verify", "last", "--expect-head", "/dev/zero"], ["log", "verify", "last", "--key", "/dev/zero"], ["import", "/dev/zero"]]) {
      const { status, stderr } = spawnSync(process.execPath, [CLI, ...args], { encoding: "utf8", timeout: 20_000, env });
      expect([args.join(" "), status, stderr]).toEqual([args.join(" "), 2, expect.stringContaining("is no regular file")]);
    }
  });
});
