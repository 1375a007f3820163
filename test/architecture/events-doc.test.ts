// The page on events and the union of events name the same types.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "..", "..");

describe("docs/events.md", () => {
  it("names every event of the union, and no other", () => {
    const union = readFileSync(join(ROOT, "src", "core", "session", "event.ts"), "utf8");
    const declared = [...union.matchAll(/^ {2}"([a-z]+\.[a-z]+)": /gm)].map((match) => match[1]).sort();
    const page = readFileSync(join(ROOT, "docs", "events.md"), "utf8");
    const named = [...page.matchAll(/^\| `([a-z]+\.[a-z]+)` \|/gm)].map((match) => match[1]).sort();
    expect(declared.length).toBeGreaterThan(10);
    expect(named).toEqual(declared);
  });

  it("names every field that an event may carry", () => {
    const union = readFileSync(join(ROOT, "src", "core", "session", "event.ts"), "utf8");
    const page = readFileSync(join(ROOT, "docs", "events.md"), "utf8");
    const body = union.slice(union.indexOf("export interface EventData"), union.indexOf("export type EventType"));
    const fields = [...body.matchAll(/readonly (\w+)\??:/g)].map((match) => match[1] ?? "");
    expect(new Set(fields).size).toBeGreaterThan(30);
    const nested = new Set(["path", "root", "digest", "sources", "profile", "reference", "id", "name", "version", "runtime", "kind", "effects"]);
    expect(fields.filter((field) => !nested.has(field) && !page.includes(`\`${field}\``))).toEqual([]);
  });
});
