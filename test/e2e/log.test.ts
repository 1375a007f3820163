// `log verify` as a person runs it: for each way to tamper the exit code is 5 and the line is named. The exhaustive tests,
// byte by byte, are those of the core.

import { readFileSync, writeFileSync } from "node:fs";
import { beforeAll, afterAll, describe, expect, it } from "vitest";
import { createRig, sessionOf, whyNotHere } from "./rig.js";

const missing = whyNotHere();
if (missing !== null) console.warn(`left out: ${missing}`);
const rig = createRig();
afterAll(() => rig.remove());

describe.skipIf(missing !== null)("log verify", () => {
  let session = "";
  let whole = Buffer.alloc(0);
  const ends: number[] = [];
  const rows = (): readonly string[] => whole.toString("utf8").split("\n").slice(0, -1);
  const put = (list: readonly string[]): Buffer => Buffer.from(list.map((line) => `${line}\n`).join(""));

  beforeAll(async () => {
    session = sessionOf(await rig.run(["exec", "--workspace", rig.workspace({ "a.txt": "one\n" }), "--shell", "echo two >> a.txt"]));
    whole = readFileSync(rig.ledger(session));
    for (let at = whole.indexOf(10); at !== -1; at = whole.indexOf(10, at + 1)) ends.push(at);
  });

  const verify = async (bytes: Buffer): Promise<{ readonly code: number; readonly line: number | null; readonly err: string }> => {
    writeFileSync(rig.ledger(session), bytes);
    try {
      const { code, out, err } = await rig.run(["log", "verify", "--json", session]);
      return { code, line: (JSON.parse(out) as { readonly line?: number | null }).line ?? null, err };
    } finally {
      writeFileSync(rig.ledger(session), whole);
    }
  };

  it("finds the record as it was written intact", async () => {
    const { code, out } = await rig.run(["log", "verify", session]);
    expect([code, out]).toEqual([0, expect.stringMatching(new RegExp(`^intact  ${session}: ${ends.length} records, head sha256:[0-9a-f]+, signed\\n$`, "u"))]);
  });

  it("names the line of a changed byte, wherever it is", async () => {
    // The first, the middle and the last byte of the first, a middle and the last line.
    for (const row of [0, Math.floor(ends.length / 2), ends.length - 1]) {
      const first = row === 0 ? 0 : (ends[row - 1] ?? 0) + 1;
      const last = ends[row] ?? 0;
      for (const at of [first, Math.floor((first + last) / 2), last]) {
        const changed = Buffer.from(whole);
        changed[at] = (changed[at] ?? 0) ^ 1;
        expect([row, at, await verify(changed)]).toEqual([row, at, expect.objectContaining({ code: 5, line: row + 1 })]);
      }
    }
  });

  it("names the line where one was dropped, doubled, added or swapped", async () => {
    const at = Math.floor(ends.length / 2);
    const list = rows();
    const swapped = [...list.slice(0, at), list[at + 1] ?? "", list[at] ?? "", ...list.slice(at + 2)];
    expect(await verify(put(list.toSpliced(at, 1)))).toMatchObject({ code: 5, line: at + 1 });
    expect(await verify(put(list.toSpliced(0, 1)))).toMatchObject({ code: 5, line: 1 });
    expect(await verify(put(list.toSpliced(at, 0, list[at] ?? "")))).toMatchObject({ code: 5, line: at + 2 });
    expect(await verify(put([...list, list.at(-1) ?? ""]))).toMatchObject({ code: 5, line: list.length + 1 });
    expect(await verify(put(list.toSpliced(at, 0, "")))).toMatchObject({ code: 5, line: at + 1 });
    expect(await verify(put(swapped))).toMatchObject({ code: 5, line: at + 1 });
  });

  it("finds a cut tail: a line, half a line, the last byte, everything", async () => {
    const list = rows();
    expect(await verify(put(list.slice(0, -1)))).toMatchObject({ code: 5, line: list.length });
    expect(await verify(whole.subarray(0, whole.length - 40))).toMatchObject({ code: 5, line: list.length });
    expect(await verify(whole.subarray(0, whole.length - 1))).toMatchObject({ code: 5, line: list.length });
    expect(await verify(Buffer.alloc(0))).toMatchObject({ code: 5, line: 1 });
  });

  it("says so in one line with the fault, and the file itself can be named too", async () => {
    const changed = Buffer.from(whole);
    changed[(ends[1] ?? 0) + 30] = 0x7e;
    writeFileSync(rig.ledger(session), changed);
    const byId = await rig.run(["log", "verify", session]);
    const byFile = await rig.run(["log", "verify", rig.ledger(session)]);
    writeFileSync(rig.ledger(session), whole);
    expect([byId.code, byId.out, byId.err]).toEqual([5, "", expect.stringMatching(new RegExp(`^ringfence: invalid  ${session}, line 3: .+ \\(.+\\)\\n$`, "u"))]);
    expect([byFile.code, byFile.err]).toEqual([5, expect.stringMatching(/, line 3: /u)]);
    expect((await rig.run(["log", "verify", rig.ledger(session)])).code).toBe(0);
  });
});
