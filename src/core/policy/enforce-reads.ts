// Read rules that nothing could hold. A read cannot be undone: it holds by a mask or by absence, or it is an error at load.

import { isLiteral } from "./glob-meet.js";
import { expandGlob } from "./match-path.js";
import { segmentsOf } from "./paths.js";

/** Folders every image has, read by every program: names in them can be hidden one by one, not by a pattern. */
const SYSTEM = new Set(["bin", "boot", "etc", "lib", "lib32", "lib64", "libx32", "opt", "root", "sbin", "srv", "usr", "var"]);
/** Of those, what a sandbox never has from an image: folders in memory of its own. */
const ABSENT = /^\/var\/(run|tmp)(\/|$)/;
/** Where a sandbox has nothing of the user's, so that a rule about who reads it need not be held. */
const EMPTY = /^(~|\/root|\/home)(\/|$)/;

export interface Unenforceable {
  readonly message: string;
  readonly hint: string;
}

/** Why a read denied by path can be held nowhere; null when it can. @param glob one that passed `globProblem` */
export function readProblem(glob: string): Unenforceable | null {
  if (!glob.startsWith("/")) return null;
  for (const one of expandGlob(glob, { root: "/workspace", home: "/home/agent" })) {
    const path = one.endsWith("/**") ? one.slice(0, -3) : one;
    const [top] = segmentsOf(path);
    if (top === undefined || !SYSTEM.has(top) || ABSENT.test(path)) continue;
    if (!segmentsOf(path).every(isLiteral)) {
      return { message: `denies reading by a pattern in \`/${top}\`, which no mask can hold`, hint: "name each file or folder without wildcards" };
    }
  }
  return null;
}

/** Why a read rule with such conditions can be held nowhere; null when it can. */
export function conditionProblem(file: { readonly paths: readonly string[]; readonly outside: boolean; readonly conditional: boolean }): Unenforceable | null {
  if (file.outside) return { message: "denies reading whatever lies outside the workspace, which programs cannot run without", hint: "name the files that must not be read" };
  if (file.conditional && !file.paths.every((glob) => EMPTY.test(glob))) {
    return { message: "denies reading to some programs or in some ways only, and a mask is for all", hint: "leave out `by`, `recursive` and `whole`, or deny the program with `exec`" };
  }
  if (file.paths.length === 0) return { message: "denies reading any file, the system's too", hint: "write `paths: [\"./**\"]` for the files of the workspace" };
  return null;
}
