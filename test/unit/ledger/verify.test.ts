// Tampering, by kind: each has to be found, and the line that is named has to be the right one.

import { describe, expect, it } from "vitest";
import { checkpointOrigin, genesis, sealRecord } from "../../../src/core/ledger/index.js";
import { sha256 } from "../../../src/adapters/system/hasher.js";
import { countInputs } from "../../soak/count-inputs.js";
import type { Digest, SessionId } from "../../../src/core/shared/index.js";
import { brief, buildLedger, openHead, sampleDraft, sampleLedger, seededSigner, SESSION, toBytes, verifyBytes, verifyWithHeads } from "./sample.js";

const RECORDS = 5;
const SOAK = process.env["RINGFENCE_SOAK"] === "1";
const BITS = [1, 2, 4, 8, 16, 32, 64, 128];
const log = sampleLedger(RECORDS);
const head = log.checkpoint(RECORDS);
const opened = openHead(head);
const lineOfByte = (at: number): number => Buffer.from(log.bytes.subarray(0, at)).toString("latin1").split("\n").length;
const check = (lines: readonly string[], checkpoints: readonly string[] = [head]): string => brief(verifyBytes(toBytes(lines), checkpoints));

describe("a sound ledger", () => {
  it("is told with its size, hash and head", () => {
    expect(verifyBytes(log.bytes, [head])).toEqual({
      ok: true,
      session: SESSION,
      records: RECORDS,
      bytes: log.bytes.length,
      lastHash: log.hashes.at(-1),
      signed: RECORDS,
      unsigned: 0,
    });
  });

  it("holds against every older head of its own, and says how many records came after", () => {
    for (let size = 0; size <= RECORDS; size++) {
      expect(brief(verifyBytes(log.bytes, [log.checkpoint(size)]))).toBe(`ok ${RECORDS}/${size} +${RECORDS - size}`);
    }
    expect(brief(verifyBytes(log.bytes, [log.checkpoint(2), head]))).toBe(`ok ${RECORDS}/${RECORDS} +0`);
  });

  it("without records holds against the head of nothing", () => {
    expect(brief(verifyBytes(new Uint8Array(0), [log.checkpoint(0)]))).toBe("ok 0/0 +0");
  });

  it("is never called sound without a head", () => {
    expect(brief(verifyBytes(log.bytes, []))).toBe("checkpoint-missing @null");
  });
});

describe("one byte changed", () => {
  it("is found at every position, and the line is named", () => {
    const wrong: string[] = [];
    for (let at = 0; at < log.bytes.length; at++) {
      for (const bit of SOAK ? BITS : [BITS[at % 8] ?? 1]) {
        const bytes = log.bytes.slice();
        bytes[at] = (bytes[at] ?? 0) ^ bit;
        const report = verifyWithHeads(bytes, [opened]);
        countInputs(1);
        if (report.ok || report.line !== lineOfByte(at)) wrong.push(`${at}^${bit}: ${brief(report)}, not @${lineOfByte(at)}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it("is found at every position when it is added or taken away", () => {
    const wrong: string[] = [];
    for (let at = 0; at < log.bytes.length; at++) {
      const less = Buffer.concat([log.bytes.subarray(0, at), log.bytes.subarray(at + 1)]);
      const more = Buffer.concat([log.bytes.subarray(0, at), Buffer.from("7"), log.bytes.subarray(at)]);
      for (const bytes of [less, more]) {
        const report = verifyWithHeads(bytes, [opened]);
        if (report.ok || report.line !== lineOfByte(at)) wrong.push(`${at}: ${brief(report)}, not @${lineOfByte(at)}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it("is found in a long ledger, at sampled positions", () => {
    const long = sampleLedger(400);
    const longHead = openHead(long.checkpoint(400));
    const starts = long.lines.reduce<number[]>((all, line) => [...all, (all.at(-1) ?? 0) + Buffer.byteLength(line) + 1], [0]);
    for (let at = 11; at < long.bytes.length; at += 4_999) {
      const bytes = long.bytes.slice();
      bytes[at] = (bytes[at] ?? 0) ^ 0x04;
      const report = verifyWithHeads(bytes, [longHead]);
      const line = starts.filter((start) => start <= at).length;
      expect(report).toMatchObject({ ok: false, line, offset: starts[line - 1], records: line - 1 });
    }
  });
});

describe("lines moved about", () => {
  it("names the place of a line that was dropped", () => {
    for (let i = 0; i < RECORDS - 1; i++) expect(check(log.lines.toSpliced(i, 1))).toBe(`missing @${i + 1}`);
    expect(check(log.lines.slice(0, -1))).toBe(`cut @${RECORDS}`);
  });

  it("names the second of two equal lines", () => {
    for (let i = 0; i < RECORDS; i++) expect(check(log.lines.toSpliced(i, 0, log.lines[i] ?? ""))).toBe(`duplicated @${i + 2}`);
  });

  it("names the first of two lines that changed places", () => {
    for (let i = 0; i < RECORDS - 1; i++) {
      const lines = log.lines.toSpliced(i, 2, log.lines[i + 1] ?? "", log.lines[i] ?? "");
      expect(check(lines)).toBe(`out-of-order @${i + 1}`);
    }
  });

  it("names the first line when the beginning is cut", () => {
    for (let n = 1; n < RECORDS; n++) expect(check(log.lines.slice(n))).toBe("missing @1");
  });

  it("names the first absent line when the end is cut, which only the head can tell", () => {
    for (let n = 0; n < RECORDS; n++) expect(check(log.lines.slice(0, n))).toBe(`cut @${n + 1}`);
  });

  it("names the line in which the bytes end, for every cut", () => {
    for (let at = 0; at < log.bytes.length; at++) {
      const report = verifyWithHeads(log.bytes.subarray(0, at), [opened]);
      expect([report.ok, report.ok || report.line]).toEqual([false, lineOfByte(at)]);
    }
  });

  it("names a line of another session", () => {
    const other = buildLedger(Array.from({ length: RECORDS }, (_, n) => sampleDraft(n)), "ses_other001");
    expect(check(log.lines.toSpliced(2, 1, other.lines[2] ?? ""))).toBe("other-session @3");
    expect(brief(verifyBytes(other.bytes, [other.checkpoint(RECORDS)]))).toBe("other-session @1");
  });
});

/** Seals `draft` as record `seq` after a given record, as somebody without the key can. */
function forge(seq: number, prev: Digest, session: SessionId = SESSION): { readonly line: string; readonly hash: Digest } {
  const draft = { call: null, type: "session.tightened", data: { reason: "forged", effect: "allow" } } as const;
  const record = sealRecord(draft, { seq, prev, session, time: "2026-01-01T00:00:09.000Z" }, sha256);
  return { line: record.line.slice(0, -1), hash: record.hash };
}

const before = (i: number): Digest => log.hashes[i - 1] ?? genesis(sha256, SESSION);

describe("records forged without the key", () => {
  it("names a record that was replaced by a well-sealed one, thanks to the head", () => {
    for (let i = 0; i < RECORDS - 1; i++) expect(check(log.lines.toSpliced(i, 1, forge(i, before(i)).line))).toBe(`changed @${i + 1}`);
  });

  it("cannot tell which of two was replaced when no head reaches there, and says so", () => {
    const lines = log.lines.toSpliced(2, 1, forge(2, before(2)).line);
    expect(check(lines, [log.checkpoint(2)])).toBe("not-linked @4");
  });

  it("names a record that was put in, thanks to the head", () => {
    for (let i = 0; i < RECORDS; i++) expect(check(log.lines.toSpliced(i, 0, forge(i, before(i)).line))).toBe(`inserted @${i + 1}`);
  });

  it("finds the last signed record replaced, and a chain rebuilt from any record on", () => {
    for (let from = 0; from < RECORDS; from++) {
      const lines = log.lines.slice(0, from);
      let prev = before(from);
      for (let seq = from; seq < RECORDS + 2; seq++) {
        const record = forge(seq, prev);
        lines.push(record.line);
        prev = record.hash;
      }
      expect(check(lines)).toBe("rewritten @null");
    }
  });

  it("reports records added after the head as unsigned", () => {
    expect(check([...log.lines, forge(RECORDS, before(RECORDS)).line])).toBe(`ok ${RECORDS + 1}/${RECORDS} +1`);
  });

  it("names a record added with the right link, but a number that is not its own", () => {
    expect(check([...log.lines, forge(RECORDS + 3, before(RECORDS)).line])).toBe(`missing @${RECORDS + 1}`);
    expect(check([...log.lines, forge(1, before(RECORDS)).line])).toBe(`out-of-order @${RECORDS + 1}`);
  });

  it("refuses a first record that begins another chain", () => {
    expect(check([forge(0, sha256("elsewhere")).line], [log.checkpoint(0)])).toBe("not-linked @1");
  });

  it("refuses well-hashed lines in another spelling, or with another member", () => {
    const respell = (edit: (text: string) => string): string => {
      const parsed = JSON.parse(log.lines[1] ?? "") as { hash: string };
      const edited = edit(log.lines[1] ?? "");
      const hash = sha256(`ringfence/ledger/v1/record\n${edited.replace(`,"hash":"${parsed.hash}"`, "")}`);
      return log.lines.toSpliced(1, 1, edited.replace(parsed.hash, hash)).slice(0, 2).join("\n");
    };
    const only = log.checkpoint(1);
    const result = (edit: (text: string) => string): string => brief(verifyBytes(Buffer.from(`${respell(edit)}\n`), [only]));
    expect(result((text) => text)).toBe("ok 2/1 +1");
    expect(result((text) => text.replace('"data":{', '"data": {'))).toBe("not-canonical @2");
    expect(result((text) => text.replace('"label"', '"\\u006cabel"'))).toBe("not-canonical @2");
    expect(result((text) => text.replace('"tool":"bash"', '"tool":"bash","tool":"bash"'))).toBe("not-canonical @2");
    expect(result((text) => text.replace('"call":"call_1"', '"call":7'))).toBe("not-canonical @2");
    expect(result((text) => text.replace('{"call"', '{"aside":1,"call"'))).toBe("not-canonical @2");
    expect(result((text) => text.replace('"tool":"bash"', '"tool":"\\ud800"'))).toBe("not-canonical @2");
    expect(result((text) => text.replace('"tool":"bash"', `"tool":${"[".repeat(50_000)}${"]".repeat(50_000)}`))).toBe("not-canonical @2");
  });
});

describe("lines that are no records", () => {
  it("names them, whatever they are", () => {
    const third = log.lines[2] ?? "";
    const cases: readonly (readonly [string, string])[] = [
      ["", "malformed"],
      ["{}", "malformed"],
      ["null", "malformed"],
      [`${third}\r`, "malformed"],
      [`\ufeff${third}`, "changed"],
      [` ${third}`, "changed"],
      [`${third}${log.lines[3] ?? ""}`, "changed"],
    ];
    for (const [line, fault] of cases) {
      const report = verifyBytes(toBytes(log.lines.toSpliced(2, 1, line)), [head]);
      expect(report).toMatchObject({ ok: false, fault, line: 3, records: 2 });
    }
  });

  it("names bytes that are not UTF-8", () => {
    const bytes = Buffer.concat([toBytes(log.lines.slice(0, 2)), Buffer.from([0x7b, 0xff, 0xfe, 0x0a])]);
    expect(verifyBytes(bytes, [log.checkpoint(2)])).toMatchObject({ ok: false, fault: "malformed", line: 3, message: "the line is not UTF-8" });
  });

  it("stops at a line past the limit without holding it", () => {
    const bytes = Buffer.concat([toBytes(log.lines), Buffer.alloc(5 * 1024 * 1024, 0x61)]);
    expect(verifyBytes(bytes, [head])).toMatchObject({ ok: false, fault: "too-long", line: RECORDS + 1, offset: log.bytes.length, headHolds: true });
  });

  it("reports bytes after the last line feed, and that all that was signed is there", () => {
    const bytes = Buffer.concat([log.bytes, Buffer.from('{"call":')]);
    expect(verifyBytes(bytes, [head])).toMatchObject({ ok: false, fault: "torn", line: RECORDS + 1, records: RECORDS, headHolds: true });
  });
});

describe("the signed head", () => {
  it("of another session does not vouch for this one", () => {
    const other = buildLedger([sampleDraft(0)], "ses_other001").checkpoint(1);
    expect(brief(verifyBytes(log.bytes, [other]))).toBe("checkpoint-other-session @null");
    expect(brief(verifyBytes(log.bytes, [other], null))).toBe("rewritten @null");
    const same = buildLedger(Array.from({ length: RECORDS }, (_, n) => sampleDraft(n)), "ses_other001").checkpoint(0);
    expect(brief(verifyBytes(log.bytes, [same], null))).toBe("checkpoint-other-session @null");
  });

  it("by another key is refused", () => {
    expect(brief(verifyBytes(log.bytes, [log.checkpoint(RECORDS, seededSigner(8))]))).toBe("checkpoint-invalid @null");
  });

  it("is refused when any byte of it is changed, dropped or added", () => {
    for (let at = 0; at < head.length; at++) {
      const changed = `${head.slice(0, at)}${String.fromCharCode(head.charCodeAt(at) ^ 1)}${head.slice(at + 1)}`;
      const dropped = head.slice(0, at) + head.slice(at + 1);
      const added = `${head.slice(0, at)}A${head.slice(at)}`;
      for (const note of [changed, dropped, added, head.slice(0, at)]) expect(verifyBytes(log.bytes, [note]).ok).toBe(false);
    }
  });

  it("is refused when another one is put in front of the signature", () => {
    const [, , ...rest] = head.split("\n");
    expect(verifyBytes(log.bytes, [[checkpointOrigin(SESSION), "3", ...rest].join("\n")]).ok).toBe(false);
  });

  it("may carry the signature of a witness as well", () => {
    const witness = "— witness.example/w1 AAAAAFNpZ25hdHVyZSBvZiBhIHdpdG5lc3M=\n";
    expect(brief(verifyBytes(log.bytes, [head + witness]))).toBe(`ok ${RECORDS}/${RECORDS} +0`);
    expect(brief(verifyBytes(log.bytes, [`${head}nonsense\n`]))).toBe("checkpoint-invalid @null");
  });
});
