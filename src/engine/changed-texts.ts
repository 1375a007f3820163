// What a call did inside files, for the rules that look there: their text before and after it. Never guesses: a file that decides
// how tests are run and cannot be read whole is handed on as unreadable, and rules count that as a change.

import { isProjectFile, looksInside, type ContentSubject, type DecisionContext } from "../core/policy/index.js";
import type { Change, Entry } from "../core/reconcile/change.js";
import { changesOfCall } from "../core/reconcile/index.js";
import { LIMITS } from "../core/shared/index.js";
import type { LiveSession } from "./live.js";

/** Two looks at the workspace, before and after a call. */
export interface Looks {
  readonly before: readonly Change[];
  readonly after: readonly Change[];
}

/**
 * What is in files that a call changed, by path: project files always, others where a rule asks for it and a program may have
 * written them. Of those the ones that are no text or too large are left out: content rules are hints, other rules bind their names.
 * @param ranProgram false when only an edit tool wrote: what it adds was judged before
 */
export async function readChangedTexts(live: LiveSession, looks: Looks, context: DecisionContext, ranProgram: boolean): Promise<ReadonlyMap<string, ContentSubject>> {
  const found = new Map<string, ContentSubject>();
  for (const change of changedFiles(looks, ({ path }) => isProjectFile(path))) {
    const [old, now] = found.size < LIMITS.projectFiles ? [await textBefore(live, change), await textAfter(live, change)] : [null, null];
    const base = { kind: "content", path: `${context.root}/${change.path}` } as const;
    found.set(change.path, old === null || now === null ? { ...base, text: "", extent: "unreadable" } : { ...base, before: old, text: now, extent: "whole" });
  }
  if (!ranProgram || looks.before === looks.after) return found;
  const inside = looksInside(live.options.policy, context);
  const asked = changedFiles(looks, ({ path, after }) => !isProjectFile(path) && after?.kind === "file" && after.bytes <= LIMITS.contentFileBytes && inside.wants(`${context.root}/${path}`));
  for (const change of asked.slice(0, LIMITS.contentFiles)) {
    const now = await textAfter(live, change);
    if (now === null || !inside.holds(now)) continue;
    found.set(change.path, { kind: "content", path: `${context.root}/${change.path}`, before: (await textBefore(live, change)) ?? "", text: now, extent: "whole" });
  }
  return found;
}

function changedFiles({ before, after }: Looks, wanted: (change: Change) => boolean): readonly Change[] {
  return changesOfCall(before.filter(wanted), after.filter(wanted)).filter((change) => change.operation !== "metadata");
}

/** The text before the call; empty where there was no file, null where it cannot be told. */
async function textBefore({ preimages, workspace }: LiveSession, { path, before }: Change): Promise<string | null> {
  if (before === null) return "";
  if (!isReadable(before)) return null;
  const kept = await preimages.load(before.digest);
  if (kept !== null) return decode(kept);
  const base = await workspace.readBase(path, LIMITS.projectFileBytes);
  return base?.entry.digest === before.digest ? decode(base.content) : null;
}

/** The text now; empty where the file is gone, null where it cannot be told. */
async function textAfter({ workspace }: LiveSession, { path, after }: Change): Promise<string | null> {
  if (after === null) return "";
  if (!isReadable(after)) return null;
  const now = await workspace.readChanged(path, LIMITS.projectFileBytes);
  return now?.entry.digest === after.digest ? decode(now.content) : null;
}

function isReadable(entry: Entry): entry is Entry & { readonly digest: NonNullable<Entry["digest"]> } {
  return entry.kind === "file" && entry.digest !== null && entry.bytes <= LIMITS.projectFileBytes;
}

function decode(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}
