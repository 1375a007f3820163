// A session as one page that needs nothing else: no address is fetched, no script but ours runs, every text of the session is text.

import { count } from "../shared/index.js";
import { bytesToBase64, hexToBytes } from "../shared/bytes.js";
import type { Hasher } from "../shared/index.js";
import { kindTexts } from "../import/index.js";
import { html, trusted, type Html } from "./html.js";
import { PAGE_SCRIPT, PAGE_STYLE } from "./page-assets.js";
import { stepHtml, type StepTexts } from "./page-step.js";
import { verdictOf, type Step, type Timeline } from "./timeline.js";

export interface PageOptions {
  readonly hash: Hasher;
  /** Texts of a step that lie outside its record. */
  readonly textsOf: (step: Step) => StepTexts;
  /** Name and version of this program. */
  readonly product: string;
}

const VERDICTS = ["deny", "ask", "allow", "thought"] as const;
const LINKED = 12;

/** The whole document. */
export function sessionPage(timeline: Timeline, options: PageOptions): string {
  const source = (text: string): string => `'sha256-${bytesToBase64(hexToBytes(options.hash(text).slice("sha256:".length)))}'`;
  const policy = `default-src 'none'; script-src ${source(PAGE_SCRIPT)}; style-src ${source(PAGE_STYLE)}; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'`;
  const { state, steps } = timeline;
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${trusted(policy)}">
<meta name="referrer" content="no-referrer">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${state.id} · Ringfence</title>
<style>${trusted(PAGE_STYLE)}</style>
</head>
<body>
${barHtml(timeline)}
<main>
${claimedHtml(timeline)}
<div class="cards">${verdictCard(timeline)}${scoreCard(timeline)}${sourceCard(timeline)}${judgedCard(timeline)}</div>
${ruleTable(steps)}
${accountHtml(timeline)}
<section><h2>Calls</h2><ol class="steps">
${steps.map((step) => stepHtml(step, options.textsOf(step)))}</ol><p class="none">No call fits.</p></section>
<footer>Written by ${options.product}. Every text of the session is escaped; this page loads nothing and runs no script but its own. The record itself is the evidence: <code>ringfence log verify ${state.id}</code>.</footer>
</main>
<script>${trusted(PAGE_SCRIPT)}</script>
</body>
</html>
`;
  return page.markup;
}

function countsOf(steps: readonly Step[]): Readonly<Record<(typeof VERDICTS)[number], number>> {
  const counts = { deny: 0, ask: 0, allow: 0, thought: 0 };
  for (const step of steps) counts[verdictOf(step)] += 1;
  return counts;
}

function barHtml({ state, steps }: Timeline): Html {
  const counts = countsOf(steps);
  const button = (filter: string, name: string, count: number): Html => html`<button type="button" data-filter="${filter}" aria-pressed="false">${name} ${count}</button>`;
  const findings = steps.filter((step) => step.isFinding).length;
  return html`<header class="bar"><span class="name">Ringfence</span><span class="mono">${state.id}</span><div class="tools">${button("all", "All", steps.length)}${button("finding", "To look at", findings)}${button("deny", "Deny", counts.deny)}${button("ask", "Ask", counts.ask)}${button("allow", "Allow", counts.allow)}<input id="search" type="search" placeholder="search calls, rules, output" aria-label="Search"><kbd>j k step · n next finding · o open · / search</kbd></div></header>`;
}

function claimedHtml({ state }: Timeline): Html | null {
  const { imported } = state.opened;
  return imported === undefined ? null : html`<p class="claimed"><strong>Imported, not witnessed.</strong> Everything here is what a file claims; nothing was run or seen. The verdicts are what policy says of each call, judged ${imported.containment === "attested" ? "as if in a tested container" : "as with nothing that holds the calls"}.</p>`;
}

function verdictCard({ steps }: Timeline): Html {
  const counts = countsOf(steps);
  const total = Math.max(1, steps.length);
  let left = 0;
  const parts = VERDICTS.map((verdict) => {
    const width = (counts[verdict] / total) * 1000;
    left += width;
    return html`<rect class="f-${verdict}" x="${(left - width).toFixed(2)}" y="0" width="${width.toFixed(2)}" height="10"></rect>`;
  });
  return html`<div class="card"><h2>Verdicts</h2><div class="big">${steps.length} <span class="soft">${steps.length === 1 ? "call" : "calls"}</span></div><svg viewBox="0 0 1000 10" height="10" preserveAspectRatio="none" role="img" aria-label="${counts.deny} denied, ${counts.ask} asked, ${counts.allow} allowed"><rect class="f-bg" width="1000" height="10"></rect>${parts}</svg><p>${VERDICTS.filter((verdict) => counts[verdict] > 0).map((verdict) => html`<span class="pill ${verdict}">${counts[verdict]} ${verdict}</span> `)}</p>${stripHtml(steps)}</div>`;
}

/** Every call as a tick, in order: where in the session the refusals lie. */
function stripHtml(steps: readonly Step[]): Html | null {
  if (steps.length < 2) return null;
  const width = 1000 / steps.length;
  const ticks = steps.map((step, index) => {
    const verdict = verdictOf(step);
    const height = verdict === "allow" || verdict === "thought" ? 12 : 30;
    const tick = html`<rect class="f-${verdict}" x="${(index * width).toFixed(2)}" y="${32 - height}" width="${Math.max(width * 0.8, 0.6).toFixed(2)}" height="${height}"></rect>`;
    return step.isFinding ? html`<a href="#${step.call.id}">${tick}</a>` : tick;
  });
  return html`<svg class="strip" viewBox="0 0 1000 32" preserveAspectRatio="none" aria-hidden="true">${ticks}</svg>`;
}

function scoreCard({ risk, state }: Timeline): Html {
  const verdict = risk.live.band === "Critical" || risk.live.band === "High" ? "deny" : risk.live.band === "Medium" ? "ask" : "allow";
  const missing = state.opened.controls.filter((control) => control.state !== "attested").length;
  return html`<div class="card"><h2>AIVSS</h2><div class="big">${risk.live.score} <span class="pill ${verdict}">${risk.live.band}</span></div><dl><dt>driven by</dt><dd>${risk.live.driver}</dd><dt>peak</dt><dd>${risk.peak.score}</dd><dt>posture</dt><dd>${risk.posture.score}, CVSS ${risk.static.cvss} → ${risk.posture.cvss}</dd><dt>factors</dt><dd>${risk.factorSum.base} → ${shortNumber(risk.factorSum.live)}</dd><dt>controls</dt><dd>${state.opened.controls.length - missing} tested, ${missing} not</dd></dl></div>`;
}

function shortNumber(exact: string): string {
  const value = Number(exact);
  return Number.isFinite(value) ? String(Math.round(value * 100) / 100) : exact;
}

function sourceCard({ state }: Timeline): Html {
  const { imported, agent, workspace } = state.opened;
  const named = [agent.name, agent.version, agent.model].filter((part) => part !== null).join(" ");
  if (imported === undefined) return html`<div class="card"><h2>Session</h2><dl><dt>opened</dt><dd>${state.openedAt}</dd><dt>by</dt><dd>${state.opened.startedBy}</dd><dt>agent</dt><dd>${named === "" ? "not told" : named}</dd><dt>folder</dt><dd>${workspace.path}</dd><dt>end</dt><dd>${state.closed === null ? "open" : state.closed.reason}</dd></dl></div>`;
  return html`<div class="card"><h2>Source</h2><dl><dt>format</dt><dd>${imported.format}${imported.version === null ? null : html`, ${imported.version}`}</dd><dt>agent</dt><dd>${named === "" ? "not told" : named}</dd><dt>session</dt><dd>${imported.session ?? "not told"}</dd><dt>folder</dt><dd>${workspace.root}</dd><dt>file</dt><dd>${imported.file.slice(imported.file.lastIndexOf("/") + 1)}</dd><dt>bytes</dt><dd>${imported.bytes}</dd><dt>digest</dt><dd class="mono">${imported.digest ?? "several files"}</dd></dl></div>`;
}

function judgedCard({ state }: Timeline): Html {
  const { policy } = state.opened;
  return html`<div class="card"><h2>Judged under</h2><dl><dt>policy</dt><dd>${policy.profile ?? policy.sources.filter((name) => !name.startsWith("builtin:")).join(", ")}</dd><dt>digest</dt><dd class="mono">${policy.digest}</dd><dt>role</dt><dd>${state.opened.role ?? "none"}</dd><dt>record</dt><dd>${count(state.events, "event")}</dd><dt>on</dt><dd>${state.openedAt}</dd></dl></div>`;
}

/** What refused or asked, by rule, with the calls to jump to. */
function ruleTable(steps: readonly Step[]): Html | null {
  const rules = new Map<string, { effect: string; layer: string; message: string; calls: Step[] }>();
  for (const step of steps) {
    for (const reason of step.decision?.reasons ?? []) {
      if (reason.effect === "allow" || reason.effect !== step.decision?.effect) continue;
      const known = rules.get(reason.rule) ?? { effect: reason.effect, layer: reason.layer ?? "", message: reason.message, calls: [] };
      known.calls.push(step);
      rules.set(reason.rule, known);
    }
  }
  if (rules.size === 0) return html`<section><h2>Rules that refused or asked</h2><p>None: every call is allowed.</p></section>`;
  const rows = [...rules].sort((a, b) => Number(b[1].effect === "deny") - Number(a[1].effect === "deny") || b[1].calls.length - a[1].calls.length);
  return html`<section class="card"><h2>Rules that refused or asked</h2><table><thead><tr><th>verdict</th><th>rule</th><th>layer</th><th>because</th><th class="num">calls</th><th>where</th></tr></thead><tbody>${rows.map(([rule, { effect, layer, message, calls }]) => html`<tr><td><span class="pill ${effect}">${effect}</span></td><td><code>${rule}</code></td><td>${layer}</td><td>${message}</td><td class="num">${calls.length}</td><td>${calls.slice(0, LINKED).map((step) => html`<a href="#${step.call.id}">${step.number}</a> `)}${calls.length > LINKED ? "…" : null}</td></tr>`)}</tbody></table></section>`;
}

/** What became of each record of the file. */
function accountHtml({ account }: Timeline): Html | null {
  if (account === null) return null;
  const skipped = account.skipped.reduce((sum, one) => sum + one.count, 0);
  const row = (word: string, { reason, count, places }: (typeof account.skipped)[number]): Html => html`<tr><td class="num">${count}</td><td>${word}</td><td>${reason}</td><td class="soft">${places.join(", ")}</td></tr>`;
  const table = account.skipped.length + account.parts.length === 0 ? null : html`<table><tbody>${account.skipped.map((one) => row("skipped", one))}${account.parts.map((one) => row("noted", one))}</tbody></table>`;
  return html`<section class="card"><h2>Account of the file</h2><p>${count(account.records, "record")}: ${[...kindTexts(account.kinds), `${skipped} skipped`].join(", ")}. ${account.unanswered === 0 ? "Every call has a result." : html`${account.unanswered} ${account.unanswered === 1 ? "call has" : "calls have"} no result in it.`}</p>${table}</section>`;
}
