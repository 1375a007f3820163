// Every way to tamper with a record is found by two verifiers, ours and one in another language made from docs/log-format.md alone
// (verify.py), and both name the same place.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { publicKeyPem } from "../../src/adapters/system/hasher.js";
import { sealRecord, type VerifyReport } from "../../src/core/ledger/index.js";
import { sha256 } from "../../src/adapters/system/hasher.js";
import type { EventDraft } from "../../src/core/session/event.js";
import type { Digest, SessionId } from "../../src/core/shared/index.js";
import { buildLedger, sampleDraft, sampleLedger, seededSigner, SESSION, SIGNER, toBytes, verifyBytes } from "../unit/ledger/sample.js";

const PROGRAM = readFileSync(join(import.meta.dirname, "verify.py"), "utf8");
const SOAK = process.env["RINGFENCE_SOAK"] === "1";
const RECORDS = 6;
const log = sampleLedger(RECORDS);
const head = log.checkpoint(RECORDS);
const PEM = publicKeyPem(SIGNER.publicKey);

interface Case {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly note?: string;
}

/** Python of this machine, else that of the sandbox image. */
function python(): readonly [string, readonly string[]] {
  try {
    execFileSync("python3", ["--version"], { stdio: "ignore" });
    return ["python3", []];
  } catch {
    return ["docker", ["run", "--rm", "--interactive", "--network", "none", "ringfence/kimi-dev:latest", "python3"]];
  }
}

const [PYTHON, WORDS] = python();

function theirs(cases: readonly Case[]): readonly string[] {
  const input = cases.map(({ bytes, note = head }) => `${JSON.stringify({ ledger: Buffer.from(bytes).toString("base64"), checkpoint: note, key: PEM })}\n`).join("");
  return execFileSync(PYTHON, [...WORDS, "-c", PROGRAM, "--batch"], { input, encoding: "utf8", maxBuffer: 64 * 1024 * 1024, timeout: 280_000 }).trimEnd().split("\n");
}

function ours({ bytes, note = head }: Case): string {
  const report: VerifyReport = verifyBytes(bytes, [note], null);
  if (report.ok) return `ok ${String(report.records)} ${String(report.signed)}`;
  return report.line === null ? "head" : `line ${String(report.line)}`;
}

/** Both find it, at the same place; `also` says where a plain reading of the page may find it instead. */
function bothFind(cases: readonly Case[], also: (own: string) => string = (own) => own): void {
  expect(cases.length).toBeGreaterThan(0);
  const wrong = theirs(cases).flatMap((verdict, index) => {
    const one = cases[index];
    const own = one === undefined ? "?" : ours(one);
    return [own, also(own)].includes(verdict) && !own.startsWith("ok") ? [] : [`${one?.name ?? "?"}: ours ${own}, theirs ${verdict}`];
  });
  expect(wrong).toEqual([]);
}

const lineOf = (index: number): string => log.lines[index] ?? "";
const lines = (name: string, list: readonly string[]): Case => ({ name, bytes: toBytes(list) });
/** A line with another member or value, hashed anew: what an attacker without the key can make. */
function resealed(draft: EventDraft, seq: number, prev: Digest, session: SessionId = SESSION): { readonly line: string; readonly hash: Digest } {
  const { line, hash } = sealRecord(draft, { seq, prev, session, time: "2026-01-01T00:00:00.000Z" }, sha256);
  return { line: line.slice(0, -1), hash };
}

describe("two verifiers", () => {
  it("agree on what is sound: whole, with older heads, with a clock that goes back, and without records", () => {
    const back = buildBackwards();
    const cases: Case[] = [...Array.from({ length: RECORDS + 1 }, (_, size) => ({ name: `head of ${String(size)}`, bytes: log.bytes, note: log.checkpoint(size) })), { name: "nothing", bytes: new Uint8Array(0), note: log.checkpoint(0) }, back];
    expect(theirs(cases)).toEqual(cases.map(ours));
    expect(cases.map(ours).every((verdict) => verdict.startsWith("ok"))).toBe(true);
  });

  it("find every flipped bit", () => {
    const step = SOAK ? 1 : 23;
    bothFind(Array.from({ length: Math.ceil(log.bytes.length / step) }, (_, index) => {
      const at = index * step;
      const bytes = log.bytes.slice();
      bytes[at] = (bytes[at] ?? 0) ^ (1 << (index % 8));
      return { name: `bit ${String(index % 8)} of byte ${String(at)}`, bytes };
    }));
  });

  it("find a record that was deleted, swapped, doubled, put in, or changed and hashed anew", () => {
    const list: Case[] = [];
    const forgeries: Case[] = [];
    for (let i = 0; i < RECORDS; i += 1) {
      list.push(lines(`deleted ${String(i)}`, log.lines.toSpliced(i, 1)), lines(`doubled ${String(i)}`, log.lines.toSpliced(i, 0, lineOf(i))));
      if (i > 0) list.push(lines(`swapped ${String(i)}`, log.lines.toSpliced(i - 1, 2, lineOf(i), lineOf(i - 1))));
      // It fits the one before: only the next record shows that it does not belong there, and only the head which of the two it is.
      const forged = resealed(sampleDraft(i + 1), i, i === 0 ? `sha256:${"0".repeat(64)}` : (log.hashes[i - 1] ?? "sha256:"));
      forgeries.push(lines(`put in ${String(i)}`, log.lines.toSpliced(i, 0, forged.line)), lines(`replaced ${String(i)}`, log.lines.toSpliced(i, 1, forged.line)));
    }
    bothFind(list);
    bothFind(forgeries, (own) => own.replace(/\d+$/u, (line) => String(Number(line) + 1)));
  });

  it("find a cut beginning, a cut end, a cut at any byte, and an empty file", () => {
    const step = SOAK ? 1 : 29;
    bothFind([
      ...Array.from({ length: RECORDS - 1 }, (_, index) => lines(`beginning ${String(index + 1)}`, log.lines.slice(index + 1))),
      ...Array.from({ length: RECORDS }, (_, index) => lines(`end at ${String(index)}`, log.lines.slice(0, index))),
      ...Array.from({ length: Math.floor(log.bytes.length / step) }, (_, index) => ({ name: `cut at byte ${String(index * step)}`, bytes: log.bytes.subarray(0, index * step) })),
    ]);
  });

  it("find a member that was added or left out, and a record in another spelling, with its hash made right", () => {
    const respelt = (index: number, change: (line: string) => string): Case => {
      const changed = change(lineOf(index));
      expect(changed).not.toBe(lineOf(index));
      return lines(changed.slice(0, 60), log.lines.toSpliced(index, 1, withHash(changed)));
    };
    bothFind([
      respelt(0, (line) => line.replace('{"call"', '{"a":1,"call"')),
      respelt(0, (line) => line.replace('"v":1}', '"v":1,"w":2}')),
      respelt(0, (line) => line.replace('"call":null,', "")),
      respelt(0, (line) => line.replace('"v":1}', '"v":1.0}')),
      respelt(0, (line) => line.replace('"v":1}', '"v":1e0}')),
      respelt(0, (line) => line.replace('"v":1}', '"v":1 }')),
      respelt(0, (line) => line.replace("€", "\\u20ac")),
      respelt(1, (line) => line.replace("\\u001b", "\\u001B")),
      respelt(1, (line) => line.replace("\u2028", "\\u2028")),
      respelt(1, (line) => line.replace('"10":1,"9":[', '"9":[').replace("null,true]", 'null,true],"10":1')),
      respelt(1, (line) => line.replace("1e+21", "1e21")),
      respelt(1, (line) => line.replace("1e+21", "1000000000000000000000")),
      respelt(1, (line) => line.replace("[1.5,0,", "[1.5,-0,")),
      respelt(2, (line) => line.replace("\u{1f600}", "\\ud83d\\ude00")),
      respelt(2, (line) => line.replace("\u{1f600}", "\\ud83d")),
      respelt(2, (line) => line.replace('"seq":2', '"seq":2,"seq":2')),
    ]);
  });

  it("find a chain that was rebuilt whole, two writers, another session, and a head that is another's", () => {
    const rebuilt = buildLedger(Array.from({ length: RECORDS }, (_, index) => sampleDraft(index + 1)));
    const other = buildLedger(Array.from({ length: RECORDS }, (_, index) => sampleDraft(index)), "ses_other00001");
    const fork = resealed(sampleDraft(9), 3, log.hashes[2] ?? "sha256:");
    bothFind([
      { name: "rebuilt", bytes: rebuilt.bytes },
      { name: "rebuilt and longer", bytes: buildLedger(Array.from({ length: RECORDS * 2 }, (_, index) => sampleDraft(index + 1))).bytes },
      lines("two writers", [...log.lines.slice(0, 4), fork.line, ...log.lines.slice(4)]),
      { name: "one record of another session", bytes: toBytes(log.lines.toSpliced(2, 1, other.lines[2] ?? "")) },
      { name: "signed by another key", bytes: rebuilt.bytes, note: rebuilt.checkpoint(RECORDS, seededSigner(8)) },
      { name: "signature moved to another session", bytes: other.bytes, note: moved(head, "ses_other00001") },
      { name: "a head with more records", bytes: log.bytes, note: head.replace(`\n${String(RECORDS)}\n`, `\n${String(RECORDS + 1)}\n`) },
      { name: "a head without a signature", bytes: log.bytes, note: head.split("\n").slice(0, 4).join("\n") },
      { name: "no head", bytes: log.bytes, note: "" },
    ]);
    bothFind([{ name: "other session", bytes: other.bytes }], () => "line 1");
  });
});

/** The line with the hash that belongs to the rest of it. */
function withHash(line: string): string {
  const at = line.lastIndexOf(',"hash":"sha256:');
  const rest = line.slice(0, at) + line.slice(at + ',"hash":"sha256:"'.length + 64);
  return `${line.slice(0, at)},"hash":"${sha256(`ringfence/ledger/v1/record\n${rest}`)}"${line.slice(at + ',"hash":"sha256:"'.length + 64)}`;
}

function moved(note: string, session: string): string {
  return note.replaceAll(SESSION, session);
}

/** Times are evidence, not order. */
function buildBackwards(): Case {
  const made: string[] = [];
  let prev: Digest | null = null;
  const first = log.lines[0] ?? "";
  prev = (JSON.parse(first) as { readonly hash: Digest }).hash;
  made.push(first);
  const second = sealRecord(sampleDraft(1), { seq: 1, prev, session: SESSION, time: "2020-01-01T00:00:00.000Z" }, sha256);
  made.push(second.line.slice(0, -1));
  return { name: "a clock that goes back", bytes: toBytes(made), note: log.checkpoint(1) };
}
