// The order in which a call touches the world and the record: the guarantee of the engine.

import { describe, expect, it } from "vitest";
import type { ToolCall } from "../../src/core/action/index.js";
import type { ApprovalOutcome, Approver } from "../../src/ports/approver.js";
import { bash, create, createRig, never, only, replace, steps, toolCall, typesOf, type Rig, type RigOptions } from "../support/rig.js";

/** What one call did to ports and record, with the observation. */
async function traced(rig: Rig, call: ToolCall, signal: AbortSignal = never) {
  const session = await rig.open();
  const from = rig.journal.length;
  const observation = await session.call(call, {}, signal);
  const trace = steps(rig, from);
  await session.close("finished");
  const events = await rig.events(session);
  return { observation, trace, events, ofCall: events.filter((event) => event.call === "call_0001"), session };
}

const INTENT = ["ledger.append", "durable: call.received decision.made execution.started"];
const SETTLE = ["workspace.changes", "preimages.remember"];
const END = ["ledger.append", "durable: execution.finished reconciliation.done call.closed"];

describe("an allowed call", () => {
  it("is durable up to its intent in one batch, then runs, then is durable to its end in another", async () => {
    const { observation, trace, events } = await traced(createRig({ programs: { ls: { stdout: "a b\n" } } }), bash("ls"));
    expect(trace).toEqual([...INTENT, "sandbox.run", ...SETTLE, ...END]);
    expect(typesOf(events)).toEqual([
      "session.opened",
      "risk.updated",
      "call.received",
      "decision.made",
      "execution.started",
      "execution.finished",
      "reconciliation.done",
      "call.closed",
      "session.closed",
    ]);
    expect(observation).toMatchObject({ outcome: "completed", exitCode: 0, stdout: "a b\n", message: "a b\n", changes: [], findings: [], approval: null });
  });

  it("gives the failure of a command as a result, with its exit code for the model", async () => {
    const { observation, events } = await traced(createRig({ programs: { ls: { stderr: "no\n", exitCode: 2 } } }), bash("ls"));
    expect(observation).toMatchObject({ outcome: "failed", exitCode: 2, message: "no\n\n[exit code 2]" });
    expect(only(events, "call.closed")).toMatchObject({ outcome: "failed", exitCode: 2 });
  });

  it("does nothing more in the sandbox for a command than that command", async () => {
    const rig = createRig({ programs: { ls: {} } });
    await traced(rig, bash("ls"));
    const [sandbox] = rig.sandboxes.opened;
    expect(sandbox?.requests.map(({ argv, cwd, stdin }) => ({ argv, cwd, stdin }))).toEqual([{ argv: ["bash", "--noprofile", "--norc", "-c", "ls"], cwd: "/workspace", stdin: null }]);
    expect(sandbox?.operations).toEqual([]);
  });

  it("runs words without a shell", async () => {
    const rig = createRig({ programs: { "ls -l; rm x": {} } });
    await traced(rig, toolCall("exec", { argv: ["ls", "-l; rm x"] }));
    expect(rig.sandboxes.opened[0]?.requests.map(({ argv }) => argv)).toEqual([["ls", "-l; rm x"]]);
  });

  it("ends by the least of the time limits of session, call and rule, and says which", async () => {
    const rig = createRig({ programs: { slow: { runsForever: true } } });
    const { observation, events } = await traced(rig, bash("slow"));
    expect(observation).toMatchObject({ outcome: "failed", ended: "timeout", exitCode: null, message: "[ended: timeout, time limit of 20 ms]" });
    expect(only(events, "execution.started").timeoutMs).toBe(20);
    expect(rig.sandboxes.opened[0]?.requests[0]?.timeoutMs).toBe(20);
    const asked = createRig({ programs: { ls: { runsForever: true } } });
    expect((await traced(asked, toolCall("bash", { command: "ls", timeout: 0.01 }))).observation).toMatchObject({ ended: "timeout", message: "[ended: timeout, time limit of 10 ms]" });
  });

  it("is cancelled by the caller without ending the session", async () => {
    const rig = createRig({ programs: { ls: { runsForever: true }, pwd: {} } });
    const session = await rig.open();
    const stop = new AbortController();
    const running = session.call(bash("ls"), { output: { stdout: () => undefined, stderr: () => undefined } }, stop.signal);
    queueMicrotask(() => stop.abort());
    expect(await running).toMatchObject({ outcome: "cancelled", ended: "cancelled" });
    expect(await session.call(bash("pwd"), {}, never)).toMatchObject({ outcome: "completed" });
    expect(session.isBroken()).toBe(false);
    await session.close("finished");
  });
});

describe("a denied call", () => {
  it("is received, judged and closed in one batch, and nothing else happens", async () => {
    const rig = createRig();
    const { observation, trace, events } = await traced(rig, create(".git/hooks/pre-commit", "#!/bin/sh\n"));
    expect(trace).toEqual(["ledger.append", "durable: call.received decision.made risk.updated call.closed"]);
    expect(observation).toMatchObject({ outcome: "denied", exitCode: null, ended: null, changes: [], approval: null });
    expect(observation.message).toBe(
      [
        "Refused by policy. Nothing was run.",
        "- rig.no-hooks [maestro:L7/agent-tool-misuse]: hooks of git run later, outside of the sandbox (create /workspace/.git/hooks/pre-commit) Allowed: changes of other files",
        "leave the hooks alone",
      ].join("\n"),
    );
    expect(only(events, "call.closed")).toEqual({ outcome: "denied", exitCode: null, observationDigest: null });
    expect(rig.sandboxes.opened[0]?.operations).toEqual([]);
  });

  it("is what a tool nobody knows gets, with its arguments on record", async () => {
    const { observation, events } = await traced(createRig(), toolCall("teleport", { to: "production" }));
    expect(observation.outcome).toBe("denied");
    expect(only(events, "call.received")).toMatchObject({ tool: "teleport", arguments: { to: "production" } });
    expect(only(events, "decision.made")).toMatchObject({ effect: "deny", action: { kind: "opaque", cwd: null } });
  });

  it("is what code gets where the container was not tested", async () => {
    for (const controls of [[], [{ id: "no-network", state: "missing", detail: "" } as const]]) {
      const rig = createRig({ controls, programs: { "python3 x.py": {} } });
      expect((await traced(rig, bash("python3 x.py"))).observation.outcome).toBe("denied");
      expect(rig.sandboxes.opened[0]?.requests).toEqual([]);
    }
  });
});

describe("a call that needs a person", () => {
  const ASKED = ["ledger.append", "durable: call.received decision.made approval.requested"];
  const REFUSED = ["ledger.append", "durable: approval.resolved call.closed"];
  const deploys: RigOptions = { programs: { "deploy now": { stdout: "done\n" } } };
  const approving = (request: Approver["request"]): RigOptions => ({ ...deploys, approver: { request }, defaults: { approvalTimeoutMs: 15 } });
  const yes: ApprovalOutcome = { outcome: "approved", by: "someone", detail: null };

  it("is asked for on record, and runs when approved", async () => {
    const { observation, trace, events } = await traced(createRig({ ...deploys, answers: ["approved"] }), bash("deploy now"));
    expect(trace).toEqual([...ASKED, "approver.request", "ledger.append", "durable: approval.resolved execution.started", "sandbox.run", ...SETTLE, ...END]);
    expect(observation).toMatchObject({ outcome: "completed", stdout: "done\n", approval: { outcome: "approved", by: "script" } });
    const decided = only(events, "decision.made");
    expect(only(events, "approval.requested")).toEqual({ actionDigest: decided.actionDigest, policyDigest: decided.policyDigest, summary: "deploy now", rules: ["rig.deploy"] });
    expect(only(events, "approval.resolved")).toEqual({ actionDigest: decided.actionDigest, outcome: "approved", by: "script", detail: null });
  });

  it.each(["rejected", "unavailable", "expired"] as const)("does not run when the answer is %s", async (answer) => {
    const { observation, trace } = await traced(createRig({ ...deploys, answers: [answer] }), bash("deploy now"));
    expect(trace.slice(0, 3)).toEqual([...ASKED, "approver.request"]);
    expect(trace.slice(3).map((entry) => entry.replace(" risk.updated", ""))).toEqual(REFUSED);
    expect(observation).toMatchObject({ outcome: "rejected", exitCode: null, approval: { outcome: answer } });
    expect(observation.message).toContain(`This needs a person's approval, and it was not given (${answer}). Nothing was run.`);
  });

  it("does not run when nobody answers", async () => {
    const { observation } = await traced(createRig(deploys), bash("deploy now"));
    expect(observation).toMatchObject({ outcome: "rejected", approval: { outcome: "unavailable", by: "nobody", detail: "no answer left" } });
  });

  const bad: readonly (readonly [string, Approver["request"], Omit<ApprovalOutcome, "by">])[] = [
    ["throws", async () => Promise.reject(new Error("\u001b[2Jgone")), { outcome: "unavailable", detail: "the approver failed" }],
    ["hangs past the deadline", () => new Promise(() => undefined), { outcome: "expired", detail: "no answer in time" }],
    [
      "says yes too late",
      (_request, signal) => new Promise((resolve) => signal.addEventListener("abort", () => resolve(yes))),
      { outcome: "expired", detail: "answered too late" },
    ],
    ["answers nothing", async () => undefined as unknown as ApprovalOutcome, { outcome: "unavailable", detail: "the approver failed" }],
    ["answers with a truth of its own", async () => ({ ...yes, outcome: "yes" }) as unknown as ApprovalOutcome, { outcome: "unavailable", detail: "the approver failed" }],
    ["does not say who", async () => ({ outcome: "approved" }) as unknown as ApprovalOutcome, { outcome: "unavailable", detail: "the approver failed" }],
  ];
  it.each(bad)("does not run when the approver %s", async (_what, request, expected) => {
    const rig = createRig(approving(request));
    const { observation, trace, session } = await traced(rig, bash("deploy now"));
    expect(trace).not.toContain("sandbox.run");
    expect(observation.outcome).toBe("rejected");
    expect(observation.approval).toMatchObject(expected);
    expect(session.isBroken()).toBe(false);
  });

  it("takes of an answer only who, what and why, in printable text", async () => {
    const rig = createRig(approving(async () => ({ ...yes, by: "me\u001b[2J", detail: "\u202eok", more: 1 }) as ApprovalOutcome));
    const { events } = await traced(rig, bash("deploy now"));
    const { actionDigest } = only(events, "decision.made");
    expect(only(events, "approval.resolved")).toEqual({ actionDigest, outcome: "approved", by: "me\\x1b[2J", detail: "\\u{202e}ok" });
  });

  it("is not run when the caller gives up while a person is asked", async () => {
    const stop = new AbortController();
    const rig = createRig({ ...deploys, approver: { request: async () => (stop.abort(), yes) } });
    const { observation, trace } = await traced(rig, bash("deploy now"), stop.signal);
    expect(observation).toMatchObject({ outcome: "rejected", approval: { outcome: "expired", detail: "answered too late" } });
    expect(trace).not.toContain("sandbox.run");
  });

  it("shows the whole action, escaped, and where it runs", async () => {
    const rig = createRig({ programs: {}, answers: [] });
    const long = "x".repeat(5_000);
    await traced(rig, bash(`deploy $'\u001b[2J' ${long} end`));
    const [request] = rig.approver.requests;
    expect(request).toMatchObject({ tool: "bash", cwd: "/workspace", action: `deploy $'\\x1b[2J' ${long} end` });
    await traced(rig, create("ci/build.yml", "one\n\u202etwo"));
    expect(rig.approver.requests[1]).toMatchObject({ tool: "str_replace_editor", cwd: null, action: "create /workspace/ci/build.yml\n+one\n+\\u{202e}two" });
  });
});

describe("the file tools", () => {
  const FILES = { files: { "src/a.js": "one\ntwo\n" } };
  const edited = (...ops: readonly string[]): readonly string[] => [...INTENT, ...ops, "workspace.changes", "preimages.remember"];

  it("view reads and changes nothing", async () => {
    const { observation, trace } = await traced(createRig(FILES), toolCall("str_replace_editor", { command: "view", path: "/workspace/src/a.js" }));
    expect(trace).toEqual([...edited("sandbox.readFile"), ...END]);
    expect(observation).toMatchObject({ outcome: "completed", changes: [] });
    expect(observation.stdout).toContain("two");
  });

  it("create writes what was judged, and the change is on record", async () => {
    const rig = createRig(FILES);
    const { observation, trace, events, session } = await traced(rig, create("src/b.js", "new\n"));
    expect(trace).toEqual([...edited("sandbox.readFile", "sandbox.apply"), "workspace.readChanged", ...END]);
    expect(rig.content(session, "src/b.js")).toBe("new\n");
    expect(observation).toMatchObject({ outcome: "completed", changes: [{ path: "src/b.js", operation: "create" }] });
    expect(only(events, "reconciliation.done").changes).toEqual(observation.changes);
  });

  it("replace and insert change the file, undo takes the last change back, one after the other", async () => {
    const rig = createRig(FILES);
    const session = await rig.open();
    const undo = toolCall("str_replace_editor", { command: "undo_edit", path: "/workspace/src/a.js" });
    const insert = toolCall("str_replace_editor", { command: "insert", path: "/workspace/src/a.js", insert_line: 1, new_str: "mid" });
    const contents: (string | null)[] = [];
    for (const call of [replace("src/a.js", "two", "zwei"), insert, undo, undo]) {
      expect(await session.call(call, {}, never)).toMatchObject({ outcome: "completed" });
      contents.push(rig.content(session, "src/a.js"));
    }
    expect(contents[0]).toBe("one\nzwei\n");
    expect(contents[1]).toContain("mid");
    expect(contents.slice(2)).toEqual(["one\nzwei\n", "one\ntwo\n"]);
    expect(await session.call(undo, {}, never)).toMatchObject({ outcome: "failed" });
    await session.close("finished");
  });

  it("undo of a created file removes it", async () => {
    const rig = createRig(FILES);
    const session = await rig.open();
    await session.call(create("src/b.js", "new\n"), {}, never);
    await session.call(toolCall("str_replace_editor", { command: "undo_edit", path: "/workspace/src/b.js" }), {}, never);
    expect(rig.view(session).get("src/b.js")).toBeNull();
    await session.close("finished");
  });

  it("an edit that does not fit fails without touching anything", async () => {
    const { observation, trace } = await traced(createRig(FILES), replace("src/a.js", "three", "x"));
    expect(trace).toEqual([...edited("sandbox.readFile"), ...END]);
    expect(observation).toMatchObject({ outcome: "failed", exitCode: 1, changes: [], stdout: "" });
    expect(observation.stderr).not.toBe("");
  });

  it("does not follow a link out of the workspace", async () => {
    const rig = createRig({ files: { link: { kind: "symlink", target: "/etc/passwd" } } });
    const { observation } = await traced(rig, toolCall("str_replace_editor", { command: "view", path: "/workspace/link" }));
    expect(observation).toMatchObject({ outcome: "failed", stdout: "" });
  });

  it("an abort ends an edit as cancelled, and the session goes on", async () => {
    for (const call of [toolCall("str_replace_editor", { command: "view", path: "/workspace/src/a.js" }), replace("src/a.js", "two", "zwei")]) {
      const rig = createRig(FILES);
      const { observation, session } = await traced(rig, call, AbortSignal.abort());
      expect(observation).toMatchObject({ outcome: "cancelled", ended: "cancelled", exitCode: null });
      expect(session.isBroken()).toBe(false);
    }
  });
});

describe("calls that run nothing", () => {
  it("a thought is received and closed, and not judged", async () => {
    const { observation, trace, ofCall } = await traced(createRig(), toolCall("think", { thought: "hm" }));
    expect(trace).toEqual(["ledger.append", "durable: call.received call.closed"]);
    expect(ofCall[0]?.data).toMatchObject({ arguments: { thought: "hm" } });
    expect(observation).toMatchObject({ outcome: "completed", message: "" });
  });

  it("a submit is judged and reconciled like any other action", async () => {
    const { observation, trace } = await traced(createRig(), toolCall("submit", {}));
    expect(trace).toEqual([...INTENT, ...SETTLE, ...END]);
    expect(observation).toMatchObject({ outcome: "completed", exitCode: 0 });
  });

  it("an answer nobody could read is denied on record, and the model gets the format's own words", async () => {
    const rig = createRig();
    const session = await rig.open();
    const from = rig.journal.length;
    const observation = await session.refuse({
      label: "line 7",
      role: "bugfixer",
      format: "kimi-dev",
      issue: { code: "KIMI_FENCE", message: "no edit in \u001b[31mit", hint: "use SEARCH/REPLACE" },
      reply: "Please give edits.",
      escape: true,
    });
    expect(steps(rig, from)).toEqual(["ledger.append", "durable: call.received decision.made risk.updated call.closed"]);
    expect(observation).toMatchObject({ outcome: "denied", label: "line 7", message: "Please give edits." });
    await session.close("finished");
    const events = await rig.events(session);
    expect(only(events, "call.received")).toMatchObject({ label: "line 7", role: "bugfixer", tool: "kimi-dev" });
    expect(only(events, "decision.made")).toMatchObject({
      effect: "deny",
      reasons: [{ rule: "format.path-escape", message: "no edit in \\x1b[31mit", allowed: "use SEARCH/REPLACE", risk: { severity: "medium" } }],
    });
  });
});

describe("a session", () => {
  it("opens in an order in which a crash leaves nothing that is not marked", async () => {
    const rig = createRig();
    const session = await rig.open();
    expect(steps(rig)).toEqual(["openSessions.mark", "workspaces.create", "sandboxes.open", "store.create", "ledger.putBlob", "store.readBlob", "observer.start", "ledger.append", "durable: session.opened risk.updated"]);
    expect(rig.marks).toEqual(new Set([session.id]));
    await session.close("finished");
  });

  it("closes the sandbox, then the record, then the mark, once", async () => {
    const rig = createRig();
    const session = await rig.open();
    const from = rig.journal.length;
    await Promise.all([session.close("finished"), session.close("cancelled")]);
    expect(steps(rig, from)).toEqual(["watch.stop", "sandbox.close", "ledger.append", "durable: session.closed", "ledger.close", "openSessions.clear"]);
    expect(rig.marks.size).toBe(0);
    await expect(session.call(bash("ls"), {}, never)).rejects.toMatchObject({ code: "SESSION_ENDED" });
  });

  it("takes calls one at a time, in the order they came, and closes after the last", async () => {
    const rig = createRig({ programs: { ls: {}, pwd: {} } });
    const session = await rig.open();
    const answers = [session.call(bash("ls"), {}, never), session.call(bash("pwd"), {}, never), session.close("finished")];
    await Promise.all(answers);
    const events = await rig.events(session);
    expect(events.map((event) => event.call).filter((call, index, all) => call !== all[index - 1])).toEqual([null, "call_0001", "call_0002", null]);
    expect(events.map((event) => event.seq)).toEqual(events.map((_event, index) => index));
  });

  it("tells every event to its listener in order once it is durable, and is not harmed by a listener that throws", async () => {
    const told: string[] = [];
    const rig = createRig({
      programs: { ls: {} },
      onEvent: (event) => {
        told.push(event.type);
        throw new Error("a bad listener");
      },
    });
    const { observation, events, session } = await traced(rig, bash("ls"));
    expect(observation.outcome).toBe("completed");
    expect(told).toEqual(typesOf(events));
    expect(session.isBroken()).toBe(false);
  });

  it("shows output as it arrives, and is not harmed by a watcher that throws", async () => {
    const rig = createRig({ programs: { ls: { stdout: "out", stderr: "err" } } });
    const session = await rig.open();
    const seen: string[] = [];
    const output = { stdout: (chunk: Uint8Array) => void seen.push(`out ${new TextDecoder().decode(chunk)}`), stderr: (chunk: Uint8Array) => void seen.push(`err ${new TextDecoder().decode(chunk)}`) };
    await session.call(bash("ls"), { output }, never);
    expect(seen).toEqual(["out out", "err err"]);
    const throwing = {
      stdout: () => {
        throw new Error("no");
      },
      stderr: () => undefined,
    };
    expect(await session.call(bash("ls"), { output: throwing }, never)).toMatchObject({ outcome: "completed", stdout: "out" });
    await session.close("finished");
  });
});
