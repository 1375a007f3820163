// What a file that was imported claims, in words that never sound as if it had been seen.

import { count, printable, printableBlock } from "../../../core/shared/index.js";
import type { CallState, EventData } from "../../../core/session/index.js";
import type { Palette } from "../io.js";

const OUTPUT_LINES = 12;

/** Where an imported session comes from. */
export function importLines(opened: EventData["session.opened"], paint: Palette): readonly string[] {
  const { imported, agent } = opened;
  if (imported === undefined) return [];
  const named = [agent.name, agent.version, agent.model].filter((part) => part !== null).map((part) => printable(part, 80));
  const version = imported.version === null ? "" : ` ${printable(imported.version, 60)}`;
  return [
    `  imported   ${printable(imported.format, 40)}${version}, ${count(imported.bytes, "byte")}${imported.digest === null ? "" : ` ${paint.dim(imported.digest.slice(0, 19))}`}`,
    `  agent      ${named.length === 0 ? "not told" : named.join(", ")}${imported.session === null ? "" : paint.dim(` ${printable(imported.session, 80)}`)}`,
    `  judged     ${imported.containment === "attested" ? "as if in a tested container" : "as with nothing that holds the calls"}; ${paint.yellow("nothing was run or seen")}`,
  ];
}

/** What a file claims of a call, and of its end. */
export function claimLines({ call, result }: CallState["claimed"] & {}, paint: Palette, withOutput: boolean): readonly string[] {
  const where = paint.dim(`${printable(call.place)}${call.time === null ? "" : `, ${printable(call.time)}`}${call.sidechain ? ", by an agent of the agent" : ""}`);
  if (result === null) return [`${where} no result in the file`];
  const bytes = `${count(result.output.bytes, "byte")} of output`;
  const end = !result.ran ? paint.yellow("not run there: refused or cancelled") : result.exitCode !== null ? `claims exit ${result.exitCode}` : result.failed === null ? "claims that it ran" : result.failed ? "claims a failure" : "claims success";
  const lines = [`${where} ${end}, ${bytes}`];
  return withOutput ? [...lines, ...outputLines(result.output.head).map((line) => paint.dim(`| ${line}`))] : lines;
}

/** The first lines of a recorded output. */
export function outputLines(text: string): readonly string[] {
  const lines = printableBlock(text).replace(/\n$/u, "").split("\n");
  return lines.length > OUTPUT_LINES ? [...lines.slice(0, OUTPUT_LINES), "…"] : lines;
}
