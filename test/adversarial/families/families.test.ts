// Our own forms as policy judges them: what text tells is stopped before it runs, and one effect gets one decision by every route.
// That each form does what it claims is verified by running it, in `npm run soak -- --suite attack-families`.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it, test } from "vitest";
import { parse } from "yaml";
import { compilePolicy } from "../../../src/core/policy/index.js";
import { sha256 } from "../../../src/adapters/system/hasher.js";
import { familyForms, familyOf } from "../../support/families.js";
import { createJudge } from "../../support/judge.js";

const state = mkdtempSync(join(tmpdir(), "ringfence-families-"));
const judge = await createJudge(state);
const forms = familyForms();

afterAll(() => rmSync(state, { recursive: true, force: true }));

describe("attack families", () => {
  it("each has at least five forms, each with a name of its own and something it claims", () => {
    const families = [...Array.from({ length: 15 }, (_, index) => `F${index + 1}`), ...Array.from({ length: 15 }, (_, index) => `X${index + 1}`)];
    const few = families.map((family) => ({ family, forms: forms.filter((form) => familyOf(form) === family).length })).filter((one) => one.forms < 5);
    expect(few).toEqual([]);
    expect(new Set(forms.map(({ id }) => id)).size).toBe(forms.length);
    expect(forms.filter(({ claims }) => claims.length === 0)).toEqual([]);
    expect(forms.filter(({ held, why }) => held === "after" && why === null)).toEqual([]);
  });

  test.each(forms.filter(({ held }) => held === "before").map(({ id, steps }) => [id, steps] as const))("%s is stopped before it runs", (_, steps) => {
    expect(judge(steps).effect).not.toBe("allow");
  });
});

interface Unenforceable {
  readonly id: string;
  readonly what: string;
  readonly when: string;
  readonly effect?: string;
}

const unenforceable = parse(readFileSync(join(import.meta.dirname, "unenforceable.yaml"), "utf8")) as readonly Unenforceable[];

describe("F16: a rule that nothing could hold", () => {
  it("has at least five forms", () => expect(unenforceable.length).toBeGreaterThanOrEqual(5));

  test.each(unenforceable.map((one) => [one.id, one] as const))("%s is refused", (_, { when, effect = "deny" }) => {
    const text = `version: 1\nid: f\ntitle: t\nlayer: L3\nrules:\n  - id: f.x\n    effect: ${effect}\n    threats: ["maestro:L7/agent-tool-misuse"]\n    message: m\n    when:\n      - ${when}\n`;
    const compiled = compilePolicy([{ name: "f.policy.yaml", text }], { hash: sha256 });
    expect(compiled.ok ? "accepted" : "refused").toBe("refused");
  });
});
