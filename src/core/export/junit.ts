// JUnit XML: one test case a call, so that any pipeline shows what was refused. A refusal is a failure, an open question is skipped.

import { printableBlock } from "../shared/index.js";
import { endOf, titleOf, verdictOf, type Step, type Timeline } from "../replay/timeline.js";

const TEXT = 2_000;

/** The report as XML text. */
export function junitOf({ state, steps }: Timeline): string {
  const cases = steps.map((step) => caseOf(step));
  const failures = cases.filter(({ kind }) => kind === "failure").length;
  const skipped = cases.filter(({ kind }) => kind === "skipped").length;
  const seconds = steps.reduce((sum, step) => sum + secondsOf(step), 0);
  // All that the schema of Ant asks for; `skipped`, which it does not know and readers do, only where something was.
  const counts = `tests="${cases.length}" failures="${failures}" errors="0"${skipped === 0 ? "" : ` skipped="${skipped}"`} time="${seconds.toFixed(3)}"`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n  <testsuite id="0" package="ringfence" name="${xmlText(state.id)}" hostname="ringfence" ${counts} timestamp="${xmlText(state.openedAt.slice(0, 19))}">\n    <properties>\n      <property name="policy" value="${xmlText(state.opened.policy.digest)}"/>\n      <property name="witnessed" value="${String(state.opened.imported === undefined)}"/>\n    </properties>\n${cases.map(({ xml }) => `    ${xml}\n`).join("")}    <system-out/>\n    <system-err/>\n  </testsuite>\n</testsuites>\n`;
}

function caseOf(step: Step): { readonly kind: "passed" | "failure" | "skipped"; readonly xml: string } {
  const { call, decision } = step;
  const verdict = verdictOf(step);
  const against = decision?.reasons.filter((reason) => reason.effect === decision.effect && reason.effect !== "allow") ?? [];
  const standing = call.findings.filter((finding) => !finding.reverted);
  const isApproved = call.approval?.outcome === "approved";
  const kind = verdict === "deny" || call.approval?.outcome === "rejected" || standing.length > 0 || call.outcome === "in-doubt" ? "failure" : verdict === "ask" && !isApproved ? "skipped" : "passed";
  const open = `<testcase classname="${xmlText(call.tool)}" name="${xmlText(`${call.id} ${titleOf(step)}`)}" time="${secondsOf(step).toFixed(3)}"`;
  if (kind === "passed") return { kind, xml: `${open}/>` };
  const rules = [...against.map((reason) => `${reason.rule}: ${reason.message} (${reason.subject})`), ...standing.map((finding) => `${finding.rule}: ${finding.message} (${finding.path})`)];
  const first = against[0]?.rule ?? standing[0]?.rule ?? call.outcome ?? "";
  if (kind === "skipped") return { kind, xml: `${open}><skipped message="${xmlText(rules[0] ?? "")}"/></testcase>` };
  return { kind, xml: `${open}><failure type="${xmlText(first)}" message="${xmlText(rules[0] ?? endOf(step))}">${xmlText(rules.join("\n"))}</failure></testcase>` };
}

function secondsOf({ call }: Step): number {
  return (call.execution?.durationMs ?? call.claimed?.result?.durationMs ?? 0) / 1000;
}

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;", "\n": "&#10;", "\t": "&#9;" };

/** Text for XML 1.0: what it cannot hold is shown as an escape. */
export function xmlText(text: string): string {
  return printableBlock(text, TEXT)
    .replace(/[\ufffe\uffff]/gu, "\ufffd")
    .replace(/[&<>"'\n\t]/gu, (sign) => ENTITIES[sign] ?? "");
}
