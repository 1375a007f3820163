// What a re-run shows: a line a step, what differs, and the verdict.

import { count, printable } from "../../../core/shared/index.js";
import type { RerunAnswer, RerunHead, RerunStep } from "../../../compose-rerun.js";
import type { Palette } from "../io.js";

/** What is run on what. */
export function rerunHeadLine({ recorded, rerun, calls, base, claimed }: RerunHead, paint: Palette): string {
  return `${paint.bold(recorded)} again as ${rerun}: ${count(calls, "call")}, on ${base === "kept" ? "the folder as it was kept" : "the folder that was named"}${claimed === true ? "; held against what the file claims, which says nothing of files" : ""}`;
}

/** One step, and where it differs what was and what is. */
export function rerunStepLines({ number, summary, divergence, compared }: RerunStep, total: number, paint: Palette): readonly string[] {
  const place = number === 0 ? "" : `${String(number).padStart(String(total).length)}/${total} `;
  const title = printable(summary, 160);
  if (divergence === null) return [`${paint.dim(place)}${paint.green("same")}  ${title}${compared === undefined ? "" : paint.dim(`  (${compared.join(", ")})`)}`];
  const { kind, why, recorded, rerun } = divergence;
  const known = [recorded === null ? null : `    then  ${recorded}`, rerun === null ? null : `    now   ${rerun}`].filter((line) => line !== null);
  return [`${paint.dim(place)}${kind === "unknown" ? paint.magenta("unknown") : paint.red(`differs: ${kind}`)}  ${title}`, `    ${why}`, ...known];
}

/** The end: what differs first, or that nothing does. */
export function rerunVerdictLines({ steps, same, first, calls, wasInterrupted }: RerunAnswer, until: number | null, paint: Palette): readonly string[] {
  const rest = calls - steps.filter(({ number }) => number > 0).length;
  const left = rest === 0 ? "" : `; ${count(rest, "call")} not run${until === null ? "" : ` (--until ${until})`}`;
  if (first === null) return ["", wasInterrupted ? `no difference in ${count(same, "call")}${left}` : paint.green(`${count(same, "call")} run again, none differs${left}`)];
  const differing = steps.filter(({ divergence }) => divergence !== null && divergence.kind !== "unknown");
  const untold = steps.filter(({ divergence }) => divergence?.kind === "unknown").length;
  // What cannot be told is no difference; it is named only where there is none.
  const named = differing[0] ?? first;
  const where = named.number === 0 ? "before the first call" : `at step ${named.number}${named.call === null ? "" : ` (${named.call})`}`;
  const line = named.divergence?.kind === "unknown" ? `no difference, but the first that cannot be told ${where}: ${named.divergence.why}` : `first difference ${where}: ${named.divergence?.kind ?? ""}, ${named.divergence?.why ?? ""}`;
  return ["", (differing.length === 0 ? paint.magenta : paint.red)(line), `${count(same, "call")} the same, ${differing.length} not${untold === 0 ? "" : `, ${untold} cannot be told`}${left}`];
}
