// An approval holds for the bytes that were shown, under the policy it was shown with, and for the files that would run; once.

import { describe, expect, it } from "vitest";
import type { ApprovalOutcome, Approver } from "../../src/ports/approver.js";
import type { Session } from "../../src/engine/session.js";
import { bash, create, createRig, never, only, type Rig, type RigOptions } from "../support/rig.js";

const YES: ApprovalOutcome = { outcome: "approved", by: "someone", detail: null };
const SCRIPT = { "run.sh": "echo first\n", "src/a.js": "one\n" };

/** A session whose approver does something before it says yes. */
async function asking(before: (session: Session, rig: Rig) => void, options: RigOptions = {}): Promise<{ readonly rig: Rig; readonly session: Session }> {
  const held: { session: Session | null; rig: Rig | null } = { session: null, rig: null };
  const approver: Approver = {
    request: async () => {
      if (held.session !== null && held.rig !== null) before(held.session, held.rig);
      return YES;
    },
  };
  const rig = createRig({ files: SCRIPT, programs: { "deploy now; sh run.sh": {}, "deploy now": {} }, ...options, approver });
  const session = await rig.open();
  Object.assign(held, { session, rig });
  return { rig, session };
}

const DEPLOY = "deploy now; sh run.sh";

describe("the files that a command runs", () => {
  it("are on record with the question, by their content", async () => {
    const { rig, session } = await asking(() => undefined);
    const observation = await session.call(bash(DEPLOY), {}, never);
    expect(observation).toMatchObject({ outcome: "completed", approval: { outcome: "approved" } });
    expect(only(await rig.events(session), "approval.requested").files).toEqual([{ path: "/workspace/run.sh", digest: rig.deps.hasher(new TextEncoder().encode("echo first\n")) }]);
  });

  it("are shown with their text", async () => {
    const rig = createRig({ files: SCRIPT, answers: ["rejected"] });
    await (await rig.open()).call(bash(DEPLOY), {}, never);
    expect(rig.approver.requests[0]?.files).toMatchObject([{ path: "/workspace/run.sh", state: "file", text: "echo first\n" }]);
  });

  const swaps: readonly (readonly [string, (session: Session, rig: Rig) => void])[] = [
    ["has other content", (session, rig) => rig.view(session).set("run.sh", { kind: "file", content: "rm -rf .\n" })],
    ["is gone", (session, rig) => rig.view(session).remove("run.sh")],
    ["is a link", (session, rig) => rig.view(session).set("run.sh", { kind: "symlink", target: "src/a.js" })],
  ];
  it.each(swaps)("are looked at again: nothing runs when one %s", async (_what, swap) => {
    const { rig, session } = await asking(swap);
    const observation = await session.call(bash(DEPLOY), {}, never);
    expect(observation).toMatchObject({ outcome: "rejected", approval: { outcome: "rejected", by: "guard", detail: "approved by someone, but `/workspace/run.sh` was changed after it was shown" } });
    expect(rig.sandboxes.opened[0]?.requests).toEqual([]);
    expect(session.isBroken()).toBe(false);
  });

  it("are looked at again where one was not there when it was asked about", async () => {
    const { session } = await asking((one, rig) => rig.view(one).set("run.sh", { kind: "file", content: "rm -rf .\n" }), { files: { "src/a.js": "one\n" } });
    expect((await session.call(bash(DEPLOY), {}, never)).outcome).toBe("rejected");
  });

  it("count for a project's command too", async () => {
    const { session } = await asking((one, rig) => rig.view(one).set("package.json", { kind: "file", content: '{"scripts":{"test":"curl x"}}' }), { files: { "package.json": "{}" }, programs: { "deploy now && npm test": {} } });
    expect((await session.call(bash("deploy now && npm test"), {}, never)).outcome).toBe("rejected");
  });

  it("that are too many are not asked about", async () => {
    const many = Array.from({ length: 40 }, (_none, index) => `sh s${index}.sh`).join("; ");
    const { rig, session } = await asking(() => undefined);
    expect(await session.call(bash(`deploy now; ${many}`), {}, never)).toMatchObject({ outcome: "rejected", approval: { outcome: "unavailable", detail: expect.stringContaining("more than 32 files") } });
    expect(rig.journal).not.toContain("approver.request");
  });
});

describe("scripts of the workspace", () => {
  const effectOf = async (files: Readonly<Record<string, string>>, command: string): Promise<readonly (string | undefined)[]> => {
    const rig = createRig({ files, programs: { [command]: {} } });
    const { outcome, decision } = await (await rig.open()).call(bash(command), {}, never);
    return [outcome, decision.reasons[0]?.rule];
  };

  it("are followed by the rules that bind the same words on a command line", async () => {
    const text = "echo x > .git/config\n";
    expect(await effectOf({}, text.trim())).toEqual(["denied", "rig.no-hooks"]);
    for (const command of ["sh run.sh", "bash ./run.sh", "./run.sh", ". ./run.sh", "source run.sh", "cd . && sh run.sh", "env A=1 timeout 5 sh run.sh", "touch x; sh run.sh"]) {
      expect([command, ...(await effectOf({ "run.sh": text }, command))]).toEqual([command, "denied", "rig.no-hooks"]);
    }
  });

  it("are followed through scripts that run scripts, and end where they run themselves", async () => {
    expect(await effectOf({ "a.sh": "sh b.sh\n", "b.sh": "sh c.sh\n", "c.sh": "touch protected/x\n" }, "sh a.sh")).toEqual(["denied", "rig.protected"]);
    expect((await effectOf({ "a.sh": "sh a.sh\n" }, "sh a.sh"))[0]).toBe("denied");
  });

  it("that the agent wrote by the edit tool are followed when they are run", async () => {
    const rig = createRig({ programs: { "sh new.sh": {} } });
    const session = await rig.open();
    await session.call(create("new.sh", "deploy now\n"), {}, never);
    expect(await session.call(bash("sh new.sh"), {}, never)).toMatchObject({ outcome: "rejected", decision: { effect: "ask", reasons: [{ rule: "rig.deploy" }] } });
  });

  it("that the command changes before it reads them are not believed", async () => {
    expect((await effectOf({ "env.sh": "P=ls\n" }, "echo P=rm > env.sh; . ./env.sh; $P -rf x"))[0]).toBe("denied");
    expect((await effectOf({ "env.sh": "P=ls\n" }, ". ./env.sh; $P -l"))[0]).not.toBe("denied");
  });

  it("that are long or no text cost nothing", async () => {
    expect(await effectOf({ "run.sh": `# ${"x".repeat(300_000)}\necho x > .git/config\n` }, "sh run.sh")).toEqual(["completed", "rig.code"]);
    expect((await effectOf({ "run.sh": "\u0000ELF" }, "./run.sh"))[0]).toBe("completed");
  });
});

describe("an answer", () => {
  it("about another action is none", async () => {
    const rig = createRig({ programs: { "deploy now": {} }, approver: { request: async () => ({ ...YES, actionDigest: "sha256:other" }) } });
    const observation = await (await rig.open()).call(bash("deploy now"), {}, never);
    expect(observation).toMatchObject({ outcome: "rejected", approval: { outcome: "rejected", by: "guard", detail: "the answer is about another action" } });
  });

  it("holds once: the same command is asked about again", async () => {
    const rig = createRig({ programs: { "deploy now": {} }, answers: ["approved"] });
    const session = await rig.open();
    expect((await session.call(bash("deploy now"), {}, never)).outcome).toBe("completed");
    expect((await session.call(bash("deploy now"), {}, never)).outcome).toBe("rejected");
    expect(rig.approver.requests).toHaveLength(2);
  });

  it("is bound to folder, variables and words: a change of any gives another digest", async () => {
    const rig = createRig({ programs: { "export A=1": {} }, answers: [] });
    const session = await rig.open();
    for (const command of ["deploy now", "deploy  now", "export A=1", "deploy now"]) await session.call(bash(command), {}, never);
    expect(new Set(rig.approver.requests.map((request) => request.actionDigest)).size).toBe(3);
  });

  it("that rejects the very same three times rejects it unasked from then on, in this session", async () => {
    const rig = createRig({ answers: ["rejected", "rejected", "rejected", "approved", "approved"], programs: { "deploy now": {} } });
    const session = await rig.open();
    const outcomes = [];
    for (let i = 0; i < 5; i += 1) outcomes.push((await session.call(bash("deploy now"), {}, never)).approval?.by);
    expect(outcomes).toEqual(["script", "script", "script", "guard", "guard"]);
    expect(rig.approver.requests.map((request) => request.rejectedBefore)).toEqual([0, 1, 2]);
    expect((await session.call(bash("deploy now # please"), {}, never)).approval?.by).toBe("script");
  });

  it("that never comes is a refusal when the time is over", async () => {
    const rig = createRig({ approver: { request: () => new Promise(() => undefined) }, defaults: { approvalTimeoutMs: 10 } });
    expect(await (await rig.open()).call(bash("deploy now"), {}, never)).toMatchObject({ outcome: "rejected", approval: { outcome: "expired" } });
  });
});

describe("what the model is told of a refusal", () => {
  it("names the rule, the threat, what would be allowed, and the guidance of the rule", async () => {
    const { message } = await (await createRig().open()).call(create(".git/hooks/pre-commit", "x"), {}, never);
    expect(message.split("\n")).toEqual(["Refused by policy. Nothing was run.", "- rig.no-hooks [maestro:L7/agent-tool-misuse]: hooks of git run later, outside of the sandbox (create /workspace/.git/hooks/pre-commit) Allowed: changes of other files", "leave the hooks alone"]);
  });
});

describe("the policy in force", () => {
  it("has one digest in the opening, in every decision and in every question", async () => {
    const rig = createRig({ answers: ["approved"], programs: { ls: {}, "deploy now": {} } });
    const session = await rig.open();
    for (const call of [bash("ls"), bash("deploy now"), create(".git/config", "x"), create("src/b.js", "x")]) await session.call(call, {}, never);
    const digests = (await rig.events(session)).flatMap((event) => (event.type === "session.opened" ? [event.data.policy.digest] : event.type === "decision.made" || event.type === "approval.requested" ? [event.data.policyDigest] : []));
    expect(digests).toHaveLength(6);
    expect(new Set(digests)).toEqual(new Set([rig.options.policy.digest]));
  });

  it("is not the one that was asked under when it was exchanged meanwhile: nothing runs", async () => {
    const { rig, session } = await asking((_session, one) => void Object.assign(one.options, { policy: { ...one.options.policy, digest: "sha256:another" } }));
    expect(await session.call(bash("deploy now"), {}, never)).toMatchObject({ outcome: "rejected", approval: { by: "guard", detail: "approved by someone, but the policy is another now" } });
    expect(rig.sandboxes.opened[0]?.requests).toEqual([]);
  });
});
