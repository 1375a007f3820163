// The approver contract on the one of the terminal, the one that is not there, and the scripted one.

import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { createScriptedApprover } from "../../src/adapters/memory/approver.js";
import { createAbsentApprover, createTerminalApprover } from "../../src/adapters/approver/terminal.js";
import { approverContract, REQUEST, type ApproverRig } from "./approver.contract.js";

const never = new AbortController().signal;
const DOWN = "\u001b[B";
const ENTER = "\r";

/** A terminal with a person at it who presses these keys as soon as the question stands. */
async function terminal(keys: readonly string[], isTTY = true): Promise<ApproverRig> {
  const input = Object.assign(new PassThrough(), { isTTY, setRawMode: () => undefined });
  const output = Object.assign(new PassThrough(), { isTTY, columns: 200, rows: 50 });
  let text = "";
  let pressed = false;
  output.on("data", (chunk: Buffer) => {
    text += chunk.toString("utf8");
    if (pressed || !text.includes("Run this?")) return;
    pressed = true;
    // The question is drawn before its keys are listened to.
    setImmediate(() => keys.forEach((key) => input.write(key)));
  });
  return { approver: createTerminalApprover({ input, output, user: "someone" }), shown: () => text };
}

approverContract("terminal", { yes: () => terminal([DOWN, ENTER]), no: () => terminal([ENTER]), silent: () => terminal([]) });
approverContract("nobody there", { yes: null, no: async () => ({ approver: createAbsentApprover("no terminal"), shown: null }), silent: null });
approverContract("script", {
  yes: async () => ({ approver: createScriptedApprover(["approved"]), shown: null }),
  no: async () => ({ approver: createScriptedApprover(["rejected"]), shown: null }),
  silent: null,
});

describe("the approver at a terminal", () => {
  it.each([
    ["escape", "\u001b"],
    ["Ctrl-C", "\u0003"],
    ["the first thing offered", ENTER],
  ])("rejects on %s", async (_what, key) => {
    const { approver } = await terminal([key]);
    expect(await approver.request(REQUEST, never)).toEqual({ outcome: "rejected", by: "someone", detail: null });
  });

  it("is unavailable where there is no terminal, and writes nothing there", async () => {
    const { approver, shown } = await terminal([ENTER], false);
    expect(await approver.request(REQUEST, never)).toEqual({ outcome: "unavailable", by: "nobody", detail: "no terminal to ask on" });
    expect(shown?.()).toBe("");
  });

  it("names the person who answered", async () => {
    const { approver } = await terminal([DOWN, ENTER]);
    expect(await approver.request(REQUEST, never)).toEqual({ outcome: "approved", by: "someone", detail: null });
  });
});

describe("the scripted approver", () => {
  it("answers in order, keeps what it was asked, and then nobody answers", async () => {
    const approver = createScriptedApprover(["approved", "rejected"], "me");
    const outcomes = [await approver.request(REQUEST, never), await approver.request(REQUEST, never), await approver.request(REQUEST, never)];
    expect(outcomes.map(({ outcome, by }) => [outcome, by])).toEqual([["approved", "me"], ["rejected", "me"], ["unavailable", "nobody"]]);
    expect(approver.requests.length).toBe(3);
  });
});
