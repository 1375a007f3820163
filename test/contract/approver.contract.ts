// What every Approver has to do: answer, never throw, never hang past the signal, and approve only on a clear yes in time.

import { describe, expect, it } from "vitest";
import type { ApprovalOutcome, ApprovalRequest, Approver } from "../../src/ports/approver.js";

/** An approver under test. */
export interface ApproverRig {
  readonly approver: Approver;
  /** What was shown to the person so far, escapes of our own left out; null where nobody is shown anything. */
  readonly shown: (() => string) | null;
}

export interface ApproverRigs {
  /** A person who says yes, once asked; null where nobody ever can. */
  readonly yes: (() => Promise<ApproverRig>) | null;
  /** A person who says no. */
  readonly no: () => Promise<ApproverRig>;
  /** Nobody answers until the signal; null where an answer always comes at once. */
  readonly silent: (() => Promise<ApproverRig>) | null;
}

export const REQUEST: ApprovalRequest = {
  actionDigest: "sha256:action",
  policyDigest: "sha256:policy",
  role: "bugfixer",
  tool: "bash",
  action: "deploy now\nand then",
  cwd: "/workspace",
  files: [{ path: "/workspace/deploy.sh", digest: "sha256:0123456789abcdef", state: "file", text: "echo deploy\n" }],
  rejectedBefore: 0,
  reasons: [{ rule: "rig.deploy", effect: "ask", layer: "L7", threats: ["maestro:L7/agent-tool-misuse"], message: "a person decides on this", allowed: null, subject: "deploy now", at: null, risk: null }],
};

const OUTCOMES = ["approved", "rejected", "expired", "unavailable"];

function whole(outcome: ApprovalOutcome): void {
  expect(OUTCOMES).toContain(outcome.outcome);
  expect(outcome.by).not.toBe("");
  expect(outcome.detail === null || typeof outcome.detail === "string").toBe(true);
}

const never = (): AbortSignal => new AbortController().signal;

export function approverContract(name: string, rigs: ApproverRigs): void {
  describe(`approver contract: ${name}`, () => {
    const { yes, silent } = rigs;
    if (yes !== null) {
      it("approves on a clear yes, and says who", async () => {
        const outcome = await (await yes()).approver.request(REQUEST, never());
        expect(outcome).toMatchObject({ outcome: "approved" });
        whole(outcome);
      });
    }

    it("refuses on a no", async () => {
      const outcome = await (await rigs.no()).approver.request(REQUEST, never());
      whole(outcome);
      expect(outcome.outcome).not.toBe("approved");
    });

    it("does not approve when the time is over before it is asked", async () => {
      for (const rig of [yes, rigs.no, silent]) {
        if (rig === null) continue;
        const outcome = await (await rig()).approver.request(REQUEST, AbortSignal.abort());
        whole(outcome);
        expect(outcome.outcome).not.toBe("approved");
      }
    });

    if (silent !== null) {
      it("ends with the signal when nobody answers", async () => {
        const stop = new AbortController();
        const asked = (await silent()).approver.request(REQUEST, stop.signal);
        setTimeout(() => stop.abort(), 20);
        const outcome = await asked;
        expect(outcome.outcome).toBe("expired");
        whole(outcome);
      });
    }

    it("shows the whole action, where it runs, and every rule that asks, and nothing that steers a terminal", async () => {
      const rig = await rigs.no();
      const action = `first ${"x".repeat(3_000)} last\u001b[2J\u202e\nsecond line`;
      const files = [...REQUEST.files, { path: "/workspace/x\u001b[2J", digest: null, state: "missing", text: null }];
      await rig.approver.request({ ...REQUEST, files, rejectedBefore: 2, action, role: "fixer\u0007", tool: "bash\u001b[1A", cwd: "/workspace/\u009b2J" }, never());
      if (rig.shown === null) return;
      const shown = rig.shown();
      for (const part of [`first ${"x".repeat(3_000)} last\\x1b[2J\\u{202e}`, "second line", "fixer\\x07", "bash\\x1b[1A", "/workspace/\\x9b2J", "rig.deploy", "/workspace/deploy.sh (sha256:0123456789ab", "echo deploy", "x\\x1b[2J (missing)", "rejected 2 times", "a person decides on this", "maestro:L7/agent-tool-misuse"]) expect(shown).toContain(part);
      expect(shown).not.toMatch(/[\u202e\u009b\u0007]/u);
    });
  });
}
