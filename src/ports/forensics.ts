// Keeping what a stopped session left. Contract: test/engine/reactions.test.ts.

import type { Change } from "../core/reconcile/change.js";
import type { EventData } from "../core/session/event.js";
import type { CallId, SessionId } from "../core/shared/index.js";

/** Content of one changed file for a forensic copy; null content: not kept, and why. */
export interface ForensicFile {
  readonly change: Change;
  readonly content: Uint8Array | null;
  readonly why: string | null;
}

/** Keeps what a session left in its workspace layer, apart from the layer, exactly as it was. */
export interface Forensics {
  /**
   * Writes the copy and its manifest, durable. Never overwrites one.
   * @param call the call that was ended; null for a session that was stopped
   */
  keep(sessionId: SessionId, call: CallId | null, files: AsyncIterable<ForensicFile>): Promise<EventData["session.copied"]>;
}
