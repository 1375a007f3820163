// Sessions judged again, as tables: from what to what, by rule, and the calls whose decision is another now.

import type { RedecideAnswer } from "../../../compose-redecide.js";
import { moveOf, VERDICTS, type Redecided, type RedecideSummary, type Verdict } from "../../../core/replay/index.js";
import { count, printable } from "../../../core/shared/index.js";
import type { Palette } from "../io.js";
import { cut, pad, textWidth } from "./layout.js";

export interface RedecideHead {
  /** Names of the policies, printable. */
  readonly policy: string;
  readonly baseline: string | null;
  /** Most changed calls listed. */
  readonly limit: number;
  readonly width: number;
}

const COLUMN = 9;
const RULES_SHOWN = 40;

/** All of it, the sum first. */
export function redecideLines(answer: RedecideAnswer, head: RedecideHead, paint: Palette): readonly string[] {
  const { summary } = answer;
  const with_ = head.baseline === null ? "what was recorded" : head.baseline;
  return [
    `${paint.bold(`${count(summary.sessions, "session")}, ${count(summary.calls, "call")}`)} judged under ${paint.bold(head.policy)} ${paint.dim(answer.policy.digest.slice(0, 19))}, against ${with_}${answer.baseline === null ? "" : ` ${paint.dim(answer.baseline.digest.slice(0, 19))}`}`,
    "",
    ...matrixLines(summary, paint),
    "",
    sumLine(summary, paint),
    ...ruleLines(summary, head.width, paint),
    ...changeLines(summary, head, paint),
    ...leftLines(answer, paint),
  ];
}

function matrixLines({ matrix }: RedecideSummary, paint: Palette): readonly string[] {
  const sums = (pick: (verdict: Verdict) => number): number => VERDICTS.reduce((sum, verdict) => sum + pick(verdict), 0);
  const shown = VERDICTS.filter((verdict) => verdict !== "unknown" || sums((one) => matrix[one].unknown + matrix.unknown[one]) > 0);
  const cell = (value: number | string): string => String(value).padStart(COLUMN);
  const lines = [`${" ".repeat(14)}${shown.map((verdict) => colourOf(verdict, paint)(cell(verdict))).join("")}${paint.dim(cell("was"))}`];
  for (const before of shown) {
    const row = shown.map((after) => {
      const value = matrix[before][after];
      const text = cell(value === 0 ? "·" : value);
      return value === 0 || before === after ? paint.dim(text) : paint.bold(colourOf(after, paint)(text));
    });
    lines.push(`  ${colourOf(before, paint)(pad(`was ${before}`, 12))}${row.join("")}${paint.dim(cell(sums((after) => matrix[before][after])))}`);
  }
  lines.push(`  ${paint.dim(pad("now", 12))}${shown.map((after) => paint.dim(cell(sums((before) => matrix[before][after])))).join("")}`);
  return lines;
}

function sumLine({ stricter, looser, unknown, calls }: RedecideSummary, paint: Palette): string {
  if (stricter + looser + unknown === 0) return paint.green(calls === 0 ? "No call to judge." : "Every decision is the same.");
  return [stricter === 0 ? "" : paint.red(`${stricter} stricter`), looser === 0 ? "" : paint.yellow(`${looser} looser`), unknown === 0 ? "" : paint.dim(`${unknown} unknown, never counted as allowed`)].filter((part) => part !== "").join(", ");
}

function ruleLines({ rules }: RedecideSummary, width: number, paint: Palette): readonly string[] {
  if (rules.length === 0) return [];
  const shown = rules.slice(0, RULES_SHOWN);
  const name = Math.min(44, Math.max(4, ...shown.map(({ rule }) => textWidth(printable(rule, 80)))));
  const head = `  ${pad("rule", name)}  effect  layer   calls  sessions  changes`;
  return [
    "",
    paint.bold("By rule, under the new policy"),
    paint.dim(head),
    ...shown.map(({ rule, effect, layer, calls, sessions, changed, message }) => {
      const row = `  ${pad(cut(printable(rule, 80), name), name)}  ${colourOf(effect, paint)(pad(effect, 6))}  ${pad(layer ?? "", 5)}  ${String(calls).padStart(6)}  ${String(sessions).padStart(8)}  ${(changed === 0 ? "·" : String(changed)).padStart(7)}`;
      const room = width - name - 46;
      return room < 20 ? row : `${row}  ${paint.dim(cut(printable(message, 200), room))}`;
    }),
    ...(rules.length > RULES_SHOWN ? [paint.dim(`  and ${count(rules.length - RULES_SHOWN, "more rule")}`)] : []),
  ];
}

function changeLines({ changes, more }: RedecideSummary, { limit, width }: RedecideHead, paint: Palette): readonly string[] {
  const moved = changes.filter((one) => moveOf(one) !== null);
  if (changes.length === 0 || limit === 0) return [];
  if (moved.length === 0) return unknownLines(changes, limit, width, paint);
  const listed = [...moved].sort((a, b) => weight(b) - weight(a)).slice(0, limit);
  const rest = moved.length + more - listed.length;
  return [...unknownLines(changes, limit, width, paint), "", paint.bold("Calls that are decided otherwise"), ...listed.flatMap((one) => changeLine(one, width, paint)), ...(rest === 0 ? [] : [paint.dim(`  and ${rest} more; --limit and --json have them`)])];
}

/** What cannot be told, by reason: the call to look at first of each. */
function unknownLines(changes: readonly Redecided[], limit: number, width: number, paint: Palette): readonly string[] {
  const reasons = new Map<string, Redecided[]>();
  for (const one of changes) {
    if (moveOf(one) !== null) continue;
    const why = (one.why ?? "it cannot be told").replace(/^it runs .*, whose text is not on record$/u, "it runs a script whose text is not on record");
    reasons.set(why, [...(reasons.get(why) ?? []), one]);
  }
  if (reasons.size === 0) return [];
  return ["", paint.bold("Unknown"), ...[...reasons].slice(0, limit).flatMap(([why, calls]) => [`  ${String(calls.length).padStart(6)}  ${printable(why, 200)}`, ...calls.slice(0, 2).map((one) => paint.dim(`          ${one.session}/${one.call}  ${cut(printable(one.summary, 300), Math.max(20, width - 42))}`))])];
}

/** Looser first: that is what a reviewer must see; then stricter, then unknown. */
function weight({ before, after }: Redecided): number {
  if (before === "unknown" || after === "unknown") return 0;
  const rank = { allow: 0, ask: 1, deny: 2 };
  return rank[after] < rank[before] ? 4 + rank[before] - rank[after] : 1 + rank[after] - rank[before];
}

function changeLine(one: Redecided, width: number, paint: Palette): readonly string[] {
  const move = `${colourOf(one.before, paint)(pad(one.before, 7))} → ${colourOf(one.after, paint)(pad(one.after, 7))}`;
  const place = `${one.session}/${one.call}`;
  const [first] = one.rulesAfter;
  const rules = one.after === "allow" || one.after === "unknown" ? (one.why ?? `no longer: ${one.rulesBefore.slice(0, 3).map((rule) => printable(rule, 60)).join(", ")}`) : `${printable(first?.rule ?? "", 60)}${one.rulesAfter.length > 1 ? ` +${one.rulesAfter.length - 1}` : ""}: ${printable(first?.message ?? "", 200)}`;
  return [`  ${move}  ${cut(printable(one.summary, 300), Math.max(20, width - 24))}`, paint.dim(`  ${" ".repeat(17)}  ${place}  ${cut(printable(rules, 300), Math.max(20, width - 24 - place.length))}`)];
}

function leftLines({ left }: RedecideAnswer, paint: Palette): readonly string[] {
  return left.length === 0 ? [] : ["", paint.red(`${count(left.length, "session")} left out:`), ...left.slice(0, 20).map(({ session, reason }) => `  ${session}  ${printable(reason, 200)}`)];
}

function colourOf(verdict: Verdict, paint: Palette): (text: string) => string {
  return verdict === "allow" ? paint.green : verdict === "ask" ? paint.yellow : verdict === "deny" ? paint.red : paint.magenta;
}
