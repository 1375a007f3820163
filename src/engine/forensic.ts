// Forensic copies: every changed file of the workspace layer, of a session that was stopped or of a call that was killed, up to limits.

import type { EventData } from "../core/session/event.js";
import { changesOfCall } from "../core/reconcile/index.js";
import type { Change } from "../core/reconcile/change.js";
import { LIMITS, printable, type CallId } from "../core/shared/index.js";
import type { ForensicFile } from "../ports/forensics.js";
import { within } from "./deadline.js";
import type { LiveSession } from "./live.js";

/** Makes the copy; null where there is nowhere to keep one. Call when no process of the session is left. Rejects when it cannot be written in time. */
export async function keepForensicCopy(live: LiveSession): Promise<EventData["session.copied"] | null> {
  const { forensics } = live.deps;
  return forensics === undefined ? null : within(forensics.keep(live.id, null, changedFiles(live, live.changes)), live.deadlines.settleMs, "the forensic copy");
}

/**
 * The same for a call that was killed at its deadline, on record, before anything of it is undone. Of the first few of a session only.
 * Call when nothing of the call is left. Never rejects: a copy that cannot be made is told to the operator.
 */
export async function copyKilled(live: LiveSession, call: CallId): Promise<void> {
  const { forensics, telemetry } = live.deps;
  if (forensics === undefined || live.copies >= LIMITS.forensicCopies) return;
  try {
    const all = await within(live.workspace.changes(AbortSignal.timeout(live.deadlines.settleMs)), live.deadlines.settleMs, "looking at what a killed call left");
    const changes = changesOfCall(live.changes, all);
    if (changes.length === 0) return;
    live.copies += 1;
    const copied = await within(forensics.keep(live.id, call, changedFiles(live, changes)), live.deadlines.settleMs, "the forensic copy");
    await live.append([{ call, type: "session.copied", data: copied }]);
  } catch (error) {
    telemetry.error("no forensic copy was made", { session: live.id, call, cause: printable(error instanceof Error ? error.message : String(error)) });
  }
}

async function* changedFiles(live: LiveSession, changes: readonly Change[]): AsyncGenerator<ForensicFile> {
  let bytes = 0;
  let files = 0;
  for (const change of changes) {
    if (change.after?.kind !== "file") {
      yield { change, content: null, why: null };
      continue;
    }
    const room = Math.min(LIMITS.forensicFileBytes, LIMITS.forensicBytes - bytes);
    if (files >= LIMITS.forensicFiles || change.after.bytes > room) {
      yield { change, content: null, why: "past the limits of a forensic copy" };
      continue;
    }
    const { content, why } = await read(live, change.path, room);
    if (content !== null) {
      bytes += content.byteLength;
      files += 1;
    }
    yield { change, content, why };
  }
}

/** A file that cannot be read is named, and the rest is kept. */
async function read(live: LiveSession, path: string, limit: number): Promise<Pick<ForensicFile, "content" | "why">> {
  try {
    const found = await live.workspace.readChanged(path, limit);
    return found === null ? { content: null, why: "it is not there any more" } : { content: found.content, why: null };
  } catch (error) {
    return { content: null, why: printable(error instanceof Error ? error.message : String(error), 200) };
  }
}
