// The in-memory twin of the workspace: two trees of files, compared by the same rules as the real one. For tests of the
// engine; holds no disk, follows no link.

import type { Change, Entry } from "../../core/reconcile/change.js";
import { changeBetween, isSameEntry } from "../../core/reconcile/entries.js";
import { comparePaths, encodeName, isWorkspacePath, parentPath } from "../../core/reconcile/names.js";
import { GuardError, LIMITS, printable, type Hasher } from "../../core/shared/index.js";
import type { Workspace, WorkspaceProvider } from "../../ports/workspace.js";

/** One name of a tree. Missing modes are 0644 for files, 0755 for folders, 0777 for links. */
export type MemoryNode =
  | { readonly kind: "file"; readonly content: Uint8Array | string; readonly mode?: number }
  | { readonly kind: "directory"; readonly mode?: number }
  | { readonly kind: "symlink"; readonly target: string }
  | { readonly kind: "fifo" | "socket" | "device"; readonly mode?: number };

/** A tree as the agent sees it. Folders above a name are made as needed; nothing lies below what is no folder. */
export interface MemoryTree {
  set(path: string, node: MemoryNode): void;
  /** Removes a name and all below it. */
  remove(path: string): void;
  get(path: string): MemoryNode | null;
  paths(): readonly string[];
}

export interface MemoryWorkspace extends Workspace {
  /** The user's own files; tests may change them as the user would. */
  readonly base: MemoryTree;
  /** What the session sees; an agent's calls change it. */
  readonly view: MemoryTree;
}

export interface MemoryWorkspaceProvider extends WorkspaceProvider {
  /** The workspace of a session, with its trees; throws SESSION_NOT_FOUND. */
  workspaceOf(sessionId: string): MemoryWorkspace;
}

/** @param folders the user's folders by path, each a map of workspace path to node */
export function createMemoryWorkspaceProvider(options: {
  readonly folders: ReadonlyMap<string, ReadonlyMap<string, MemoryNode>>;
  readonly hasher: Hasher;
  readonly uid?: number;
  readonly gid?: number;
}): MemoryWorkspaceProvider {
  const sessions = new Map<string, MemoryWorkspace>();
  const workspaceOf = (sessionId: string): MemoryWorkspace => {
    const found = sessions.get(sessionId);
    if (found === undefined) throw new GuardError("SESSION_NOT_FOUND", `there is no workspace of \`${printable(sessionId)}\``);
    return found;
  };
  return {
    workspaceOf,
    create: async (sessionId, path) => {
      if (path === "/") throw new GuardError("WORKSPACE_REFUSED", "the workspace `/` is refused: it is the whole machine");
      const folder = options.folders.get(path);
      if (folder === undefined) throw new GuardError("WORKSPACE_NOT_FOUND", `the workspace \`${printable(path)}\` does not exist`);
      if (sessions.has(sessionId)) throw new GuardError("SESSION_BUSY", "the session already has a workspace");
      const made = createMemoryWorkspace({ path, nodes: folder, hasher: options.hasher, uid: options.uid ?? 1000, gid: options.gid ?? 1000 });
      sessions.set(sessionId, made);
      return made;
    },
    reopen: async (sessionId) => workspaceOf(sessionId),
    remove: async (sessionId) => {
      sessions.delete(sessionId);
    },
  };
}

function createMemoryWorkspace(options: {
  readonly path: string;
  readonly nodes: ReadonlyMap<string, MemoryNode>;
  readonly hasher: Hasher;
  readonly uid: number;
  readonly gid: number;
}): MemoryWorkspace {
  const { hasher, path } = options;
  const base = createTree(options.nodes);
  const view = createTree(options.nodes);
  /** The user's entries when the session first differed from them. */
  const touched = new Map<string, Entry | null>();
  let last: readonly Change[] = Object.freeze([]);

  const entryIn = (tree: MemoryTree, name: string): Entry | null => {
    const node = tree.get(name);
    return node === null ? null : entryOf(node, hasher);
  };
  const read = (tree: MemoryTree, name: string, limitBytes: number): { readonly content: Uint8Array; readonly entry: Entry } | null => {
    if (!isWorkspacePath(name)) throw new GuardError("USAGE_INVALID", `\`${printable(name)}\` is no path inside a workspace`);
    const node = tree.get(name);
    if (node === null) return null;
    const content = contentOf(node);
    if (content.length > limitBytes) throw new GuardError("WORKSPACE_LIMIT", `\`${printable(name)}\` is larger than ${limitBytes} bytes`);
    return { content, entry: entryOf(node, hasher) };
  };

  return {
    path,
    mount: { kind: "overlay", lower: [`${path}#protect`, path], upper: `${path}#upper`, work: `${path}#work` },
    uid: options.uid,
    gid: options.gid,
    base,
    view,
    changes: async (signal) => {
      if (signal.aborted) throw new GuardError("CANCELLED", "looking through the workspace was cancelled");
      const changes: Change[] = [];
      for (const name of new Set([...base.paths(), ...view.paths()])) {
        const change = changeBetween(name, touched.has(name) ? (touched.get(name) ?? null) : entryIn(base, name), entryIn(view, name));
        if (change !== null) changes.push(change);
      }
      if (changes.length > LIMITS.changes) throw new GuardError("WORKSPACE_LIMIT", `the session changed more than ${LIMITS.changes} names`);
      touched.clear();
      for (const change of changes) touched.set(change.path, change.before);
      changes.sort((a, b) => comparePaths(a.path, b.path));
      const same = changes.length === last.length && changes.every((change, index) => isSameChange(change, last[index]));
      if (!same) last = Object.freeze(changes);
      return last;
    },
    readBase: async (name, limitBytes) => read(base, name, limitBytes),
    readChanged: async (name, limitBytes) => read(view, name, limitBytes),
    openChanged: async (name) => {
      const found = read(view, name, Number.POSITIVE_INFINITY);
      if (found === null) return null;
      const content = view.get(name)?.kind === "file" ? found.content : new Uint8Array(0);
      const copy = (buffer: Uint8Array, position: number): number => {
        const piece = content.subarray(position, position + buffer.length);
        buffer.set(piece);
        return piece.length;
      };
      return { modifiedMs: null, bytes: content.length, hasHoles: false, read: copy, close: () => undefined };
    },
  };
}

function createTree(nodes: ReadonlyMap<string, MemoryNode>): MemoryTree {
  const names = new Map<string, MemoryNode>();
  const remove = (path: string): void => {
    for (const name of names.keys()) if (name === path || name.startsWith(`${path}/`)) names.delete(name);
  };
  const set = (path: string, node: MemoryNode): void => {
    if (!isWorkspacePath(path)) throw new GuardError("USAGE_INVALID", `\`${printable(path)}\` is no path inside a workspace`);
    for (let parent = parentPath(path); parent !== ""; parent = parentPath(parent)) {
      if (names.get(parent)?.kind === "directory") break;
      names.set(parent, { kind: "directory" });
    }
    if (node.kind !== "directory") remove(path);
    names.set(path, node);
  };
  for (const [path, node] of nodes) set(path, node);
  return { set, remove, get: (path) => names.get(path) ?? null, paths: () => [...names.keys()] };
}

function contentOf(node: MemoryNode): Uint8Array {
  if (node.kind === "symlink") return encodeName(node.target);
  if (node.kind !== "file") return new Uint8Array(0);
  return typeof node.content === "string" ? new TextEncoder().encode(node.content) : node.content;
}

function entryOf(node: MemoryNode, hasher: Hasher): Entry {
  const content = contentOf(node);
  switch (node.kind) {
    case "file":
      return { kind: "file", mode: node.mode ?? 0o644, bytes: content.length, digest: content.length > LIMITS.digestBytes ? null : hasher(content), target: null };
    case "symlink":
      return { kind: "symlink", mode: 0o777, bytes: content.length, digest: hasher(content), target: node.target };
    case "directory":
      return { kind: "directory", mode: node.mode ?? 0o755, bytes: 0, digest: null, target: null };
    case "fifo":
    case "socket":
    case "device":
      return { kind: node.kind, mode: node.mode ?? 0o644, bytes: 0, digest: null, target: null };
  }
}

function isSameChange(a: Change, b: Change | undefined): boolean {
  return b !== undefined && a.path === b.path && a.operation === b.operation && isSameEntry(a.before, b.before) && isSameEntry(a.after, b.after);
}
