// What is wrong with a change whatever the policy says: files that change privileges, special files, links that leave
// the workspace. Judges what is there now, never what the agent said.

import { LIMITS, count, printable, type ThreatId } from "../shared/index.js";
import type { MaestroLayer, RuleRisk } from "../policy/decision.js";
import type { Change, Finding } from "./change.js";
import { parentPath } from "./names.js";

/** A finding of the comparison itself, and whether the change must be undone. */
export interface OwnFinding {
  readonly finding: Finding;
  readonly revert: boolean;
}

const SET_ID = 0o6000;
/** Names in one finding, and characters of each. */
const NAMED = 3;
const NAME_CHARS = 120;

/** Findings on one change of a call. A set-id bit on a folder only passes on the group and is no finding. */
export function ownFindings(change: Change, root: string): readonly OwnFinding[] {
  const after = change.after;
  if (after === null) return [];
  switch (after.kind) {
    case "file": {
      const added = after.mode & SET_ID & ~(change.before?.kind === "file" ? change.before.mode : 0);
      if (added === 0) return [];
      const message = "a set-user or set-group bit was put on a file; it would act with its owner's rights on the host";
      return [own(change, "reconcile.set-id", "X", ["maestro:X/privilege-escalation"], message, "high", true)];
    }
    case "device":
      return [own(change, "reconcile.device", "L4", ["maestro:X/privilege-escalation"], "a device node was made", "high", true)];
    case "fifo":
    case "socket":
      return [own(change, "reconcile.special-file", null, [], `a ${after.kind} was made; it is never taken over`, "info", false)];
    case "symlink": {
      if (!leavesWorkspace(change.path, after.target ?? "", root)) return [];
      const message = "a link points outside of the workspace; it is never followed or taken over";
      return [own(change, "reconcile.link-outside", "L3", ["maestro:X/data-leakage"], message, "medium", false)];
    }
    case "directory":
      return [];
  }
}

/** One finding for a call that changed more than can be listed. */
export function limitFinding(count: number): Finding {
  const message = `the call changed ${count} names, more than the limit of ${LIMITS.changes}; it is refused as a whole`;
  const risk: RuleRisk = { severity: "medium", cvss: null, factors: {} };
  const threats: readonly ThreatId[] = ["maestro:L4/denial-of-service"];
  return { rule: "reconcile.limit", layer: "L4", threats, message, path: "", operation: "modify", reverted: false, risk };
}

/** One finding for what a call wrote that is too large to be kept: nothing is refused, but no step of the session can bring it back. */
export function unkeptFinding(changes: readonly Change[]): Finding {
  const named = changes.slice(0, NAMED).map(({ path, after }) => `${printable(path, NAME_CHARS)} (${count(after?.bytes ?? 0, "byte")})`).join(", ");
  const message = `too large to be kept; once it is changed or deleted, \`undo\` cannot bring it back: ${named}${changes.length > NAMED ? ` and ${String(changes.length - NAMED)} more` : ""}`;
  return { rule: "reconcile.not-kept", layer: null, threats: [], message, path: "", operation: "modify", reverted: false, risk: null, about: "session" };
}

/**
 * Tells, from the text alone, whether a link's target is outside of the workspace. An absolute target is inside only
 * below `root`; pass null where the workspace is not mounted (on the host): then every absolute target is outside.
 */
export function leavesWorkspace(path: string, target: string, root: string | null): boolean {
  let parts: string[];
  if (target.startsWith("/")) {
    if (root === null) return true;
    const inside = lexical([], target);
    const base = lexical([], root);
    if (inside === null || base === null || !base.every((part, index) => inside[index] === part)) return true;
    return false;
  }
  const parent = parentPath(path);
  parts = parent === "" ? [] : parent.split("/");
  return lexical(parts, target) === null;
}

/** Follows `.` and `..` without a file system; null when it climbs over the top. An absolute text stays at `/`, as the kernel does. */
function lexical(start: readonly string[], text: string): readonly string[] | null {
  const parts = [...start];
  for (const part of text.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") parts.push(part);
    else if (parts.pop() === undefined && !text.startsWith("/")) return null;
  }
  return parts;
}

function own(
  change: Change,
  rule: string,
  layer: MaestroLayer | null,
  threats: readonly ThreatId[],
  message: string,
  severity: RuleRisk["severity"],
  revert: boolean,
): OwnFinding {
  const risk: RuleRisk = { severity, cvss: null, factors: {} };
  return { finding: { rule, layer, threats, message, path: change.path, operation: change.operation, reverted: false, risk }, revert };
}
