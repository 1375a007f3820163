// Attack texts by family: each must show at least the effects its line lists. A case is never deleted, only superseded.

import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { evaluateShell } from "../../../src/core/shell/index.js";
import { aContext, line } from "../../unit/shell/support.js";

interface Case {
  readonly id: string;
  readonly text: string;
  readonly expect: readonly string[];
  readonly scripts?: Readonly<Record<string, string>>;
}

const folder = fileURLToPath(new URL(".", import.meta.url));
const files = readdirSync(folder).filter((name) => name.endsWith(".yaml")).sort();

const ids = new Set<string>();
for (const file of files) {
  const cases = parse(readFileSync(`${folder}/${file}`, "utf8")) as readonly Case[];
  describe(file, () => {
    test.each(cases.map((one): [string, Case] => [one.id, one]))("%s", (id, one) => {
      expect(ids.has(id)).toBe(false);
      ids.add(id);
      const scripts = new Map(Object.entries(one.scripts ?? {}));
      const { effects } = evaluateShell(one.text, aContext({ readText: (path) => scripts.get(path) ?? null }));
      expect(effects.map(line)).toEqual(expect.arrayContaining([...one.expect]));
    });
  });
}

test("every family of commands has at least three cases", () => {
  const families = Array.from({ length: 13 }, (_, i) => `X${i + 1}`);
  const counts = families.map((family) => [...ids].filter((id) => id.startsWith(`${family}-`)).length);
  expect(families.filter((_, i) => (counts[i] ?? 0) < 3)).toEqual([]);
});
