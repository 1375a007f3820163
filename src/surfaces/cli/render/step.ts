// One call of a played session as lines: what was asked, the decision, the reason with rule and threat, what was undone.
// Everything of the agent's is escaped; nothing here decides.

import type { ToolCall } from "../../../core/action/index.js";
import type { Reason } from "../../../core/policy/index.js";
import { count, printable, printableBlock } from "../../../core/shared/index.js";
import type { Observation } from "../../../compose.js";
import type { Palette } from "../io.js";
import type { Finding } from "../../../core/reconcile/index.js";
import { groupFindings } from "./findings.js";
import { cut, pad, textWidth, wrap, type Part } from "./layout.js";

/** Where the lines go: their width, their colours, and the root that paths are shown without. */
export interface Sheet {
  readonly width: number;
  readonly paint: Palette;
  readonly root: string;
}

/** Columns before a call's verdict: number and role. Details stand under the verdict. */
export const MARGIN = 17;

const VERDICT = 9;
const OUTPUT_LINES = 6;
const OTHER_RULES = 3;

/** A line in a colour with blanks before it, cut to the width. */
export function line(sheet: Sheet, text: string, paint: (text: string) => string = (plain) => plain, margin: number = MARGIN): string {
  return " ".repeat(margin) + paint(cut(text, sheet.width - margin));
}

/** A paragraph of coloured parts under a call. */
export function paragraph(sheet: Sheet, parts: readonly Part[], margin: number = MARGIN): readonly string[] {
  return wrap(parts, sheet.width - margin).map((text) => " ".repeat(margin) + text);
}

/** `  7  bugfixer    `: what every call begins with. */
export function head(sheet: Sheet, number: number, role: string | null): string {
  const { paint } = sheet;
  const who = pad(cut(printable(role ?? "agent"), 10), 10);
  const colour = role === "bugfixer" ? paint.blue : role === "testwriter" ? paint.magenta : paint.dim;
  return `${paint.dim(String(number).padStart(3))}  ${colour(who)}  `;
}

/** The call in its own words, before anything is known of it. One printable line. */
export function callLabel(call: ToolCall, root: string): string {
  const { command, path } = call.arguments;
  if (typeof path === "string") return `${verbOf(call)} ${shortPath(path, root)}`;
  return typeof command === "string" ? printable(firstLine(command)) : printable(call.tool);
}

/** All lines of a call that was played. */
export function callLines(sheet: Sheet, number: number, call: ToolCall, observation: Observation): readonly string[] {
  const { paint, width } = sheet;
  const { word, colour } = verdictOf(call, observation, paint);
  const before = head(sheet, number, call.role) + colour(pad(word, VERDICT));
  const { text, extra } = summaryOf(call, observation, sheet.root);
  const room = width - MARGIN - VERDICT - (extra === "" ? 0 : textWidth(extra) + 2);
  const first = `${before}${paint.bold(cut(text, room))}${extra === "" ? "" : `  ${paint.dim(extra)}`}`;
  return [first, ...reasonText(sheet, observation), ...approvalText(sheet, observation), ...outputText(sheet, call, observation), ...changeText(sheet, call, observation), ...findingLines(sheet, observation)];
}

function verdictOf(call: ToolCall, observation: Observation, paint: Palette): { readonly word: string; readonly colour: (text: string) => string } {
  if (observation.outcome === "reverted") return { word: "↺ undo", colour: paint.red };
  if (observation.outcome === "rejected") return { word: "? ask", colour: paint.yellow };
  if (observation.approval?.outcome === "approved") return { word: "✔ agreed", colour: paint.green };
  if (observation.decision.effect === "deny") return { word: "✘ deny", colour: paint.red };
  // A failing command is an answer too; an edit that was not made is none.
  if (observation.outcome === "failed" && typeof call.arguments["path"] === "string") return { word: "✘ failed", colour: paint.red };
  return { word: "✔ allow", colour: paint.green };
}

/** What the call asks for, in one line, and beside it what became of it. */
function summaryOf(call: ToolCall, observation: Observation, root: string): { readonly text: string; readonly extra: string } {
  const { command, path } = call.arguments;
  if (typeof path === "string") return { text: `${verbOf(call)} ${shortPath(path, root)}`, extra: editSize(observation) };
  const summary = observation.summary === "" ? printable(call.tool) : observation.summary;
  if (typeof command !== "string") return { text: summary, extra: "" };
  const more = command.trimEnd().split("\n").length - 1;
  const first = printable(firstLine(command));
  // The summary has secrets taken out; where the first line held one, it is kept as it is.
  return { text: more > 0 && summary.startsWith(first) ? first : summary, extra: more > 0 ? `and ${more} more line${more === 1 ? "" : "s"}` : "" };
}

function verbOf(call: ToolCall): string {
  const { command } = call.arguments;
  if (typeof command !== "string") return printable(call.tool);
  return command === "str_replace" || command === "insert" ? "edit" : printable(command);
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0] ?? "";
}

function shortPath(path: string, root: string): string {
  return printable(path.startsWith(`${root}/`) ? path.slice(root.length + 1) : path);
}

/** Lines added and taken away by an edit, from the diff it answers with. */
function editSize(observation: Observation): string {
  if (observation.changes.length === 0 || !observation.stdout.startsWith("--- ")) return "";
  const body = observation.stdout.split("\n").slice(2);
  const added = body.filter((text) => text.startsWith("+")).length;
  const taken = body.filter((text) => text.startsWith("-")).length;
  return [added === 0 ? "" : `+${added}`, taken === 0 ? "" : `−${taken}`].filter((text) => text !== "").join(" ");
}

/** `[maestro:L2/data-exfiltration +2]`: a MAESTRO threat first; `show --json` has them all. */
export function threatPart(threats: readonly string[], paint: Palette): readonly Part[] {
  const first = threats.find((threat) => threat.startsWith("maestro:")) ?? threats[0];
  if (first === undefined) return [];
  return [{ text: `[${first}${threats.length > 1 ? ` +${threats.length - 1}` : ""}] `, paint: paint.cyan }];
}

/** Rule, threat and reason of a refusal; further rules that refuse it too by their names. */
export function reasonText(sheet: Sheet, { decision }: Pick<Observation, "decision">): readonly string[] {
  const { paint } = sheet;
  if (decision.effect === "allow") return [];
  const deciding = decision.reasons.filter((reason) => reason.effect === decision.effect);
  const [first, ...others] = deciding;
  if (first === undefined) return [];
  const also = others.length === 0 ? [] : [line(sheet, `also ${alsoText(others)}`, paint.dim)];
  return [...paragraph(sheet, [{ text: `${first.rule} `, paint: paint.bold }, ...threatPart(first.threats, paint), { text: printable(first.message, 300) }]), ...also];
}

function alsoText(reasons: readonly Reason[]): string {
  const names = reasons.slice(0, OTHER_RULES).map((reason) => printable(reason.rule, 120));
  return reasons.length > OTHER_RULES ? `${names.join(", ")} and ${reasons.length - OTHER_RULES} more` : names.join(", ");
}

function approvalText(sheet: Sheet, { approval }: Observation): readonly string[] {
  if (approval === null) return [];
  const detail = approval.detail === null ? "" : ` (${printable(approval.detail)})`;
  const text = approval.outcome === "approved" ? `approved by ${printable(approval.by)}${detail}` : approval.outcome === "unavailable" ? `nobody could be asked${detail}, so it was not done` : `${approval.outcome} by ${printable(approval.by)}${detail}, so it was not done`;
  return [line(sheet, text, approval.outcome === "approved" ? sheet.paint.green : sheet.paint.yellow)];
}

/** The first lines a command printed, and its exit code where it failed. */
function outputText(sheet: Sheet, call: ToolCall, observation: Observation): readonly string[] {
  const { paint } = sheet;
  if (observation.ended === null) return [];
  const failed = observation.ended !== "exit" || observation.exitCode !== 0;
  if (typeof call.arguments["path"] === "string" && !failed) return [];
  const lines = printableBlock(failed && observation.stderr !== "" ? observation.stderr : observation.stdout)
    .replaceAll("\t", "    ")
    .split("\n")
    .filter((text) => text.trim() !== "");
  const shown = lines.slice(0, OUTPUT_LINES).map((text) => line(sheet, `│ ${text}`, paint.dim));
  const more = lines.length > OUTPUT_LINES ? [line(sheet, `│ and ${count(lines.length - OUTPUT_LINES, "more line")}`, paint.dim)] : [];
  const end = observation.ended === "exit" ? `exit ${observation.exitCode ?? observation.signal ?? "?"}` : `ended: ${observation.ended}`;
  return [...shown, ...more, ...(failed ? [line(sheet, end, paint.yellow)] : [])];
}

const LETTER = { create: "A", modify: "M", delete: "D", metadata: "m" } as const;
const CHANGES = 6;

/** Files a command changed. An edit names its own file already. */
function changeText(sheet: Sheet, call: ToolCall, { changes }: Observation): readonly string[] {
  if (changes.length === 0 || (changes.length === 1 && typeof call.arguments["path"] === "string")) return [];
  const shown = changes.slice(0, CHANGES).map((change) => line(sheet, `${LETTER[change.operation]} ${printable(change.path)}`, sheet.paint.dim));
  return changes.length > CHANGES ? [...shown, line(sheet, `and ${count(changes.length - CHANGES, "more path")}`, sheet.paint.dim)] : shown;
}

function fateOf(about: Finding["about"], reverted: boolean): string {
  if (about === "attempt") return "held: ";
  if (about === "program") return reverted ? "refused: " : "ran: ";
  if (about === "session") return "limit passed";
  return reverted ? "undone: " : "not undone: ";
}

function findingLines(sheet: Sheet, { findings }: Observation): readonly string[] {
  const { paint } = sheet;
  return groupFindings(findings).flatMap(({ rule, about, threats, message, reverted, where }) => [
    ...paragraph(sheet, [{ text: fateOf(about, reverted), paint: reverted ? paint.green : about === "session" ? paint.yellow : paint.red }, ...(about === "session" ? [] : [{ text: where }])]),
    ...paragraph(sheet, [{ text: `${printable(rule, 120)} `, paint: paint.bold }, ...threatPart(threats, paint), { text: printable(message, 300) }], MARGIN + 2),
  ]);
}
