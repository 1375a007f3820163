// A bundle in place of a stored session: it is checked, and then read where the store would be. Nothing of it is put into the store.

import { openStore, type Stored } from "./compose-store.js";
import { checkedBundle } from "./compose-bundle-check.js";
import { enclosedPolicy } from "./compose-bundle-policy.js";
import { resolveSession } from "./compose-review.js";
import { blobName, BUNDLE_FILES } from "./core/bundle/index.js";
import { eventOf } from "./core/ledger/index.js";
import type { PolicyText } from "./core/policy/index.js";
import { timelineOf } from "./core/replay/index.js";
import { isEvent, type AuditEvent } from "./core/session/index.js";
import { GuardError, printable, type SessionId } from "./core/shared/index.js";

/** A session to be read, and where from. */
export interface OpenedRecord {
  /** The store; where the session comes in a bundle, what is asked of that session is answered from there. */
  readonly stored: Stored;
  readonly id: SessionId;
  /** Null for a session of the store. */
  readonly bundle: { readonly policy: { readonly digest: unknown; readonly texts: readonly PolicyText[] } | null } | null;
}

/** What cannot be a session id: a path, or the name of an archive. */
export function isBundleName(wanted: string): boolean {
  return wanted.includes("/") || wanted.endsWith(".tar");
}

/**
 * Opens a session by id, beginning of an id or `last`, or the session in a bundle. Throws LEDGER_INVALID for a bundle that does not hold. Who
 * signed a bundle is not asked here: `bundle verify --key` tells.
 */
export async function openRecord(wanted: string, env: NodeJS.ProcessEnv): Promise<OpenedRecord> {
  const stored = await openStore(env);
  try {
    return isBundleName(wanted) ? openBundle(stored, wanted) : { stored, id: await resolveSession(stored.store, wanted), bundle: null };
  } catch (error) {
    await stored.close();
    throw error;
  }
}

function openBundle(stored: Stored, file: string): OpenedRecord {
  const { report, files } = checkedBundle(file, { keyFile: null, headFile: null });
  if (!report.ok) throw new GuardError("LEDGER_INVALID", `bundle \`${printable(file)}\` does not hold: ${report.faults[0] ?? "it is empty"}`, { hint: "`ringfence bundle verify` names every fault" });
  const events = eventsOf(file, files.get(BUNDLE_FILES.ledger) ?? new Uint8Array(0));
  const [first] = events;
  if (first?.type !== "session.opened") throw unreadable(file, "it begins with no session");
  const id = first.session;
  const { store } = stored;
  const policy = files.get(BUNDLE_FILES.policy);
  return {
    stored: {
      ...stored,
      store: {
        ...store,
        read: async (session) => (session === id ? events : store.read(session)),
        readAndIndex: async (session) => (session === id ? events : store.readAndIndex(session)),
        readStep: async (session, step) => (session === id ? null : store.readStep(session, step)),
        readBlob: async (session, digest) => {
          if (session !== id) return store.readBlob(session, digest);
          const blob = files.get(blobName(digest));
          if (blob === undefined) throw new GuardError("LEDGER_INVALID", `\`${blobName(digest)}\` is not in the bundle`);
          return blob;
        },
      },
    },
    id,
    bundle: { policy: policy === undefined ? null : enclosedPolicy(policy) },
  };
}

/** The records of a ledger that holds. Whoever has a key can sign anything: each must be one of our events, and they must make a session. */
function eventsOf(file: string, ledger: Uint8Array): readonly AuditEvent[] {
  const events: AuditEvent[] = [];
  for (let start = 0; start < ledger.length; ) {
    const end = ledger.indexOf(0x0a, start);
    // A ledger that holds ends with a line feed; without one this would begin again from the first.
    if (end < 0) throw unreadable(file, "its last line has no end");
    const event = eventOf(JSON.parse(Buffer.from(ledger.subarray(start, end)).toString("utf8")) as Readonly<Record<string, unknown>>);
    if (!isEvent(event)) throw unreadable(file, `line ${String(events.length + 1)} is no event of ours`);
    events.push(event);
    start = end + 1;
  }
  try {
    timelineOf(events);
  } catch (cause) {
    throw unreadable(file, "its events make no session", cause);
  }
  return events;
}

function unreadable(file: string, why: string, cause?: unknown): GuardError {
  return new GuardError("LEDGER_INVALID", `the record in \`${printable(file)}\` is signed and cannot be read: ${why}`, { cause, hint: "its signer wrote it otherwise than Ringfence does; a newer Ringfence may read it" });
}
