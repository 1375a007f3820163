// Arguments and other texts of a stored session that lie outside its record.

import type { Stored } from "./compose-store.js";
import type { AuditEvent } from "./core/session/index.js";
import type { Digest, JsonObject, SessionId } from "./core/shared/index.js";

/** Arguments that were too long for the record, as far as they are still there. */
export async function argumentBlobs(stored: Stored, id: SessionId, events: readonly AuditEvent[]): Promise<ReadonlyMap<Digest, JsonObject>> {
  const found = new Map<Digest, JsonObject>();
  for (const event of events) {
    const digest = event.type === "call.received" ? event.data.argumentsBlob : undefined;
    if (digest === undefined || found.has(digest)) continue;
    const values = await argumentsText(stored, id, digest);
    if (values !== null) found.set(digest, values);
  }
  return found;
}

/** The text of a blob. @throws GuardError LEDGER_INVALID where it is not what its name says */
export async function blobText(stored: Stored, id: SessionId, digest: Digest): Promise<string> {
  return new TextDecoder().decode(await stored.store.readBlob(id, digest));
}

/** The arguments in a blob; null where it is gone, or holds none. */
export async function argumentsText(stored: Stored, id: SessionId, digest: Digest): Promise<JsonObject | null> {
  const parsed = await blobText(stored, id, digest).then((text) => JSON.parse(text) as unknown, () => null);
  return typeof parsed === "object" && parsed !== null && !Array.isArray(parsed) ? (parsed as JsonObject) : null;
}
