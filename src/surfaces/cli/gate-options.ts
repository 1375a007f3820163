// The options of a gate on the score, shared by the commands that end with one.

import { InvalidArgumentError, type Command } from "commander";
import { gateReasons, parseMaxAivss, parseSeverity, SEVERITIES, type RiskGate, type RiskSummary } from "../../core/risk/index.js";
import type { Io } from "./io.js";

export interface GateFlags {
  readonly maxAivss?: NonNullable<RiskGate["maxAivss"]>;
  readonly failOn?: NonNullable<RiskGate["failOn"]>;
}

/** Adds them to a command. */
export function addGateOptions(command: Command): Command {
  return command
    .option("--max-aivss <score>", "exit 1 when the session's AIVSS rose above this score, 0 to 10", parseScore)
    .option("--fail-on <severity>", `exit 1 when a finding of this severity or a higher one was opened, blocked or not: ${SEVERITIES.join(", ")}`, parseLeast);
}

/** Prints why the gate says no, a line a reason, and tells whether it does. */
export function gateSaysNo(flags: GateFlags, summary: RiskSummary, io: Io): boolean {
  const reasons = gateReasons(flags, summary);
  for (const reason of reasons) io.fail(`${io.paintErr.red("gate")} ${reason}`);
  return reasons.length > 0;
}

function parseScore(text: string): NonNullable<RiskGate["maxAivss"]> {
  const score = parseMaxAivss(text);
  if (score === null) throw new InvalidArgumentError("give a score of 0 to 10 with at most one decimal");
  return score;
}

function parseLeast(text: string): NonNullable<RiskGate["failOn"]> {
  const severity = parseSeverity(text);
  if (severity === null) throw new InvalidArgumentError(`give one of ${SEVERITIES.join(", ")}`);
  return severity;
}
