// `ringfence score`: the live AIVSS score of a session, recomputed from its record; as it moves; as a report; over all sessions.

import { Option, type Command } from "commander";
import { GuardError, quietJson } from "../../../core/shared/index.js";
import { assessment, CANDIDATE_STATUS, candidateClass, candidateText, replayRisk, sessionCandidate, type RiskState } from "../../../core/risk/index.js";
import type { CliContext } from "../main.js";
import { addGateOptions, gateSaysNo, type GateFlags } from "../gate-options.js";
import type { Io } from "../io.js";
import { recoverFirst } from "../recovered.js";
import { openNamed, SESSION_OR_BUNDLE } from "../named-session.js";
import { columnsOf } from "../render/layout.js";
import { scoreLines, sessionScore, supposedScore } from "../render/score.js";
import { followScore, trend } from "../score-stream.js";
import { parseCount } from "../session-options.js";

interface ScoreFlags extends GateFlags {
  readonly explain?: boolean;
  readonly follow?: boolean;
  readonly trend?: boolean;
  readonly limit: number;
  readonly report?: "aivss-0.8";
}

export function registerScore(program: Command, context: CliContext): void {
  addGateOptions(program.command("score"))
    .description("recompute a session's live AIVSS score from its record")
    .argument("[session]", SESSION_OR_BUNDLE)
    .option("--explain", "each change of the score: event, rule, before and after")
    .option("--follow", "a line for each change as it is put on record, until the session is closed")
    .addOption(new Option("--report <form>", "the findings as an assessment in a published form").choices(["aivss-0.8"]))
    .option("--trend", "start, peak and end of the stored sessions, oldest first")
    .option("-n, --limit <count>", "most sessions of a trend", parseCount, 20)
    .addHelpText("after", "\nExamples:\n  ringfence score last\n  ringfence score last --explain\n  ringfence score last --max-aivss 8.9 --fail-on critical\n  ringfence score last --follow --json\n  ringfence score last --report aivss-0.8\n  ringfence score --trend -n 50\n\nExit codes: 0 ok; 1 a gate said no.")
    .action(async (id: string | undefined, flags: ScoreFlags, command: Command) => context.exit(await score(id, flags, context.ioOf(command))));
}

async function score(wanted: string | undefined, flags: ScoreFlags, io: Io): Promise<number> {
  if (flags.trend === true && (wanted !== undefined || flags.follow === true)) throw new GuardError("USAGE_INVALID", "--trend is about all sessions", { hint: "leave the session and --follow out" });
  if (flags.trend !== true && wanted === undefined) throw new GuardError("USAGE_INVALID", "name a session", { hint: "`ringfence score last`, or `ringfence score --trend` for all of them" });
  await recoverFirst(io);
  if (wanted === undefined) {
    const { openStore } = await import("../../../compose.js");
    const { store, close } = await openStore(io.env);
    await trend(store, flags.limit, io).finally(close);
    return 0;
  }
  const { store, id, close } = await openNamed(wanted, io);
  try {
    const events = flags.follow === true ? await followScore(store, id, io) : await store.read(id);
    const summary = sessionScore(events);
    const [first] = events;
    if (flags.report !== undefined && first?.type === "session.opened") io.out(quietJson(assessment(replayRisk(events), first.data, first.time.slice(0, 10)), io.options.json ? 0 : 2));
    else if (flags.follow !== true) {
      if (io.options.json) io.json({ session: id, ...summary, supposed: supposedScore(summary.posture.state, events), candidate: candidateOf(replayRisk(events)) });
      else {
        io.out(`${io.paint.bold(id)}  AIVSS ${summary.live.score} ${summary.live.band}${summary.posture.state === "unknown" ? ", posture unknown" : ""}`);
        for (const line of scoreLines(events, flags.explain === true, columnsOf(process.stdout), io.paint)) io.out(line);
      }
    }
    return gateSaysNo(flags, summary, io) ? 1 : 0;
  } finally {
    await close();
  }
}

/** The AIVSS 2.0 candidate's view of a session. No number: one session leaves metrics open that it needs. */
function candidateOf(state: RiskState): { readonly vector: string; readonly class: string; readonly status: string } {
  const vector = sessionCandidate(state);
  return { vector: candidateText(vector), class: candidateClass(vector), status: CANDIDATE_STATUS };
}
