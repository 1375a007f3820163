// A whole session through the engine with the in-memory twins: real judgement, real score, real reactions, and programs that only print what
// was recorded. What runs changes nothing here; what a program really does is for the suites that have a container.

import { compare } from "../../src/core/risk/decimal.js";
import { formatFixed, type RiskState } from "../../src/core/risk/index.js";
import { kimiDevPolicy } from "./policy.js";
import { createRig, never } from "./rig.js";
import { EVERY_CONTROL } from "../unit/risk/doc-tables.js";
import type { WholeCall, WholeSession } from "./whole-sessions.js";

/** One call that is played, and whether it is part of an attack. */
export interface TwinCall extends WholeCall {
  /** Row of the attack that it belongs to; null for the agent's own work. */
  readonly attack: string | null;
}

export interface TwinStep {
  readonly attack: string | null;
  /** `null`: the session had been stopped before. */
  readonly outcome: string | null;
  /** Rules that were noted of a call that ran. */
  readonly noted: readonly string[];
}

export interface TwinResult {
  readonly steps: readonly TwinStep[];
  /** Reactions in order, with the step after which each was due. */
  readonly reactions: readonly { readonly id: string; readonly action: string; readonly step: number }[];
  /** The step after which the session was stopped; null when it was not. */
  readonly stoppedAt: number | null;
  readonly start: string;
  readonly peak: string;
  readonly peakExact: number;
}

/** Plays calls under the built-in policy, with every control attested and nobody to ask. */
export async function playTwin(session: Pick<WholeSession, "root" | "files">, calls: readonly TwinCall[]): Promise<TwinResult> {
  const rig = createRig({
    policy: await kimiDevPolicy(),
    profile: "kimi-dev",
    files: session.files,
    answers: [],
    controls: EVERY_CONTROL.filter((id) => id !== "record-kept").map((id) => ({ id, state: "attested", detail: "in memory" })),
    defaults: { root: session.root, approvalTimeoutMs: 50 },
  });
  const live = await rig.open();
  const start = shown(live.risk());
  const steps: TwinStep[] = [];
  let stoppedAt: number | null = null;
  for (const [index, { call, stdout, exitCode, attack }] of calls.entries()) {
    const command = call.arguments["command"];
    if (call.tool === "bash" && typeof command === "string") rig.programs.set(command, { stdout: stdout ?? "", exitCode });
    const observation = await live.call(call, {}, never).catch(() => null);
    steps.push({ attack, outcome: observation?.outcome ?? null, noted: (observation?.decision.noted ?? []).map(({ rule }) => rule) });
    if (live.stopped() !== null) stoppedAt ??= index + 1;
    if (live.isBroken()) throw new Error(`session broke at step ${index + 1}: ${JSON.stringify(call.arguments).slice(0, 200)}`);
  }
  await live.close("finished");
  const events = await rig.events(live);
  let step = 0;
  const reactions: { id: string; action: string; step: number }[] = [];
  for (const event of events) {
    if (event.type === "call.received") step += 1;
    if (event.type === "session.tightened") reactions.push({ id: event.data.reaction ?? "", action: event.data.action ?? "", step });
  }
  const { peak } = live.risk();
  return { steps, reactions, stoppedAt, start, peak: formatFixed(peak.raw, 2), peakExact: Number(formatFixed(peak.raw, 6)) };
}

function shown(state: RiskState): string {
  return compare(state.peak.raw, state.headline.score.raw) === 0 ? formatFixed(state.headline.score.raw, 2) : "?";
}
