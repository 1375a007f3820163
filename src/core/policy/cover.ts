// Does one matcher match everything another does? Says yes only where that is certain; for lint and for comparing policies.

import { assertNever } from "../shared/index.js";
import type { Matcher } from "./rule.js";

/** Tells whether `wide` surely matches all that `narrow` does. */
export function covers(wide: Matcher, narrow: Matcher): boolean {
  if (wide.on !== narrow.on) return false;
  switch (wide.on) {
    case "opaque":
      return true;
    case "file": {
      if (narrow.on !== "file" || wide.outside || wide.whole || wide.recursive !== null) return false;
      if (!narrow.operations.every((one) => wide.operations.includes(one))) return false;
      if (!within(wide.by, narrow.by) || !wide.notBy.every((one) => narrow.notBy.includes(one))) return false;
      return pathsWithin(wide.paths, narrow.paths) && wide.except.every((glob) => narrow.except.includes(glob));
    }
    case "content":
      return narrow.on === "content" && wide.where === narrow.where && wide.deliver === narrow.deliver && narrow.contains.every((one) => wide.contains.includes(one)) && pathsWithin(wide.paths, narrow.paths) && wide.except.every((glob) => narrow.except.includes(glob));
    case "exec": {
      if (narrow.on !== "exec" || (wide.known && !narrow.known)) return false;
      if (!within(wide.programs, narrow.programs) || !wide.withoutFlags.every((flag) => narrow.withoutFlags.includes(flag)) || !wide.unlessAlone.every((word) => narrow.unlessAlone.includes(word))) return false;
      const args = wide.args.length === 0 || (wide.args.length === narrow.args.length && wide.args.every((glob, index) => glob === narrow.args[index]));
      return args && within(wide.flags, narrow.flags);
    }
    case "connect":
      return narrow.on === "connect" && (!wide.known || narrow.known) && within(wide.hosts, narrow.hosts) && within(wide.urls, narrow.urls) && within(wide.by, narrow.by) && wide.except.every((one) => narrow.except.includes(one)) && wide.notBy.every((one) => narrow.notBy.includes(one));
    case "code":
      return narrow.on === "code" && within(wide.sources, narrow.sources) && within(wide.programs, narrow.programs) && within(wide.upstream, narrow.upstream) && within(wide.containing, narrow.containing);
    case "environment":
      return narrow.on === "environment" && within(wide.names, narrow.names) && within(wide.values, narrow.values);
    case "budget":
    case "sequence":
    case "refusals":
      return JSON.stringify(wide) === JSON.stringify(narrow);
    default:
      return assertNever(wide);
  }
}

/** An empty list is everything; otherwise each of `narrow` is one of `wide`. */
function within(wide: readonly string[], narrow: readonly string[]): boolean {
  return wide.length === 0 || (narrow.length > 0 && narrow.every((one) => wide.includes(one) || wide.includes("*")));
}

function pathsWithin(wide: readonly string[], narrow: readonly string[]): boolean {
  return wide.length === 0 || (narrow.length > 0 && narrow.every((glob) => wide.some((one) => globWithin(one, glob))));
}

/** Equal globs, or a plain folder with all below it over something that begins in it. */
function globWithin(wide: string, narrow: string): boolean {
  if (wide === narrow || wide === "/**" || wide === "**") return true;
  if (!wide.endsWith("/**")) return false;
  const folder = wide.slice(0, -3);
  if (/[*?[\]{}()\\]/.test(folder)) return false;
  return narrow === folder || narrow.startsWith(`${folder}/`);
}
