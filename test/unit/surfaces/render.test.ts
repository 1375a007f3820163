// Small pieces of printed text: what of the agent's is in them is escaped, and cut where it is long.

import pc from "picocolors";
import { describe, expect, it } from "vitest";
import { patchLine } from "../../../src/surfaces/cli/render/patch.js";
import { count, were } from "../../../src/core/shared/index.js";
import { changeLine, effectMark, findingLine, reasonLines, shortDigest, threatText } from "../../../src/surfaces/cli/render/text.js";
import type { Reason } from "../../../src/core/policy/index.js";

const plain = pc.createColors(false);
const colour = pc.createColors(true);
const HOSTILE = "a\u001b[2J\u202eb\nc";
const SHOWN = "a\\x1b[2J\\u{202e}b\\nc";

const reason = (rule: string, effect: Reason["effect"] = "deny"): Reason => ({ rule, effect, layer: "L7", threats: ["asi-2026:ASI02", "maestro:L7/agent-tool-misuse"], message: "not this", allowed: null, subject: HOSTILE, at: null, risk: null });

describe("reasons", () => {
  it("name rule, threats with MAESTRO's first, message and what it was about", () => {
    expect(reasonLines({ effect: "deny", reasons: [reason("a.b"), reason("a.c", "ask")] }, plain)).toEqual([`a.b [maestro:L7/agent-tool-misuse, asi-2026:ASI02] not this (${SHOWN})`]);
    expect(threatText(["b:1", "maestro:L1/x", "a:2"])).toBe("maestro:L1/x, b:1 +1");
  });

  it("past the limit are counted", () => {
    const many = Array.from({ length: 9 }, (_none, index) => reason(`r.${index}`));
    expect(reasonLines({ effect: "deny", reasons: many }, plain, 2).map((line) => line.split(" [")[0])).toEqual(["r.0", "r.1", "and 7 more"]);
  });
});

describe("changes, findings and patches", () => {
  it("show paths escaped", () => {
    expect(changeLine({ path: HOSTILE, operation: "delete", before: null, after: null }, plain)).toBe(`D ${SHOWN}`);
    const finding = { rule: "r.x", layer: null, threats: [], message: HOSTILE, path: HOSTILE, operation: "create", reverted: false, risk: null } as const;
    expect(findingLine(finding, plain)).toBe(`not reverted create of ${SHOWN}: r.x ${SHOWN}`);
    expect(findingLine({ ...finding, reverted: true }, plain)).toMatch(/^reverted /u);
  });

  it("keep tabs of a patch and nothing else that steers", () => {
    expect(patchLine(`+\tx${HOSTILE}`, plain)).toBe(`+\tx${SHOWN}`);
    expect(patchLine(`+${"y".repeat(5_000)}`, plain).length).toBe(5_001);
    expect(patchLine("+added", colour)).toBe(colour.green("+added"));
    expect(patchLine("-gone", colour)).toBe(colour.red("-gone"));
    expect(patchLine("+++ b/x", colour)).toBe(colour.bold("+++ b/x"));
    expect(patchLine("@@ -1 +1 @@", colour)).toBe(colour.cyan("@@ -1 +1 @@"));
    expect(patchLine(" same", colour)).toBe(" same");
  });
});

describe("words", () => {
  it("have their number and width", () => {
    expect([0, 1, 2].map((value) => count(value, "file"))).toEqual(["0 files", "1 file", "2 files"]);
    expect([0, 1, 2].map(were)).toEqual(["were", "was", "were"]);
    expect((["allow", "ask", "deny"] as const).map((effect) => effectMark(effect, plain).length)).toEqual([5, 5, 5]);
    expect(shortDigest("sha256:0123456789abcdef")).toBe("0123456789ab");
  });
});
