// The session that a command names: one of the store, or that of a bundle, of which the person is told.

import type { SessionId } from "../../core/shared/index.js";
import type { LedgerStore } from "../../ports/ledger.js";
import type { Io } from "./io.js";

/** The argument of every command that only reads one session. */
export const SESSION_OR_BUNDLE = "session id, a unique beginning of it, `last`, or a bundle file";

export async function openNamed(wanted: string, io: Io): Promise<{ readonly store: LedgerStore; readonly id: SessionId; readonly close: () => Promise<void> }> {
  const { openRecord } = await import("../../compose-bundle-open.js");
  const { stored, id, bundle } = await openRecord(wanted, io.env);
  if (bundle !== null) tellBundle(io);
  return { store: stored.store, id, close: () => stored.close() };
}

/** Says what is not told by a bundle alone, where one is named. */
export async function noteBundle(wanted: string, io: Io): Promise<void> {
  const { isBundleName } = await import("../../compose-bundle-open.js");
  if (isBundleName(wanted)) tellBundle(io);
}

function tellBundle(io: Io): void {
  io.note("read from a bundle; who signed it is told by `ringfence bundle verify --key`");
}
