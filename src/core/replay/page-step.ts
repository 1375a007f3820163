// One step of the page: the call, the verdict and its reasons, what came of it, and what it said.

import { count } from "../shared/index.js";
import type { Reason } from "../policy/index.js";
import type { Finding } from "../reconcile/change.js";
import type { JsonObject, JsonValue } from "../shared/index.js";
import { html, type Html } from "./html.js";
import { endOf, titleOf, verdictOf, type Step } from "./timeline.js";
import { programTree } from "./program-tree.js";
import { diffLineKind, type FileDiff, type StepFiles } from "./step-files.js";

/** Text of a step that lies outside its record. */
export interface StepTexts {
  /** Arguments, where they were too long for the record; null: not to be had. */
  readonly arguments: JsonObject | null;
  /** Output, as far as it is shown. */
  readonly output: string;
  /** Characters of it that are not shown. */
  readonly cut: number;
  /** What it changed, and how the workspace stood after it; left out where nobody looked. */
  readonly files?: StepFiles;
}

const REASONS = 8;
const LINES = 400;
const CHANGES = 50;

/** The step as one item of the list. */
export function stepHtml(step: Step, texts: StepTexts): Html {
  const { call } = step;
  const verdict = verdictOf(step);
  return html`<li class="step ${verdict}" id="${call.id}" data-verdict="${verdict}" data-finding="${step.isFinding ? "1" : "0"}"><div class="head"><a class="no" href="#${call.id}">${step.number}</a><span class="pill ${verdict}">${verdict}</span><code class="what">${titleOf(step)}</code><span class="end">${[call.role, call.tool, endOf(step)].filter((part) => part !== null && part !== "").join(" · ")}</span></div>${reasonList(step)}${detailHtml(step, texts)}</li>
`;
}

function fateOf({ reverted, about, held }: Finding): string {
  if (held !== undefined) return held.told.includes("text") ? "held" : "held, as the program reports";
  if (about === "output") return "output guarded";
  if (about === "program") return reverted ? "refused before it ran" : "ran";
  return reverted ? "undone" : "stands";
}

function reasonList(step: Step): Html | null {
  const { call, decision } = step;
  const deciding = decision === null || decision.effect === "allow" ? [] : decision.reasons.filter((reason) => reason.effect === decision.effect);
  const moved = step.before !== null && step.after !== null && step.before.score !== step.after.score ? html`<li class="moved">AIVSS ${step.before.score} → ${step.after.score} ${step.after.band}</li>` : null;
  const findings = call.findings.slice(0, CHANGES).map((finding) => html`<li><span class="rule">${finding.rule}</span> ${finding.message} <code>${finding.path}</code> <span class="tag">${fateOf(finding)}</span></li>`);
  const approval = call.approval === null ? null : html`<li>${call.approval.outcome} by ${call.approval.by}${call.approval.detail === null ? null : html`: ${call.approval.detail}`}</li>`;
  const doubt = call.outcome === "in-doubt" ? html`<li class="moved">in doubt: it was started, and its end was not seen</li>` : null;
  if (deciding.length === 0 && moved === null && findings.length === 0 && approval === null && doubt === null) return null;
  return html`<ul class="why">${deciding.slice(0, REASONS).map(reasonHtml)}${deciding.length > REASONS ? html`<li class="soft">and ${count(deciding.length - REASONS, "more rule")}</li>` : null}${approval}${findings}${doubt}${moved}</ul>`;
}

function reasonHtml(reason: Reason): Html {
  return html`<li><span class="rule">${reason.rule}</span> ${reason.message} <code>${reason.subject}</code> ${reason.layer === null ? null : html`<span class="tag">${reason.layer}</span>`}${reason.threats.slice(0, 6).map((threat) => html`<span class="tag">${threat}</span>`)}</li>`;
}

function detailHtml(step: Step, texts: StepTexts): Html {
  const { call } = step;
  const claim = call.claimed?.call ?? null;
  const facts = [claim === null ? step.time : [claim.place, claim.time, claim.sidechain ? "by an agent of the agent" : null].filter((part) => part !== null).join(" · "), `in ${claim?.cwd ?? step.decision?.action.cwd ?? "?"}`, step.after === null ? null : `AIVSS ${step.after.score} after it`].filter((part) => part !== null).join(" · ");
  const changes = call.changes.slice(0, CHANGES).map((change) => html`<div class="mono">${change.operation} ${change.path}</div>`);
  const reached = (call.reached ?? []).map(({ what, path, digest, length, left, dropped }) => html`<div class="mono">to the model: ${path ?? what} ${length} ${left + dropped === 0 ? null : `(${count(left, "character")} left out, ${count(dropped, "byte")} dropped) `}${digest}</div>`);
  const thought = claim?.thought ?? null;
  const advice = step.decision?.guidance ?? null;
  const guidance = advice === null ? null : html`<p class="soft">${advice}</p>`;
  return html`<details><summary>${facts}</summary>${guidance}${thought === null ? null : html`<p class="soft">${thought}</p>`}${argumentsHtml(argumentsOf(step, texts), texts.arguments === null && step.argumentsBlob !== null)}${changes}${reached}</details>${filesHtml(texts.files)}${programsHtml(call)}${outputHtml(texts)}`;
}

/** What it changed, line by line, and the workspace as it then was; nothing for a call that changed nothing. */
function filesHtml(files: StepFiles | undefined): Html | null {
  if (files === undefined || files.diffs.length === 0) return null;
  const names = files.workspace.map(({ path, operation }) => `${operation} ${path}`).join("\n");
  const all = files.workspace.length + files.rest;
  return html`<details><summary>changed ${files.diffs.length + files.more} ${files.diffs.length + files.more === 1 ? "name" : "names"}</summary>${files.diffs.map(diffHtml)}${files.more > 0 ? html`<p class="soft">and ${files.more} more</p>` : null}</details><details><summary>workspace after it, ${all} ${all === 1 ? "name differs" : "names differ"} from the folder</summary><pre>${names}${files.rest > 0 ? `\n… ${files.rest} more` : ""}</pre></details>`;
}

function diffHtml({ path, operation, diff, why }: FileDiff): Html {
  if (diff === null) return html`<div class="mono">${operation} ${path} <span class="soft">${why ?? ""}</span></div>`;
  const lines = diff.split("\n");
  const shown = lines.slice(0, LINES).map((line) => {
    const kind = diffLineKind(line);
    return kind === "add" ? html`<span class="a">${line}</span>` : kind === "delete" ? html`<span class="d">${line}</span>` : html`<span>${line}\n</span>`;
  });
  return html`<div class="mono">${operation} ${path}</div><pre>${shown}${lines.length > LINES ? html`\n… ${count(lines.length - LINES, "more line")}` : null}</pre>`;
}

/** What really ran, where it was more than one program. */
function programsHtml({ programs }: Step["call"]): Html | null {
  if (programs === undefined) return null;
  const { lines, more, written, cwd } = programTree(programs, LINES);
  if (lines.length + more <= 1 && written.length === 0) return null;
  const text = [...(cwd === null ? [] : [`in ${cwd}`]), ...lines.map(({ depth, text: words, end, cwd: folder, against }) => `${"  ".repeat(depth)}${words}  (${[...(folder === null ? [] : [`in ${folder}`]), end].join(", ")})${against === null ? "" : `  ✗ ${against}`}`), ...(more > 0 ? [`… ${more} more`] : []), ...written.slice(0, LINES).map((path) => `opened for writing: ${path}`)];
  return html`<details><summary>ran ${lines.length + more} ${lines.length + more === 1 ? "program" : "programs"}</summary><pre>${text.join("\n")}</pre></details>`;
}

/** Which arguments go and which come, for tools that edit. */
const OLD: ReadonlySet<string> = new Set(["old_str", "old_string", "old", "search"]);
const NEW: ReadonlySet<string> = new Set(["new_str", "new_string", "new", "replace", "file_text", "content", "text", "insert_text"]);

/** The arguments, without a command that the title shows whole; what goes stands before what comes. */
function argumentsOf(step: Step, texts: StepTexts): readonly (readonly [string, JsonValue])[] {
  const title = titleOf(step);
  return Object.entries(texts.arguments ?? step.call.arguments)
    .filter(([key, value]) => !((key === "command" || key === "cmd") && typeof value === "string" && value.trim() === title))
    .sort(([a], [b]) => Number(OLD.has(b)) - Number(OLD.has(a)));
}

function argumentsHtml(entries: readonly (readonly [string, JsonValue])[], isGone: boolean): Html | null {
  if (isGone) return html`<p class="soft">Its arguments are not to be had.</p>`;
  if (entries.length === 0) return null;
  return html`${entries.slice(0, 40).map(([key, value]) => html`<div><span class="soft">${key}</span>${valueHtml(key, value)}</div>`)}`;
}

function valueHtml(key: string, value: JsonValue): Html {
  const text = typeof value === "string" ? value : JSON.stringify(value, null, 2);
  const lines = text.split("\n");
  const shown = lines.slice(0, LINES);
  const rest = lines.length > LINES ? html`\n… ${count(lines.length - LINES, "more line")}` : null;
  const mark = OLD.has(key) ? "d" : NEW.has(key) ? "a" : null;
  return html`<pre>${mark === null ? shown.join("\n") : shown.map((line) => html`<span class="${mark}">${mark === "a" ? "+" : "-"}${line}</span>`)}${rest}</pre>`;
}

function outputHtml({ output, cut }: StepTexts): Html | null {
  if (output === "") return null;
  const lines = output.split("\n").length;
  return html`<details><summary>output, ${lines} ${lines === 1 ? "line" : "lines"}</summary><pre>${output}${cut > 0 ? html`\n… ${count(cut, "more character")} in the record` : null}</pre></details>`;
}
