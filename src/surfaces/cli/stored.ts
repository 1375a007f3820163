// Finding a stored session by what a person types.

import { GuardError, isSessionId, printable, type SessionId } from "../../core/shared/index.js";
import type { LedgerStore } from "../../ports/ledger.js";

export { openStore } from "../../compose.js";

/** A whole id, a unique beginning of one (with or without `ses_`), or `last`. */
export async function resolveSession(store: LedgerStore, wanted: string): Promise<SessionId> {
  const listings = await store.list();
  if (isSessionId(wanted) && listings.some((listing) => listing.id === wanted)) return wanted;
  if (wanted === "last") {
    const newest = [...listings].sort((a, b) => (a.openedAt < b.openedAt ? 1 : -1))[0];
    if (newest !== undefined) return newest.id;
    throw new GuardError("SESSION_NOT_FOUND", "there is no session yet");
  }
  const start = wanted.startsWith("ses_") ? wanted : `ses_${wanted}`;
  const found = wanted.length < 2 ? [] : listings.filter((listing) => listing.id.startsWith(start));
  const [only, second] = found;
  if (only !== undefined && second === undefined) return only.id;
  if (only !== undefined) throw new GuardError("SESSION_NOT_FOUND", `\`${printable(wanted)}\` begins ${found.length} session ids`, { hint: "type more of it" });
  throw new GuardError("SESSION_NOT_FOUND", `no session \`${printable(wanted)}\``);
}
