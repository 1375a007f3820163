// The quick ways of a verification (by bytes, by pieces) never take what the way in order would not, and find the same.

import * as fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { createSegmentReader, genesis, joinSegments, sealRecord, type VerifyReport } from "../../src/core/ledger/index.js";
import { isCanonicalText } from "../../src/core/ledger/canonical.js";
import { openRecord } from "../../src/core/ledger/chain.js";
import { createDueCheck } from "../../src/core/ledger/due-record.js";
import { createMerkleRange, createMerkleTree } from "../../src/core/ledger/merkle.js";
import { isWholeRecord, parseObject } from "../../src/core/ledger/record-form.js";
import { scanToHash } from "../../src/core/ledger/scan.js";
import type { EventDraft } from "../../src/core/session/event.js";
import type { JsonObject, JsonValue } from "../../src/core/shared/index.js";
import { sha256 } from "../../src/adapters/system/hasher.js";
import { buildLedger, decodeStrict, openHead, sampleDraft, SESSION, toBytes, verifyWithHeads } from "../unit/ledger/sample.js";

const SOAK = process.env["RINGFENCE_SOAK"] === "1";
vi.setConfig({ testTimeout: SOAK ? 600_000 : 20_000 });
const options = { numRuns: SOAK ? 20_000 : 400, seed: 20_261_126 };

const json = fc.jsonValue({ stringUnit: "binary", maxDepth: 4 }) as fc.Arbitrary<JsonValue>;
const plain = fc.dictionary(fc.string({ unit: "grapheme-ascii", maxLength: 6 }), fc.oneof(json, fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer()), { maxKeys: 5 }) as fc.Arbitrary<JsonObject>;
const drafts = fc.array(plain, { minLength: 1, maxLength: 8 }).map((all) => all.map((value): EventDraft => ({ call: "call_1", type: "session.tightened", data: { reason: "r", effect: "ask", ...value } as never })));
const due = { seq: 0, prev: genesis(sha256, SESSION), session: SESSION };
const checkDue = createDueCheck(sha256);
const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "utf8"));

/** The way in order, for one line. */
function isSound(bytes: Uint8Array): boolean {
  const text = decodeStrict(bytes);
  const record = text === null ? null : openRecord(text, sha256);
  const parsed = text === null ? null : parseObject(text);
  return text !== null && record !== null && parsed !== null && record.hash === record.computed && isWholeRecord(text, parsed) && record.seq === 0 && record.prev === due.prev && record.session === SESSION;
}

function keysArePlain(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return true;
  return Object.entries(value).every(([key, member]) => /^[ !#-[\]-~]*$/u.test(key) && keysArePlain(member));
}

/** The line with the hash that belongs to the rest of it, as an attacker makes it. */
function rehashed(line: Uint8Array): Uint8Array {
  const text = Buffer.from(line).toString("latin1");
  const at = text.lastIndexOf(',"hash":"');
  if (at < 0) return line;
  const from = at + ',"hash":"'.length;
  const rest = Buffer.from(text.slice(0, at) + text.slice(from + 72), "latin1");
  const hash = sha256(Buffer.concat([Buffer.from("ringfence/ledger/v1/record\n"), rest]));
  return new Uint8Array(Buffer.from(text.slice(0, from) + hash + text.slice(from + 71), "latin1"));
}

describe("a record told by its bytes", () => {
  it("is told where its keys are plain, whatever its values are", () => {
    fc.assert(
      fc.property(drafts, ([draft = sampleDraft(0)]) => {
        const { line, hash } = sealRecord(draft, { ...due, time: "2026-01-01T00:00:00.000Z" }, sha256);
        const bytes = bytesOf(line.slice(0, -1));
        const quick = checkDue(bytes, due);
        expect([null, hash]).toContain(quick);
        if (keysArePlain(draft.data)) expect(quick).toBe(hash);
      }),
      options,
    );
  });

  it("is never one that the way in order refuses, however it was changed and hashed anew", () => {
    const seen = { taken: 0 };
    const piece = fc.constantFrom(" ", "0", "1", "9", "-", ".", "e", "+", '"', "\\", "\\u0041", "\\u000a", "\\u001f", "\\ud800", "u", "{", "}", "[", "]", ",", ":", '"a":1,', "null", "true", "\u0000", "\u007f", "é", "€", "\u{1f600}", "1.0", "1e5", "-0", "0.10", '"v":1');
    const raw = fc.oneof(piece.map(bytesOf), fc.uint8Array({ maxLength: 4 }));
    fc.assert(
      fc.property(drafts, fc.nat(), fc.nat({ max: 3 }), raw, ([draft = sampleDraft(0)], at, drop, put) => {
        const { line } = sealRecord(draft, { ...due, time: "2026-01-01T00:00:00.000Z" }, sha256);
        const whole = bytesOf(line.slice(0, -1));
        const from = at % whole.length;
        const changed = rehashed(new Uint8Array(Buffer.concat([whole.subarray(0, from), put, whole.subarray(from + drop)])));
        if (checkDue(changed, due) === null) return;
        seen.taken += 1;
        expect(isSound(changed)).toBe(true);
      }),
      { ...options, numRuns: options.numRuns * 10 },
    );
    expect(seen.taken).toBeGreaterThan(0);
  });

  it("has a form that the parser agrees with, number by number", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^-?[0-9]{1,6}(\.[0-9]{1,4})?(e[+-]?[0-9]{1,2})?$/u), (text) => {
        const line = `{"call":null,"data":{"n":${text}},"hash":`;
        const value = parseObject(`{"n":${text}}`);
        expect(scanToHash(bytesOf(line), 0) > 0).toBe(value !== null && isCanonicalText(`{"n":${text}}`, value));
      }),
      options,
    );
  });
});

describe("a ledger verified in pieces", () => {
  const inPieces = (bytes: Uint8Array, sizes: readonly number[], notes: readonly string[]): VerifyReport | null => {
    const heads = notes.map(openHead);
    const read = createSegmentReader({ hasher: sha256, session: SESSION, decode: decodeStrict, sizes: heads.map((head) => head.size) });
    const join = joinSegments({ hasher: sha256, session: SESSION, heads });
    const ends = [...bytes.entries()].flatMap(([at, byte]) => (byte === 10 ? [at + 1] : []));
    let from = 0;
    for (const end of [...new Set(sizes)].sort((a, b) => a - b).map((size) => ends[size - 1] ?? 0).concat(bytes.length)) {
      if (end <= from) continue;
      const segment = read(bytes.subarray(from, end));
      if (segment === null || !join.add(segment)) return null;
      from = end;
    }
    return join.finish()?.report ?? null;
  };

  it("says the same as one in order, wherever it is cut, for every head, and nothing of one that was changed", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 70 }), fc.array(fc.nat({ max: 70 }), { maxLength: 5 }), fc.array(fc.nat({ max: 70 }), { minLength: 1, maxLength: 2 }), fc.nat(), (records, cuts, sizes, flip) => {
        const log = buildLedger(Array.from({ length: records }, (_, n) => sampleDraft(n)));
        const notes = sizes.map((size) => log.checkpoint(Math.min(size, records)));
        expect(inPieces(log.bytes, cuts, notes)).toEqual(verifyWithHeads(log.bytes, notes.map(openHead)));
        const changed = log.bytes.slice();
        changed[flip % changed.length] = (changed[flip % changed.length] ?? 0) ^ 1;
        expect(inPieces(changed, cuts, notes)).toBe(null);
        const other = buildLedger(Array.from({ length: records }, (_, n) => sampleDraft(n + 1)));
        if (sizes.some((size) => size > 0)) expect(inPieces(other.bytes, cuts, notes)).toBe(null);
        expect(inPieces(toBytes(log.lines.slice(1)), cuts, notes)).toBe(null);
      }),
      { ...options, numRuns: options.numRuns / 8 },
    );
  });

  it("refuses a subtree where it does not belong", () => {
    const tree = createMerkleTree(sha256);
    const range = createMerkleRange(sha256, 2);
    for (const n of [2, 3]) range.append(new Uint8Array(32).fill(n));
    tree.append(new Uint8Array(32));
    expect(() => tree.appendSubtree(range.subtrees()[0] ?? { level: 1, hash: new Uint8Array(32) })).toThrow("does not belong");
  });
});
