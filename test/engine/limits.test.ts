// Limits on what an agent sends, prints and carries from call to call; and that nothing of ours gets in.

import { describe, expect, it } from "vitest";
import { LIMITS, type JsonObject, type JsonValue } from "../../src/core/shared/index.js";
import { overLimit } from "../../src/engine/receive.js";
import { sessionState } from "../../src/core/session/index.js";
import { bash, create, createRig, never, only, toolCall } from "../support/rig.js";

const nested = (depth: number): JsonValue => (depth === 0 ? 1 : { a: nested(depth - 1) });

describe("a call past a limit", () => {
  const cases: readonly (readonly [string, JsonObject, string])[] = [
    ["too deep", { a: nested(LIMITS.callDepth + 1) }, `arguments are nested deeper than ${LIMITS.callDepth}`],
    ["too large", { command: "x".repeat(LIMITS.callBytes) }, `the call is larger than ${LIMITS.callBytes} bytes`],
    ["too large in bytes, not in characters", { command: "\u20ac".repeat(LIMITS.callBytes / 2) }, `the call is larger than ${LIMITS.callBytes} bytes`],
    ["of too many small things", { a: Array.from({ length: LIMITS.callBytes / 8 }, () => 0) }, `the call is larger than ${LIMITS.callBytes} bytes`],
  ];
  it.each(cases)("that is %s is denied and its arguments are not kept", async (_what, args, why) => {
    const rig = createRig();
    const session = await rig.open();
    const observation = await session.call(toolCall("bash", args), {}, never);
    await session.close("finished");
    expect(observation).toMatchObject({ outcome: "denied", summary: `bash: ${why}` });
    const events = await rig.events(session);
    expect(only(events, "call.received").arguments).toEqual({});
    expect(only(events, "decision.made").reasons).toMatchObject([{ rule: "default-deny", subject: why }]);
    expect(rig.sandboxes.opened[0]?.requests).toEqual([]);
  });

  it("is measured by all of its texts, and at most up to the limit", () => {
    const call = (args: JsonObject, rest: Partial<Parameters<typeof overLimit>[0]> = {}) => ({ id: "1", role: null, tool: "bash", arguments: args, ...rest });
    expect(overLimit(call({ a: nested(LIMITS.callDepth - 1) }))).toBeNull();
    expect(overLimit(call({ ["k".repeat(LIMITS.callBytes)]: 1 }))).not.toBeNull();
    expect(overLimit(call({}, { id: "i".repeat(LIMITS.callBytes + 1) }))).not.toBeNull();
    expect(overLimit(call({}, { tool: "t".repeat(LIMITS.callBytes + 1) }))).not.toBeNull();
    expect(overLimit(call({}, { role: "bugfixer" }))).toBeNull();
  });

  it.each(["r".repeat(65), "fixer\u001b[2J", "fix\ud800er", "bug\u202efixer"])("with a role that is no name (%j) is denied, and the record survives it", async (role) => {
    const rig = createRig({ programs: { ls: {} } });
    const session = await rig.open();
    expect(await session.call(bash("ls", role), {}, never)).toMatchObject({ outcome: "denied" });
    expect(await session.call(bash("ls"), {}, never)).toMatchObject({ outcome: "completed" });
    await session.close("finished");
  });
});

describe("a limit of the sandbox", () => {
  it("ends the call as a limit when it ended the program, and is said where the program went on", async () => {
    const rig = createRig({ programs: { "ls a": { exitCode: null, signal: "SIGKILL", limit: "memory" }, "ls b": { exitCode: 2, limit: "processes" }, "ls c": { limit: "disk" }, "ls d": { exitCode: null, signal: "SIGXFSZ", limit: "disk" } } });
    const session = await rig.open();
    const told: unknown[] = [];
    for (const command of ["ls a", "ls b", "ls c", "ls d"]) {
      const { outcome, ended, message } = await session.call(bash(command), {}, never);
      told.push({ outcome, ended, message });
    }
    await session.close("finished");
    expect(told).toEqual([
      { outcome: "failed", ended: "limit", message: "[ended: limit, memory limit of the sandbox]" },
      { outcome: "failed", ended: "exit", message: "[exit code 2; the process limit of the sandbox was reached]" },
      { outcome: "completed", ended: "exit", message: "[the disk limit of the sandbox was reached]" },
      { outcome: "failed", ended: "limit", message: "[ended: limit, disk limit of the sandbox]" },
    ]);
  });
});

describe("hostile texts", () => {
  it("never keep a call from being recorded", async () => {
    const rig = createRig({ programs: { ls: {} } });
    const session = await rig.open();
    const hostile = "\ud800\u0000\u001b[2J\u202e\u2028";
    const calls = [
      bash(`ls ${hostile}`),
      bash(`cd ${hostile}; ls`),
      bash(`export A='${hostile}'`),
      toolCall(hostile, { [hostile]: hostile, list: [hostile, { [hostile]: 1 }] }),
      create(hostile, hostile),
      { ...bash("ls"), id: hostile },
      toolCall("think", { thought: hostile }),
      JSON.parse('{"id":"1","role":null,"tool":"bash","arguments":{"__proto__":{"command":"ls"},"command":"ls"}}') as ReturnType<typeof bash>,
    ];
    for (const call of calls) await session.call(call, {}, never);
    await session.refuse({ label: hostile, role: hostile, format: hostile, issue: { code: hostile, message: hostile, hint: hostile }, reply: hostile, escape: false });
    await session.harness({ label: hostile, command: `ls ${hostile}`, editsOf: null, before: null }, {}, never).catch(() => null);
    expect(session.isBroken()).toBe(false);
    await session.close("finished");
    const events = await rig.events(session);
    expect(sessionState(events)?.calls.map(({ status }) => status)).toEqual(Array.from({ length: calls.length + 2 }, () => "closed"));
    for (const event of events) if (event.type === "decision.made") expect(event.data.action.summary).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  });
});

describe("long arguments", () => {
  it("go into the blob store with secrets taken out, and the record says where", async () => {
    const rig = createRig();
    const session = await rig.open();
    const secret = "ghp_0123456789abcdefghijABCDEFGHIJ012345";
    const text = `token = "${secret}"\n${"line\n".repeat(1_200_000)}`;
    expect(await session.call(create("src/big.txt", text), {}, never)).toMatchObject({ outcome: "completed" });
    await session.close("finished");
    const received = only(await rig.events(session), "call.received");
    expect(received.arguments).toEqual({});
    const kept = new TextDecoder().decode(await rig.store.readBlob(session.id, received.argumentsBlob ?? "sha256:none"));
    expect(kept).not.toContain(secret);
    expect(kept).toContain("[redacted:");
    expect((JSON.parse(kept) as { readonly path: string }).path).toBe("/workspace/src/big.txt");
    expect(rig.content(session, "src/big.txt")).toBe(text);
  });
});

describe("very many changes", () => {
  it("are recorded in several records of a bearable length, and counted as one whole", async () => {
    const count = 1_500;
    const rig = createRig({
      programs: {
        "python3 x.py": {
          changes: (tree) => {
            for (let n = 0; n < count; n += 1) tree.set(`node_modules/${"p".repeat(900)}${n}`, { kind: "file", content: String(n) });
          },
        },
      },
    });
    const session = await rig.open();
    const observation = await session.call(bash("python3 x.py"), {}, never);
    expect(observation.outcome).toBe("completed");
    await session.close("finished");
    const events = await rig.events(session);
    const parts = events.filter((event) => event.type === "reconciliation.done");
    expect(parts.length).toBeGreaterThan(1);
    for (const part of parts) expect(JSON.stringify(part).length).toBeLessThan(LIMITS.recordChangeBytes + 1_000);
    expect(sessionState(events)?.calls[0]?.changes).toEqual(observation.changes);
    expect(observation.changes.length).toBe(count + 1);
  });
});

describe("output", () => {
  it("past the limit is counted and dropped, and the model is told", async () => {
    const rig = createRig({ defaults: { outputBytes: 1_000 }, programs: { ls: { stdout: "y".repeat(5_000) } } });
    const session = await rig.open();
    const observation = await session.call(bash("ls"), {}, never);
    await session.close("finished");
    expect(observation.stdout).toBe(`${"y".repeat(1_000)}\n[4000 more bytes were dropped]`);
    expect(only(await rig.events(session), "execution.finished").stdout).toEqual({ bytes: 5_000, dropped: 4_000, head: "y".repeat(1_000), blob: null });
  });

  it("past what a sandbox was told to deliver is dropped by us", async () => {
    const rig = createRig({ defaults: { outputBytes: 10 }, programs: { ls: {} } });
    rig.faults.order("sandbox.run", { kind: "lie", answer: (real) => real });
    const session = await rig.open();
    const [sandbox] = rig.sandboxes.opened;
    rig.programs.set("ls", { stdout: "123456789" });
    const observation = await session.call(bash("ls"), {}, never);
    expect(observation.stdout).toBe("123456789");
    expect(sandbox?.requests[0]?.outputBytes).toBe(10);
    await session.close("finished");
  });

  it("too long for a model has its middle left out, never half a character", async () => {
    const text = `${"a".repeat(LIMITS.observationChars / 2 - 1)}\u{1f600}${"b".repeat(LIMITS.observationChars)}`;
    const rig = createRig({ defaults: { outputBytes: LIMITS.outputBytes }, programs: { ls: { stdout: text } } });
    const session = await rig.open();
    const { stdout } = await session.call(bash("ls"), {}, never);
    await session.close("finished");
    expect(stdout).toMatch(/characters left out/u);
    expect(stdout).not.toMatch(/\p{Surrogate}/u);
  });

  it("that is long or no text is kept whole in the blob store, redacted", async () => {
    const bytes = Uint8Array.from({ length: 256 }, (_none, byte) => byte);
    const secret = "ghp_0123456789abcdefghijABCDEFGHIJ012345";
    const rig = createRig({ programs: { ls: { stdout: bytes, stderr: `${"z".repeat(3_000)} ${secret}` } } });
    const session = await rig.open();
    const observation = await session.call(bash("ls"), {}, never);
    await session.close("finished");
    const { stdout, stderr } = only(await rig.events(session), "execution.finished");
    expect(await rig.store.readBlob(session.id, stdout.blob ?? "sha256:none")).toEqual(bytes);
    expect(new TextDecoder().decode(await rig.store.readBlob(session.id, stderr.blob ?? "sha256:none"))).toMatch(/^z{3000} \[redacted:/u);
    expect(stderr.head.length).toBe(LIMITS.recordOutputChars);
    expect(observation.message).not.toContain(secret);
    expect(rig.store.text(session.id)).not.toContain(secret);
  });
});

describe("what is carried from call to call", () => {
  it("is the working directory and what was exported, and is judged with the call", async () => {
    const rig = createRig({ files: { "src/deep/a.js": "x\n" }, programs: { "export MODE=fast; cd src/deep": {}, pwd: {} } });
    const session = await rig.open();
    await session.call(bash("export MODE=fast; cd src/deep"), {}, never);
    await session.call(bash("pwd"), {}, never);
    await session.call(bash("touch x", "testwriter"), {}, never);
    await session.close("finished");
    const requests = rig.sandboxes.opened[0]?.requests ?? [];
    expect(requests.map(({ cwd }) => cwd)).toEqual(["/workspace", "/workspace/src/deep"]);
    expect(requests[1]?.environment).toMatchObject({ MODE: "fast", PWD: "/workspace/src/deep", HOME: "/home/agent" });
    const state = sessionState(await rig.events(session));
    expect(state?.calls[2]).toMatchObject({ outcome: "denied", reasons: [{ rule: "rig.tests-only", subject: "write /workspace/src/deep/x" }] });
  });

  it.each([
    ["cd src && ls", "/workspace/src"],
    ["cd src/deep", "/workspace/src/deep"],
    ["cd src; cd deep; cd ..", "/workspace/src"],
    ["cd nowhere", "/workspace"],
    ["cd src/deep/a.js", "/workspace"],
    ["cd link", "/workspace"],
    ["cd \"$SOMEWHERE\"", "/workspace"],
    ["(cd src)", "/workspace"],
  ])("after `%s` is the folder %s", async (command, cwd) => {
    const rig = createRig({
      files: { "src/deep/a.js": "x\n", link: { kind: "symlink", target: "src" } },
      programs: { [command]: { exitCode: 1 }, pwd: {} },
    });
    const session = await rig.open();
    await session.call(bash(command), {}, never);
    await session.call(bash("pwd"), {}, never);
    await session.close("finished");
    expect(rig.sandboxes.opened[0]?.requests[1]?.cwd).toBe(cwd);
  });

  it("is nothing of a call that did not come to its end", async () => {
    const rig = createRig({ programs: { "cd src": { runsForever: true }, pwd: {} }, defaults: { timeoutMs: 10 } });
    const session = await rig.open();
    await session.call(bash("cd src"), {}, never);
    await session.call(bash("pwd"), {}, never);
    await session.close("finished");
    expect(rig.sandboxes.opened[0]?.requests.map(({ cwd }) => cwd)).toEqual(["/workspace", "/workspace"]);
  });

  it("has nothing of ours: the environment is made of constants and of what the agent exported", async () => {
    process.env["RIG_SECRET_OF_OURS"] = "do not pass on";
    try {
      const rig = createRig({ programs: { pwd: {} } });
      const session = await rig.open();
      await session.call(bash("pwd"), {}, never);
      await session.close("finished");
      const environment = rig.sandboxes.opened[0]?.requests[0]?.environment ?? {};
      expect(Object.keys(environment).sort()).toEqual(
        [
          "GIT_CONFIG_COUNT", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_KEY_0", "GIT_CONFIG_KEY_1", "GIT_CONFIG_KEY_2", "GIT_CONFIG_KEY_3", "GIT_CONFIG_KEY_4", "GIT_CONFIG_NOSYSTEM",
          "GIT_CONFIG_VALUE_0", "GIT_CONFIG_VALUE_1", "GIT_CONFIG_VALUE_2", "GIT_CONFIG_VALUE_3", "GIT_CONFIG_VALUE_4", "GIT_TERMINAL_PROMPT",
          "HOME", "LANG", "LOGNAME", "PATH", "PWD", "PYTHONDONTWRITEBYTECODE", "SHELL", "TERM", "USER", "npm_config_update_notifier",
        ].sort(),
      );
      expect(environment["PATH"]).not.toBe(process.env["PATH"]);
      expect(only(await rig.events(session), "execution.started").environment).toEqual(Object.keys(environment));
    } finally {
      delete process.env["RIG_SECRET_OF_OURS"];
    }
  });
});
