// Paths and globs as text: lexical normal form, and the folding under which deny and ask compare names.

/** A path made absolute from `cwd`, with `.`, `..`, doubled and trailing slashes resolved as text. `~` and `~/…` mean home. */
export function absolutePath(path: string, base: { readonly cwd: string; readonly home: string }): string {
  const expanded = path === "~" ? base.home : path.startsWith("~/") ? `${base.home}/${path.slice(2)}` : path;
  return normalisePath(expanded.startsWith("/") ? expanded : `${base.cwd}/${expanded}`);
}

/** Lexical normal form of an absolute path. */
export function normalisePath(path: string): string {
  const out: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part === "..") out.pop();
    else out.push(part);
  }
  return `/${out.join("/")}`;
}

/** Tells whether `path` is `folder` or lies below it; both normalised. */
export function isWithin(path: string, folder: string): boolean {
  return folder === "/" || path === folder || path.startsWith(`${folder}/`);
}

const INVISIBLE = /\p{Default_Ignorable_Code_Point}/gu;
const ASCII = /^[\x20-\x7e]*$/;

/** One spelling for every name a person or a case-insensitive file system may take for another. */
export function foldName(text: string): string {
  if (ASCII.test(text)) return text.toLowerCase();
  return text.normalize("NFKC").replace(INVISIBLE, "").toLowerCase();
}


/** The names between slashes, without empty ones. */
export function segmentsOf(path: string): readonly string[] {
  return path.split("/").filter((part) => part !== "");
}
