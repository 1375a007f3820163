// Lexical algebra of absolute POSIX paths inside the sandbox. It never looks at a file system; links are the sandbox's matter.

/** Longest path accepted, in characters; Linux refuses longer ones itself. */
const MAX_PATH = 4096;

/**
 * Makes a path absolute and free of `.`, `..`, repeated and trailing slashes. `/proc/<any>/root` means `/`,
 * `/proc/self/cwd` means `cwd`.
 * @param cwd absolute folder that a relative path starts from
 * @returns null for an empty path, one with a NUL, or one longer than Linux takes
 */
export function normalisePath(path: string, cwd: string): string | null {
  if (path === "" || path.length > MAX_PATH || path.includes("\0")) return null;
  if (isPlain(path)) return path;
  const out: string[] = [];
  if (path.charCodeAt(0) !== 47) walk(cwd, out, "/");
  walk(path, out, cwd);
  return `/${out.join("/")}`;
}

function isPlain(path: string): boolean {
  return (
    path.charCodeAt(0) === 47 &&
    path.length > 1 &&
    path.charCodeAt(path.length - 1) !== 47 &&
    !path.includes("/.") &&
    !path.includes("//") &&
    !path.startsWith("/proc/")
  );
}

function walk(path: string, out: string[], cwd: string): void {
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part === "..") out.pop();
    else out.push(part);
    if (out[0] === "proc" && out.length >= 3) collapseProc(out, cwd);
  }
}

/** `/proc/self/root`, `/proc/12/task/3/root`: magic links to the root or the working directory. */
function collapseProc(out: string[], cwd: string): void {
  const last = out[out.length - 1];
  const isLink = out.length === 3 || (out.length === 5 && out[2] === "task");
  if (!isLink) return;
  if (last === "root") {
    out.length = 0;
  } else if (last === "cwd" && (out[1] === "self" || out[1] === "thread-self")) {
    out.length = 0;
    for (const part of cwd.split("/")) if (part !== "") out.push(part);
  }
}

/** Tells whether `path` is `root` or lies below it. Both are normalised absolute paths. */
export function isInside(path: string, root: string): boolean {
  if (root === "/") return path.charCodeAt(0) === 47;
  return path === root || (path.startsWith(root) && path.charCodeAt(root.length) === 47);
}

/** The part of `path` below `root`, without a leading slash; empty for the root itself, null when outside. */
export function relativeTo(path: string, root: string): string | null {
  if (!isInside(path, root)) return null;
  if (path === root) return "";
  return path.slice(root === "/" ? 1 : root.length + 1);
}

/** The last component of a path; trailing slashes do not count; empty for `/`. */
export function baseName(path: string): string {
  let end = path.length;
  while (end > 0 && path.charCodeAt(end - 1) === 47) end -= 1;
  return path.slice(path.lastIndexOf("/", end - 1) + 1, end);
}

/** Everything before the last component, as `dirname` prints it. */
export function parentOf(path: string): string {
  let end = path.length;
  while (end > 1 && path.charCodeAt(end - 1) === 47) end -= 1;
  const slash = path.lastIndexOf("/", end - 1);
  if (slash < 0) return ".";
  return slash === 0 ? "/" : path.slice(0, slash);
}

/** Joins a folder and a name with one slash. */
export function joinPath(folder: string, name: string): string {
  return folder.endsWith("/") ? folder + name : `${folder}/${name}`;
}
