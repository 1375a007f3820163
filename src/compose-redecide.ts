// Composition of judging again: stored sessions under other policies. Needs no engine; nothing is run.

import { argumentBlobs } from "./compose-arguments.js";
import { loadPolicy } from "./compose-policy.js";
import { judgeInOrder, startHelpers, type Judged } from "./compose-redecide-threads.js";
import { resolveSession } from "./compose-review.js";
import { openStore, type Stored } from "./compose-store.js";
import { DEFAULTS } from "./config/defaults.js";
import { policyData, type PolicySet } from "./core/policy/index.js";
import { createSummariser, redecide, type Redecided, type RedecideSummary } from "./core/replay/index.js";
import { GuardError, type SessionId } from "./core/shared/index.js";
import { containmentOf } from "./engine/containment.js";

export interface RedecideRequest {
  /** Ids, beginnings of ids, `last`; empty with `all`. */
  readonly sessions: readonly string[];
  readonly all: boolean;
  readonly policies: readonly string[];
  /** Judge with these in place of what was recorded. */
  readonly baseline: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** Called once a session, in order, whichever thread judged it. */
  readonly onSession?: (session: SessionId, calls: readonly Redecided[]) => void;
  /** Threads beside this one. Left out: one less than there are processors, from 300 sessions on. */
  readonly threads?: number;
}

export interface RedecideAnswer {
  readonly summary: RedecideSummary;
  readonly policy: Pick<PolicySet, "digest">;
  readonly baseline: Pick<PolicySet, "digest"> | null;
  /** Sessions whose record cannot be trusted or read, with the reason; they are in no count. */
  readonly left: readonly { readonly session: string; readonly reason: string }[];
}

/** Judges recorded sessions under other policies. A record that does not verify is left out by name; one alone rejects. */
export async function redecideSessions(request: RedecideRequest): Promise<RedecideAnswer> {
  const { env } = request;
  const policy = await loadPolicy(request.policies, env);
  const baseline = request.baseline.length === 0 ? null : await loadPolicy(request.baseline, env);
  const stored = await openStore(env);
  try {
    const ids = request.all ? (await stored.store.list()).map(({ id }) => id) : await resolveAll(stored, request.sessions);
    const summariser = createSummariser();
    const left: { session: string; reason: string }[] = [];
    const tell = (id: SessionId, judged: Judged): void => {
      if (judged.ok) {
        summariser.add(judged.calls);
        request.onSession?.(id, judged.calls);
        return;
      }
      if (!(judged.error instanceof GuardError) || ids.length === 1) throw judged.error;
      left.push({ session: id, reason: judged.error.message });
    };
    const helpers = startHelpers(ids.length, () => ({ policy: policyData(policy), baseline: baseline === null ? null : policyData(baseline), env: { ...env } }), request.threads);
    await judgeInOrder(ids, { here: (id) => redecideOne(stored, id, policy, baseline), helpers, tell });
    return { summary: summariser.result(), policy, baseline, left };
  } finally {
    await stored.close();
  }
}

async function resolveAll(stored: Stored, wanted: readonly string[]): Promise<readonly SessionId[]> {
  const ids = new Set<SessionId>();
  for (const one of wanted) ids.add(await resolveSession(stored.store, one));
  return [...ids];
}

/** One session, its record read and verified. Throws GuardError where it does not hold. */
export async function redecideOne(stored: Stored, id: SessionId, policy: PolicySet, baseline: PolicySet | null): Promise<readonly Redecided[]> {
  const events = await stored.store.read(id);
  const blobs = await argumentBlobs(stored, id, events);
  return redecide(events, { policy, baseline, home: DEFAULTS.home, containmentOf: (opened) => containmentOf(opened.controls), argumentsOf: ({ argumentsBlob }) => (argumentsBlob === undefined ? null : (blobs.get(argumentsBlob) ?? null)) });
}
