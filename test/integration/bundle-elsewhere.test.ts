// A bundle where nothing else of its session is: in an empty state folder it is shown, exported and judged again, as the session was at home,
// and one that was touched is refused. A record that is gone although its head is not.

import { spawnSync } from "node:child_process";
import { copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { exportBundle } from "../../src/compose-bundle.js";
import { verifyBundle } from "../../src/compose-bundle-check.js";
import { openRecord } from "../../src/compose-bundle-open.js";
import { goneRecord, prunedFault } from "../../src/compose-heads.js";
import { importTrajectories } from "../../src/compose-import.js";
import { redecideSessions } from "../../src/compose-redecide.js";
import { exportStored, openReplay, openStep, writeSessionPage } from "../../src/compose-replay.js";
import { rerunSession } from "../../src/compose-rerun.js";
import { openStore } from "../../src/compose-store.js";
import { TAR_BLOCK } from "../../src/core/archive/index.js";
import type { EventDraft } from "../../src/core/session/index.js";
import { LIMITS, type SessionId } from "../../src/core/shared/index.js";
import { OPENED } from "../unit/session/events.js";

const CLI = fileURLToPath(new URL("../../bin/ringfence.mjs", import.meta.url));
const built = existsSync(fileURLToPath(new URL("../../dist/cli/main.cjs", import.meta.url)));
const NO_LS = 'version: 1\nid: own\ntitle: Own\nextends: [kimi-dev]\nrules:\n  - id: own.no-ls\n    effect: deny\n    layer: L7\n    threats: [maestro:L7/agent-tool-misuse]\n    message: no listing\n    when: [{ exec: { programs: [ls] } }]\n    match: [{ command: "ls" }]\n    notMatch: [{ command: "cat a" }]\n';
/** Longer than what stands in the record itself. */
const OUTPUT = "a line of the output\n".repeat(2_000);
const NONE = { keyFile: null, headFile: null };

let folder = "";
let home: NodeJS.ProcessEnv = {};
let elsewhere: NodeJS.ProcessEnv = {};
let session: SessionId = "ses_none";
let bundle = "";
let bytes = new Uint8Array(0);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "ringfence-elsewhere-"));
  const base = { PATH: process.env["PATH"], HOME: folder, RINGFENCE_LOG_LEVEL: "silent", NO_COLOR: "1" };
  home = { ...base, RINGFENCE_HOME: join(folder, "home") };
  elsewhere = { ...base, RINGFENCE_HOME: join(folder, "elsewhere") };
  const file = join(folder, "one.json");
  writeFileSync(join(folder, "no-ls.policy.yaml"), NO_LS);
  writeFileSync(file, JSON.stringify([{ role: "assistant", content: "", tool_calls: [{ id: "a", function: { name: "bash", arguments: '{"command":"ls -la"}' } }] }, { role: "tool", tool_call_id: "a", content: OUTPUT }]));
  const [done] = await importTrajectories({ paths: [file], env: home });
  if (done?.ok === true) session = done.session.session;
  bundle = (await exportBundle(session, join(folder, "one.bundle.tar"), home, { force: false })).file;
  bytes = new Uint8Array(readFileSync(bundle));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function written(name: string, content: Uint8Array): string {
  const file = join(folder, name);
  writeFileSync(file, content);
  return file;
}

/** Where each entry begins, and where the last ends. */
function entries(): readonly number[] {
  const at: number[] = [0];
  for (let from = 0; bytes[from] !== 0 && from < bytes.length; ) {
    const size = Number.parseInt(Buffer.from(bytes.subarray(from + 124, from + 135)).toString("latin1"), 8);
    from += TAR_BLOCK + Math.ceil(size / TAR_BLOCK) * TAR_BLOCK;
    at.push(from);
  }
  return at;
}

describe("a bundle in an empty state folder", () => {
  it("is shown and exported as the session is at home, outputs and all", async () => {
    const views = [await openReplay(session, home), await openReplay(bundle, elsewhere)];
    try {
      const shown = await Promise.all(views.map(async (view) => ({ id: view.id, steps: view.timeline.steps, texts: await Promise.all(view.timeline.steps.map((step) => view.textsOf(step))) })));
      expect(shown[1]).toEqual(shown[0]);
      expect(shown[1]?.texts[0]?.output).toContain(OUTPUT.slice(0, 10_000));
    } finally {
      for (const view of views) await view.close();
    }
    expect((await exportStored(bundle, "sarif", null, elsewhere)).text).toBe((await exportStored(session, "sarif", null, home)).text);
    await writeSessionPage(session, join(folder, "a.html"), home);
    await writeSessionPage(bundle, join(folder, "b.html"), elsewhere);
    expect(readFileSync(join(folder, "b.html"), "utf8")).toBe(readFileSync(join(folder, "a.html"), "utf8"));
    // The index of steps is one of the store.
    expect(await openStep(bundle, 1, elsewhere)).toBeNull();
  });

  it("is judged again, and leaves nothing in the store", async () => {
    const same = await redecideSessions({ sessions: [bundle], all: false, policies: [], baseline: [], env: elsewhere });
    expect([same.left, same.summary.calls, same.summary.stricter, same.summary.looser, same.summary.unknown]).toEqual([[], 1, 0, 0, 0]);
    const strict = await redecideSessions({ sessions: [bundle], all: false, policies: [join(folder, "no-ls.policy.yaml")], baseline: [], env: elsewhere });
    expect([strict.summary.stricter, strict.summary.looser]).toEqual([1, 0]);
    const { store, close } = await openStore(elsewhere);
    expect(await store.list()).toEqual([]);
    await close();
  });

  it("takes the place of no other session, and is no record to add to", async () => {
    const { stored, id } = await openRecord(bundle, home);
    expect(id).toBe(session);
    await expect(stored.store.read("ses_other00001")).rejects.toMatchObject({ code: "SESSION_NOT_FOUND" });
    await stored.close();
    const empty = await openRecord(bundle, elsewhere);
    await expect(empty.stored.store.reopen(id)).rejects.toMatchObject({ code: "SESSION_NOT_FOUND" });
    await empty.stored.close();
  });

  it("is not run again without a folder, which no bundle holds", async () => {
    const { signal } = new AbortController();
    const rerun = rerunSession({ session: bundle, env: elsewhere, workspace: null, image: null, policies: [], until: null, keepGoing: false, signal, hurry: signal, startedBy: "test" });
    await expect(rerun).rejects.toMatchObject({ code: "USAGE_INVALID", hint: expect.stringContaining("--workspace") as string });
  });

  it("is refused by all of them once a byte of it is another", async () => {
    const changed = new Uint8Array(bytes);
    changed[TAR_BLOCK + 40] = (changed[TAR_BLOCK + 40] ?? 0) ^ 1;
    const file = written("changed.tar", changed);
    const asked = [openReplay(file, elsewhere), openRecord(file, elsewhere), exportStored(file, "junit", null, elsewhere), redecideSessions({ sessions: [file], all: false, policies: [], baseline: [], env: elsewhere })];
    for (const answer of asked) await expect(answer).rejects.toMatchObject({ code: "LEDGER_INVALID" });
  });
});

describe("the form of a bundle", () => {
  it("is the one that was written: in another order, longer or shorter it is invalid and says how", () => {
    const at = entries();
    const [, second = 0, third = 0] = at;
    const swapped = Buffer.concat([bytes.subarray(second, third), bytes.subarray(0, second), bytes.subarray(third)]);
    expect(verifyBundle(written("swapped.tar", swapped), NONE)).toMatchObject({ ok: false, faults: ["its files stand in another order than the one that was signed"] });
    const longer = [Buffer.concat([bytes, new Uint8Array(1)]), Buffer.concat([bytes, new Uint8Array(TAR_BLOCK)])];
    for (const content of longer) expect(verifyBundle(written("longer.tar", content), NONE)).toMatchObject({ ok: false, verdict: "invalid", faults: ["there is something after its end"] });
    const shorter = [bytes.subarray(0, bytes.length - 1), bytes.subarray(0, bytes.length - TAR_BLOCK), bytes.subarray(0, at.at(-1)), bytes.subarray(0, second - 1)];
    for (const content of shorter) expect(verifyBundle(written("shorter.tar", content), NONE)).toMatchObject({ ok: false, verdict: "invalid", faults: [expect.stringContaining("cut") as string] });
  });

  it("of another file is none at all", () => {
    for (const content of [new Uint8Array(0), Buffer.from("x".repeat(4_096)), bytes.subarray(1)]) expect(() => verifyBundle(written("none.tar", content), NONE)).toThrow(expect.objectContaining({ code: "USAGE_INVALID" }) as Error);
  });
});

describe("a bundle whose signer wrote what is no event", () => {
  /** A session of somebody with a key and a store, whose second record is this. */
  async function forged(name: string, opened: unknown, received: unknown): Promise<string> {
    const env = { ...home, RINGFENCE_HOME: join(folder, name) };
    const { store, close } = await openStore(env);
    const ledger = await store.create("ses_forged0001");
    await ledger.append([
      { call: null, type: "session.opened", data: opened },
      { call: "call_0001", type: "call.received", data: received },
      { call: null, type: "session.closed", data: { reason: "finished", detail: null, calls: 1 } },
    ] as readonly EventDraft[]);
    await ledger.close();
    await close();
    return (await exportBundle("ses_forged0001", join(folder, `${name}.tar`), env, { force: false })).file;
  }
  const received = { label: "", role: null, tool: "bash", arguments: {}, argumentsDigest: `sha256:${"0".repeat(64)}` };

  it("is shown where it is one all the same", async () => {
    const view = await openReplay(await forged("sound", OPENED, received), elsewhere);
    expect(view.timeline.steps.length).toBe(1);
    await view.close();
  });

  it("is refused by every view: no markup in place of a text, no escape in place of a digest, nothing left out", async () => {
    const wrong = [{ ...received, tool: { markup: "<script>alert(1)</script>" } }, { ...received, tool: ["bash"] }, { ...received, argumentsDigest: "sha256:\u001b[2J" }, { label: "" }];
    for (const [index, data] of wrong.entries()) {
      const file = await forged(`wrong${String(index)}`, OPENED, data);
      expect(verifyBundle(file, NONE).ok).toBe(true);
      await expect(openReplay(file, elsewhere)).rejects.toMatchObject({ code: "LEDGER_INVALID", message: expect.stringContaining("line 2 is no event of ours") as string });
    }
  });

  it("is no bundle that holds where the session's opening is none", async () => {
    const file = await forged("opening", { ...OPENED, startedBy: 7 }, received);
    expect(verifyBundle(file, NONE)).toMatchObject({ ok: false, faults: [expect.stringContaining("line 1 is no event of ours") as string] });
  });
});

describe("a record that no bundle holds", () => {
  it("is refused by its size, before it is read", async () => {
    const state = join(folder, "large");
    cpSync(join(folder, "home"), state, { recursive: true });
    // A hole: what stands in it would not verify.
    truncateSync(join(state, "sessions", session, "ledger.jsonl"), LIMITS.bundleBytes + 1);
    const made = exportBundle(session, join(folder, "large.tar"), { ...home, RINGFENCE_HOME: state }, { force: false });
    await expect(made).rejects.toMatchObject({ code: "USAGE_INVALID", message: expect.stringContaining(`a bundle holds at most ${String(LIMITS.bundleBytes)}`) as string, hint: expect.stringContaining("log verify FILE") as string });
    rmSync(state, { recursive: true });
  });
});

describe("a record that is gone", () => {
  it("is told by its head, or by one that was kept elsewhere, and not by anybody's", async () => {
    const { store, close } = await openStore(home);
    const head = store.checkpoint(session) ?? "";
    const key = store.publicKeyPem();
    await close();
    const size = head.split("\n")[1] ?? "";
    expect(goneRecord(session, [head], key)).toMatchObject({ ok: false, fault: "cut", line: 1, message: expect.stringContaining(`${size} records were signed, and the whole record is gone`) as string });
    expect(goneRecord(session, ["", "junk"], key)).toBeNull();
    expect(goneRecord("ses_other00001", [head], key)).toBeNull();
    const other = await openStore(elsewhere);
    expect(goneRecord(session, [head], other.store.publicKeyPem())).toBeNull();
    await other.close();
  });

  it("was pruned with all that a kept head vouched for, or is not", async () => {
    const id = "ses_growing0001";
    const { store, close } = await openStore(home);
    const heads: string[] = [];
    for (const draft of [{ call: null, type: "session.opened", data: OPENED }, { call: null, type: "session.closed", data: { reason: "finished", detail: null, calls: 0 } }] as readonly EventDraft[]) {
      const ledger = heads.length === 0 ? await store.create(id) : await store.reopen(id);
      await ledger.append([draft]);
      await ledger.close();
      heads.push(store.checkpoint(id) ?? "");
    }
    const [early = "", late = ""] = heads;
    const key = store.publicKeyPem();
    const other = store.checkpoint(session) ?? "";
    await close();
    expect([prunedFault(id, late, [], key), prunedFault(id, late, [late, early], key)]).toEqual([null, null]);
    expect(prunedFault(id, early, [late], key)).toMatchObject({ ok: false, fault: "cut", message: "2 records were signed, 1 was there when it was pruned" });
    expect(prunedFault(id, late, [other], key)).toMatchObject({ ok: false, fault: "checkpoint-other-session" });
    if (built) {
      // Rolled back with its older head, then pruned: the receipt is sound.
      const state = join(folder, "rolled");
      cpSync(join(folder, "home"), state, { recursive: true });
      const file = join(state, "sessions", id, "ledger.jsonl");
      writeFileSync(file, readFileSync(file, "utf8").replace(/\n[^]*$/u, "\n"));
      writeFileSync(join(state, "heads", `${id}.checkpoint`), early);
      const kept = [early, late].map((head, index) => written(`kept${String(index)}.checkpoint`, Buffer.from(head)));
      const run = (...args: readonly string[]): number | null => spawnSync(process.execPath, [CLI, ...args], { encoding: "utf8", timeout: 20_000, env: { ...home, RINGFENCE_HOME: state } }).status;
      expect([run("sessions", "prune", "--older-than", "0m"), run("log", "verify", id), ...kept.map((head) => run("log", "verify", id, "--expect-head", head))]).toEqual([0, 0, 0, 5]);
    }
    expect(() => prunedFault(id, late, ["junk"], key)).toThrow(expect.objectContaining({ code: "LEDGER_INVALID" }) as Error);
  });

  it.skipIf(!built)("ends `log verify` with 5, and a session that never was with 2; a bundle is sent to its own command", () => {
    const state = join(folder, "gone");
    const env = { ...home, RINGFENCE_HOME: state };
    for (const name of ["keys", "heads"]) {
      mkdirSync(join(state, name), { recursive: true, mode: 0o700 });
      for (const file of readdirSync(join(folder, "home", name))) copyFileSync(join(folder, "home", name, file), join(state, name, file));
    }
    const run = (...args: readonly string[]): readonly [number | null, string] => {
      const { status, stderr } = spawnSync(process.execPath, [CLI, ...args], { encoding: "utf8", timeout: 20_000, env });
      return [status, stderr];
    };
    expect(run("log", "verify", session)).toEqual([5, expect.stringContaining("the whole record is gone")]);
    expect(run("log", "verify", "ses_other00001")).toEqual([2, expect.stringContaining("no session")]);
    const kept = join(folder, "kept.checkpoint");
    copyFileSync(join(state, "heads", `${session}.checkpoint`), kept);
    rmSync(join(state, "heads"), { recursive: true });
    expect(run("log", "verify", session)[0]).toBe(2);
    expect(run("log", "verify", session, "--expect-head", kept)).toEqual([5, expect.stringContaining("the whole record is gone")]);
    expect(run("log", "verify", bundle)).toEqual([2, expect.stringContaining("bundle verify")]);
  });
});
