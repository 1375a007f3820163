// Posture: what the container's tested controls change in a CVSS vector. A control that is only configured earns nothing.

import type { Control } from "../session/event.js";
import { withMetrics, type CvssVector } from "./cvss-vector.js";
import { scoreCvss } from "./cvss.js";
import { decimal, min, type Decimal } from "./decimal.js";
import type { FactorKey } from "./factors.js";

/** One environmental metric and the controls that must all be attested to earn it. */
export interface PostureRung {
  readonly metric: string;
  readonly value: string;
  /** Base metric it stands for. */
  readonly base: string;
  readonly needs: readonly string[];
}

/** What one session can take from the machine: processes, memory, and bytes and files on its disk. */
const LIMITS_HELD = ["processes-limited", "memory-limited", "disk-limited"] as const;
const KERNEL_BOUNDARY = ["caps-empty", "no-new-privs", "seccomp", "guard-unreachable"] as const;

/** The ladder. Asserted: which control is evidence for which metric is this project's judgement. */
export const POSTURE_LADDER: readonly PostureRung[] = [
  { metric: "MVC", value: "L", base: "VC", needs: ["secrets-masked"] },
  { metric: "MVI", value: "L", base: "VI", needs: ["workspace-copy", "rootfs-read-only"] },
  { metric: "MVA", value: "L", base: "VA", needs: ["workspace-copy", ...LIMITS_HELD] },
  { metric: "MSC", value: "N", base: "SC", needs: ["no-network", ...KERNEL_BOUNDARY] },
  { metric: "MSI", value: "N", base: "SI", needs: ["no-network", "rootfs-read-only", "workspace-copy", ...KERNEL_BOUNDARY] },
  { metric: "MSA", value: "N", base: "SA", needs: ["no-network", ...LIMITS_HELD, ...KERNEL_BOUNDARY] },
];

/** A control that no CVSS metric speaks of: reported and not attested, it puts a factor at least at the rubric's level for its absence. */
export interface PostureFloor {
  readonly factor: FactorKey;
  readonly at: Decimal;
  readonly needs: string;
}

/** AIVSS v0.8 gives opacity 1 to an agent of which nobody can trace why an action was taken. A control that was not reported changes nothing: the published value stands. */
export const POSTURE_FLOORS: readonly PostureFloor[] = [{ factor: "opacity", at: decimal("1"), needs: "record-kept" }];

/** Ids of every control that the score knows. */
export const POSTURE_CONTROLS: readonly string[] = [...new Set([...POSTURE_LADDER.flatMap(({ needs }) => needs), ...POSTURE_FLOORS.map(({ needs }) => needs)])];

/** A metric earned, or withheld and why. */
export interface PostureCredit {
  readonly metric: string;
  readonly needs: readonly string[];
  /** Controls that are not attested, as `id (state)`; empty means earned. */
  readonly lacking: readonly string[];
}

/** A factor that stands at least at a level, and the control whose failure put it there, as `id (state)`. */
export interface RaisedFactor {
  readonly factor: FactorKey;
  readonly at: Decimal;
  readonly lacking: string;
}

export interface Posture {
  readonly credits: readonly PostureCredit[];
  readonly raised: readonly RaisedFactor[];
  /** The profile's vector with the earned metrics. */
  readonly vector: CvssVector;
  readonly cvss: Decimal;
  /** CVSS of the profile's vector with no control at all. */
  readonly open: Decimal;
}

/** Posture of a container whose controls were reported as given. Two reports of one control: the worse counts. */
export function postureOf(base: CvssVector, controls: readonly Control[]): Posture {
  const states = new Map<string, Control["state"]>();
  for (const { id, state } of controls) states.set(id, worse(states.get(id), state));
  const credits = POSTURE_LADDER.map((rung): PostureCredit => ({
    metric: `${rung.metric}:${rung.value}`,
    needs: rung.needs,
    lacking: rung.needs.filter((id) => states.get(id) !== "attested").map((id) => `${id} (${states.get(id) ?? "not reported"})`),
  }));
  const raised = POSTURE_FLOORS.flatMap(({ factor, at, needs }): readonly RaisedFactor[] => {
    const state = states.get(needs) ?? "attested";
    return state === "attested" ? [] : [{ factor, at, lacking: `${needs} (${state})` }];
  });
  const vector = contained(base, credits);
  const open = scoreCvss(base);
  return { credits, raised, vector, cvss: min(open, scoreCvss(vector)), open };
}

/** A vector under the earned credits. A credit never makes a metric worse than the vector has it. */
export function contained(vector: CvssVector, credits: readonly PostureCredit[]): CvssVector {
  const changes = new Map<string, string>();
  for (const [index, rung] of POSTURE_LADDER.entries()) {
    if (credits[index]?.lacking.length !== 0) continue;
    const modified = vector.metrics.get(rung.metric) ?? "X";
    const current = modified === "X" ? (vector.metrics.get(rung.base) ?? "H") : modified;
    if (rank(rung.value) < rank(current)) changes.set(rung.metric, rung.value);
  }
  return withMetrics(vector, changes);
}

function rank(value: string): number {
  return ["N", "L", "H", "S"].indexOf(value);
}

function worse(known: Control["state"] | undefined, next: Control["state"]): Control["state"] {
  const order: readonly Control["state"][] = ["attested", "configured", "missing"];
  return known !== undefined && order.indexOf(known) > order.indexOf(next) ? known : next;
}
