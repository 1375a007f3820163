// What a call did to files that decide how tests are run: their text before and after it, for the rules that look inside.
// Never guesses: what cannot be read whole is handed on as unreadable, and rules count that as a change.

import { isProjectFile, type ContentSubject } from "../core/policy/index.js";
import type { Change, Entry } from "../core/reconcile/change.js";
import { changesOfCall } from "../core/reconcile/index.js";
import { LIMITS } from "../core/shared/index.js";
import type { LiveSession } from "./live.js";

/** The project files among a call's changes, by path. `before` and `after` are two looks at the workspace. */
export async function readProjectFiles(live: LiveSession, before: readonly Change[], after: readonly Change[], root: string): Promise<ReadonlyMap<string, ContentSubject>> {
  const about = (changes: readonly Change[]): readonly Change[] => changes.filter((change) => isProjectFile(change.path));
  const changed = changesOfCall(about(before), about(after)).filter((change) => change.operation !== "metadata");
  const found = new Map<string, ContentSubject>();
  for (const change of changed) {
    const [old, now] = found.size < LIMITS.projectFiles ? [await textBefore(live, change), await textAfter(live, change)] : [null, null];
    const base = { kind: "content", path: `${root}/${change.path}` } as const;
    found.set(change.path, old === null || now === null ? { ...base, text: "", extent: "unreadable" } : { ...base, before: old, text: now, extent: "whole" });
  }
  return found;
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
