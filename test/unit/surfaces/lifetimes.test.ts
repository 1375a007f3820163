// Processes and pauses, as `show` and `process list` word them.

import { describe, expect, it } from "vitest";
import type { AuditEvent } from "../../../src/core/session/index.js";
import { pauseTexts, processText } from "../../../src/surfaces/cli/render/lifetimes.js";

const closed = (reason: string, exitCode: number | null = null, signal: string | null = null) => ({ name: "p", reason, exitCode, signal, detail: null }) as NonNullable<Parameters<typeof processText>[0]>;
const event = (type: string, data: object): AuditEvent => ({ type, data }) as AuditEvent;

describe("lifetimes", () => {
  it("say how a process stands, or what ended it", () => {
    expect([null, closed("exit", 3), closed("exit", null, "SIGSEGV"), closed("session"), closed("recovered"), closed("killed")].map(processText)).toEqual(["lives", "exit 3", "exit SIGSEGV", "ended with session", "ended by a crash", "killed"]);
  });

  it("say of each pause how long it was, whose, and why", () => {
    const events = [event("session.paused", { by: "a\u001b", reason: "a look", call: "call_0001" }), event("session.resumed", { by: "b", pausedMs: 6_600 }), event("session.paused", { by: "policy", reason: null, call: null })];
    expect(pauseTexts(events)).toEqual(["7 s by a\\x1b, in call_0001: a look"]);
    expect(pauseTexts([event("session.paused", { by: "policy", reason: null, call: null }), event("session.resumed", { by: "b", pausedMs: 100 })])).toEqual(["0 s by policy, between two calls"]);
  });
});
