// Taking back, by the record: what stands after it is what stood then.

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { netChanges, netChangesAfter, undoTarget, type EventDraft } from "../../../src/core/session/index.js";
import type { CallId } from "../../../src/core/shared/index.js";
import { differences, fileEntry, opening, placed, received, reconciled, trees } from "./events.js";

const RUNS = 300 * (process.env["RINGFENCE_SOAK"] === "1" ? 20 : 1);
const call = (index: number): CallId => `call_${String(index).padStart(4, "0")}`;
const FILE = fileEntry("x");
const undone = (to: CallId | null): EventDraft => ({ call: null, type: "session.undone", data: { to, paths: 0 } });

/** A session of calls that lead from tree to tree. */
const sessions = trees.map((sequence) => ({
  sequence,
  drafts: [opening, ...sequence.slice(1).flatMap((tree, index): EventDraft[] => [received(call(index + 1)), reconciled(call(index + 1), differences(sequence[index] ?? new Map(), tree))])],
}));

describe("taking back", () => {
  it("to a call leaves the changes up to it, whatever was taken back before, and forward again", () => {
    fc.assert(
      fc.property(sessions, fc.array(fc.nat(9), { maxLength: 5 }), ({ sequence, drafts }, stops) => {
        const calls = sequence.length - 1;
        const steps = stops.map((stop) => stop % (calls + 1));
        const events = placed([...drafts, ...steps.map((step) => undone(step === 0 ? null : call(step)))]);
        const last = steps.at(-1) ?? calls;
        const wanted = differences(sequence[0] ?? new Map(), sequence[last] ?? new Map());
        expect(netChanges(events)).toEqual(wanted);
        expect(netChangesAfter(placed(drafts), last === 0 ? null : call(last))).toEqual(wanted);
      }),
      { numRuns: RUNS },
    );
  });

  it("to a call that is not on record changes nothing", () => {
    fc.assert(
      fc.property(sessions, ({ drafts }) => {
        expect(netChanges(placed([...drafts, undone("call_9999")]))).toEqual(netChanges(placed(drafts)));
      }),
      { numRuns: RUNS },
    );
  });

  it("step by step ends at nothing, each time with one changing call less", () => {
    fc.assert(
      fc.property(sessions, ({ sequence, drafts }) => {
        const events = [...drafts];
        for (let step = sequence.length - 1; step > 0; step -= 1) {
          const target = undoTarget(placed(events), null);
          if (!target.ok) break;
          events.push(undone(target.value.to));
          expect(target.value.step).toBeLessThan(step + 1);
        }
        expect(netChanges(placed(events))).toEqual([]);
        expect(undoTarget(placed(events), null).ok).toBe(false);
      }),
      { numRuns: RUNS },
    );
  });

  it("goes back to before a call that came after an earlier taking back, not to what was taken back", () => {
    const [a, b, c] = [new Map(), new Map([["one", FILE]]), new Map([["one", FILE], ["two", FILE]])];
    const events: EventDraft[] = [opening];
    for (const [index, [from, to]] of ([[a, b], [b, c]] as const).entries()) events.push(received(call(index + 1)), reconciled(call(index + 1), differences(from, to)));
    events.push(undone(call(1)), received(call(3)), reconciled(call(3), differences(b, new Map([["one", FILE], ["three", FILE]]))));
    expect(netChanges(placed(events)).map(({ path }) => path)).toEqual(["one", "three"]);
    expect(undoTarget(placed(events), null)).toEqual({ ok: true, value: { to: call(1), step: 1 } });
    expect(netChangesAfter(placed(events), call(2)).map(({ path }) => path)).toEqual(["one", "two"]);
  });

  it("to a call whose process ran on is to how that call left things, not to how things were when the process ended", () => {
    const [a, b, c] = [new Map(), new Map([["one", FILE]]), new Map([["one", FILE], ["two", FILE]])];
    const end = (index: number): EventDraft => ({ call: call(index), type: "call.closed", data: { outcome: "completed", exitCode: 0, observationDigest: null } });
    const ran: EventDraft = { call: call(1), type: "programs.recorded", data: { record: "exec", programs: [], writes: [], dropped: { programs: 0, writes: 0 } } };
    const events = placed([opening, received(call(1)), reconciled(call(1), differences(a, b)), end(1), received(call(2)), reconciled(call(2), differences(b, c)), end(2), ran]);
    expect(netChangesAfter(events, call(1)).map(({ path }) => path)).toEqual(["one"]);
  });

  it("takes numbers and call ids, and nothing else", () => {
    const events = placed([opening, received(call(1)), received(call(2))]);
    expect(["0", "1", "2", call(2)].map((wanted) => undoTarget(events, wanted))).toEqual([null, call(1), call(2), call(2)].map((to, index) => ({ ok: true, value: { to, step: [0, 1, 2, 2][index] } })));
    for (const wanted of ["3", "-1", "", "1.0", "call_0003", "__proto__", "9".repeat(40)]) expect(undoTarget(events, wanted).ok, wanted).toBe(false);
  });
});
