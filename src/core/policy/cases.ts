// Cases beside a policy: what is asked and what must be answered, judged under the whole set. Reads text, judges, touches nothing.

import * as z from "zod";
import { printable, type Issue, type SourceSpan } from "../shared/index.js";
import { checkQuestion, questionOf } from "./check-line.js";
import { EXAMPLE_PLACES } from "./example-effects.js";
import type { PolicySet } from "./policy-set.js";
import { readSource } from "./schema-source.js";

const word = z.string().min(1).max(400);

export const caseSchema = z.strictObject({
  command: z.string().min(1).max(10_000).optional(),
  write: word.optional(),
  read: word.optional(),
  delete: word.optional(),
  effect: z.enum(["allow", "ask", "deny"]),
  rule: word.optional(),
  role: word.nullable().optional(),
  root: word.optional(),
  cwd: word.optional(),
  containment: z.enum(["attested", "none"]).optional(),
});

/** The form of a `*.cases.yaml` file. */
export const casesSchema = z.strictObject({ version: z.literal(1), cases: z.array(caseSchema).min(1).max(10_000) });

/** What became of a file of cases. */
export interface CasesResult {
  readonly cases: number;
  readonly failed: readonly Issue[];
}

/** Judges every case of a file under a policy set. A file that is no list of cases fails as a whole. */
export function checkCases(name: string, text: string, policySet: PolicySet): CasesResult {
  const { source, issues } = readSource(name, text);
  if (source === null) return { cases: 0, failed: issues };
  const parsed = casesSchema.safeParse(source.value);
  if (!parsed.success) {
    return {
      cases: 0,
      failed: parsed.error.issues.slice(0, 20).map((problem) => {
        const at = source.placeOf(problem.path);
        return { code: "POLICY_SCHEMA", message: `\`${problem.path.map(String).join(".")}\`: ${problem.message.charAt(0).toLowerCase()}${problem.message.slice(1)}`, at, excerpt: source.excerptAt(at) };
      }),
    };
  }
  const failed = parsed.data.cases.flatMap((one, index): readonly Issue[] => {
    const at: SourceSpan = source.placeOf(["cases", index]);
    const fail = (message: string): readonly Issue[] => [{ code: "POLICY_CASE_FAILED", message, at, excerpt: source.excerptAt(at) }];
    const kinds = (["command", "write", "read", "delete"] as const).filter((key) => one[key] !== undefined);
    const root = one.root ?? EXAMPLE_PLACES.root;
    const fields = new Map<string, unknown>(Object.entries({ ...one, root, cwd: one.cwd ?? root }));
    const question = kinds.length === 1 ? questionOf(fields, { role: one.role ?? null, root, home: EXAMPLE_PLACES.home, containment: "attested" }) : "a case has exactly one of `command`, `write`, `read`, `delete`";
    if (typeof question === "string") return fail(question);
    const decision = checkQuestion(policySet, question, { home: EXAMPLE_PLACES.home, containment: one.containment ?? "attested" });
    const subject = `\`${printable(one.command ?? one.write ?? one.read ?? one.delete ?? "", 100)}\``;
    const rules = [...decision.reasons, ...(decision.noted ?? [])].map((reason) => reason.rule);
    if (decision.effect !== one.effect) return fail(`${subject} is ${decision.effect} by ${rules.slice(0, 4).join(", ")}, not ${one.effect}`);
    return one.rule === undefined || rules.includes(one.rule) ? [] : fail(`${subject} is ${decision.effect} by ${rules.slice(0, 4).join(", ")}, not by ${one.rule}`);
  });
  return { cases: parsed.data.cases.length, failed };
}
