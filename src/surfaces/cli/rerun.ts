// `ringfence replay run`: a recorded session run again in a fresh container, each call held against its record.

import { GuardError, printable } from "../../core/shared/index.js";
import { onInterrupt } from "./interrupt.js";
import type { Io } from "./io.js";
import { userName } from "./open-session.js";
import { noteBundle } from "./named-session.js";
import { tellRecovered } from "./recovered.js";
import { rerunHeadLine, rerunStepLines, rerunVerdictLines } from "./render/rerun.js";

export interface RerunFlags {
  readonly workspace?: string;
  readonly image?: string;
  readonly policy: readonly string[];
  readonly until?: number;
  readonly keepGoing?: boolean;
}

/** Gives the exit code. */
export async function runRerun(wanted: string, flags: RerunFlags, io: Io): Promise<number> {
  if (flags.until === 0) throw new GuardError("USAGE_INVALID", "steps count from 1");
  if (flags.image !== undefined) await (await import("../../compose-image.js")).ensureImage(flags.image, io.env);
  const interrupt = onInterrupt(io);
  try {
    await noteBundle(wanted, io);
    const { rerunSession } = await import("../../compose-rerun.js");
    const total = { calls: 0 };
    const answer = await rerunSession({
      session: wanted,
      env: io.env,
      workspace: flags.workspace ?? null,
      image: flags.image ?? null,
      policies: flags.policy,
      until: flags.until ?? null,
      keepGoing: flags.keepGoing === true,
      signal: interrupt.signal,
      hurry: interrupt.hurry,
      startedBy: userName(),
      onRecovered: tellRecovered(io),
      onOpened: (head) => {
        total.calls = head.calls;
        if (io.options.json) io.json({ type: "replay.opened", ...head });
        else if (!io.options.quiet) io.out(rerunHeadLine(head, io.paint));
      },
      onStep: (step) => {
        if (io.options.json) io.json({ type: "replay.step", ...step });
        else if (!io.options.quiet || step.divergence !== null) for (const line of rerunStepLines(step, total.calls, io.paint)) io.out(line);
      },
    });
    const { steps, ...rest } = answer;
    if (io.options.json) io.json({ type: "replay.closed", ...rest, made: steps.length, divergences: steps.filter(({ divergence }) => divergence !== null).length });
    else for (const line of rerunVerdictLines(answer, flags.until ?? null, io.paint)) io.out(line);
    if (answer.wasInterrupted) {
      io.fail("interrupted", `what was run is on record: ringfence show ${printable(answer.rerun)}`);
      return 130;
    }
    return answer.first === null ? 0 : 1;
  } finally {
    interrupt.release();
  }
}
