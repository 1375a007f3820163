// A summary in Markdown, for comments and job pages. Text of the session is escaped: it makes no link, mention, image, table or tag.

import { count, printable } from "../shared/index.js";
import { endOf, titleOf, verdictOf, type Timeline } from "../replay/timeline.js";
import { reportedOf } from "./finding-list.js";

const CALLS = 50;
const RULES = 30;

/**
 * One line of Markdown that shows a text and does nothing else. It stands in a `code` tag, because services look for mentions in
 * what was rendered, entities undone, but not there; a code span of Markdown would end at the text's own backticks.
 */
export function markdownText(text: string, limit: number = 200): string {
  const escaped = printable(text, limit).replace(/[&<>@:]|www\.|[\\`*_{}[\]()#+!|~$-]/giu, (sign) => ENTITIES[sign] ?? (sign.length > 1 ? `${sign.slice(0, 3)}&#46;` : `\\${sign}`));
  return `<code>${escaped}</code>`;
}

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", "@": "&#64;", ":": "&#58;" };

/** The summary. */
export function markdownOf(timeline: Timeline): string {
  const { state, steps, risk, account } = timeline;
  const counts = { allow: 0, ask: 0, deny: 0, thought: 0 };
  for (const step of steps) counts[verdictOf(step)] += 1;
  const { imported } = state.opened;
  const lines = [
    `## Ringfence: ${counts.deny} denied, ${counts.ask} asked, ${counts.allow} allowed`,
    "",
    `Session \`${state.id}\`, ${count(steps.length, "call")}, AIVSS **${risk.live.score} ${risk.live.band}** (peak ${risk.peak.score}), policy ${markdownText(state.opened.policy.profile ?? state.opened.policy.sources.filter((name) => !name.startsWith("builtin:")).join(", "))} \`${state.opened.policy.digest.slice(0, 19)}\`.`,
    ...(imported === undefined ? [] : ["", `**Imported from ${markdownText(imported.format)}, not witnessed:** what a file claims, judged; nothing was run.`]),
    ...(account === null ? [] : ["", `${count(account.records, "record")}: ${count(account.kinds.calls, "call")}, ${count(account.kinds.results, "result")}, ${count(account.kinds.messages, "message")}, ${account.kinds.metadata} metadata, ${account.skipped.reduce((sum, one) => sum + one.count, 0)} skipped.`]),
    ...ruleTable(timeline),
    ...callTable(timeline),
  ];
  return `${lines.join("\n")}\n`;
}

function ruleTable(timeline: Timeline): readonly string[] {
  const rules = new Map<string, { level: string; layer: string; message: string; calls: number }>();
  for (const { rule, level, layer, message } of reportedOf(timeline)) {
    const known = rules.get(rule) ?? { level, layer: layer ?? "", message, calls: 0 };
    rules.set(rule, { ...known, calls: known.calls + 1 });
  }
  if (rules.size === 0) return ["", "No rule refused, asked or found anything."];
  const rows = [...rules].sort((a, b) => b[1].calls - a[1].calls);
  return ["", "| rule | layer | calls | because |", "| --- | --- | ---: | --- |", ...rows.slice(0, RULES).map(([rule, one]) => `| ${markdownText(rule)} | ${one.layer} | ${one.calls} | ${markdownText(one.message)} |`), ...(rows.length > RULES ? ["", `and ${count(rows.length - RULES, "more rule")}.`] : [])];
}

function callTable({ steps }: Timeline): readonly string[] {
  const chosen = steps.filter((step) => step.isFinding);
  if (chosen.length === 0) return [];
  return ["", "| call | verdict | what | end | AIVSS |", "| ---: | --- | --- | --- | --- |", ...chosen.slice(0, CALLS).map((step) => `| ${step.number} | ${verdictOf(step)} | ${markdownText(titleOf(step))} | ${endOf(step)} | ${step.after?.score ?? ""} |`), ...(chosen.length > CALLS ? ["", `and ${count(chosen.length - CALLS, "more call")}.`] : [])];
}
