import { describe, expect, it } from "vitest";
import type { Reason } from "../../../src/core/policy/decision.js";
import type { Change, Entry } from "../../../src/core/reconcile/change.js";
import { changesOfCall, markReverted, reconcile, type Judge } from "../../../src/core/reconcile/compare.js";
import { LIMITS } from "../../../src/core/shared/index.js";

const file = (content: string, mode = 0o644): Entry => ({ kind: "file", mode, bytes: content.length, digest: `sha256:${content}`, target: null });
const folder: Entry = { kind: "directory", mode: 0o755, bytes: 0, digest: null, target: null };
const link = (target: string): Entry => ({ kind: "symlink", mode: 0o777, bytes: target.length, digest: `sha256:${target}`, target });
const change = (path: string, before: Entry | null, after: Entry | null): Change => ({ path, operation: before === null ? "create" : after === null ? "delete" : "modify", before, after });
const reason = (rule: string): Reason => ({ rule, effect: "deny", layer: "L3", threats: ["maestro:L3/x"], message: `no ${rule}`, allowed: null, subject: "s", at: null, risk: { severity: "low", cvss: null, factors: {} } });
const allow: Judge = () => ({ effect: "allow", reasons: [] });
const denyPaths = (...paths: readonly string[]): Judge => (each) => (paths.includes(each.path) ? { effect: "deny", reasons: [reason("r1")] } : { effect: "allow", reasons: [] });
const run = (before: readonly Change[], after: readonly Change[], judge: Judge) => reconcile({ before, after, judge, root: "/workspace" });

describe("changes of a call", () => {
  it("are what differs between two looks, with the state before the call", () => {
    const before = [change("a", file("base"), file("one")), change("gone", file("g"), null), change("made", null, file("m")), change("same", null, file("s"))];
    const after = [change("a", file("base"), file("two")), change("new", null, file("n")), change("same", null, file("s", 0o755))];
    expect(changesOfCall(before, after)).toEqual([
      { path: "a", operation: "modify", before: file("one"), after: file("two") },
      { path: "gone", operation: "create", before: null, after: file("g") },
      { path: "made", operation: "delete", before: file("m"), after: null },
      { path: "new", operation: "create", before: null, after: file("n") },
      { path: "same", operation: "metadata", before: file("s"), after: file("s", 0o755) },
    ]);
  });

  it("are none for the same list, and for an equal one", () => {
    const list = [change("a", null, file("x"))];
    expect([changesOfCall(list, list), changesOfCall(list, [change("a", null, file("x"))])]).toEqual([[], []]);
  });

  it("tell files too large for a digest apart by the look they come from", () => {
    const large: Entry = { kind: "file", mode: 0o644, bytes: 1e9, digest: null, target: null };
    expect(changesOfCall([change("big", null, large)], [change("big", null, large)])).toEqual([]);
    expect(changesOfCall([change("big", null, large)], [change("big", null, { ...large })]).map((each) => each.operation)).toEqual(["modify"]);
  });
});

describe("reconcile", () => {
  it("lets what is allowed stand", () => {
    const after = [change("a", null, file("x"))];
    expect(run([], after, allow)).toEqual({ callChanges: after, findings: [], reverts: { steps: [], paths: [] } });
  });

  it("gives a finding and an undoing for what is denied, rejected or unexplained", () => {
    const after = [change("a", file("base"), file("x")), change("b", null, file("y"))];
    const judge: Judge = (each) => (each.path === "a" ? { effect: "ask", reasons: [{ ...reason("r1"), effect: "ask" }, { ...reason("r2"), effect: "allow" }] } : { effect: "deny", reasons: [] });
    const outcome = run([], after, judge);
    expect(outcome.findings).toEqual([
      { rule: "r1", layer: "L3", threats: ["maestro:L3/x"], message: "no r1", path: "a", operation: "modify", reverted: false, risk: { severity: "low", cvss: null, factors: {} } },
      { rule: "reconcile.unexplained", layer: null, threats: [], message: "nothing allows this change", path: "b", operation: "create", reverted: false, risk: null },
    ]);
    expect(outcome.reverts).toEqual({
      steps: [
        { op: "remove", path: "b" },
        { op: "restore", path: "a", from: "base", entry: file("base"), present: file("x") },
      ],
      paths: ["a", "b"],
    });
  });

  it("undoes to before the call, not to the user's own, where an earlier call had changed the file", () => {
    const outcome = run([change("a", file("base"), file("one"))], [change("a", file("base"), file("two"))], denyPaths("a"));
    expect(outcome.reverts.steps).toEqual([{ op: "restore", path: "a", from: "previous", entry: file("one"), present: file("two") }]);
  });

  it("judges the state of the call, also when a change of an earlier call is taken back", () => {
    const seen: Change[] = [];
    run([change("a", file("base"), file("one"))], [], (each) => {
      seen.push(each);
      return { effect: "allow", reasons: [] };
    });
    expect(seen).toEqual([{ path: "a", operation: "modify", before: file("one"), after: file("base") }]);
  });

  it("allows a folder that is only the way to something allowed, unless a rule names it", () => {
    const after = [change("test", null, folder), change("test/x.js", null, file("x"))];
    const unnamed: Judge = (each) => (each.path === "test" ? { effect: "deny", reasons: [reason("default-deny")] } : { effect: "allow", reasons: [] });
    expect(run([], after, unnamed).findings).toEqual([]);
    expect(run([], after, denyPaths("test")).findings.map((each) => each.path)).toEqual(["test"]);
    expect(run([], [change("test", null, folder)], unnamed).findings.map((each) => each.rule)).toEqual(["default-deny"]);
  });

  it("finds set-id files, devices, special files and links that leave, whatever the policy says", () => {
    const special = (kind: "fifo" | "device"): Entry => ({ kind, mode: 0o644, bytes: 0, digest: null, target: null });
    const after = [
      change("dev", null, special("device")),
      change("in", null, link("a/../b")),
      change("out", null, link("/etc/passwd")),
      change("pipe", null, special("fifo")),
      change("root", null, link("/workspace/a")),
      change("sgid", null, { ...folder, mode: 0o2755 }),
      change("suid", file("x"), file("x", 0o4755)),
      change("up/up", null, link("../../x")),
    ];
    const outcome = run([], after, allow);
    expect(outcome.findings.map((each) => `${each.rule} ${each.path} ${each.risk?.severity ?? ""}`)).toEqual([
      "reconcile.device dev high",
      "reconcile.link-outside out medium",
      "reconcile.special-file pipe info",
      "reconcile.set-id suid high",
      "reconcile.link-outside up/up medium",
    ]);
    expect(outcome.reverts.paths).toEqual(["dev", "suid"]);
  });

  it("does not blame a set-id bit that was there before", () => {
    expect(run([], [change("suid", file("x", 0o4755), file("y", 0o4755))], allow).findings).toEqual([]);
  });

  it("lists at most so many findings, and undoes all of them", () => {
    const after = Array.from({ length: LIMITS.findings + 5 }, (_, index) => change(`f${String(index).padStart(6, "0")}`, null, file("x")));
    const outcome = run([], after, () => ({ effect: "deny", reasons: [reason("r1")] }));
    expect(outcome.findings.length).toBe(LIMITS.findings);
    expect(outcome.findings.at(-1)).toMatchObject({ rule: "reconcile.more", path: "" });
    expect(outcome.reverts.paths.length).toBe(after.length);
  });

  it("refuses a call as a whole past the limit of changes", () => {
    const after = Array.from({ length: LIMITS.changes + 1 }, (_, index) => change(`f${index}`, null, file("x")));
    const outcome = run([], after, allow);
    expect(outcome.findings.map((each) => each.rule)).toEqual(["reconcile.limit"]);
    expect(outcome.reverts.paths.length).toBe(after.length);
  });

  it("calls a finding reverted only when its path was undone and no longer differs", () => {
    const after = [change("a", file("base"), file("x")), change("out", null, link("/x")), change("b", null, file("y"))];
    const outcome = run([], after, denyPaths("a", "b"));
    const marked = markReverted(outcome.findings, outcome.reverts, [change("b", null, file("y")), change("out", null, link("/x"))]);
    expect(marked.map((each) => [each.path, each.reverted])).toEqual([["a", true], ["b", false], ["out", false]]);
  });
});
