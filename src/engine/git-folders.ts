// Repositories under other names. git takes any folder for a repository that has the look of one: a bare one, or one that a `.git`
// file points at. What a call puts into such a folder counts as put into a folder named `.git`, so that the same rules meet it.
// Judged by what is there after the call; a folder that cannot be told counts as a repository.

import { foldName } from "../core/policy/paths.js";
import type { Change } from "../core/reconcile/change.js";
import { changesOfCall } from "../core/reconcile/index.js";
import type { LiveSession } from "./live.js";

/** Another path under which a change is judged as well. */
export interface Alias {
  /** Relative to the workspace. */
  readonly path: string;
  /** It stands for every name below. */
  readonly recursive: boolean;
}

/** What makes a folder a repository; putting the last of them there turns all that lies in it into settings and hooks. */
const MARKS = new Set(["HEAD", "objects", "refs", "commondir"]);
/** What git reads or runs in a repository. */
const PARTS = new Set(["config", "config.worktree", "commondir", "gitdir", "hooks", "info", "modules", "worktrees"]);
/** Most folders looked at in one call; past it each counts as a repository. */
const MOST_FOLDERS = 2_000;

/** The aliases of a call's changes, by path. `before` and `after` are two looks at the workspace. */
export async function gitAliases(live: Pick<LiveSession, "workspace">, before: readonly Change[], after: readonly Change[]): Promise<ReadonlyMap<string, readonly Alias[]>> {
  const found = new Map<string, readonly Alias[]>();
  const folders = openFolders(live, after);
  for (const change of changesOfCall(before, after)) {
    if (change.after === null || change.operation === "metadata") continue;
    const aliases: Alias[] = [];
    for (const { folder, rest } of candidates(change.path)) {
      const [part = ""] = rest;
      const isMark = rest.length === 1 && MARKS.has(part) && change.before === null;
      if (!isMark && !PARTS.has(part)) continue;
      if (!(await folders.isRepository(folder))) continue;
      const inside = folder === "" ? ".git" : `${folder}/.git`;
      if (isMark) aliases.push({ path: inside, recursive: true });
      if (PARTS.has(part)) aliases.push({ path: `${inside}/${rest.join("/")}`, recursive: change.after.kind === "symlink" });
    }
    if (aliases.length > 0) found.set(change.path, aliases);
  }
  return found;
}

/** Folders above a name, with what is below them; those of a `.git` have rules of their own. */
function* candidates(path: string): Generator<{ readonly folder: string; readonly rest: readonly string[] }> {
  const parts = path.split("/");
  for (const [index, part] of parts.entries()) {
    if (foldName(part) === ".git") return;
    if (MARKS.has(part) || PARTS.has(part)) yield { folder: parts.slice(0, index).join("/"), rest: parts.slice(index) };
  }
}

function openFolders({ workspace }: Pick<LiveSession, "workspace">, after: readonly Change[]) {
  const changed = new Map(after.map((change) => [change.path, change.after]));
  const known = new Map<string, boolean>();
  const has = async (path: string): Promise<boolean> => {
    const now = changed.get(path);
    if (now !== undefined) return now !== null;
    // A name the session did not touch is as the user has it; more bytes than this has no such name.
    return (await workspace.readBase(path, 1024 * 1024).catch(() => null)) !== null;
  };
  const look = async (folder: string): Promise<boolean> => {
    const at = (name: string): string => (folder === "" ? name : `${folder}/${name}`);
    if (!(await has(at("HEAD")))) return false;
    return (await has(at("commondir"))) || ((await has(at("objects"))) && (await has(at("refs"))));
  };
  return {
    isRepository: async (folder: string): Promise<boolean> => {
      const answer = known.get(folder) ?? (known.size >= MOST_FOLDERS ? true : await look(folder));
      if (known.size < MOST_FOLDERS) known.set(folder, answer);
      return answer;
    },
  };
}
