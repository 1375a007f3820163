// What a bundle says of itself: which session, under which policy and image, who started, approved and took over, and what is not in it.

import type { Change } from "../reconcile/change.js";
import { netChanges, sessionState, type AuditEvent } from "../session/index.js";
import type { Digest, JsonObject } from "../shared/index.js";

/** Names in a bundle. Blobs lie below `blobs/`, by their digest. */
export const BUNDLE_FILES = {
  statement: "statement.dsse.json",
  manifest: "manifest.json",
  ledger: "ledger.jsonl",
  head: "head.checkpoint",
  key: "key.pem",
  base: "base.json",
  policy: "policy.json",
  patch: "changes.patch",
} as const;

export interface BundleManifest {
  readonly v: 1;
  /** About the session, from its record alone. */
  readonly session: JsonObject;
  /** What could not be put in, each with its reason. */
  readonly left: readonly { readonly what: string; readonly why: string }[];
}

/** Name of a blob in a bundle. */
export function blobName(digest: Digest): string {
  return `blobs/${digest.slice("sha256:".length)}`;
}

/** Digests of the blobs that a record points at, each once, in order. */
export function blobsOf(events: readonly AuditEvent[]): readonly Digest[] {
  const found = new Set<Digest>();
  const visit = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    for (const [key, member] of Object.entries(value)) {
      if (key === "blob" && typeof member === "string" && /^sha256:[0-9a-f]{64}$/u.test(member)) found.add(member as Digest);
      else visit(member);
    }
  };
  // Events are at most 64 deep: the store takes no deeper ones.
  for (const event of events) visit(event.data);
  return [...found];
}

/** The manifest of a session that is on record. Null for a record without a beginning. */
export function manifestOf(events: readonly AuditEvent[], left: BundleManifest["left"]): BundleManifest | null {
  const state = sessionState(events);
  if (state === null) return null;
  const { opened } = state;
  const approvals = events.flatMap((event) => (event.type === "approval.resolved" ? [{ call: event.call, by: event.data.by, outcome: event.data.outcome, actionDigest: event.data.actionDigest }] : []));
  const applied = events.flatMap((event) => (event.type === "session.applied" ? [{ seq: event.seq, time: event.time, paths: event.data.paths.length }] : []));
  const session = {
    id: state.id,
    product: opened.product,
    startedBy: opened.startedBy,
    openedAt: state.openedAt,
    closedAt: state.closedAt,
    ended: state.closed?.reason ?? null,
    calls: state.calls.length,
    events: events.length,
    workspace: opened.workspace.path,
    policy: { digest: opened.policy.digest, profile: opened.policy.profile, sources: [...opened.policy.sources] },
    image: { reference: opened.image.reference, id: opened.image.id },
    engine: { ...opened.engine },
    approvals,
    applied,
    score: state.risk === null ? null : { formula: state.risk.formula, score: state.risk.score, peak: state.risk.peak, band: state.risk.band },
  };
  return { v: 1, session: session as unknown as JsonObject, left };
}

/** What the workspace held before, of every name that the session changed. */
export function baseOf(events: readonly AuditEvent[]): readonly Pick<Change, "path" | "before">[] {
  return netChanges(events).map(({ path, before }) => ({ path, before }));
}
