// The corpus of destructive forms: what an agent might run to destroy, replace or plant something, by family of attack.

import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { parse } from "yaml";
import type { Finding } from "../../src/core/reconcile/index.js";

export interface Form {
  readonly id: string;
  /** Of the attack battery: X1 to X15 by how the text hides it, F1 to F17 by what it goes for. */
  readonly family: string;
  readonly text: string;
  readonly destroys: string;
  /**
   * What the record must name: what held it and the name that was held (`read-only-mount .github/workflows`), or `undone` and the
   * path; `nothing` for a form that no witness tells of.
   */
  readonly finds: string;
  /** Only the program's own output tells of the attempt; left out: the text of the call does, or the comparison. */
  readonly told?: "program";
}

const FOLDER = fileURLToPath(new URL("../../test/adversarial/destructive", import.meta.url));

/** What is wrong with the findings of one form, as they stand in the record; null when the cause is named as it should be. */
export function wrongFinding(form: Form, findings: readonly Finding[]): string | null {
  const causes = findings.filter(({ about }) => about === undefined || about === "attempt");
  const [by, name] = [form.finds.slice(0, form.finds.indexOf(" ")), form.finds.slice(form.finds.indexOf(" ") + 1)];
  if (form.finds === "nothing") return causes.length === 0 ? null : `is seen after all: ${JSON.stringify(causes.slice(0, 3))}`;
  const named = causes.filter((finding) => (finding.held === undefined ? by === "undone" && finding.reverted && finding.path === name : finding.held.by === by && finding.held.name === name));
  const [first] = named;
  if (first === undefined) return `no finding names \`${form.finds}\`: ${JSON.stringify(causes.slice(0, 5))}`;
  if (first.rule === "" || !first.threats.some((threat) => threat.startsWith("maestro:"))) return `a finding without rule or threat: ${JSON.stringify(first)}`;
  if (first.held === undefined) return null;
  if (first.about !== "attempt" || !first.reverted) return `not marked as an attempt: ${JSON.stringify(first)}`;
  const isReport = !first.held.told.includes("text");
  return isReport === (form.told === "program") ? null : `told by ${first.held.told.join(" and ")}`;
}

export function destructiveForms(): readonly Form[] {
  return readdirSync(FOLDER)
    .filter((name) => name.endsWith(".yaml"))
    .sort()
    .flatMap((name) => parse(readFileSync(join(FOLDER, name), "utf8")) as readonly Form[]);
}
