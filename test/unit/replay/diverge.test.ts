// What counts as a difference between a recorded call and the same call run again, and what does not.

import { describe, expect, it } from "vitest";
import { sha256 } from "../../../src/adapters/system/hasher.js";
import type { Change, Entry } from "../../../src/core/reconcile/change.js";
import { divergenceOf, factsOf, firstDifference, repeatOf, settleText, stateDigest, type CallFacts, type CallTexts } from "../../../src/core/replay/index.js";
import type { Digest } from "../../../src/core/shared/index.js";
import { decided, opening, placed, received } from "../session/events.js";

const finished = { exitCode: 0, signal: null, ended: "exit", detail: null, durationMs: 12, stdout: { bytes: 0, dropped: 0, head: "", blob: null }, stderr: { bytes: 0, dropped: 0, head: "", blob: null }, killed: 0, quiescent: true } as const;
const FACTS: CallFacts = { effect: "allow", rules: ["a"], outcome: "completed", execution: finished, changes: [], findings: [] };
const texts = (stdout = "", contents: Readonly<Record<Digest, string>> = {}): CallTexts => ({ stdout, stderr: "", contentOf: (digest) => contents[digest] ?? null });
const file = (content: string, mode = 0o644): Entry => ({ kind: "file", mode, bytes: content.length, digest: sha256(content), target: null });
const made = (path: string, after: Entry | null): Change => ({ path, operation: after === null ? "delete" : "create", before: null, after });
const kept = (...contents: readonly string[]): Readonly<Record<Digest, string>> => Object.fromEntries(contents.map((content) => [sha256(content), content]));
const differs = (rerun: Partial<CallFacts>, recorded: Partial<CallFacts> = {}) => divergenceOf({ facts: { ...FACTS, ...recorded }, texts: texts() }, { facts: { ...FACTS, ...rerun }, texts: texts() });

describe("text that is settled", () => {
  it.each([
    ["at 2026-11-26T08:52:43.123Z done", "at 1999-01-02 03:04:05 done"],
    ["Thu Nov 26 08:52:43 UTC 2026", "Sat Jan  3 18:02:41 UTC 2026"],
    ["-rw-r--r-- 1 u u 5 Nov 26 08:52 a", "-rw-r--r-- 1 u u 5 Jan  2 18:11 a"],
    ["3 passing (12ms)", "3 passing (1.5s)"],
    ["# duration_ms 71.3", "# duration_ms 1204"],
    ["real\t0m1.023s", "real\t0m0.911s"],
    ["1795684721", "1795684733"],
    ["started pid: 4711", "started pid: 12"],
    ["/tmp/tmp.Ab3dE6gH1k", "/tmp/tmp.zZ9yX8wV7u"],
    ["/tmp/pytest-of-x8Kd72la/a", "/tmp/pytest-of-71kDla9q/a"],
    ["<object at 0x7f3a2b1c4d50>", "<object at 0x7ffe01020304>"],
    ["[main 1a2b3c4] message", "[main 9f8e7d6] message"],
    ["commit 0123456789abcdef0123456789abcdef01234567", "commit ffffffffffffffffffffffffffffffffffffffff"],
  ])("%s is the same as %s", (one, other) => {
    expect(settleText(one)).toBe(settleText(other));
    expect(firstDifference(one, other)).toBeNull();
  });

  it.each([
    ["3 passing (12ms)", "4 passing (12ms)"],
    ["d41d8cd98f00b204e9800998ecf8427e", "0cc175b9c0f1b6a831c399e269772661"],
    ["version 1.2.3", "version 1.2.4"],
    ["/tmp/build/out", "/tmp/other/out"],
    ["0x1f", "0x2f"],
    ["exit 3", "exit 4"],
    ["total 5000", "total 5001"],
    ["lib/a.js:12:5", "lib/a.js:13:5"],
  ])("%s is not the same as %s", (one, other) => expect(firstDifference(one, other)).toMatchObject({ line: 1 }));

  it("does not grow slow on a text made to hold it up", () => {
    for (const piece of ["/tmp/a", "/tmp/-a", "2026-", "0x", "[a ", "Mon Jan ", "1111111111", "duration_ms ", "12m "]) {
      const begun = performance.now();
      settleText(piece.repeat(100_000));
      expect(performance.now() - begun, piece).toBeLessThan(2_000);
    }
  });

  it("names the line", () => expect(firstDifference("a\nb\nc", "a\nB\nc")).toEqual({ line: 2, recorded: "b", rerun: "B" }));
});

describe("a call run again", () => {
  it("is the same where nothing differs", () => expect(differs({})).toBeNull());

  it("differs in its decision: effect, rules, end, findings", () => {
    expect(differs({ effect: "deny", outcome: "denied", execution: null })).toMatchObject({ kind: "decision", recorded: "allow by a", rerun: "deny by a" });
    expect(differs({ rules: ["b"] })).toMatchObject({ kind: "decision", why: "other rules say so" });
    expect(differs({ outcome: "rejected" })).toMatchObject({ kind: "decision" });
    expect(differs({ findings: [{ rule: "r", layer: null, threats: [], message: "m", path: "p", operation: "create", reverted: true, risk: null }] })).toMatchObject({ kind: "decision", recorded: null, rerun: "r p" });
  });

  it("differs in its end", () => {
    expect(differs({ execution: { ...finished, exitCode: 1 } })).toMatchObject({ kind: "exit", recorded: "exit 0", rerun: "exit 1" });
    expect(differs({ execution: { ...finished, exitCode: null, signal: "SIGKILL" } })).toMatchObject({ kind: "exit", rerun: "signal SIGKILL" });
    expect(differs({ execution: { ...finished, ended: "timeout" } })).toMatchObject({ kind: "exit", rerun: "timeout" });
    expect(differs({ execution: null })).toMatchObject({ kind: "exit", rerun: "did not run" });
  });

  it("differs in its output, and shows it printable", () => {
    const found = divergenceOf({ facts: FACTS, texts: texts("one\n\u001b[31mred") }, { facts: FACTS, texts: texts("one\nplain") });
    expect(found).toEqual({ kind: "output", why: "line 2 of stdout differs", recorded: "\\x1b[31mred", rerun: "plain" });
    const cut = { ...finished, stdout: { ...finished.stdout, dropped: 5 } };
    expect(differs({ execution: cut })).toMatchObject({ kind: "output" });
  });

  it("differs in what it left: content, mode, kind, presence", () => {
    const one = { changes: [made("a", file("x"))] };
    expect(differs({ changes: [made("a", file("y"))] }, one)).toMatchObject({ kind: "workspace", why: "`a` is not as it was left" });
    expect(differs({ changes: [made("a", file("x", 0o755))] }, one)).toMatchObject({ kind: "workspace" });
    expect(differs({ changes: [made("a", null)] }, one)).toMatchObject({ kind: "workspace", rerun: "deleted" });
    expect(differs({ changes: [] }, one)).toMatchObject({ kind: "workspace", rerun: "not changed" });
    expect(differs({ changes: [made("a", file("x")), made("b", file(""))] }, one)).toMatchObject({ kind: "workspace", recorded: "not changed" });
    expect(stateDigest(one.changes, sha256)).not.toBe(stateDigest([made("a", file("y"))], sha256));
  });

  it("does not differ by a time in a text file, and does where the content is not to be had", () => {
    const [then, now] = ["at 2026-01-01T00:00:00Z\n", "at 2026-02-02T11:11:11Z\n"];
    const facts = (content: string): CallFacts => ({ ...FACTS, changes: [made("log", file(content))] });
    expect(divergenceOf({ facts: facts(then), texts: texts("", kept(then)) }, { facts: facts(now), texts: texts("", kept(now)) })).toBeNull();
    expect(divergenceOf({ facts: facts(then), texts: texts() }, { facts: facts(now), texts: texts("", kept(now)) })).toMatchObject({ kind: "workspace" });
  });

  it("passes over git's own store and what Python compiled, never git's settings and hooks", () => {
    const changed = (path: string) => differs({ changes: [made(path, file("y"))] }, { changes: [made(path, file("x"))] });
    for (const path of [".git/index", ".git/objects/ab/cd", "sub/.git/logs/HEAD", ".git/refs/heads/main", "a/__pycache__/b.cpython-311.pyc"]) expect(changed(path), path).toBeNull();
    for (const path of [".git/config", ".git/hooks/pre-commit", ".git/info/attributes", "git/index", "x.pyc"]) expect(changed(path), path).not.toBeNull();
  });
});

describe("a record as work", () => {
  const call = (id: `call_${string}`, outcome: "completed" | "cancelled" | "in-doubt") => [received(id), decided(id), { call: id, type: "call.closed", data: { outcome, exitCode: 0, observationDigest: null } }] as const;

  it("gives calls in order, what was taken back between them, and says what cannot be made again", () => {
    const events = placed([opening, ...call("call_0001", "completed"), { call: null, type: "session.undone", data: { to: null, paths: 1 } }, ...call("call_0002", "cancelled"), ...call("call_0003", "in-doubt"), received("call_0004"), { call: null, type: "session.closed", data: { reason: "finished", detail: null, calls: 4 } }, { call: null, type: "session.undone", data: { to: null, paths: 1 } }]);
    expect(repeatOf(events, () => null).map((one) => (one.what === "unrepeatable" ? one.why : one.what))).toEqual(["call", "undo", "it was cancelled: how far it came cannot be told", "how it ended is not on record", "how it ended is not on record"]);
    expect(factsOf(events, "call_0001")).toMatchObject({ effect: "allow", outcome: "completed", execution: null });
  });

  it("a call from which a secret was taken out is not made again", () => {
    const secret = received("call_0001");
    const events = placed([opening, { ...secret, data: { ...secret.data, arguments: { command: "echo [redacted:token:12345678]" } } } as typeof secret, ...call("call_0001", "completed").slice(1)]);
    expect(repeatOf(events, () => null)).toMatchObject([{ what: "unrepeatable", why: "a secret was taken out of its arguments" }]);
  });
});
