// Does the record keep what it is given: a nonce goes into it and is read back, before anything else happens.

import type { Control } from "../core/session/event.js";
import type { SessionId } from "../core/shared/index.js";
import { printable } from "../core/shared/index.js";
import type { Ledger, LedgerStore } from "../ports/ledger.js";
import { within } from "./deadline.js";

/** The control `record-kept`. A record that cannot be written at all ends the session elsewhere; here it is only not attested. Never rejects. */
export async function attestRecord(store: Pick<LedgerStore, "readBlob">, ledger: Ledger, id: SessionId, ms: number): Promise<Control> {
  const nonce = `ringfence record of ${id}\n`;
  try {
    const back = new TextDecoder().decode(await within(readBack(store, ledger, id, nonce), ms, "reading the record back"));
    if (back === nonce) return { id: "record-kept", state: "attested", detail: "what was put into the record was read back" };
    return { id: "record-kept", state: "missing", detail: "the record gives back something else than it was given" };
  } catch (cause) {
    return { id: "record-kept", state: "missing", detail: `the record does not give back what it was given: ${printable(cause instanceof Error ? cause.message : String(cause), 200)}` };
  }
}

async function readBack(store: Pick<LedgerStore, "readBlob">, ledger: Ledger, id: SessionId, text: string): Promise<Uint8Array> {
  return store.readBlob(id, await ledger.putBlob(new TextEncoder().encode(text)));
}
