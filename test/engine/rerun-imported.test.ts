// An imported session made again: known commands and edits are, each held against what the file claims; what is not in the file is not
// compared, and what only another program can do is not guessed.

import { describe, expect, it } from "vitest";
import { sha256 } from "../../src/adapters/system/hasher.js";
import { createMemoryLedgerStore } from "../../src/adapters/memory/ledger.js";
import { createCollector, createReader, type ImportFormat } from "../../src/core/import/index.js";
import { redactJson, redactText } from "../../src/core/ledger/index.js";
import { KIMI_DEV } from "../../src/core/risk/index.js";
import type { AuditEvent } from "../../src/core/session/index.js";
import type { JsonValue } from "../../src/core/shared/index.js";
import { importSession } from "../../src/engine/import-session.js";
import { recordedApprover, rerunCalls, type RerunStep } from "../../src/engine/rerun.js";
import { testPolicy } from "../support/policy.js";
import { createRig, never, type RigOptions } from "../support/rig.js";

const PROGRAMS = { "python3 1.py": { stdout: "one\n" }, "python3 2.py": { stdout: "took 12 ms\n", stderr: "warn\n" }, "python3 3.py": { stdout: "", exitCode: 3 }, "python3 4.py": { stdout: "other\n" } };

async function imported(format: ImportFormat, values: readonly JsonValue[]): Promise<readonly AuditEvent[]> {
  const collector = createCollector();
  const reader = createReader(format, collector);
  for (const [index, value] of values.entries()) reader.take(value, `line ${index + 1}`);
  reader.finish();
  let ticks = 0;
  const store = createMemoryLedgerStore({ clock: { now: () => new Date(1_700_000_000_000 + (ticks += 1)).toISOString(), elapsedMs: () => ticks }, hasher: sha256 });
  const keyed = (text: string): string => sha256(text).slice(7);
  const deps = { store, ids: { next: () => "imported1" }, hasher: sha256, keyedDigest: (text: string) => sha256(text), redactor: { text: (text: string) => redactText(text, keyed), json: (value: JsonValue) => redactJson(value, keyed) }, product: "test" };
  const { session } = await importSession(deps, { trajectory: collector.finish(format), policy: testPolicy(), profile: null, risk: KIMI_DEV, file: { path: "/tmp/a.json", digest: null, bytes: 1 }, root: "/workspace", role: null, containment: "attested", startedBy: "test" });
  return store.read(session);
}

async function again(recorded: readonly AuditEvent[], format: ImportFormat, given: RigOptions = {}): Promise<{ readonly steps: readonly RerunStep[]; readonly seen: readonly AuditEvent[] }> {
  const seen: AuditEvent[] = [];
  const rig = createRig({ programs: PROGRAMS, approver: recordedApprover(recorded), ...given, onEvent: (event) => void seen.push(event) });
  const session = await rig.open();
  const kept = { readBlob: () => Promise.reject(new Error("no blob")), content: async () => null };
  const steps = await rerunCalls({ recorded, seen, session, kept: { recorded: kept, rerun: kept }, argumentsOf: () => null, hash: sha256, imported: { format, root: "/workspace" }, until: 1_000, keepGoing: true, signal: never, onStep: () => undefined });
  await session.close("finished");
  return { steps, seen };
}

/** A call with what came of it, in the form of mini-swe-agent. */
const ran = (command: string, code: number | null, output: string): readonly JsonValue[] => [
  { role: "assistant", content: "go", tool_calls: [{ id: command, function: { name: "bash", arguments: JSON.stringify({ command }) } }] },
  { role: "tool", tool_call_id: command, content: code === null ? output : `<returncode>${String(code)}</returncode>\n<output>\n${output}</output>` },
];
const told = (steps: readonly RerunStep[]): readonly string[] => steps.map(({ number, divergence, compared }) => `${String(number)} ${divergence === null ? `same ${(compared ?? []).join("+")}` : divergence.kind}`);

describe("an imported session run again", () => {
  it("is held against the file: end and output, both streams in any order, times put aside", async () => {
    const recorded = await imported("chat", [[...ran("python3 1.py", 0, "one\n"), ...ran("python3 2.py", 0, "warn\ntook 7 ms\n"), ...ran("python3 3.py", 1, ""), ...ran("python3 4.py", 0, "one\n")]]);
    const { steps } = await again(recorded, "chat");
    expect(told(steps)).toEqual(["1 same decision+exit+output", "2 same decision+exit+output", "3 exit", "4 output"]);
    expect(steps.map(({ workspace }) => workspace)).toEqual([null, null, null, null]);
    expect(steps[3]?.divergence).toMatchObject({ recorded: "one", rerun: "other" });
  });

  it("names what cannot be made again, and goes on with the rest under its own number", async () => {
    const call = (id: string, name: string, values: JsonValue): JsonValue => ({ role: "assistant", content: "", tool_calls: [{ id, function: { name, arguments: JSON.stringify(values) } }] });
    const recorded = await imported("chat", [[call("a", "WebFetch", { url: "https://x.test" }), call("b", "bash", { command: "" }), call("c", "write_stdin", { chars: "y" }), call("d", "TodoWrite", { todos: [] }), ...ran("python3 1.py", 0, "one\n")]]);
    const { steps } = await again(recorded, "chat");
    expect(told(steps)).toEqual(["1 unknown", "2 unknown", "3 unknown", "4 unknown", "5 same decision+exit+output"]);
    expect(steps.map(({ ran: isMade }) => isMade)).toEqual([false, false, false, true, true]);
  });

  it("does not run what policy refuses, and says that the file claims otherwise", async () => {
    const { steps, seen } = await again(await imported("chat", [[...ran("python3 9.py > protected/keep.txt", 0, "")]]), "chat");
    expect(steps[0]?.divergence).toMatchObject({ kind: "decision" });
    expect(seen.some(({ type }) => type === "execution.started")).toBe(false);
  });

  it("goes to the folder that the file tells, where the shell would stand elsewhere", async () => {
    const programs = { ...PROGRAMS, "cd src && python3 1.py": { stdout: "one\n" }, "cd -- '/workspace' || exit 1\npython3 1.py": { stdout: "one\n" } };
    const { seen } = await again(await imported("chat", [[...ran("cd src && python3 1.py", 0, "one\n"), ...ran("python3 1.py", 0, "one\n")]]), "chat", { programs });
    const commands = seen.flatMap((event) => (event.type === "call.received" ? [event.data.arguments["command"]] : []));
    expect(commands).toEqual(["cd src && python3 1.py", "cd -- '/workspace' || exit 1\npython3 1.py"]);
  });

  it("goes there for a command in words, too, which has no shell of its own to do so", async () => {
    const call = (id: string, values: JsonValue): JsonValue => ({ type: "response_item", payload: { type: "function_call", name: "shell", call_id: id, arguments: JSON.stringify(values) } });
    const result = (id: string, output: string): JsonValue => ({ type: "response_item", payload: { type: "function_call_output", call_id: id, output: JSON.stringify({ output, metadata: { exit_code: 0 } }) } });
    const there = "cd -- '/workspace/a b' || exit 1\n'python3' '1.py' 'it'\\''s'";
    const recorded = await imported("codex", [{ type: "session_meta", payload: { cwd: "/workspace" } }, call("1", { command: ["python3", "1.py", "it's"], workdir: "/workspace/a b" }), result("1", "one\n"), call("2", { command: ["python3", "1.py"], workdir: "/workspace" }), result("2", "one\n")]);
    const back = "cd -- '/workspace' || exit 1\n'python3' '1.py'";
    const { steps, seen } = await again(recorded, "codex", { programs: { ...PROGRAMS, [there]: { stdout: "one\n" }, [back]: { stdout: "one\n" } } });
    // And back: the shell stays where it went.
    expect(seen.flatMap((event) => (event.type === "call.received" ? [event.data.arguments] : []))).toEqual([{ command: there }, { command: back }]);
    expect(told(steps)).toEqual(["1 same decision+exit+output", "2 same decision+exit+output"]);
  });

  it("compares what the command printed, without what the agent's own program put around it", async () => {
    const programs = { "echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT": { stdout: "COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT\n" } };
    const mini = await imported("mini-swe-agent", [{ messages: [...ran("echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT", null, "")] }]);
    expect(told((await again(mini, "mini-swe-agent", { programs })).steps)).toEqual(["1 same decision+output"]);
    const chat = await imported("chat", [ran("python3 1.py", null, "one\n[The command completed with exit code 0.]\n[Current working directory: /x]\n[Command finished with exit code 0]")]);
    expect(told((await again(chat, "chat")).steps)).toEqual(["1 same decision+exit+output"]);
  });

  it("an editor's file outside the folder is not in reach, which is no decision of the policy", async () => {
    const view = (id: string, path: string): JsonValue => ({ role: "assistant", content: "", tool_calls: [{ id, function: { name: "str_replace_editor", arguments: JSON.stringify({ command: "view", path }) } }] });
    const { steps } = await again(await imported("chat", [[view("a", "/elsewhere/a.py"), view("b", "/workspace/../etc/passwd")]]), "chat");
    expect(told(steps)).toEqual(["1 unknown", "2 unknown"]);
    expect(steps.map(({ ran: isMade }) => isMade)).toEqual([false, false]);
  });

  it("says that it ran there only where the file has a result of it", async () => {
    const both = ran("python3 9.py > protected/keep.txt", 0, "");
    const { steps } = await again(await imported("chat", [[both[0] ?? null]]), "chat");
    expect(steps[0]?.divergence).toMatchObject({ kind: "unknown", why: "the file has no result of it" });
    const claimed = await again(await imported("chat", [[...both]]), "chat");
    expect(claimed.steps[0]?.divergence).toMatchObject({ kind: "decision", recorded: "it ran", rerun: expect.stringContaining("deny by") });
  });
});
