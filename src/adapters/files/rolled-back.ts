// A session's workspace as it was just after one of its calls: what the layers hold by now, or what was kept of it.

import type { Change, Entry } from "../../core/reconcile/change.js";
import { encodeName, isSameEntry } from "../../core/reconcile/index.js";
import { GuardError, LIMITS, printable } from "../../core/shared/index.js";
import type { Workspace } from "../../ports/workspace.js";
import { contentOfBytes } from "./open-content.js";
import type { Preimages } from "./preimages.js";

export interface RolledBack {
  readonly workspace: Workspace;
  /** Changes of the earlier state that can be had, sorted by path. */
  readonly changes: readonly Change[];
  /** Those whose content is gone: it was too large to be kept, or is no file. */
  readonly lost: readonly Change[];
}

/**
 * The workspace in an earlier state. Its layers are not touched.
 * @param observed what differs from the user's folder in the layers now
 * @param wanted what differed then
 */
export async function rolledBack(workspace: Workspace, observed: readonly Change[], wanted: readonly Change[], kept: Preimages): Promise<RolledBack> {
  const now = new Map(observed.map((change) => [change.path, change.after]));
  const changes: Change[] = [];
  const lost: Change[] = [];
  for (const change of wanted) ((await canBeHad(change.after, now.get(change.path) ?? null, kept)) ? changes : lost).push(change);
  const then = new Map(changes.map((change) => [change.path, change.after]));

  /** The entry of a name whose content is not in the layers any more; null where the layers are asked. */
  const keptEntry = (path: string): Entry | null => {
    const entry = then.get(path) ?? null;
    return entry === null || isSameEntry(entry, now.get(path) ?? null) ? null : entry;
  };
  const contentOf = async (path: string, entry: Entry): Promise<Uint8Array> => {
    if (entry.kind === "symlink") return encodeName(entry.target ?? "");
    const content = entry.kind === "file" && entry.digest !== null ? await kept.load(entry.digest) : new Uint8Array(0);
    if (content === null) throw new GuardError("STATE_UNUSABLE", `the content of \`${printable(path)}\` was not kept`);
    return content;
  };
  return {
    changes,
    lost,
    workspace: {
      ...workspace,
      changes: async () => changes,
      readChanged: async (path, limitBytes) => {
        const entry = keptEntry(path);
        if (entry === null) return then.has(path) ? workspace.readChanged(path, limitBytes) : null;
        if (entry.bytes > limitBytes) throw new GuardError("WORKSPACE_LIMIT", `\`${printable(path)}\` is larger than ${String(limitBytes)} bytes`);
        return { content: await contentOf(path, entry), entry };
      },
      openChanged: async (path) => {
        const entry = keptEntry(path);
        if (entry === null) return then.has(path) ? workspace.openChanged(path) : null;
        return contentOfBytes(await contentOf(path, entry));
      },
    },
  };
}

/** Tells whether a name can be brought to a state: nothing to keep, still so in the layers, or kept. */
async function canBeHad(then: Entry | null, now: Entry | null, kept: Preimages): Promise<boolean> {
  if (then === null || isSameEntry(then, now)) return true;
  if (then.kind === "directory" || then.kind === "symlink") return true;
  if (then.kind !== "file" || then.digest === null || then.bytes > LIMITS.preimageBytes) return false;
  return (await kept.load(then.digest)) !== null;
}
