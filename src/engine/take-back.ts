// Taking an open session back to one of its steps, between two calls: on record first, then through the mount, then read back.

import type { Change } from "../core/reconcile/change.js";
import { changesOfCall, planRevert } from "../core/reconcile/index.js";
import { netChangesAfter, undoTarget, type UndoTarget } from "../core/session/index.js";
import { GuardError, printable } from "../core/shared/index.js";
import type { FileOp } from "../ports/sandbox.js";
import { breakSession, brokenError } from "./break-off.js";
import { within } from "./deadline.js";
import type { LiveSession } from "./live.js";
import { bringBack, opsOf } from "./settle.js";

export interface TakenBack extends UndoTarget {
  /** What moved, from how it was to how it is now, sorted by path. */
  readonly moved: readonly Change[];
}

/**
 * Takes the workspace back. Throws USAGE_INVALID for a step that there is not, APPLY_CONFLICT when what it held was not kept, with
 * nothing changed; SANDBOX_BROKEN, with the session ended, when the workspace then is not what it should be.
 * @param wanted number of a call, 0 for before the first, or a call id; null is the step before the last change
 */
export async function takeBack(live: LiveSession, wanted: string | null): Promise<TakenBack> {
  const broken = brokenError(live);
  if (broken !== null) throw broken;
  const { settleMs, graceMs } = live.deadlines;
  const signal = AbortSignal.timeout(settleMs);
  const events = await within(live.deps.store.read(live.id), settleMs, "reading the record");
  const target = undoTarget(events, wanted);
  if (!target.ok) throw new GuardError("USAGE_INVALID", target.error);
  const then = netChangesAfter(events, target.value.to);
  const away = changesOfCall(then, live.changes);
  const steps = planRevert(away, new Set(away.map(({ path }) => path)), new Set(then.map(({ path }) => path))).steps;
  const ops = await opsOf(live, steps).catch((cause: unknown) => {
    throw new GuardError("APPLY_CONFLICT", `nothing was undone: ${cause instanceof Error ? cause.message : "its content was not kept"}`, { cause, hint: "files over 64 MiB, pipes and sockets are not kept; name another step" });
  });
  await live.append([{ call: null, type: "session.undone", data: { to: target.value.to, paths: away.length } }]);
  // From here on the record says so: a workspace that is not so ends the session, and a review sees what the record says.
  const seen = await within(broughtBack(live, ops, then, signal), settleMs + graceMs, "taking the workspace back").catch(async (cause: unknown) => {
    await breakSession(live, `taken back, but not seen to be: ${cause instanceof Error ? printable(cause.message) : "unknown"}`);
    throw brokenError(live) ?? cause;
  });
  live.changes = seen;
  for (const { path } of away) live.edits.delete(path);
  return { ...target.value, moved: inverse(away) };
}

/** Carries it out and looks. Throws when what is there then is not what should be. */
async function broughtBack(live: LiveSession, ops: readonly FileOp[], then: readonly Change[], signal: AbortSignal): Promise<readonly Change[]> {
  await bringBack(live, ops, signal);
  const seen = await live.workspace.changes(signal);
  const rest = changesOfCall(then, seen);
  if (rest.length > 0) throw new GuardError("SANDBOX_FAILED", rest.slice(0, 5).map(({ path }) => printable(path)).join(", "));
  return seen;
}

/** The same differences, seen from the other side. */
function inverse(changes: readonly Change[]): readonly Change[] {
  return changes.map(({ path, operation, before, after }) => ({ path, operation: operation === "create" ? "delete" : operation === "delete" ? "create" : operation, before: after, after: before }));
}
