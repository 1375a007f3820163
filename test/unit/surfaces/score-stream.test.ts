// The score as others subscribe to it: a line a change until the session is closed, and a line a session over all that are stored.

import { describe, expect, it } from "vitest";
import type { SessionId } from "../../../src/core/shared/index.js";
import type { Io } from "../../../src/surfaces/cli/io.js";
import { followScore, trend } from "../../../src/surfaces/cli/score-stream.js";
import { bash, create, createRig, never } from "../../support/rig.js";

type Row = Readonly<Record<string, unknown>>;

function listening(): { readonly io: Io; readonly rows: Row[] } {
  const rows: Row[] = [];
  return { io: { options: { json: true, quiet: false, color: false }, json: (row: Row) => void rows.push(row) } as unknown as Io, rows };
}

describe("the score", () => {
  it("is followed from the opening over each change to the end, also while the session still runs", async () => {
    const rig = createRig({ programs: { ls: {} } });
    const session = await rig.open();
    const { io, rows } = listening();
    const following = followScore(rig.store, session.id as SessionId, io);
    await session.call(bash("ls"), {}, never);
    await session.call(create(".git/config", "x"), {}, never);
    await session.close("finished");
    const events = await following;
    expect(events.at(-1)?.type).toBe("session.closed");
    expect(rows.map(({ event }) => event)).toEqual(["session.opened", "decision.made"]);
    const recorded = events.flatMap((event) => (event.type === "risk.updated" ? [event.data.detail["exact"]] : []));
    expect(rows.map(({ exact }) => exact)).toEqual(recorded);
  });

  it("over the stored sessions is a line each, oldest first, and names a record that does not verify", async () => {
    const rig = createRig({ programs: { ls: {} } });
    for (const path of ["src/b.js", ".git/config"]) {
      const session = await rig.open();
      await session.call(create(path, "x"), {}, never);
      await session.close("finished");
    }
    const { io, rows } = listening();
    await trend({ ...rig.store, list: () => rig.store.list(), read: (id) => rig.store.read(id) }, 10, io);
    expect(rows.map(({ findings, actions }) => [findings, actions])).toEqual([[0, []], [1, []]]);
    expect(Number(rows[1]?.["peak"])).toBeGreaterThanOrEqual(Number(rows[0]?.["peak"]));
    const broken = listening();
    await trend({ ...rig.store, list: () => rig.store.list(), read: () => Promise.reject(new Error("changed")) }, 1, broken.io);
    expect(broken.rows).toMatchObject([{ invalid: true }]);
  });
});
