// Files of other tools to sessions on record: every sample of the corpora with counts that add up, and files made to do harm.

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openReview, openStore } from "../../src/compose.js";
import { importTrajectories, type ImportOutcome } from "../../src/compose-import.js";
import { exportStored } from "../../src/compose-replay.js";
import { replayRisk } from "../../src/core/risk/index.js";
import { sessionState, type AuditEvent } from "../../src/core/session/index.js";
import type { SessionId } from "../../src/core/shared/index.js";
import { corpusPath, corpusRows } from "../support/corpora.js";
import { addsUp } from "../support/imports.js";

let folder = "";
let env: NodeJS.ProcessEnv = {};
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "ringfence-import-"));
  env = { PATH: process.env["PATH"], HOME: folder, RINGFENCE_HOME: join(folder, "state"), RINGFENCE_LOG_LEVEL: "silent" };
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Done = Extract<ImportOutcome, { ok: true }>;

/** Each folder of the corpora is imported once. */
const kept = new Map<string, Promise<readonly ImportOutcome[]>>();
function importOnce(path: string): Promise<readonly ImportOutcome[]> {
  const known = kept.get(path) ?? importTrajectories({ paths: [path], env });
  kept.set(path, known);
  return known;
}

async function imported(...paths: readonly string[]): Promise<readonly Done[]> {
  const outcomes = paths.length === 1 && corpora.has(paths[0] ?? "") ? await importOnce(paths[0] ?? "") : await importTrajectories({ paths, env });
  return outcomes.flatMap((outcome) => (outcome.ok ? [outcome] : []));
}

async function recorded(id: SessionId): Promise<{ readonly events: readonly AuditEvent[]; readonly isIntact: boolean }> {
  const { store, close } = await openStore(env);
  try {
    const report = await store.verify(id);
    return { events: await store.read(id), isIntact: report.ok && report.unsigned === 0 };
  } finally {
    await close();
  }
}

function file(name: string, text: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const SETS = [
  { name: "swe-agent-traj", sessions: 22, leftOut: 2 },
  { name: "mini-swe-agent-traj", sessions: 2, leftOut: 1 },
  { name: "openhands-events", sessions: 9, leftOut: 2 },
  { name: "claude-code-jsonl", sessions: 5, leftOut: 1 },
  { name: "swebench-mini-gemini/full", sessions: 20, leftOut: 0 },
] as const;

const corpora = new Set(SETS.flatMap(({ name }) => corpusPath(name) ?? []));

describe("the samples of the corpora", () => {
  for (const set of SETS) {
    const path = corpusPath(set.name);
    it.skipIf(path === null)(`${set.name}: each imports, adds up, verifies, and is marked as not witnessed`, { timeout: 60_000 }, async () => {
      const outcomes = await importOnce(path ?? "");
      const done = outcomes.flatMap((outcome) => (outcome.ok ? [outcome] : []));
      expect([done.length, outcomes.length - done.length]).toEqual([set.sessions, set.leftOut]);
      for (const { session, trajectory } of done) {
        const decided = Object.values(session.decided).reduce((sum, count) => sum + count, 0);
        expect([trajectory.format, addsUp(trajectory), decided]).toEqual([trajectory.format, true, trajectory.tally.calls]);
        const { events, isIntact } = await recorded(session.session);
        const state = sessionState(events);
        expect([isIntact, state?.calls.length, state?.opened.source, state?.opened.imported?.format, state?.closed?.detail]).toEqual([true, trajectory.tally.calls, "import", trajectory.format, "imported"]);
        expect(events.some(({ type }) => type === "execution.started" || type === "execution.finished")).toBe(false);
        expect(replayRisk(events).posture.credits.every(({ lacking }) => lacking.length > 0)).toBe(true);
      }
    });
  }

  it.skipIf(corpusPath("swe-agent-traj") === null)("have as many calls as somebody else counted", { timeout: 60_000 }, async () => {
    const rows = corpusRows<{ readonly file: string }>("swe-agent-traj/actions.jsonl") ?? [];
    const done = await imported(corpusPath("swe-agent-traj") ?? "");
    const own = (name: string): number => done.find((one) => one.file.endsWith(name))?.trajectory.tally.calls ?? -1;
    for (const name of new Set(rows.map((row) => row.file))) expect([name, own(name)]).toEqual([name, rows.filter((row) => row.file === name).length]);
    const commands = corpusRows<{ readonly instance: string }>("swebench-mini-gemini/commands.jsonl") ?? [];
    for (const one of await imported(corpusPath("swebench-mini-gemini/full") ?? "")) {
      const instance = one.file.slice(one.file.lastIndexOf("/") + 1).replace(".traj.json", "");
      expect([instance, one.trajectory.tally.calls]).toEqual([instance, commands.filter((row) => row.instance === instance).length]);
    }
  });
});

describe("a file made to do harm", () => {
  const claude = (text: string, id = "t1") => `${JSON.stringify({ type: "assistant", uuid: "u", cwd: "/w", sessionId: "s", message: { role: "assistant", content: [{ type: "tool_use", id, name: "Bash", input: { command: text } }] } })}\n`;
  const answer = (content: string) => `${JSON.stringify({ type: "user", uuid: "v", message: { role: "user", content: [{ type: "tool_result", tool_use_id: "t1", content }] } })}\n`;

  it("keeps the calls around lines that are too deep, torn, doubled, no text or no JSON, and names each", async () => {
    const deep = `{"type":"user","a":${"[".repeat(5000)}${"]".repeat(5000)}}\n`;
    const bytes = Buffer.concat([Buffer.from(claude("ls")), Buffer.from('{"type":"user","type":"assistant"}\n{"torn\n\n'), Buffer.from(deep), Buffer.from(claude("echo \xff", "t2"), "latin1"), Buffer.from('{"type":"user","uuid":"x","message":{"__proto__":{"content":"x"}}}\n'), Buffer.from(claude("rm -rf /", "t3"))]);
    const [one] = await imported(file("hostile.jsonl", bytes));
    expect(one?.trajectory.tally).toMatchObject({ records: 7, calls: 3, parts: [{ reason: "bytes that are no UTF-8, replaced", count: 1, places: ["line 6"] }] });
    expect(one?.trajectory.tally.skipped.map(({ reason, places }) => [reason.split(":")[0], places])).toEqual([["the key `type` is given twice in one object", ["line 2"]], ["the line is not JSON", ["line 3"]], ["the line is nested deeper than 128 levels", ["line 5"]], ["message without content", ["line 7"]]]);
    expect([one !== undefined && addsUp(one.trajectory), one?.session.decided]).toEqual([true, { allow: 2, ask: 0, deny: 1, thought: 0 }]);
  });

  it("takes an output of many megabytes, keeps its beginning, counts the rest; takes secrets out of it", async () => {
    const secret = `ghp_${"a1B2c3D4e5F6g7H8i9J0".repeat(2).slice(0, 36)}`;
    const [one] = await imported(file("large.jsonl", `${claude("cat big")}${answer(`token ${secret}\n${"x".repeat(20_000_000)}`)}`));
    const { events, isIntact } = await recorded(one?.session.session ?? "ses_none");
    const end = events.find((event) => event.type === "execution.imported");
    const output = end?.type === "execution.imported" ? end.data.output : null;
    expect([isIntact, output?.bytes, output?.dropped, output?.blob !== null, JSON.stringify(events).includes(secret)]).toEqual([true, 20_000_000 + 7 + secret.length, 20_000_007 + secret.length - 8 * 1024 * 1024, true, false]);
  });

  it("has no secret in what stands beside the calls: folder, model, names of tools and of records, ids", async () => {
    const secret = `ghp_${"aB3dE6gH9jK2mN5pQ8sT".repeat(2).slice(0, 36)}`;
    const use = { type: "assistant", sessionId: secret, version: secret, cwd: `/w/${secret}`, uuid: "a", timestamp: secret, message: { role: "assistant", model: secret, content: [{ type: "tool_use", id: secret, name: secret, input: { a: 1 } }, { type: "tool_use", id: "b", name: "Bash", input: { command: "ls", cwd: `/w/${secret}/a` } }] } };
    const [one] = await imported(file(`${secret}.jsonl`, `${JSON.stringify(use)}\n${JSON.stringify({ type: secret, message: 1 })}\n`));
    const { events, isIntact } = await recorded(one?.session.session ?? "ses_none");
    expect([isIntact, events.filter(({ type }) => type === "call.received").length]).toEqual([true, 2]);
    expect(JSON.stringify(events)).toContain("[redacted:github-token:");
    expect(events.filter((event) => JSON.stringify(event).includes(secret))).toEqual([]);
  });

  it("texts that steer a terminal, lone surrogates and numbers without bounds end up in a record that verifies", async () => {
    const values = [{ role: "assistant", content: "\u001b[2J\u202e\ud800", tool_calls: [{ id: "\u001b]0;x\u0007", function: { name: "bash\u202e", arguments: '{"command":"\ud800 1e999","n":1e999}' } }] }, { role: "tool", tool_call_id: "\u001b]0;x\u0007", content: "\udfff\u0000" }];
    const [one] = await imported(file("terminal.json", JSON.stringify(values)));
    const { events, isIntact } = await recorded(one?.session.session ?? "ses_none");
    expect([isIntact, one?.session.decided.deny]).toEqual([true, 1]);
    const received = events.find((event) => event.type === "call.received");
    expect(received?.type === "call.received" ? [received.data.label, received.data.tool] : null).toEqual(["\\x1b]0;x\\x07", "bash\\u{202e}"]);
  });

  it("a time that no call ever took is not kept", async () => {
    const took = [1e308, 1e305, -1, 9e15, 60].map((execution_time, step) => ({ action: `echo ${String(step)}`, observation: "x", execution_time, state: { working_dir: "/t" } }));
    const [one] = await imported(file("eternal.traj", JSON.stringify({ trajectory: took, history: [], info: {} })));
    const { events, isIntact } = await recorded(one?.session.session ?? "ses_none");
    expect([isIntact, events.flatMap((event) => (event.type === "execution.imported" ? [event.data.durationMs] : []))]).toEqual([true, [null, null, null, null, 60_000]]);
  });

  it("is refused in words where it is no trajectory, and left out where it lies in a folder", async () => {
    for (const [name, text, words] of [["empty.json", "", "it is empty"], ["number.json", "7", "of no format that is known"], ["torn.json", '{"trajectory": [', "is not JSON"], ["deep.json", `${"[".repeat(200)}${"]".repeat(200)}`, "nested deeper"], ["double.json", '{"trajectory":[],"trajectory":[]}', "given twice"]] as const) {
      await expect(imported(file(name, text))).rejects.toThrow(words);
    }
    await expect(imported(join(folder, "missing"))).rejects.toThrow("ENOENT");
    const within = join(folder, "within");
    mkdirSync(join(within, "deeper"), { recursive: true });
    file("within/deeper/a.traj", JSON.stringify({ trajectory: [{ action: "ls", observation: "", state: "{}" }] }));
    file("within/other.json", "{}");
    symlinkSync("/etc/passwd", join(within, "link.json"));
    execFileSync("mkfifo", [join(within, "pipe.json")]);
    const outcomes = await importTrajectories({ paths: [within], env });
    expect(outcomes.map(({ ok, file: path }) => [ok, path.slice(within.length)])).toEqual([[true, "/deeper/a.traj"], [false, "/other.json"]]);
  });

  it("reads one event a file as one session, and has no workspace to take changes over from", async () => {
    const events = join(folder, "events");
    mkdirSync(events);
    file("events/event-00000-a.json", JSON.stringify({ id: "1", kind: "ActionEvent", source: "agent", tool_name: "terminal", tool_call_id: "c", action: { kind: "TerminalAction", command: "ls" }, thought: [] }));
    file("events/event-00001-b.json", JSON.stringify({ id: "2", kind: "ObservationEvent", source: "environment", tool_call_id: "c", observation: { content: [{ text: "x" }], exit_code: 0 } }));
    const [one] = await imported(events);
    expect(one?.trajectory).toMatchObject({ format: "openhands", version: "V1", tally: { records: 2, calls: 1, unanswered: 0 } });
    await expect(openReview(one?.session.session ?? "", env)).rejects.toThrow("was imported");
  });

  it("a document written over many lines is one document", async () => {
    const [one] = await imported(file("pretty.json", `${JSON.stringify({ schema_version: "ATIF-v1.4", session_id: "s", agent: { name: "a" }, steps: [{ step_id: 1, source: "agent", message: "", tool_calls: [{ tool_call_id: "1", function_name: "bash", arguments: { command: "ls" } }] }] }, null, 2)}`));
    expect([one?.trajectory.format, one?.trajectory.version, one?.trajectory.tally.unanswered]).toEqual(["atif", "1.4", 1]);
  });
});

describe("our own ATIF export, imported again", () => {
  /** Verdict, rules and claimed end of each call. */
  const judged = async (id: SessionId): Promise<unknown> => {
    const { events } = await recorded(id);
    return events.flatMap(({ type, data }): readonly unknown[] => (type === "decision.made" ? [[data.effect, data.reasons.map(({ rule }) => rule)]] : type === "execution.imported" ? [data.exitCode] : []));
  };
  const again = async (session: SessionId): Promise<SessionId | undefined> => {
    const path = join(folder, `${session}.atif.json`);
    await exportStored(session, "atif", path, env);
    return (await imported(path))[0]?.session.session;
  };

  it("is judged in the folder where each call was made, and has its exit code", async () => {
    const call = (id: string, cwd: string, name: string, input: object): string => JSON.stringify({ type: "assistant", sessionId: "s", version: "1.0.0", cwd, uuid: id, message: { role: "assistant", content: [{ type: "tool_use", id, name, input }] } });
    const lines = [call("a", "/srv/app", "Write", { file_path: "/srv/app/a.txt", content: "x" }), call("b", "/srv/app/lib", "Bash", { command: "rm -rf ../../other" }), call("c", "/srv/app/lib", "Bash", { command: "rm ../a.txt" })];
    const session = (await imported(file("folders.jsonl", `${lines.join("\n")}\n`)))[0]?.session.session ?? "ses_none";
    const messages = [{ role: "assistant", content: "", tool_calls: [{ id: "a", function: { name: "bash", arguments: '{"command":"false"}' } }] }, { role: "tool", tool_call_id: "a", content: "<returncode>3</returncode>" }];
    const ended = (await imported(file("ended.json", JSON.stringify(messages))))[0]?.session.session ?? "ses_none";
    for (const one of [session, ended]) expect(await judged((await again(one)) ?? "ses_none")).toEqual(await judged(one));
    expect(JSON.stringify(await judged(session))).toMatch(/allow.*deny.*allow/u);
    expect(JSON.stringify(await judged(ended))).toContain("],3]");
  });

  const sets = [...corpora].filter((path) => !path.includes("swebench"));
  it.skipIf(sets.length === 0)("has the same verdict for every call of the corpora", { timeout: 60_000 }, async () => {
    for (const path of sets) for (const { session } of await imported(path)) expect(await judged((await again(session.session)) ?? "ses_none")).toEqual(await judged(session.session));
  });
});
