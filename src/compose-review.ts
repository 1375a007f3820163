// Review of an ended session: its changes as a patch, taking them over, throwing them away.

import { applyChanges, type ApplyResult } from "./adapters/files/apply.js";
import { binaryPatch } from "./adapters/files/binary-patch.js";
import { openStore, type Stored } from "./compose-store.js";
import type { Change, Finding } from "./core/reconcile/change.js";
import { isSameEntry, renderPatch, type PatchInput, type RenderedPatch } from "./core/reconcile/index.js";
import { netChanges, sessionState, type AuditEvent } from "./core/session/index.js";
import { GuardError, isSessionId, LIMITS, printable, type SessionId } from "./core/shared/index.js";
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
  /** Writes the named changes to the user's folder, all or none; APPLY_CONFLICT when the user's files moved underneath. */
  apply(paths: readonly string[]): Promise<ApplyResult>;
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
  if (state.discarded) throw new GuardError("SESSION_ENDED", `the changes of ${id} were discarded`, { hint: "`ringfence show` still tells what was done" });
  const workspace = await stored.workspaces.reopen(id);
  const observed = await workspace.changes(AbortSignal.timeout(SCAN_MS));
  const { changes, refused } = standing(events, observed);
  return {
    id,
    workspace: workspace.path,
    changes,
    refused,
    patch: async () => joined(await Promise.all(changes.map(async (change) => patchOf(await patchEntry(workspace, change))))),
    apply: async (paths) => {
      const selected = new Set(paths);
      const ledger = await stored.store.reopen(id);
      try {
        const result = await applyChanges({ workspace, changes: changes.filter((change) => selected.has(change.path)) });
        await ledger.append([{ call: null, type: "session.applied", data: { paths: result.applied.map((entry) => entry.path) } }]);
        return result;
      } finally {
        await ledger.close();
      }
    },
    close: () => stored.close(),
  };
}

/** What may be taken over: on record, still as recorded, and not a forbidden change that could not be undone. */
function standing(events: readonly AuditEvent[], observed: readonly Change[]): { readonly changes: readonly Change[]; readonly refused: readonly Finding[] } {
  const recorded = new Map(netChanges(events).map((change) => [change.path, change]));
  const forbidden = new Map(
    events.flatMap((event) => (event.type === "reconciliation.done" ? event.data.findings : [])).filter((finding) => !finding.reverted && finding.rule !== "").map((finding) => [finding.path, finding]),
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

/** One change as a patch. Bytes that are no text, and files too large for a diff by lines, are carried whole. */
function patchOf(input: PatchInput): RenderedPatch {
  const rendered = renderPatch([input]);
  const text = Buffer.from(rendered.bytes).toString("latin1");
  const mark = /^Binary files .* differ\n/mu.exec(text);
  const sides = [input.change.before, input.change.after];
  const isKnown = (index: 0 | 1): boolean => sides[index]?.kind !== "file" || (index === 0 ? input.before : input.after) !== null;
  if (mark === null || sides.some((side) => side?.kind === "symlink") || !isKnown(0) || !isKnown(1)) return rendered;
  return { bytes: Buffer.from(text.slice(0, mark.index) + binaryPatch(input.before, input.after), "latin1"), omitted: [] };
}

/** A change that the patch would only mention makes git refuse all of it: such a one is left out and named. */
function joined(parts: readonly RenderedPatch[]): RenderedPatch {
  const carried = parts.filter(({ bytes }) => !/^Binary files .* differ$/mu.test(Buffer.from(bytes.subarray(0, 16_384)).toString("latin1")));
  return { bytes: Buffer.concat(carried.map(({ bytes }) => bytes)), omitted: parts.flatMap(({ omitted }) => omitted) };
}

async function patchEntry(workspace: Workspace, change: Change): Promise<PatchInput> {
  const before = change.before?.kind === "file" ? await workspace.readBase(change.path, LIMITS.compareBytes) : null;
  const after = change.after?.kind === "file" ? await workspace.readChanged(change.path, LIMITS.compareBytes) : null;
  return { change, before: before?.content ?? null, after: after?.content ?? null };
}

/** Throws a session's changes away and puts that on record. */
export async function discardSession(wanted: string, env: NodeJS.ProcessEnv): Promise<SessionId> {
  const stored = await openStore(env);
  try {
    const id = await resolveSession(stored.store, wanted);
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
