// Laws of the ledger: whatever is recorded comes back, is canonical, and any edit of it is found.

import canonicalize from "canonicalize";
import * as fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { canonicalJson, createLedgerVerifier, redactJson, redactText } from "../../src/core/ledger/index.js";
import { base64ToBytes, bytesToBase64 } from "../../src/core/ledger/bytes.js";
import { isCanonicalText } from "../../src/core/ledger/canonical.js";
import { splitLines } from "../../src/core/ledger/lines.js";
import type { EventDraft } from "../../src/core/session/event.js";
import type { JsonObject, JsonValue } from "../../src/core/shared/index.js";
import { sha256 } from "../../src/adapters/system/hasher.js";
import { brief, buildLedger, decodeStrict, openHead, SESSION, toBytes, verifyWithHeads } from "../unit/ledger/sample.js";

const SOAK = process.env["RINGFENCE_SOAK"] === "1";
vi.setConfig({ testTimeout: SOAK ? 600_000 : 20_000 });
const numRuns = SOAK ? 3_000 : 100;
const options = { numRuns, seed: 20_260_101 };
const digest = (text: string): string => sha256(text).slice("sha256:".length);

const json: fc.Arbitrary<JsonValue> = fc.jsonValue({ stringUnit: "binary", maxDepth: 5 }) as fc.Arbitrary<JsonValue>;
const args = fc.dictionary(fc.string({ unit: "binary", maxLength: 8 }), json, { maxKeys: 6 }) as fc.Arbitrary<JsonObject>;
const draft: fc.Arbitrary<EventDraft> = fc.record({ label: fc.string({ unit: "binary" }), arguments: args }).map(({ label, arguments: value }) => ({
  call: "call_1",
  type: "call.received",
  data: { label, role: null, tool: "bash", arguments: value, argumentsDigest: sha256("x") },
}));
const drafts = fc.array(draft, { minLength: 1, maxLength: 6 });

describe("canonical JSON", () => {
  it("keeps the value, whatever it is, and is a fixed point", () => {
    fc.assert(
      fc.property(json, (value) => {
        const text = canonicalJson(value);
        // The quick way gives what the reference implementation gives.
        expect(text).toBe(canonicalize(value));
        const parsed: unknown = JSON.parse(text);
        expect(canonicalJson(parsed)).toBe(text);
        expect(isCanonicalText(text, parsed)).toBe(true);
        // A negative zero is the one value that JSON text cannot keep.
        expect(JSON.stringify(parsed)).toBe(JSON.stringify(JSON.parse(JSON.stringify(parsed))));
      }),
      options,
    );
  });

  it("does not depend on the order of members", () => {
    fc.assert(
      fc.property(args, (value) => {
        expect(canonicalJson(Object.fromEntries(Object.entries(value).toReversed()))).toBe(canonicalJson(value));
      }),
      options,
    );
  });
});

describe("a ledger of anything", () => {
  it("verifies, and gives back what was recorded", () => {
    fc.assert(
      fc.property(drafts, (all) => {
        const log = buildLedger(all);
        const events: unknown[] = [];
        const verifier = createLedgerVerifier({ hasher: sha256, decode: decodeStrict, session: SESSION, heads: [openHead(log.checkpoint(all.length))], onRecord: ({ call, type, data }) => events.push({ call, type, data }) });
        verifier.push(log.bytes);
        expect(verifier.finish().report).toMatchObject({ ok: true, records: all.length, unsigned: 0 });
        expect(events.map((event) => canonicalJson(event))).toEqual(all.map((event) => canonicalJson(event)));
      }),
      options,
    );
  });

  it("shows any edit of its bytes, at the line where it begins", () => {
    fc.assert(
      fc.property(drafts, fc.nat(), fc.nat({ max: 40 }), fc.uint8Array({ maxLength: 40 }), (all, at, drop, put) => {
        const log = buildLedger(all);
        const from = at % log.bytes.length;
        const edited = Buffer.concat([log.bytes.subarray(0, from), put, log.bytes.subarray(from + drop)]);
        fc.pre(!edited.equals(Buffer.from(log.bytes)));
        const report = verifyWithHeads(edited, [openHead(log.checkpoint(all.length))]);
        let same = 0;
        while (edited[same] === log.bytes[same] && same < edited.length) same += 1;
        const line = log.bytes.subarray(0, same).reduce((count, byte) => count + (byte === 10 ? 1 : 0), 1);
        expect([report.ok, report.ok || report.line]).toEqual([false, line]);
      }),
      options,
    );
  });

  it("shows any other order or choice of its lines", () => {
    fc.assert(
      fc.property(drafts, fc.array(fc.nat({ max: 5 }), { maxLength: 8 }), (all, picks) => {
        const log = buildLedger(all);
        const lines = picks.map((pick) => log.lines[pick % log.lines.length] ?? "");
        fc.pre(lines.join("\n") !== log.lines.join("\n"));
        const first = lines.findIndex((line, i) => line !== log.lines[i]);
        const report = verifyWithHeads(toBytes(lines), [openHead(log.checkpoint(all.length))]);
        expect([report.ok, report.ok || report.line, brief(report)]).toEqual([false, (first < 0 ? lines.length : first) + 1, brief(report)]);
      }),
      options,
    );
  });
});

describe("splitLines", () => {
  it("gives the same lines for every way of cutting the bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }).map((bytes) => bytes.map((byte) => (byte % 5 === 0 ? 10 : byte))), fc.integer({ min: 1, max: 50 }), (bytes, size) => {
        const lines: string[] = [];
        const splitter = splitLines(1_000, { line: (line, offset) => lines.push(`${offset}:${Buffer.from(line).toString("hex")}`), tooLong: () => lines.push("too long") });
        const reused = new Uint8Array(size);
        for (let at = 0; at < bytes.length; at += size) {
          const part = bytes.subarray(at, at + size);
          reused.set(part);
          splitter.push(reused.subarray(0, part.length));
        }
        const rest = splitter.rest();
        let offset = 0;
        const expected = Buffer.from(bytes).toString("latin1").split("\n").map((line) => {
          const at = offset;
          offset += line.length + 1;
          return `${at}:${Buffer.from(line, "latin1").toString("hex")}`;
        });
        expect([...lines, `${rest.offset}:${Buffer.from(rest.bytes).toString("hex")}`]).toEqual(expected);
      }),
      options,
    );
  });
});

describe("base 64", () => {
  it("comes back as it was, and no other text decodes to the same", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.string({ maxLength: 12 }), (bytes, text) => {
        expect(base64ToBytes(bytesToBase64(bytes))).toEqual(bytes);
        const decoded = base64ToBytes(text);
        if (decoded !== null) expect(bytesToBase64(decoded)).toBe(text);
      }),
      options,
    );
  });
});

describe("redaction", () => {
  it("changes nothing more when it is done twice, and leaves what has a canonical form", () => {
    const secretish = fc.constantFrom("password=", "tok3nABCdef123 ", '"', "ghp_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8", "://me:pw123@h", "Bearer ", "[redacted:", "-----BEGIN PRIVATE KEY-----", "\ud800", "é", "\n", "secret: ");
    fc.assert(
      fc.property(fc.array(fc.oneof(secretish, fc.string({ maxLength: 6 })), { maxLength: 12 }).map((parts) => parts.join("")), (text) => {
        const once = redactText(text, digest);
        expect(redactText(once, digest)).toBe(once);
        expect(once).not.toContain("ghp_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8 ");
        expect(() => canonicalJson(redactJson({ [text]: text }, digest))).not.toThrow();
      }),
      options,
    );
  });
});
