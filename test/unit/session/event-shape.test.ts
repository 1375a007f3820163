// What is an event of ours: all that the product writes, and nothing in which another kind of value stands where a text, a number or a word should.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { importTrajectories } from "../../../src/compose-import.js";
import { openStore } from "../../../src/compose-store.js";
import { isEvent, type AuditEvent } from "../../../src/core/session/index.js";
import { corpusPath } from "../../support/corpora.js";
import { recordHostile } from "../../support/hostile-record.js";

/** Members that hold any JSON, and two that no event has to have. */
const ANY = new Set(["arguments", "sampling", "riskProfile", "endLine", "endColumn"]);
let folder = "";
let env: NodeJS.ProcessEnv = {};
let events: readonly AuditEvent[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "ringfence-shape-"));
  env = { PATH: process.env["PATH"], HOME: folder, RINGFENCE_HOME: join(folder, "state"), RINGFENCE_LOG_LEVEL: "silent" };
  await recordHostile(env, "ses_hostile001", join(folder, "work"), "ended");
  const { store, close } = await openStore(env);
  events = await store.read("ses_hostile001");
  await close();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Every place of a value, as the members that lead there. */
function places(value: unknown, at: readonly string[] = []): readonly (readonly string[])[] {
  if (typeof value !== "object" || value === null) return [at];
  return [at, ...Object.entries(value).flatMap(([name, inner]) => (ANY.has(name) ? [] : places(inner, [...at, name])))];
}

function put(value: unknown, [name, ...rest]: readonly string[], other: unknown): unknown {
  if (name === undefined) return other;
  const copy = (Array.isArray(value) ? [...(value as unknown[])] : { ...(value as object) }) as Record<string, unknown>;
  copy[name] = put(copy[name], rest, other);
  return copy;
}

it("is all of a session with one event of every kind", () => {
  expect(new Set(events.map(({ type }) => type)).size).toBeGreaterThan(20);
  expect(events.filter((event) => !isEvent(event)).map(({ type, data }) => ({ type, data }))).toEqual([]);
});

const sets = ["swe-agent-traj", "openhands-events", "claude-code-jsonl"].flatMap((name) => corpusPath(name) ?? []);
it.skipIf(sets.length === 0)("is all that an import writes", async () => {
  const done = await importTrajectories({ paths: sets, env });
  const { store, close } = await openStore(env);
  for (const one of done) if (one.ok) expect((await store.read(one.session.session)).filter((event) => !isEvent(event))).toEqual([]);
  await close();
});

it("is none once markup stands at any place of it, or a word or a digest of ours says more than it may", () => {
  const one = new Map(events.map((event) => [event.type, event] as const));
  for (const event of one.values()) {
    for (const place of places(event.data)) {
      if (event.type === "risk.updated" && place[0] === "detail") continue;
      const changed = { ...event, data: put(event.data, place, { markup: "<b>" }) } as unknown as AuditEvent;
      expect([event.type, place.join("."), isEvent(changed)]).toEqual([event.type, place.join("."), false]);
    }
  }
  const opened = events[0];
  for (const [name, value] of [["product", "\u001b[2J"], ["source", "elsewhere"], ["policy", { digest: "sha256:\u202e", sources: [], profile: null }]] as const) {
    expect(isEvent({ ...opened, data: { ...opened?.data, [name]: value } } as unknown as AuditEvent), name).toBe(false);
  }
  expect(isEvent({ ...opened, call: "\u001b[2J" } as unknown as AuditEvent)).toBe(false);
});
