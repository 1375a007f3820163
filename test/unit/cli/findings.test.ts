// Findings of one call told by rule, and the lines of a call, with everything of the agent's escaped.

import { describe, expect, it } from "vitest";
import pc from "picocolors";
import type { Observation } from "../../../src/compose.js";
import type { Decision } from "../../../src/core/policy/index.js";
import type { Finding } from "../../../src/core/reconcile/change.js";
import { groupFindings } from "../../../src/surfaces/cli/render/findings.js";
import { textWidth } from "../../../src/surfaces/cli/render/layout.js";
import { callLines, type Sheet } from "../../../src/surfaces/cli/render/step.js";
import { createStopped } from "../../../src/surfaces/cli/render/stopped.js";

const sheet: Sheet = { width: 80, paint: pc.createColors(false), root: "/workspace" };

const finding = (path: string, rule = "X.git-hooks", more: Partial<Finding> = {}): Finding => ({ rule, layer: "X", threats: ["asi-2026:ASI05", "maestro:X/privilege-escalation"], message: "git runs the file", path, operation: "delete", reverted: true, risk: null, ...more });

const ALLOW: Decision = { effect: "allow", reasons: [], obligations: [], errors: [], guidance: null, policyDigest: `sha256:${"0".repeat(64)}` };

const observed = (more: Partial<Observation>): Observation => ({ call: "call_0001", label: "1", summary: "", outcome: "completed", decision: ALLOW, approval: null, exitCode: 0, signal: null, ended: "exit", durationMs: 1, stdout: "", stderr: "", changes: [], findings: [], message: "", ...more });

describe("findings of one call", () => {
  it("are one group a rule, with the folder they have in common", () => {
    const groups = groupFindings([finding(".git"), finding(".git/HEAD"), finding("test/a.js", "tests"), finding(".git/hooks/x"), finding("test/b/c.js", "tests"), finding("a", "one"), finding("b", "one"), finding("lone", "alone", { operation: "create" }), finding("", "whole")]);
    expect(groups.map(({ rule, where }) => [rule, where])).toEqual([
      ["X.git-hooks", "deletion of .git with 2 paths in it"],
      ["tests", "deletion of 2 paths in test"],
      ["one", "deletion of a and 1 more"],
      ["alone", "creation of lone"],
      ["whole", "the whole call"],
    ]);
  });

  it("on attempts are apart from those on changes, and say what held the first and who tells of it", () => {
    const held = (path: string): Finding => finding(path, "X.git-hooks", { about: "attempt", held: { by: "read-only-mount", name: path, told: ["program"], error: "EROFS" } });
    expect(groupFindings([held(".git/hooks"), finding(".git/x"), held(".git/config")]).map(({ about, where }) => [about, where])).toEqual([
      ["attempt", "deletion of .git/hooks: held by a read-only mount; only the program reported EROFS; and 1 more"],
      [undefined, "deletion of .git/x"],
    ]);
    const stopped = createStopped();
    stopped.add(observed({ findings: [held(".git/hooks"), held(".git/config")] }));
    expect(stopped.lines(sheet).join("\n")).toContain("held by the sandbox 2 times");
  });

  it("are kept apart by whether they were undone, and several kinds of change are a change", () => {
    const groups = groupFindings([finding("d/a"), finding("d/b", "X.git-hooks", { reverted: false }), finding("d/c", "X.git-hooks", { operation: "create" })]);
    expect(groups.map(({ reverted, where, paths }) => [reverted, where, paths])).toEqual([
      [true, "change of 2 paths in d", ["d/a", "d/c"]],
      [false, "deletion of d/b", ["d/b"]],
    ]);
  });

  it("escape what a path holds", () => {
    expect(groupFindings([finding("a\u001b[2J\nb")])[0]?.where).toBe("deletion of a\\x1b[2J\\nb");
  });
});

describe("the lines of a call", () => {
  it("show rule, threat and reason of what was undone", () => {
    const call = { id: "1", role: "bugfixer", tool: "bash", arguments: { command: "node x.js" } };
    expect(callLines(sheet, 7, call, observed({ summary: "node x.js", outcome: "reverted", findings: [finding(".git/hooks/pre-commit")], stdout: "built\n" }))).toEqual([
      "  7  bugfixer    ↺ undo   node x.js",
      "                 │ built",
      "                 undone: deletion of .git/hooks/pre-commit",
      "                   X.git-hooks [maestro:X/privilege-escalation +1] git runs the",
      "                   file",
    ]);
  });

  it("name the size of an edit, and the lines of a long command", () => {
    const edit = { id: "1", role: "testwriter", tool: "str_replace_editor", arguments: { command: "str_replace", path: "/workspace/a.js", old_str: "a", new_str: "b" } };
    const change = { path: "a.js", operation: "modify" as const, before: null, after: null };
    expect(callLines(sheet, 1, edit, observed({ changes: [change], stdout: "--- a/a.js\n+++ b/a.js\n@@ -1 +1,2 @@\n-a\n+b\n+c\n" }))).toEqual(["  1  testwriter  ✔ allow  edit a.js  +2 −1"]);
    const command = "cat > x <<'E'\none\ntwo\nE\n";
    expect(callLines(sheet, 2, { id: "2", role: null, tool: "bash", arguments: { command } }, observed({ summary: "cat > x <<'E'\\none\\ntwo\\nE\\n" }))).toEqual(["  2  agent       ✔ allow  cat > x <<'E'  and 3 more lines"]);
  });

  it("never carry what steers a terminal, and never grow past the width", () => {
    const hostile = "\u001b[2J\r\u202e漢\u0007".repeat(60);
    const call = { id: "1", role: hostile, tool: hostile, arguments: { path: hostile, command: hostile } };
    const lines = callLines(sheet, 1, call, observed({ outcome: "failed", exitCode: 1, stdout: hostile, stderr: `${hostile}\n${hostile}`, findings: [finding(hostile, "r", { message: hostile })], approval: { actionDigest: ALLOW.policyDigest, outcome: "rejected", by: hostile, detail: hostile } }));
    expect(lines.filter((line) => /[\u0000-\u001f\u007f-\u009f\u202e]/u.test(line))).toEqual([]);
    expect(lines.filter((line) => textWidth(line) > sheet.width)).toEqual([]);
  });
});

describe("the table of what was stopped", () => {
  it("has a line a rule, and counts refusals and undone paths", () => {
    const stopped = createStopped();
    const reason = { rule: "L2.credential-files", effect: "deny" as const, layer: "L2" as const, threats: ["maestro:L2/data-exfiltration"], message: "m", allowed: null, subject: "s", at: null, risk: null };
    stopped.add(observed({ outcome: "denied", decision: { ...ALLOW, effect: "deny", reasons: [reason] } }));
    stopped.add(observed({ outcome: "denied", decision: { ...ALLOW, effect: "deny", reasons: [reason] } }));
    stopped.add(observed({ outcome: "reverted", findings: [finding(".git/hooks/a"), finding(".git/hooks/b")] }));
    expect(stopped.lines(sheet)).toEqual([
      "  rule                 MAESTRO threat          how",
      "  L2.credential-files  L2/data-exfiltration    refused 2 times",
      "  X.git-hooks          X/privilege-escalation  2 paths undone",
    ]);
    expect(createStopped().lines(sheet)).toEqual([]);
  });
});
