// What goes on record of a session's image: its name, its id, a digest of its content, and what is installed in it.

import { packageList } from "../core/image/index.js";
import type { EventData } from "../core/session/event.js";
import { printable } from "../core/shared/index.js";
import type { Ledger } from "../ports/ledger.js";
import type { EngineDeps } from "./deps.js";

/** An image that cannot tell what it holds is recorded by name and id alone. Rejects only when the record cannot be written. */
export async function imageRecord(deps: Pick<EngineDeps, "images" | "telemetry">, ledger: Pick<Ledger, "putBlob">, reference: string, id: string, signal: AbortSignal): Promise<EventData["session.opened"]["image"]> {
  const facts = await deps.images?.describe(id, signal).catch((cause: unknown) => void deps.telemetry.warn("the packages of the image are not known", { image: id, cause: printable(String(cause)) }));
  const content = facts?.content ?? null;
  const inventory = facts?.inventory ?? null;
  return {
    reference,
    id,
    ...(content === null ? {} : { content }),
    ...(inventory === null ? {} : { packages: { count: inventory.packages.length, blob: await ledger.putBlob(new TextEncoder().encode(packageList(inventory))) } }),
  };
}
