// Path globs. Deny and ask compare folded names and take in what could be meant; allow compares exact names and takes in only
// what is certain.

import type { FileEffect } from "../action/effects.js";
import { baseName, isInside } from "../action/paths.js";
import { LIMITS } from "../shared/index.js";
import { asksFor, escapeName, globCovers, globsMeet, isLiteral, reachesInto } from "./glob-meet.js";
import { expandBraces, pathTest } from "./match-path-test.js";
import { foldName, isAscii, segmentsOf } from "./paths.js";

/** What relative globs stand on. */
export interface Places {
  readonly root: string;
  readonly home: string;
}

/** A file effect prepared once for many rules. */
export interface SubjectPath {
  readonly path: string;
  readonly pattern: boolean;
  readonly tree: boolean;
  /** The effect reads and changes nothing. */
  readonly looking: boolean;
  /** Folded name of the program that does it. */
  readonly by: string;
  /** The folder that a pattern spells out before its first wildcard; the path itself when it is exact. */
  readonly fixed: string;
  /** Spellings under which deny and ask compare. */
  readonly folded: readonly string[];
  /** Folded names as globs. */
  readonly foldedNames: readonly string[];
  /** Names as globs, letter case kept. */
  readonly names: readonly string[];
}

/** A compiled glob. */
export interface PathGlob {
  /** Could the subject be a file the glob names? */
  readonly hits: (subject: SubjectPath) => boolean;
  /** Is the subject a folder above something the glob names, by names the glob spells out? */
  readonly hitsBelow: (subject: SubjectPath) => boolean;
  /** Does the glob name all that the subject can be? */
  readonly covers: (subject: SubjectPath) => boolean;
  /** The names of each form the glob stands for, folded. */
  readonly names: () => readonly (readonly string[])[];
  /** The folders that `hitsBelow` looks for, folded; each ends in a name spelt out. */
  readonly above: () => readonly (readonly string[])[];
}

/** Prepares a file effect; what only patterns and trees need is made when it is asked for. */
export function subjectOf(effect: FileEffect): SubjectPath {
  return new PreparedPath(effect);
}

class PreparedPath implements SubjectPath {
  readonly path: string;
  readonly pattern: boolean;
  readonly tree: boolean;
  readonly looking: boolean;
  readonly by: string;
  readonly fixed: string;
  readonly folded: readonly string[];
  private ownNames: readonly string[] | null = null;
  private ownFoldedNames: readonly string[] | null = null;

  constructor({ path, certainty, recursive, operation, by }: FileEffect) {
    const folded = foldName(path);
    const lower = isAscii(path) ? folded : path.normalize("NFC").toLowerCase();
    this.path = path;
    this.pattern = certainty === "pattern";
    this.tree = recursive;
    this.looking = operation === "read";
    this.by = foldName(by);
    this.fixed = this.pattern ? fixedPart(segmentsOf(path)) : path;
    this.folded = folded === lower ? [folded] : [folded, lower];
  }

  get foldedNames(): readonly string[] {
    return (this.ownFoldedNames ??= this.asGlobs(this.folded[0] ?? ""));
  }

  get names(): readonly string[] {
    return (this.ownNames ??= this.asGlobs(this.path));
  }

  private asGlobs(path: string): readonly string[] {
    return this.pattern ? segmentsOf(path) : segmentsOf(path).map(escapeName);
  }
}

/** Why a glob cannot be used, with a hint; null when it can. */
export function globProblem(glob: string): { readonly message: string; readonly hint: string } | null {
  if (glob.trim() !== glob || glob === "") return { message: "is empty or has blanks at its ends", hint: "quote it without the blanks" };
  if (!/^(\/|~$|~\/|\.$|\.\/|\*\*\/|\*\*$)/.test(glob)) {
    return { message: "has no anchor", hint: `write \`./${glob.replace(/^\.\.\//, "")}\` for the workspace, \`~/…\` for the home folder, \`/…\` for an absolute path or \`**/…\` for anywhere` };
  }
  const names = glob.split("/");
  if (names.includes("..") || names.slice(1).includes(".")) return { message: "has a `.` or `..` inside, which no normalised path has", hint: "write the path without them" };
  if (glob.length > 1 && glob.endsWith("/")) return { message: "ends in a slash, which no normalised path does", hint: `write \`${glob.slice(0, -1)}\` for the folder and \`${glob}**\` for the folder with all below it` };
  if (/\*\*[^/]|[^/]\*\*/.test(glob.replace(/\{|\}|,/g, "/"))) return { message: "has `**` inside a name, where it means only `*`", hint: "set `**` between slashes" };
  if (/\[\[:(upper|lower):\]/i.test(glob)) return { message: "tells letter case apart, which deny and ask rules cannot", hint: "use `[[:alpha:]]`" };
  if (/[\p{Cc}\p{Default_Ignorable_Code_Point}]/u.test(glob)) return { message: "has an invisible or control character", hint: "type the pattern again" };
  if (unbalanced(glob)) return { message: "has an unclosed bracket or brace", hint: "close it, or write `\\\\` before it to mean the character itself" };
  if (expandBraces(glob).length >= LIMITS.globBraces) return { message: `expands to ${String(LIMITS.globBraces)} patterns or more`, hint: "split it into several patterns" };
  return null;
}

function unbalanced(glob: string): boolean {
  let braces = 0;
  for (let at = 0; at < glob.length; at += 1) {
    const char = glob[at];
    if (char === "\\") at += 1;
    else if (char === "[") {
      const close = glob.indexOf("]", at + 2);
      if (close < 0) return true;
      at = close;
    } else if (char === "{") braces += 1;
    else if (char === "}") braces -= 1;
    if (braces < 0) return true;
  }
  return braces !== 0;
}

/** A folder as a glob that means only itself. */
function asGlob(folder: string): string {
  return `/${segmentsOf(folder).map(escapeName).join("/")}`;
}

/** A glob as absolute globs, braces expanded; `x/**` names `x` too. */
export function expandGlob(glob: string, places: Places): readonly string[] {
  const absolute =
    glob === "." ? asGlob(places.root) : glob === "~" ? asGlob(places.home) : glob.startsWith("./") ? `${asGlob(places.root)}/${glob.slice(2)}` : glob.startsWith("~/") ? `${asGlob(places.home)}/${glob.slice(2)}` : glob.startsWith("/") ? glob : `/${glob}`;
  const out: string[] = [];
  for (const one of expandBraces(absolute.replace(/\/+/g, "/"))) {
    out.push(one);
    if (one.endsWith("/**") && one.length > 3) out.push(one.slice(0, -3));
  }
  return out;
}

/** Compiles a glob that passed `globProblem`, for one place of the workspace. Its parts are made when they are asked for. */
export function compileGlob(glob: string, places: Places): PathGlob {
  return new CompiledGlob(glob, places);
}

type PathTests = readonly ((path: string) => boolean)[];

class CompiledGlob implements PathGlob {
  private expanded: readonly string[] | null = null;
  private folded: readonly (readonly string[])[] | null = null;
  private folders: readonly (readonly string[])[] | null = null;
  private foldedTests: PathTests | null = null;
  private exactTests: PathTests | null = null;
  private treeTests: PathTests | null = null;

  private readonly glob: string;
  private readonly places: Places;

  constructor(glob: string, places: Places) {
    this.glob = glob;
    this.places = places;
  }

  /** The forms it stands for, letter case kept. */
  private alternatives(): readonly string[] {
    return (this.expanded ??= expandGlob(this.glob, this.places));
  }

  /** It names everything. */
  private open(): boolean {
    return this.alternatives().includes("/**");
  }

  names(): readonly (readonly string[])[] {
    return (this.folded ??= this.alternatives().map((one) => segmentsOf(foldName(one))));
  }

  above(): readonly (readonly string[])[] {
    return (this.folders ??= this.names().flatMap((one) => one.slice(0, -1).flatMap((name, index) => (isLiteral(name) ? [one.slice(0, index + 1)] : []))));
  }

  hits(subject: SubjectPath): boolean {
    if (this.open()) return true;
    if (subject.pattern) return this.names().some((one) => patternMeets(subject, one, this.places));
    this.foldedTests ??= this.alternatives().map((one) => pathTest(foldName(one)));
    return this.foldedTests.some((test) => subject.folded.some(test));
  }

  hitsBelow(subject: SubjectPath): boolean {
    if (subject.pattern) return subject.foldedNames.length === 0 || this.above().some((one) => patternHolds(subject, one));
    const last = baseName(subject.folded[0] ?? "");
    return last === "" || this.above().some((one) => one.at(-1) === last && patternHolds(subject, one));
  }

  covers(subject: SubjectPath): boolean {
    if (this.open()) return true;
    if (subject.pattern) return this.alternatives().some((one) => globCovers(segmentsOf(one), subject.names, subject.tree));
    if (!subject.tree) return (this.exactTests ??= this.alternatives().map(pathTest)).some((test) => test(subject.path));
    // What these match lies in a tree that the glob names to its end, and so does all below it.
    this.treeTests ??= this.alternatives().flatMap((one) => (one.endsWith("/**") ? [one, one.slice(0, -3)] : [])).map(pathTest);
    return this.treeTests.some((test) => test(subject.path));
  }
}

/**
 * Could a pattern mean a file that the rule's glob names? It does where it works in a folder that holds the protected thing
 * (`.git/*`, `.github/work?lows/x`). A pattern over the whole workspace, or against a rule for any folder, does when what it
 * asks for is what the rule protects (`**` + `id_rsa`, `.env*`): otherwise every `find` and every `cp … dir/` would count as
 * touching each protected name, which mounts, masks and reconciliation hold anyway.
 */
function patternMeets(subject: SubjectPath, rule: readonly string[], places: Places): boolean {
  if (!globsMeet(subject.foldedNames, rule)) return false;
  if (!worksWide(subject, places) && isInside(fixedPart(rule), fixedPart(subject.foldedNames))) return true;
  if (rule.at(-1) === "**") return reachesInto(subject.foldedNames, rule.slice(0, -1));
  return asksFor(subject.foldedNames.at(-1) ?? "**", rule.at(-1) ?? "");
}

/** Tells whether a pattern works in the whole workspace, or looks in the whole home folder. */
export function worksWide(subject: SubjectPath, places: Places): boolean {
  return isInside(places.root, subject.fixed) || (subject.looking && isInside(places.home, subject.fixed));
}

/** Could a pattern mean a folder above something protected? `folder` is that folder, spelt out at its end. */
function patternHolds(subject: SubjectPath, folder: readonly string[]): boolean {
  const names = subject.foldedNames.at(-1) === "**" ? subject.foldedNames.slice(0, -1) : subject.foldedNames;
  return globsMeet(names, folder) && (!names.includes("**") || asksFor(names.at(-1) ?? "**", folder.at(-1) ?? ""));
}

/** The folder that names spell out before their first wildcard. */
export function fixedPart(names: readonly string[]): string {
  const end = names.findIndex((name) => !isLiteral(name));
  return `/${(end < 0 ? names : names.slice(0, end)).join("/")}`;
}

/** Folders whose content is the agent's own business: everything else is outside. */
export function isOutside(subject: SubjectPath, places: Places): boolean {
  const inside = [places.root, "/tmp", "/var/tmp", ...(places.home === "/" ? [] : [places.home])];
  if (!subject.pattern) return !inside.some((folder) => isInside(subject.path, folder));
  return !inside.some((folder) => isInside(subject.fixed, folder));
}

/** Tells whether the subject takes in the whole of a folder that the glob names: the folder with its tree, or every name in it. */
export function takesWhole(subject: SubjectPath, glob: PathGlob): boolean {
  if (!subject.pattern) return subject.tree && glob.hits(subject);
  const last = subject.foldedNames.at(-1) ?? "";
  if (!/^[*.?]*\*[*.?]*$/.test(last)) return false;
  const parent = subject.foldedNames.slice(0, -1);
  const { pattern, tree, looking, by, fixed, folded, names } = subject;
  return glob.hits({ pattern, tree, looking, by, fixed, folded, foldedNames: parent, names: names.slice(0, -1), path: `/${parent.join("/")}` });
}
