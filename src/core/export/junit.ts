// JUnit XML: one test case a call, so that any pipeline shows what was refused. A refusal is a failure, an open question is skipped.

import { printableBlock } from "../shared/index.js";
import { endOf, titleOf, verdictOf, type Step, type Timeline } from "../replay/timeline.js";

const TEXT = 2_000;

/** The report as XML text. */
export function junitOf({ state, steps }: Timeline): string {
  const cases = steps.map((step) => caseOf(step));
  const failures = cases.filter(({ kind }) => kind === "failure").length;
  const skipped = cases.filter(({ kind }) => kind === "skipped").length;
  const counts = `tests="${cases.length}" failures="${failures}" errors="0" skipped="${skipped}"`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="ringfence" ${counts}>\n  <testsuite name="${xmlText(state.id)}" ${counts} timestamp="${xmlText(state.openedAt.slice(0, 19))}">\n${cases.map(({ xml }) => `    ${xml}\n`).join("")}  </testsuite>\n</testsuites>\n`;
}

function caseOf(step: Step): { readonly kind: "passed" | "failure" | "skipped"; readonly xml: string } {
  const { call, decision } = step;
  const verdict = verdictOf(step);
  const against = decision?.reasons.filter((reason) => reason.effect === decision.effect && reason.effect !== "allow") ?? [];
  const standing = call.findings.filter((finding) => !finding.reverted);
  const isApproved = call.approval?.outcome === "approved";
  const kind = verdict === "deny" || call.approval?.outcome === "rejected" || standing.length > 0 || call.outcome === "in-doubt" ? "failure" : verdict === "ask" && !isApproved ? "skipped" : "passed";
  const seconds = (call.execution?.durationMs ?? call.claimed?.result?.durationMs ?? 0) / 1000;
  const open = `<testcase classname="${xmlText(call.tool)}" name="${xmlText(`${call.id} ${titleOf(step)}`)}" time="${seconds.toFixed(3)}"`;
  if (kind === "passed") return { kind, xml: `${open}/>` };
  const rules = [...against.map((reason) => `${reason.rule}: ${reason.message} (${reason.subject})`), ...standing.map((finding) => `${finding.rule}: ${finding.message} (${finding.path})`)];
  const first = against[0]?.rule ?? standing[0]?.rule ?? call.outcome ?? "";
  if (kind === "skipped") return { kind, xml: `${open}><skipped message="${xmlText(rules[0] ?? "")}"/></testcase>` };
  return { kind, xml: `${open}><failure type="${xmlText(first)}" message="${xmlText(rules[0] ?? endOf(step))}">${xmlText(rules.join("\n"))}</failure></testcase>` };
}

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;", "\n": "&#10;", "\t": "&#9;" };

/** Text for XML 1.0: what it cannot hold is shown as an escape. */
export function xmlText(text: string): string {
  return printableBlock(text, TEXT)
    .replace(/[\ufffe\uffff]/gu, "\ufffd")
    .replace(/[&<>"'\n\t]/gu, (sign) => ENTITIES[sign] ?? "");
}
