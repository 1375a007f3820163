// Each format: calls, results, versions, and an account of every record that adds up.

import { describe, expect, it } from "vitest";
import { documentFormat, lineFormat, linesFormat } from "../../../src/core/import/index.js";
import { parsePatch } from "../../../src/core/import/patch.js";
import type { JsonValue } from "../../../src/core/shared/index.js";
import { addsUp, ATIF, GEMINI_DOCUMENT, GEMINI_LINES, KIMI, readAs } from "../../support/imports.js";

const called = (trajectory: ReturnType<typeof readAs>) => trajectory.calls.map((call) => ({ id: call.id, tool: call.tool, output: call.result?.output ?? null, exit: call.result?.exitCode ?? null, ran: call.result?.ran ?? null }));

describe("importing", () => {
  it("SWE-agent: a line is the bundle's command or shell; the state tells the folder before a step or after it, by its kind", () => {
    const steps = (state: (folder: string) => string | { readonly working_dir: string; readonly open_file: string }) => ({
      info: { swe_agent_version: "1.1.0" },
      trajectory: [
        { action: "ls -F", observation: "a", state: state("/t"), execution_time: 0.25, thought: "look" },
        { action: "edit 1:1\nx = 1\nend_of_edit", observation: "ok", state: state("/t/src") },
        { action: "", observation: "", state: state("/t") },
        { action: "open x\nrm -rf /", observation: "", state: state("/t") },
        null,
      ],
    });
    const newer = readAs("swe-agent", [steps((folder) => ({ working_dir: folder, open_file: `${folder}/a.py` }))]);
    expect(newer.calls.map(({ tool, cwd }) => [tool, cwd])).toEqual([["bash", "/t"], ["edit", "/t"], ["bash", "/t"]]);
    expect(newer.calls[1]?.arguments).toEqual({ command: "edit 1:1\nx = 1\nend_of_edit", open_file: "/t/a.py" });
    expect(newer.calls[0]?.result).toMatchObject({ output: "a", durationMs: 250, exitCode: null });
    const older = readAs("swe-agent", [steps((folder) => JSON.stringify({ working_dir: folder, open_file: `${folder}/a.py` }))]);
    expect(older.calls[1]).toMatchObject({ cwd: "/t/src", arguments: { open_file: "/t/src/a.py" } });
    expect([newer.version, newer.root, newer.tally.kinds.messages, newer.tally.skipped]).toEqual(["1.1.0", "/t", 1, [{ reason: "step that is no object", count: 1, places: ["step 5"] }]]);
    expect(addsUp(newer) && addsUp(older)).toBe(true);
  });

  it("mini-swe-agent: the one command of an answer, its exit status, and what the agent itself refuses", () => {
    const answer = (text: string) => ({ role: "assistant", content: text });
    const read = readAs("mini-swe-agent", [
      { trajectory_format: "mini-swe-agent-1.1", info: { mini_version: "2.0", config: { environment: { cwd: "/testbed" }, model: { model_name: "m" } } }, messages: [{ role: "system", content: "s" }, { role: "user", content: "u" }, answer("T\n```mswea_bash_command\necho a\n```"), { role: "user", content: "<returncode>7</returncode>\n<output>\nb\n</output>" }, answer("```bash\na\n```\n```bash\nb\n```"), { role: "user", content: "again" }, { role: "assistant", content: "", tool_calls: [{ id: "x", function: { name: "bash", arguments: '{"command":"ls","command":"rm"}' } }] }, { role: "tool", tool_call_id: "x", content: "o", extra: { returncode: 0 } }] },
    ]);
    expect(called(read)).toEqual([{ id: "message-3-1", tool: "bash", output: "b\n", exit: 7, ran: true }, { id: "x", tool: "bash", output: "o", exit: 0, ran: true }]);
    expect(read.calls[1]?.arguments).toEqual({ unparsed: '{"command":"ls","command":"rm"}' });
    expect(read.tally.skipped).toEqual([{ reason: "answer with more than one command, which the agent itself refuses", count: 1, places: ["message 5"] }]);
    expect([read.root, read.agent, addsUp(read)]).toEqual(["/testbed", { name: "mini-swe-agent", model: "m", version: "2.0" }, true]);
  });

  it("ATIF: versions are compared as numbers, copied steps are skipped, observations of no call are named", () => {
    const read = readAs("atif", [ATIF]);
    expect(called(read)).toMatchObject([{ id: "a", output: "x.py" }, { id: "b", output: "denied" }]);
    expect([read.version, read.agent.model, read.calls[0]?.thought, addsUp(read), read.tally.records]).toEqual(["1.10", "kimi-dev", "first look", true, 4]);
    expect(read.tally.parts.map(({ reason }) => reason)).toEqual(["version 1.10 is newer than 1.8: what is new in it is not read", "observation of no call"]);
  });

  it("Gemini CLI: as a document, and as lines in which a message comes again and a rewind loses no call", () => {
    const document = readAs("gemini-cli", [GEMINI_DOCUMENT]);
    expect(called(document)).toMatchObject([{ tool: "run_shell_command", exit: 3, ran: true }, { tool: "write_file", ran: false }]);
    expect([document.version, document.agent.model, addsUp(document), document.tally.skipped.length]).toEqual(["one document", "gemini-3", true, 1]);
    const lines = readAs("gemini-cli", GEMINI_LINES);
    expect(called(lines)).toMatchObject([{ id: "c1", output: "text", ran: true }]);
    expect([lines.version, lines.tally.records, addsUp(lines)]).toEqual(["lines", 7, true]);
  });

  it("Kimi wire: arguments in parts, sub-agents, results of nobody", () => {
    const read = readAs("kimi-wire", KIMI);
    expect(read.calls.map(({ tool, arguments: values, sidechain, thought, time }) => ({ tool, values, sidechain, thought, time }))).toEqual([
      { tool: "Shell", values: { command: "ls" }, sidechain: false, thought: "list it", time: "2" },
      { tool: "ReadFile", values: { path: "/w/x" }, sidechain: true, thought: null, time: "4" },
    ]);
    expect([read.version, read.tally.records, addsUp(read), read.tally.unanswered]).toEqual(["1.3", KIMI.length, true, 1]);
  });

  it("a patch is one call a file; what is no patch stays one call", () => {
    const patch = "*** Begin Patch\n*** Add File: a\n+x\n*** Delete File: b\n*** Update File: c\n*** Move to: d\n@@\n-o\n+n\n*** End Patch";
    const item = (input: string) => ({ type: "response_item", timestamp: "t", payload: { type: "custom_tool_call", name: "apply_patch", call_id: "p", input } });
    const read = readAs("codex", [item(patch), { type: "response_item", payload: { type: "custom_tool_call_output", call_id: "p", output: '{"output":"done","metadata":{"exit_code":0,"duration_seconds":1.5}}' } }]);
    expect(read.calls.map(({ id, arguments: values, result }) => [id, values["op"], values["path"], result?.exitCode, result?.durationMs])).toEqual([["p#1", "add", "a", 0, 1500], ["p#2", "delete", "b", 0, 1500], ["p#3", "move", "c", 0, 1500]]);
    expect(readAs("codex", [item("*** Begin Patch\nnonsense\n*** End Patch")]).calls).toHaveLength(1);
    const shell = (command: JsonValue) => readAs("codex", [{ type: "response_item", payload: { type: "function_call", name: "shell", call_id: "s", arguments: JSON.stringify({ command }) } }]).calls.map((call) => `${call.tool} ${String(call.arguments["path"])}`);
    const heredoc = `apply_patch <<'EOF'\n${patch}\nEOF\n`;
    expect([shell(["apply_patch", patch]), shell(["bash", "-lc", heredoc]), shell(heredoc)]).toEqual(Array.from({ length: 3 }, () => ["apply_patch a", "apply_patch b", "apply_patch c"]));
    // What would also run, or what a shell would still change, is left to the shell.
    for (const other of [`${heredoc}rm -rf /`, `apply_patch <<EOF\n${patch}\nEOF`, `x=1 ${heredoc}`]) expect(shell(["bash", "-lc", other])).toEqual(["shell undefined"]);
    expect(parsePatch("*** Begin Patch\n*** Update File: x\n?\n*** End Patch")).toBeNull();
  });

  it("tells formats by what only they have", () => {
    expect([documentFormat(ATIF), documentFormat(GEMINI_DOCUMENT), documentFormat({ trajectory: [] }), documentFormat([{ id: 1, source: "agent", action: "run", args: {} }]), documentFormat([{ role: "user", content: "x" }]), documentFormat({ a: 1 }), documentFormat(4)]).toEqual(["atif", "gemini-cli", "swe-agent", "openhands", "chat", null, null]);
    expect([linesFormat(KIMI), linesFormat(GEMINI_LINES), linesFormat([{ type: "session_meta", payload: {} }]), linesFormat([{ type: "assistant", uuid: "u", message: {} }]), linesFormat([1, "x", {}]), lineFormat([])]).toEqual(["kimi-wire", "gemini-cli", "codex", "claude-code", null, null]);
  });

  it("keys of the prototype, numbers without bounds and reasons without end do no harm", () => {
    const hostile = JSON.parse('{"trajectory":[{"action":"ls","__proto__":{"polluted":1},"constructor":{"prototype":{"x":1}},"state":{"__proto__":{"working_dir":"/evil"}}}],"__proto__":{"x":1}}');
    const read = readAs("swe-agent", [hostile]);
    expect([read.calls.length, read.root, ({} as Record<string, unknown>)["polluted"]]).toEqual([1, null, undefined]);
    const unbounded = readAs("chat", [[{ role: "assistant", content: "", tool_calls: [{ id: "1", function: { name: "bash", arguments: '{"command":"ls","timeout":1e999}' } }] }]]);
    expect(Object.keys(unbounded.calls[0]?.arguments ?? {})).toEqual(["unparsed"]);
    const many = readAs("claude-code", Array.from({ length: 500 }, (_, index) => ({ type: `kind${index}\u001b[2J` })));
    expect([many.tally.skipped.length, addsUp(many), JSON.stringify(many.tally).includes("\\u001b")]).toEqual([65, true, false]);
  });
});
