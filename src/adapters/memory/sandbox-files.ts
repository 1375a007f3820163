// File operations of the in-memory sandbox: the same answers as the runtime's file tool gives, on a tree in memory.
// Follows no link, as the real one.

import { isWorkspacePath, parentPath } from "../../core/reconcile/names.js";
import type { FileOp, FileOpResult, ReadResult } from "../../ports/sandbox.js";
import type { MemoryNode, MemoryTree } from "./workspace.js";

const LINK = "Too many levels of symbolic links";
const MISSING = "No such file or directory";

/** Reads a regular file; content is a copy. */
export function readNode(tree: MemoryTree, path: string, limitBytes: number): ReadResult {
  const blocked = blockedBy(tree, path);
  if (blocked !== null) return { ok: false, reason: blocked === LINK ? "link" : "refused", detail: blocked };
  const node = tree.get(path);
  if (node === null) return { ok: false, reason: "missing", detail: MISSING };
  if (node.kind === "symlink") return { ok: false, reason: "link", detail: "is a link" };
  if (node.kind !== "file") return { ok: false, reason: "not-a-file", detail: "is not a regular file" };
  const content = typeof node.content === "string" ? new TextEncoder().encode(node.content) : node.content.slice();
  if (content.length > limitBytes) return { ok: false, reason: "too-large", detail: "is larger than the limit" };
  return { ok: true, content, mode: node.mode ?? 0o644 };
}

/** Does one operation; null when done, else the reason. */
export function applyNode(tree: MemoryTree, op: FileOp): FileOpResult {
  const blocked = blockedBy(tree, op.path);
  if (blocked !== null) return blocked;
  const node = tree.get(op.path);
  switch (op.op) {
    case "write":
      if (node?.kind === "directory") return "is a folder";
      tree.set(op.path, { kind: "file", content: op.content.slice(), mode: op.mode & 0o777 });
      return null;
    case "mkdir":
      if (node !== null && node.kind !== "directory") return "exists and is not a folder";
      tree.set(op.path, { kind: "directory", mode: op.mode & 0o777 });
      return null;
    case "symlink":
      if (node?.kind === "directory") return "File exists";
      tree.set(op.path, { kind: "symlink", target: op.target });
      return null;
    case "chmod":
      return changeMode(tree, op.path, node, op.mode & 0o777);
    case "remove":
      tree.remove(op.path);
      return null;
  }
}

function changeMode(tree: MemoryTree, path: string, node: MemoryNode | null, mode: number): FileOpResult {
  if (node === null) return MISSING;
  if (node.kind === "symlink") return "is a link";
  tree.set(path, { ...node, mode });
  return null;
}

/** What stands in the way to a path: a bad name, a link, or something that is no folder; null when nothing does. */
function blockedBy(tree: MemoryTree, path: string): string | null {
  if (!isWorkspacePath(path)) return "Invalid argument";
  for (let parent = parentPath(path); parent !== ""; parent = parentPath(parent)) {
    const node = tree.get(parent);
    if (node?.kind === "symlink") return LINK;
    if (node !== null && node.kind !== "directory") return "a folder of the path is not a folder";
  }
  return null;
}
