// `ringfence aivss`: the calculator. Exact arithmetic, no session needed.

import { Option, type Command } from "commander";
import { aivssJson, aivssLines, aivssNotes, calculate, calculateCandidate } from "../../../core/risk/index.js";
import { formatIssue } from "../../../core/shared/index.js";
import type { Io } from "../io.js";
import type { CliContext } from "../main.js";

interface AivssFlags {
  readonly formula: string;
  readonly cvss?: string;
  readonly base?: string;
  readonly factors?: string;
  readonly sum?: string;
  readonly thm?: string;
  readonly mf?: string;
  readonly strict?: boolean;
  readonly candidate?: string;
}

export function registerAivss(program: Command, context: CliContext): void {
  program
    .command("aivss")
    .description("compute an OWASP AIVSS score")
    .addOption(new Option("--formula <version>", "0.5, 0.8 or 0.8-floor").default("0.8"))
    .option("--cvss <vector>", "CVSS v4.0 vector")
    .option("--base <number>", "CVSS score, in place of a vector")
    .option("--factors <list>", "ten factors: autonomy=0.8,tools=0.8,…")
    .option("--sum <number>", "sum of the factors, in place of the list")
    .option("--thm <number>", "threat multiplier (default 0.97)")
    .option("--mf <number>", "mitigation factor (default 1)")
    .option("--strict", "refuse values that are off the published rubric")
    .option("--candidate <vector>", "class and experimental number of an AIVSS 2.0 candidate vector, over --cvss")
    .addHelpText(
      "after",
      `
Examples:
  ringfence aivss --base 8.7 --sum 5.2
  ringfence aivss --formula 0.8-floor --cvss CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:P/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H --sum 5.2 --mf 0.83 --json
  ringfence aivss --candidate AIVSS:2.0/LC:D/CP:S/AP:C/SR:R/EX:M/PT:M/CA:M/TD:M --cvss CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:N/SC:H/SI:L/SA:N/E:P`,
    )
    .action((flags: AivssFlags, command: Command) => {
      const io = context.ioOf(command);
      if (flags.candidate !== undefined) {
        context.exit(candidate(flags.candidate, flags, command, io));
        return;
      }
      const result = calculate(flags);
      if (!result.ok) {
        for (const issue of result.error) io.fail(formatIssue(issue));
        context.exit(2);
        return;
      }
      if (!io.options.json) {
        for (const line of aivssLines(result.value)) io.out(line);
        return;
      }
      io.json(aivssJson(result.value));
      for (const note of aivssNotes(result.value)) io.note(note);
    });
}

/** The candidate stands beside the calculator: none of its other options has a meaning there. */
function candidate(vector: string, { cvss }: AivssFlags, command: Command, io: Io): number {
  const others = ["formula", "base", "factors", "sum", "thm", "mf", "strict"].filter((name) => command.getOptionValueSource(name) === "cli");
  const refusal = cvss === undefined ? "a candidate stands on a CVSS v4.0 vector: give --cvss" : others.length > 0 ? `--candidate goes with --cvss alone, not with --${others.join(", --")}` : null;
  if (refusal !== null || cvss === undefined) {
    io.fail(refusal ?? "");
    return 2;
  }
  const result = calculateCandidate(vector, cvss);
  if (!result.ok) {
    for (const issue of result.error) io.fail(formatIssue(issue));
    return 2;
  }
  const { class: letter, experimental, status } = result.value;
  if (io.options.json) io.json({ ...result.value });
  else {
    io.out(`class ${letter}, CVSS ${result.value.cvss}; experimental AIVSS:2.0 ${experimental ?? "withheld: a metric is not known (X)"}`);
    io.out(io.paint.dim(status));
  }
  return 0;
}
