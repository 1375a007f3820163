// What a session did in all: the changes of its calls, folded.

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { acceptedChanges, netChanges } from "../../../src/core/session/index.js";
import type { EventDraft } from "../../../src/core/session/index.js";
import type { CallId } from "../../../src/core/shared/index.js";
import { differences, fileEntry, finding, opening, placed, received, reconciled, trees } from "./events.js";

const RUNS = 300 * (process.env["RINGFENCE_SOAK"] === "1" ? 20 : 1);
const [ONE, TWO, THREE] = [fileEntry("one"), fileEntry("two"), fileEntry("three")];
const call = (index: number): CallId => `call_${index}`;

describe("net changes", () => {
  it("of calls that lead from tree to tree are the difference of the first and the last", () => {
    fc.assert(
      fc.property(trees, (sequence) => {
        const drafts = sequence.slice(1).map((tree, index): EventDraft => reconciled(call(index), differences(sequence[index] ?? new Map(), tree)));
        const events = placed([opening, ...drafts]);
        expect(netChanges(events)).toEqual(differences(sequence[0] ?? new Map(), sequence.at(-1) ?? new Map()));
        // Without findings all of it is accepted.
        expect(acceptedChanges(events)).toEqual(netChanges(events));
      }),
      { numRuns: RUNS },
    );
  });

  it("do not depend on where the changes of one call were cut into records", () => {
    fc.assert(
      fc.property(trees, fc.nat(3), (sequence, cut) => {
        const whole = sequence.slice(1).map((tree, index) => ({ id: call(index), changes: differences(sequence[index] ?? new Map(), tree) }));
        const one = whole.map(({ id, changes }) => reconciled(id, changes));
        const two = whole.flatMap(({ id, changes }) => [reconciled(id, changes.slice(0, cut)), reconciled(id, changes.slice(cut))]);
        expect(netChanges(placed([opening, ...two]))).toEqual(netChanges(placed([opening, ...one])));
      }),
      { numRuns: RUNS },
    );
  });

  it("keep the user's own entry as it was first seen, and leave out what came back to it", () => {
    const events = placed([opening, reconciled(call(1), differences(new Map([["a", ONE]]), new Map([["a", TWO], ["b", ONE]]))), reconciled(call(2), differences(new Map([["a", TWO], ["b", ONE]]), new Map([["a", THREE]])))]);
    expect(netChanges(events)).toEqual([{ path: "a", operation: "modify", before: ONE, after: THREE }]);
  });

  it("tell a change of mode alone apart from one of content", () => {
    const executable = { ...ONE, mode: 0o755 };
    expect(netChanges(placed([opening, reconciled(call(1), differences(new Map([["a", ONE]]), new Map([["a", executable]])))]))).toEqual([{ path: "a", operation: "metadata", before: ONE, after: executable }]);
  });
});

describe("accepted changes", () => {
  const from = (before: typeof ONE | null, after: typeof ONE | null, path = "a") => differences(new Map(before === null ? [] : [[path, before]]), new Map(after === null ? [] : [[path, after]]));

  it("leave out what had a finding and could not be undone", () => {
    const events = placed([opening, reconciled(call(1), [...from(null, ONE, ".git/hooks/x"), ...from(null, ONE, "ok")], [finding(".git/hooks/x", false)])]);
    expect(netChanges(events).map(({ path }) => path)).toEqual([".git/hooks/x", "ok"]);
    expect(acceptedChanges(events).map(({ path }) => path)).toEqual(["ok"]);
  });

  it("keep what was accepted before a change that was not", () => {
    const events = placed([opening, reconciled(call(1), from(ONE, TWO)), reconciled(call(2), from(TWO, THREE), [finding("a", false)])]);
    expect(acceptedChanges(events)).toEqual([{ path: "a", operation: "modify", before: ONE, after: TWO }]);
  });

  it("take a later change of the same path without a finding, with the user's own entry as the beginning", () => {
    const events = placed([opening, reconciled(call(1), from(ONE, TWO), [finding("a", false)]), reconciled(call(2), from(TWO, THREE))]);
    expect(acceptedChanges(events)).toEqual([{ path: "a", operation: "modify", before: ONE, after: THREE }]);
  });

  it("do not depend on what a program says of an attempt", () => {
    const attempt = { ...finding("a", true), about: "attempt", held: { by: "read-only-mount", name: "a", told: ["program"] } } as const;
    expect(acceptedChanges(placed([opening, reconciled(call(1), from(ONE, TWO), [attempt])])).map(({ path }) => path)).toEqual(["a"]);
  });

  it("know a finding of the same call whichever of its records it is in", () => {
    const [a, b] = [reconciled(call(1), from(null, ONE)), reconciled(call(1), [], [finding("a", false)])];
    expect(acceptedChanges(placed([opening, received(call(1)), a, b]))).toEqual([]);
    expect(acceptedChanges(placed([opening, received(call(1)), b, a]))).toEqual([]);
  });
});
