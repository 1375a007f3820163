// Review of an ended session: its changes as a patch, taking them over, throwing them away.

import { applyChanges, type ApplyResult } from "./adapters/files/apply.js";
import { rebaseSelection } from "./adapters/files/apply-rebase.js";
import { createPreimages, type Preimages } from "./adapters/files/preimages.js";
import { rolledBack } from "./adapters/files/rolled-back.js";
import { reviewPatch, reviewHunks, type HunkView } from "./compose-patch.js";
import { noteApply, type NotedApply } from "./compose-apply.js";
import { openStore, type Stored } from "./compose-store.js";
import type { Change, Finding } from "./core/reconcile/change.js";
import { isSameEntry, type RenderedPatch, type Selection } from "./core/reconcile/index.js";
import { netChanges, sessionState, standingRecords, type AuditEvent, type EventData, type SessionState } from "./core/session/index.js";
import { GuardError, isSessionId, printable, type SessionId } from "./core/shared/index.js";
import type { LedgerStore } from "./ports/ledger.js";
import type { Workspace } from "./ports/workspace.js";

const SCAN_MS = 600_000;

export interface Review {
  readonly id: SessionId;
  /** The user's folder. */
  readonly workspace: string;
  /** Changes on record that still stand in the session's layers, sorted by path. */
  readonly changes: readonly Change[];
  /** Left out, with the reason: forbidden and not undone, or not on record. */
  readonly refused: readonly Finding[];
  /** A patch of the changes that `git apply` takes; what no patch can carry is named apart. */
  patch(): Promise<RenderedPatch>;
  /** The numbered hunks of one changed file; none where it is taken over as a whole only. */
  hunks(path: string): Promise<readonly HunkView[]>;
  /**
   * Writes the selected changes to the user's folder, all or none. APPLY_CONFLICT when a file there is neither as before the
   * session nor as it left it, hunks taken before counted in; USAGE_INVALID for a path or a hunk that there is not. A list of
   * paths takes them whole.
   */
  apply(selection: Selection | readonly string[]): Promise<ApplyResult>;
  close(): Promise<void>;
}

/** Opens a session for review. Its record is verified first. */
export async function openReview(wanted: string, env: NodeJS.ProcessEnv): Promise<Review> {
  const stored = await openStore(env);
  try {
    return await review(stored, await resolveSession(stored.store, wanted));
  } catch (error) {
    await stored.close();
    throw error;
  }
}

async function review(stored: Stored, id: SessionId): Promise<Review> {
  const events = await stored.store.read(id);
  const state = sessionState(events);
  if (state === null) throw new GuardError("SESSION_NOT_FOUND", `session ${id} has no opening record`);
  if (state.opened.imported !== undefined) throw new GuardError("USAGE_INVALID", `session ${id} was imported: it has no workspace of its own`, { hint: "`ringfence show` and `ringfence replay view` tell what its file claims" });
  if (state.discarded) throw new GuardError("USAGE_INVALID", `the changes of ${id} were discarded`, { hint: "`ringfence show` still tells what was done" });
  const layers = await stored.workspaces.reopen(id);
  const kept: Preimages = createPreimages({ stateDir: stored.stateDir, sessionId: id });
  const { workspace, changes, refused } = await look(layers, kept, events, state).catch(async (error: unknown) => {
    await layers.close?.();
    throw error;
  });
  return {
    id,
    workspace: workspace.path,
    changes,
    refused,
    patch: async () => reviewPatch({ workspace, kept }, changes),
    hunks: async (path) => reviewHunks({ workspace, kept }, changes.find((change) => change.path === path)),
    apply: async (wanted) => {
      const selection: Selection = "paths" in wanted ? wanted : { paths: wanted, hunks: [] };
      const ledger = await stored.store.reopen(id);
      let note: NotedApply | null = null;
      try {
        const { journal } = (note = await noteApply(stored.stateDir, id));
        const { changes: now, contents, reasons } = await rebaseSelection(workspace, changes, selection, kept);
        const partly = selection.hunks.filter(({ path }) => contents.has(path));
        const dataOf = (paths: readonly string[]): EventData["session.applied"] => ({ paths, ...(partly.length === 0 ? {} : { hunks: partly }) });
        const result = await applyChanges({ workspace, changes: now, select: [...selection.paths, ...selection.hunks.map(({ path }) => path)], contents, reasons, journal: { ...journal, exchanged: (paths) => journal.exchanged(dataOf(paths)) } });
        await ledger.append([{ call: null, type: "session.applied", data: dataOf(result.applied.map((entry) => entry.path)) }]);
        await note.forget();
        return result;
      } catch (error) {
        // What is written and not on record is put on record by the next command.
        if (note?.isWritten() === false) await note.forget();
        throw error;
      } finally {
        await ledger.close();
      }
    },
    close: async () => {
      await workspace.close?.();
      await stored.close();
    },
  };
}

interface Look {
  readonly workspace: Workspace;
  readonly changes: readonly Change[];
  readonly refused: readonly Finding[];
}

/** What stands: what the layers hold, or what they held when the call ended that the session was taken back to. */
async function look(layers: Workspace, kept: Preimages, events: readonly AuditEvent[], state: SessionState): Promise<Look> {
  const observed = await layers.changes(AbortSignal.timeout(SCAN_MS));
  if (state.undone === null) return { workspace: layers, ...standing(events, observed) };
  const { workspace, changes, lost } = await rolledBack(layers, observed, netChanges(events), kept);
  const seen = standing(events, changes);
  return { workspace, changes: seen.changes, refused: [...seen.refused, ...lost.map((change) => unkept(change))] };
}

/** What may be taken over: on record, still as recorded, and not a forbidden change that could not be undone. */
function standing(events: readonly AuditEvent[], observed: readonly Change[]): { readonly changes: readonly Change[]; readonly refused: readonly Finding[] } {
  const recorded = new Map(netChanges(events).map((change) => [change.path, change]));
  const forbidden = new Map(
    standingRecords(events).flatMap((event) => event.data.findings).filter((finding) => !finding.reverted && finding.rule !== "").map((finding) => [finding.path, finding]),
  );
  const changes: Change[] = [];
  const refused: Finding[] = [];
  for (const change of observed) {
    const known = recorded.get(change.path);
    const bad = forbidden.get(change.path);
    if (bad !== undefined && known !== undefined && isSameEntry(known.after, change.after)) refused.push(bad);
    else if (known === undefined || !isSameEntry(known.after, change.after)) refused.push(unrecorded(change));
    else changes.push(known);
  }
  return { changes, refused };
}

function unrecorded(change: Change): Finding {
  return {
    rule: "reconcile.unrecorded",
    layer: "L5",
    threats: ["maestro:L5/evasion-of-detection"],
    message: "this change is not on record as it stands: the session ended before it was judged",
    path: change.path,
    operation: change.operation,
    reverted: false,
    risk: null,
  };
}

function unkept(change: Change): Finding {
  return { ...unrecorded(change), rule: "reconcile.not-kept", message: "what it was at that step was not kept: it was too large, or is no file" };
}

/** Throws a session's changes away and puts that on record. */
export async function discardSession(wanted: string, env: NodeJS.ProcessEnv): Promise<SessionId> {
  const stored = await openStore(env);
  try {
    const id = await resolveSession(stored.store, wanted);
    const [first] = await stored.store.read(id);
    if (first?.type === "session.opened" && first.data.imported !== undefined) throw new GuardError("USAGE_INVALID", `session ${id} was imported: it changed nothing that could be thrown away`, { hint: "`ringfence sessions prune` removes whole sessions" });
    const ledger = await stored.store.reopen(id);
    try {
      await stored.workspaces.remove(id);
      await ledger.append([{ call: null, type: "session.discarded", data: { reason: "by command" } }]);
    } finally {
      await ledger.close();
    }
    return id;
  } finally {
    await stored.close();
  }
}

/** A whole id, a unique beginning of one (with or without `ses_`), or `last`: the newest that is no re-run of another. */
export async function resolveSession(store: LedgerStore, wanted: string): Promise<SessionId> {
  const listings = await store.list();
  if (isSessionId(wanted) && listings.some((listing) => listing.id === wanted)) return wanted;
  if (wanted === "last") {
    const newest = listings.filter(({ replayOf }) => replayOf === undefined).sort((a, b) => (a.openedAt < b.openedAt ? 1 : -1))[0];
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
