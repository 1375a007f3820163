// The forensic copy of a stopped session: every changed file of its workspace layer as it is on record, up to limits.

import type { EventData } from "../core/session/event.js";
import { LIMITS, printable } from "../core/shared/index.js";
import type { ForensicFile } from "../ports/forensics.js";
import { within } from "./deadline.js";
import type { LiveSession } from "./live.js";

/** Makes the copy; null where there is nowhere to keep one. Call when no process of the session is left. Rejects when it cannot be written in time. */
export async function keepForensicCopy(live: LiveSession): Promise<EventData["session.copied"] | null> {
  const { forensics } = live.deps;
  return forensics === undefined ? null : within(forensics.keep(live.id, changedFiles(live)), live.deadlines.settleMs, "the forensic copy");
}

async function* changedFiles(live: LiveSession): AsyncGenerator<ForensicFile> {
  let bytes = 0;
  let files = 0;
  for (const change of live.changes) {
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
