// Whether a tested container holds what an action does. A control that was not seen to hold counts as missing.

import type { DecisionContext } from "../core/policy/index.js";
import type { Control } from "../core/session/event.js";

/** Without each of these, what code does is not contained. */
const NEEDED = ["caps-empty", "no-new-privs", "rootfs-read-only", "no-network", "guard-unreachable", "processes-limited", "workspace-copy"] as const;

/** `attested` only when every needed control was tested in this container, and none of two reports says otherwise. */
export function containmentOf(controls: readonly Control[]): DecisionContext["containment"] {
  const holds = (id: string): boolean => {
    const reports = controls.filter((control) => control.id === id);
    return reports.length > 0 && reports.every((control) => control.state === "attested");
  };
  return NEEDED.every(holds) ? "attested" : "none";
}
