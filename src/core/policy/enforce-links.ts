// Links inside a workspace, resolved over a list of names as the kernel would inside the sandbox. Pure; reads no disk.

/** One name of the user's folder. */
export interface IndexedName {
  /** Relative to the workspace, in the text form of core/reconcile/names. */
  readonly path: string;
  readonly kind: "file" | "directory" | "symlink" | "other";
  /** Text of a link, else absent. */
  readonly target?: string;
}

/** The kernel's own limit on links in one resolution. */
const HOPS = 40;

/** Gives the name a link leads to in the end, inside the workspace; null when it leads elsewhere or nowhere. */
export function linkResolver(index: ReadonlyMap<string, IndexedName>, root: string): (path: string) => IndexedName | null {
  return (path) => {
    let hops = 0;
    const pending = path.split("/").reverse();
    const done: string[] = [];
    for (let part = pending.pop(); part !== undefined; part = pending.pop()) {
      if (part === "" || part === ".") continue;
      if (part === "..") {
        if (done.pop() === undefined) return null;
        continue;
      }
      const found = index.get([...done, part].join("/"));
      if (found === undefined) return null;
      if (found.kind !== "symlink") {
        done.push(part);
        continue;
      }
      hops += 1;
      const target = found.target ?? "";
      if (hops > HOPS || target === "") return null;
      if (!target.startsWith("/")) pending.push(...target.split("/").reverse());
      else if (target === root || target.startsWith(`${root}/`)) {
        done.length = 0;
        pending.push(...target.slice(root.length).split("/").reverse());
      } else return null;
    }
    return index.get(done.join("/")) ?? null;
  };
}
