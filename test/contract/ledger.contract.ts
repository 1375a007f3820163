// What every LedgerStore has to do, in memory and on disk.

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { AuditEvent, EventDraft } from "../../src/core/session/event.js";
import type { SessionId } from "../../src/core/shared/index.js";
import { sha256 } from "../../src/adapters/system/hasher.js";
import type { LedgerStore } from "../../src/ports/ledger.js";

/** A store under test, with its clean-up. */
export interface LedgerRig {
  readonly store: LedgerStore;
  /** Changes what is stored of a session, as somebody else would. */
  readonly tamper: (id: SessionId, edit: (text: string) => string) => Promise<void>;
  readonly dispose: () => Promise<void>;
}

export const opened = (workspace: string): EventDraft => ({
  call: null,
  type: "session.opened",
  data: {
    product: "ringfence/0.1.0",
    agent: { name: null, model: null, endpoint: null, version: null, sampling: null },
    startedBy: "tester",
    source: "library",
    workspace: { path: workspace, root: "/workspace" },
    role: null,
    policy: { digest: sha256("policy"), sources: [], profile: "kimi-dev" },
    image: { reference: "x", id: sha256("image") },
    engine: { name: "docker", version: "1", runtime: "runc" },
    controls: [],
  },
});

export const note = (reason: string): EventDraft => ({ call: null, type: "session.tightened", data: { reason, effect: "ask" } });

const ID: SessionId = "ses_contract01";
const OTHER: SessionId = "ses_contract02";
const shape = (events: readonly AuditEvent[]): readonly unknown[] => events.map(({ seq, type, session }) => [seq, type, session]);

export function ledgerContract(name: string, make: () => Promise<LedgerRig>): void {
  describe(`ledger contract: ${name}`, () => {
    let rig: LedgerRig;
    beforeEach(async () => {
      rig = await make();
    });
    afterEach(() => rig.dispose());

    it("gives each record its place, its session and a time, and reads back what it gave", async () => {
      const ledger = await rig.store.create(ID);
      const first = await ledger.append([opened("/w"), note("one")]);
      const second = await ledger.append([note("two €\u{1f600}\u0000\u2028")]);
      await ledger.close();
      expect(shape([...first, ...second])).toEqual([
        [0, "session.opened", ID],
        [1, "session.tightened", ID],
        [2, "session.tightened", ID],
      ]);
      for (const event of [...first, ...second]) expect(event.time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      expect(await rig.store.read(ID)).toEqual([...first, ...second]);
      expect(second[0]).toEqual({ v: 1, seq: 2, time: second[0]?.time, session: ID, ...note("two €\u{1f600}\u0000\u2028") });
    });

    it("keeps the order of appends that were not waited for, and never mixes batches", async () => {
      const ledger = await rig.store.create(ID);
      const batches = await Promise.all(Array.from({ length: 50 }, (_, n) => ledger.append([note(`${n}a`), note(`${n}b`)])));
      await ledger.close();
      expect(batches.flat().map((event) => event.seq)).toEqual(Array.from({ length: 100 }, (_, n) => n));
      expect(await rig.store.read(ID)).toEqual(batches.flat());
    });

    it("takes an empty batch as nothing", async () => {
      const ledger = await rig.store.create(ID);
      expect(await ledger.append([])).toEqual([]);
      await ledger.close();
      expect(await rig.store.read(ID)).toEqual([]);
    });

    it("goes on after reopen where it stopped", async () => {
      const ledger = await rig.store.create(ID);
      await ledger.append([opened("/w")]);
      await ledger.close();
      const again = await rig.store.reopen(ID);
      expect(again.recovered ?? null).toBeNull();
      expect(shape(await again.append([note("later")]))).toEqual([[1, "session.tightened", ID]]);
      await again.close();
      expect(shape(await rig.store.read(ID))).toEqual([
        [0, "session.opened", ID],
        [1, "session.tightened", ID],
      ]);
    });

    it("lets one writer at a time work on a session, and others on other sessions", async () => {
      const ledger = await rig.store.create(ID);
      await expect(rig.store.create(ID)).rejects.toMatchObject({ code: "SESSION_BUSY" });
      await expect(rig.store.reopen(ID)).rejects.toMatchObject({ code: "SESSION_BUSY" });
      const other = await rig.store.create(OTHER);
      await other.close();
      await ledger.close();
      await expect(rig.store.create(ID)).rejects.toMatchObject({ code: "SESSION_BUSY" });
      await (await rig.store.reopen(ID)).close();
    });

    it("can be read while it is written", async () => {
      const ledger = await rig.store.create(ID);
      const events = await ledger.append([opened("/w")]);
      expect(await rig.store.read(ID)).toEqual(events);
      await ledger.close();
    });

    it("refuses what has no canonical form, and then everything", async () => {
      const ledger = await rig.store.create(ID);
      await ledger.append([opened("/w")]);
      await expect(ledger.append([note("fine"), note("\ud800")])).rejects.toMatchObject({ code: "LEDGER_APPEND_FAILED" });
      await expect(ledger.append([note("fine")])).rejects.toMatchObject({ code: "LEDGER_APPEND_FAILED" });
      await ledger.close();
      expect(shape(await rig.store.read(ID))).toEqual([[0, "session.opened", ID]]);
    });

    it("refuses a record past the limit", async () => {
      const ledger = await rig.store.create(ID);
      await expect(ledger.append([note("x".repeat(4 * 1024 * 1024 + 1))])).rejects.toMatchObject({ code: "LEDGER_APPEND_FAILED" });
      await ledger.close();
      expect(await rig.store.read(ID)).toEqual([]);
    });

    it("takes nothing after close, and closes more than once", async () => {
      const ledger = await rig.store.create(ID);
      await ledger.close();
      await ledger.close();
      await expect(ledger.append([note("late")])).rejects.toMatchObject({ code: "LEDGER_APPEND_FAILED" });
      await expect(ledger.putBlob(Buffer.from("late"))).rejects.toMatchObject({ code: "LEDGER_APPEND_FAILED" });
    });

    it("closing again later does not let go of the lock of the next writer", async () => {
      const ledger = await rig.store.create(ID);
      await ledger.close();
      const next = await rig.store.reopen(ID);
      await ledger.close();
      await expect(rig.store.reopen(ID)).rejects.toMatchObject({ code: "SESSION_BUSY" });
      await next.close();
    });

    it("gives blobs back by digest, equal ones once", async () => {
      const ledger = await rig.store.create(ID);
      const bytes = Uint8Array.from([0, 255, 10, 13, 200]);
      const digest = await ledger.putBlob(bytes);
      expect(digest).toBe(sha256(bytes));
      expect(await ledger.putBlob(bytes)).toBe(digest);
      const empty = await ledger.putBlob(new Uint8Array(0));
      bytes[0] = 9;
      await ledger.append([note("after")]);
      await ledger.close();
      expect([...(await rig.store.readBlob(ID, digest))]).toEqual([0, 255, 10, 13, 200]);
      expect(await rig.store.readBlob(ID, empty)).toHaveLength(0);
    });

    it("refuses blobs that are not there", async () => {
      await (await rig.store.create(ID)).close();
      await expect(rig.store.readBlob(ID, sha256("nothing"))).rejects.toMatchObject({ code: "LEDGER_INVALID" });
    });

    it("does not know sessions that are not there", async () => {
      for (const attempt of [() => rig.store.read(OTHER), () => rig.store.reopen(OTHER)]) {
        await expect(attempt()).rejects.toMatchObject({ code: "SESSION_NOT_FOUND" });
      }
      expect(await rig.store.list()).toEqual([]);
    });

    it("removes a session that never had a record, with what it had stored, and no other", async () => {
      const empty = await rig.store.create(ID);
      await empty.putBlob(new TextEncoder().encode("before the first record"));
      await empty.close();
      const other = await rig.store.create(OTHER);
      await other.append([opened("/w")]);
      await other.close();
      for (const id of [ID, OTHER]) await rig.store.removeEmpty(id);
      expect((await rig.store.list()).map(({ id }) => id)).toEqual([OTHER]);
      await expect(rig.store.reopen(ID)).rejects.toMatchObject({ code: "SESSION_NOT_FOUND" });
      expect(shape(await rig.store.read(OTHER))).toHaveLength(1);
      await (await rig.store.create(ID)).close();
    });

    it("never takes what is no session id", async () => {
      for (const id of ["ses_../../x", "ses_", "..", "ses_ABCDEF", "ses_aaaa/b"]) {
        await expect(rig.store.create(id as SessionId)).rejects.toMatchObject({ code: "SESSION_NOT_FOUND" });
      }
    });

    it("lists sessions by the time they were opened, with their workspace and size", async () => {
      for (const id of [OTHER, ID]) {
        const ledger = await rig.store.create(id);
        await ledger.append([opened(`/work/${id}`), note("x")]);
        await ledger.close();
      }
      const list = await rig.store.list();
      expect(list.map(({ id, workspace }) => [id, workspace])).toEqual([
        [OTHER, `/work/${OTHER}`],
        [ID, `/work/${ID}`],
      ]);
      for (const listing of list) expect([listing.bytes > 500, listing.openedAt]).toEqual([true, (await rig.store.read(listing.id))[0]?.time]);
    });

    it("refuses to read or reopen a changed record, and names its line", async () => {
      const ledger = await rig.store.create(ID);
      await ledger.append([opened("/w"), note("one"), note("two")]);
      await ledger.close();
      await rig.tamper(ID, (text) => text.replace('"reason":"one"', '"reason":"0ne"'));
      for (const attempt of [() => rig.store.read(ID), () => rig.store.reopen(ID)]) {
        await expect(attempt()).rejects.toMatchObject({ code: "LEDGER_INVALID", context: { session: ID, line: 2, fault: "changed" } });
      }
    });
  });
}
