// Composition of judging again: stored sessions under other policies. Needs no engine; nothing is run.

import { argumentBlobs } from "./compose-arguments.js";
import { isBundleName, openRecord } from "./compose-bundle-open.js";
import { loadPolicy } from "./compose-policy.js";
import { resolveSession } from "./compose-review.js";
import { openStore, type Stored } from "./compose-store.js";
import { DEFAULTS } from "./config/defaults.js";
import type { PolicySet } from "./core/policy/index.js";
import { createSummariser, redecide, type Redecided, type RedecideSummary } from "./core/replay/index.js";
import { GuardError, type ErrorCode, type SessionId } from "./core/shared/index.js";
import { containmentOf } from "./engine/containment.js";

export interface RedecideRequest {
  /** Ids, beginnings of ids, `last`, bundles; empty with `all`. */
  readonly sessions: readonly string[];
  readonly all: boolean;
  readonly policies: readonly string[];
  /** Judge with these in place of what was recorded. */
  readonly baseline: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** Called once a session, in order. */
  readonly onSession?: (session: SessionId, calls: readonly Redecided[]) => void;
}

export interface RedecideAnswer {
  readonly summary: RedecideSummary;
  readonly policy: Pick<PolicySet, "digest">;
  readonly baseline: Pick<PolicySet, "digest"> | null;
  /** Sessions whose record cannot be trusted or read, with the reason; they are in no count. */
  readonly left: readonly { readonly session: string; readonly reason: string; readonly code: ErrorCode }[];
}

/** Judges recorded sessions under other policies. A record that does not verify is left out by name; one alone rejects. */
export async function redecideSessions(request: RedecideRequest): Promise<RedecideAnswer> {
  const { env } = request;
  const policy = await loadPolicy(request.policies, env);
  const baseline = request.baseline.length === 0 ? null : await loadPolicy(request.baseline, env);
  const stored = await openStore(env);
  try {
    const records = request.all ? (await stored.store.list()).map(({ id }) => id) : await resolveAll(stored, request.sessions);
    const summariser = createSummariser();
    const left: { session: string; reason: string; code: ErrorCode }[] = [];
    for (const record of records) {
      try {
        const { id, calls } = await redecideOne(stored, record, { policy, baseline, env });
        summariser.add(calls);
        request.onSession?.(id, calls);
      } catch (error) {
        if (!(error instanceof GuardError) || records.length === 1) throw error;
        left.push({ session: record, reason: error.message, code: error.code });
      }
    }
    return { summary: summariser.result(), policy, baseline, left };
  } finally {
    await stored.close();
  }
}

/** Ids of stored sessions; a bundle goes by its name. */
async function resolveAll(stored: Stored, wanted: readonly string[]): Promise<readonly string[]> {
  const records = new Set<string>();
  for (const one of wanted) records.add(isBundleName(one) ? one : await resolveSession(stored.store, one));
  return [...records];
}

interface Policies {
  readonly policy: PolicySet;
  readonly baseline: PolicySet | null;
  readonly env: NodeJS.ProcessEnv;
}

interface Judged {
  readonly id: SessionId;
  readonly calls: readonly Redecided[];
}

/** One session, its record read and verified. Throws GuardError where it does not hold. */
async function redecideOne(store: Stored, record: string, { policy, baseline, env }: Policies): Promise<Judged> {
  const bundle = isBundleName(record) ? await openRecord(record, env) : null;
  const { stored, id } = bundle ?? { stored: store, id: record as SessionId };
  try {
    return { id, calls: await judge(stored, id, policy, baseline) };
  } finally {
    await bundle?.stored.close();
  }
}

async function judge(stored: Stored, id: SessionId, policy: PolicySet, baseline: PolicySet | null): Promise<readonly Redecided[]> {
  const events = await stored.store.read(id);
  const blobs = await argumentBlobs(stored, id, events);
  return redecide(events, { policy, baseline, home: DEFAULTS.home, containmentOf: (opened) => containmentOf(opened.controls), argumentsOf: ({ argumentsBlob }) => (argumentsBlob === undefined ? null : (blobs.get(argumentsBlob) ?? null)) });
}
