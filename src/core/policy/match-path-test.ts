// One absolute glob against one exact path. The only place that uses minimatch, and only for forms that are no plain comparison.

import { braceExpand, Minimatch, type MinimatchOptions } from "minimatch";
import { LIMITS } from "../shared/index.js";

const OPTIONS: MinimatchOptions = { dot: true, nonegate: true, nocomment: true, platform: "linux", braceExpandMax: LIMITS.globBraces };

const SPECIAL = /[*?[\]{}()!+@|\\]/;

/** The globs that the braces of one glob mean, at most LIMITS.globBraces. */
export function expandBraces(glob: string): readonly string[] {
  return glob.includes("{") ? braceExpand(glob, OPTIONS) : [glob];
}

/** Tells whether a name or path matches a glob without braces. Made ready on the first question. */
export function pathTest(glob: string): (path: string) => boolean {
  return plainTest(glob) ?? wildTest(glob);
}

/** `/a`, `/a/**`, `/a/**` + `/b` and `/a/**` + `/b/**` of plain names are comparisons of texts; null for any other form. */
function plainTest(glob: string): ((path: string) => boolean) | null {
  if (!SPECIAL.test(glob)) return (path) => path === glob;
  const first = glob.indexOf("/**");
  if (first < 0 || SPECIAL.test(glob.slice(0, first))) return null;
  const lead = glob.slice(0, first + 1);
  const rest = glob.slice(first + 3);
  if (rest === "") return (path) => path.length > lead.length && path.startsWith(lead);
  const open = rest.endsWith("/**");
  const inner = open ? rest.slice(0, -2) : rest;
  if (!inner.startsWith("/") || inner.length < 2 || SPECIAL.test(inner)) return null;
  // The slash that ends the lead may be the one that begins the rest.
  if (open) return (path) => path.startsWith(lead) && path.includes(inner, lead.length - 1);
  return (path) => path.length >= lead.length + inner.length - 1 && path.startsWith(lead) && path.endsWith(inner);
}

/** What every path that matches begins and ends with is asked first: it is far cheaper than the glob. */
function wildTest(glob: string): (path: string) => boolean {
  const lead = glob.slice(0, glob.search(SPECIAL));
  const tail = /[^*?[\]{}()!+@|\\]*$/.exec(glob)?.[0] ?? "";
  let matcher: Minimatch | null = null;
  return (path) => path.startsWith(lead) && path.endsWith(tail) && (matcher ??= new Minimatch(glob, OPTIONS)).match(path);
}
