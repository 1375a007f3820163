// The user's files as they were when the session first touched them. What the user edits later must neither look like the
// agent's doing nor be overwritten unseen. Kept in memory and, line by line, in the session's folder for a later review.

import { appendFileSync, readFileSync } from "node:fs";
import type { Entry } from "../../core/reconcile/change.js";
import { GuardError } from "../../core/shared/index.js";
import { pathOfRaw, rawFromPath, type Raw } from "./raw-path.js";
import { errorCode } from "./system-error.js";

/** What was there before: an entry, or null for nothing. */
export interface BaseRecord {
  get(raw: Raw): Entry | null | undefined;
  put(raw: Raw, entry: Entry | null): void;
  /** Names below a folder of the user that the session hides as a whole; undefined until `setTree`. */
  tree(raw: Raw): readonly Raw[] | undefined;
  /** From now on exactly the recorded names below `raw` count as the user's. */
  setTree(raw: Raw, below: readonly Raw[]): void;
  /** Forgets every name that `keep` refuses: the session no longer touches it. */
  retain(keep: (raw: Raw) => boolean): void;
  /** Writes what is new. Throws STATE_UNUSABLE. */
  flush(): void;
}

interface Line {
  readonly p: string;
  /** Entry or null; absent in a forgetting line. */
  readonly e?: Entry | null;
  /** 1: everything below is recorded too. */
  readonly t?: 1;
  /** 1: forgotten. */
  readonly x?: 1;
}

/** Opens the record at `path`, which need not exist. A torn last line is left out. */
export function openBaseRecord(path: string): BaseRecord {
  const entries = new Map<Raw, Entry | null>();
  const roots = new Set<Raw>();
  for (const line of readLines(path)) {
    const raw = rawFromPath(line.p);
    if (line.x === 1) {
      entries.delete(raw);
      roots.delete(raw);
    }
    if (line.e !== undefined) entries.set(raw, line.e);
    if (line.t === 1) roots.add(raw);
  }
  const trees = rebuildTrees(entries, roots);
  let pending: Line[] = [];
  return {
    get: (raw) => entries.get(raw),
    put: (raw, entry) => {
      entries.set(raw, entry);
      pending.push({ p: pathOfRaw(raw), e: entry });
    },
    tree: (raw) => trees.get(raw),
    setTree: (raw, below) => {
      trees.set(raw, below);
      pending.push({ p: pathOfRaw(raw), t: 1 });
    },
    retain: (keep) => {
      for (const raw of entries.keys()) {
        if (keep(raw)) continue;
        entries.delete(raw);
        trees.delete(raw);
        pending.push({ p: pathOfRaw(raw), x: 1 });
      }
    },
    flush: () => {
      if (pending.length === 0) return;
      const text = pending.map((line) => `${JSON.stringify(line)}\n`).join("");
      pending = [];
      try {
        appendFileSync(path, text, { mode: 0o600 });
      } catch (error) {
        throw new GuardError("STATE_UNUSABLE", `cannot write the record of the workspace: ${errorCode(error)}`, { cause: error });
      }
    },
  };
}

function readLines(path: string): readonly Line[] {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if (errorCode(error) === "ENOENT") return [];
    throw new GuardError("STATE_UNUSABLE", `cannot read the record of the workspace: ${errorCode(error)}`, { cause: error });
  }
  const lines = text.split("\n");
  lines.pop();
  return lines.map((line) => JSON.parse(line) as Line);
}

function rebuildTrees(entries: ReadonlyMap<Raw, Entry | null>, roots: ReadonlySet<Raw>): Map<Raw, readonly Raw[]> {
  const trees = new Map<Raw, Raw[]>([...roots].map((root) => [root, []]));
  if (trees.size === 0) return trees;
  for (const [raw, entry] of entries) {
    if (entry === null) continue;
    for (let slash = raw.lastIndexOf("/"); slash > 0; slash = raw.lastIndexOf("/", slash - 1)) trees.get(raw.slice(0, slash))?.push(raw);
  }
  return trees;
}
