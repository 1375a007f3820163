// What a policy makes impossible in one workspace: names to hide, names to mount read-only, places to hold before they exist,
// and what no mount can hold. Pure: names come from whoever walked the folder; nothing is mounted here.

import { LIMITS } from "../shared/index.js";
import type { DecisionContext } from "./decision.js";
import { denyGuards, nameFilter, type DenyGuard, type NameFilter } from "./enforce-guards.js";
import { linkResolver, type IndexedName } from "./enforce-links.js";
import { FURTHER_PLACES, REPOSITORY_PLACES, WORKSPACE_PLACES, type Place } from "./enforce-places.js";
import { isLiteral } from "./glob-meet.js";
import { expandGlob } from "./match-path.js";
import type { PolicySet } from "./policy-set.js";

export type { IndexedName } from "./enforce-links.js";

/** A name and the rule for whose sake it is held. */
export interface HeldName {
  readonly path: string;
  readonly kind: IndexedName["kind"];
  readonly rule: string;
}

/** A place held before anything is there. */
export interface HeldPlace extends Place {
  readonly rule: string;
}

/** What only reconciliation holds, and why. */
export interface UnmountedName {
  readonly path: string;
  readonly rule: string;
  readonly why: string;
}

export interface EnforcementPlan {
  /** Names of the user's folder that do not exist for the agent; a folder with all below it. */
  readonly masked: readonly HeldName[];
  /** Literal secret names that are not there: hidden should the user make them while the session runs. */
  readonly premasked: readonly string[];
  /** Names of the user's folder that cannot be changed; a folder with all below it. */
  readonly readOnly: readonly HeldName[];
  readonly placeholders: readonly HeldPlace[];
  /** Folders above what is held. They stay writable and cannot be renamed away; sorted. */
  readonly ancestors: readonly string[];
  readonly reconciled: readonly UnmountedName[];
  /** Absolute paths outside the workspace that must not be readable where an image has them. */
  readonly hiddenOutside: readonly string[];
}

export interface EnforceInput {
  readonly policySet: PolicySet;
  readonly role: DecisionContext["role"];
  readonly root: string;
  readonly home: string;
  /** Every name of the user's folder, parents before what lies in them. */
  readonly names: readonly IndexedName[];
}

const PLACE_NAMES: ReadonlySet<string> = new Set([...WORKSPACE_PLACES, ...FURTHER_PLACES, ...REPOSITORY_PLACES].flatMap(({ path }) => path.split("/")));
/** Reconciled names listed; the rest is held all the same. */
const LISTED = 1_000;
/** Linked folders whose names are looked at under the name of the link too. */
const LINKS = 32;

/** Plans the enforcement of a policy for one role over the names that exist. Never throws for what a folder holds. */
export function planEnforcement(input: EnforceInput): EnforcementPlan {
  return enforcementPlanner(input).plan(input.names);
}

export interface PlanFilter extends NameFilter {
  /** Filters of one key, made by one build, tell the same of every name. */
  readonly key: string;
  /** A part of the path of a place that may be held. */
  readonly isPlace: (baseName: string) => boolean;
}

export interface EnforcementPlanner {
  /**
   * The names a plan is about: hot ones, all below a hot folder, and those that a place is made of. The plan is the same without plain
   * files that are none of these, as long as no link can lead to them or to a folder they lie in.
   */
  readonly filter: PlanFilter;
  readonly plan: (names: readonly IndexedName[]) => EnforcementPlan;
}

/** The same in two steps, for whoever walks a folder that holds many names. */
export function enforcementPlanner({ policySet, role, root, home }: Omit<EnforceInput, "names">): EnforcementPlanner {
  const guards = denyGuards(policySet, { role, root, home });
  const filter = nameFilter(guards, { root, home });
  return { filter: { ...filter, key: JSON.stringify([policySet.digest, role, root, home]), isPlace: (name) => PLACE_NAMES.has(name) }, plan: (names) => planOver({ root, home, names }, guards, filter) };
}

function planOver({ root, home, names }: Pick<EnforceInput, "root" | "home" | "names">, guards: readonly DenyGuard[], filter: NameFilter): EnforcementPlan {
  const places = { root, home };
  const readers = guards.filter((guard) => guard.reads);
  const changers = guards.filter((guard) => guard.changes);
  const partial = guards.filter((guard) => !guard.changes && guard.matcher.operations.some((operation) => operation !== "read"));
  const index = new Map(names.map((name) => [name.path, name]));
  const resolve = linkResolver(index, root);
  const masked = new Map<string, HeldName>();
  const readOnly = new Map<string, HeldName>();
  const reconciled: UnmountedName[] = [];
  const hot = new Set<string>();
  const gone = new Set<string>();
  const closed = new Set<string>();
  const repositories: string[] = [];
  const note = (path: string, rule: string, why: string): void => {
    if (reconciled.length < LISTED) reconciled.push({ path, rule, why });
  };

  for (const name of names) {
    const { path, kind } = name;
    const slash = path.lastIndexOf("/");
    const parent = slash < 0 ? "" : path.slice(0, slash);
    if (gone.has(parent)) {
      if (kind === "directory") gone.add(path);
      continue;
    }
    const isClosed = closed.has(parent);
    if (isClosed && kind === "directory") closed.add(path);
    if (kind === "directory" && path.slice(slash + 1) === ".git" && !isClosed) repositories.push(path);
    const isHot = filter.all || hot.has(parent) || filter.isHot(path.slice(slash + 1));
    if (!isHot) continue;
    if (kind === "directory") hot.add(path);
    const at = `${root}/${path}`;
    const reader = find(readers, at, kind);
    if (reader !== null) {
      masked.set(path, { path, kind, rule: reader.rule.id });
      if (kind === "directory") gone.add(path);
      const target = kind === "symlink" ? resolve(path) : null;
      if (target !== null && target.kind === "file") masked.set(target.path, { path: target.path, kind: "file", rule: reader.rule.id });
      continue;
    }
    if (isClosed) continue;
    const changer = find(changers, at, kind);
    if (changer !== null) {
      const rule = changer.rule.id;
      if (kind === "directory") closed.add(path);
      if (kind === "directory" || kind === "file") readOnly.set(path, { path, kind, rule });
      else {
        note(path, rule, kind === "symlink" ? "a mount would follow the link" : "no file and no folder");
        const target = kind === "symlink" ? resolve(path) : null;
        if (target !== null && (target.kind === "file" || target.kind === "directory")) readOnly.set(target.path, { path: target.path, kind: target.kind, rule });
      }
      continue;
    }
    const other = partial.find((guard) => guard.hits(at));
    if (other !== undefined) note(path, other.rule.id, "the rule denies only some changes");
  }

  for (const { path, guard, kind } of linkedNames(names, resolve, guards, root)) {
    const held = { path, kind, rule: guard.rule.id };
    if (guard.reads) masked.set(path, held);
    else if (guard.changes) readOnly.set(path, held);
  }

  const kept = dropCovered(readOnly, masked);
  const placeholders = plannedPlaces({ changers, index, root, repositories, readOnly: kept, masked, note });
  const { mounts, over } = withinLimit([...kept.values()], guards);
  for (const name of over) note(name.path, name.rule, "more names than mounts; reconciliation holds it");
  return {
    masked: [...masked.values()],
    premasked: premaskedNames(readers, index, root),
    readOnly: mounts,
    placeholders,
    ancestors: ancestorsOf([...mounts, ...placeholders].map((held) => held.path)),
    reconciled,
    hiddenOutside: outsideNames(readers, places),
  };
}

/** Names that a rule means by another name: through a link to their folder. */
function* linkedNames(names: readonly IndexedName[], resolve: (path: string) => IndexedName | null, guards: readonly DenyGuard[], root: string): Generator<{ readonly path: string; readonly kind: IndexedName["kind"]; readonly guard: DenyGuard }> {
  const links = names.flatMap((name) => {
    const target = name.kind === "symlink" ? resolve(name.path) : null;
    return target?.kind === "directory" ? [{ link: name.path, folder: target.path }] : [];
  });
  for (const { link, folder } of links.slice(0, LINKS)) {
    for (const { path, kind } of names) {
      if (!path.startsWith(`${folder}/`) || (kind !== "file" && kind !== "directory")) continue;
      const guard = find(guards, `${root}/${link}${path.slice(folder.length)}`, kind);
      if (guard !== null) yield { path, kind, guard };
    }
  }
}

/** The first guard that closes a name; for a folder one that closes everything in it. */
function find(guards: readonly DenyGuard[], at: string, kind: IndexedName["kind"]): DenyGuard | null {
  for (const guard of guards) {
    if (!guard.hits(at)) continue;
    if (kind !== "directory" || guard.hitsAllBelow(at)) return guard;
  }
  return null;
}

/** A read-only name below another, or hidden, needs no mount of its own. */
function dropCovered(readOnly: ReadonlyMap<string, HeldName>, masked: ReadonlyMap<string, HeldName>): ReadonlyMap<string, HeldName> {
  const out = new Map<string, HeldName>();
  for (const [path, held] of readOnly) {
    const above = parentsOf(path);
    if (masked.has(path) || above.some((one) => readOnly.has(one) || masked.has(one))) continue;
    out.set(path, held);
  }
  return out;
}

interface PlaceInput {
  readonly changers: readonly DenyGuard[];
  readonly index: ReadonlyMap<string, IndexedName>;
  readonly root: string;
  readonly repositories: readonly string[];
  readonly readOnly: ReadonlyMap<string, HeldName>;
  readonly masked: ReadonlyMap<string, HeldName>;
  readonly note: (path: string, rule: string, why: string) => void;
}

function plannedPlaces({ changers, index, root, repositories, readOnly, masked, note }: PlaceInput): readonly HeldPlace[] {
  const inRepositories = repositories.slice(0, LIMITS.protectRepositories).flatMap((git) => REPOSITORY_PLACES.map((place) => ({ ...place, path: `${git}/${place.path}` })));
  for (const git of repositories.slice(LIMITS.protectRepositories)) note(git, "enforce.repositories", "more repositories than are held before their hooks exist");
  const out: HeldPlace[] = [];
  const further = FURTHER_PLACES.filter(({ path }) => index.has(path.slice(0, path.indexOf("/"))));
  for (const place of [...WORKSPACE_PLACES, ...further, ...inRepositories]) {
    const { path } = place;
    if (index.has(path)) continue;
    const at = `${root}/${path}`;
    const guard = changers.find((one) => one.hits(at));
    if (guard === undefined) continue;
    const above = parentsOf(path);
    if (above.some((one) => readOnly.has(one))) continue;
    // A link or a file where a folder should be: the place would hide what the user has.
    if (above.some((one) => masked.has(one) || (index.get(one)?.kind ?? "directory") !== "directory")) note(path, guard.rule.id, "a name above it is no folder");
    else out.push({ ...place, rule: guard.rule.id });
  }
  return out;
}

/** The most important first: rules for everybody before those of a role, then what lies nearest to the top. */
function withinLimit(names: readonly HeldName[], guards: readonly DenyGuard[]): { readonly mounts: readonly HeldName[]; readonly over: readonly HeldName[] } {
  const special = new Set(guards.filter(({ rule }) => rule.roles.length > 0 || rule.notRoles.length > 0).map(({ rule }) => rule.id));
  const rank = (held: HeldName): number => (special.has(held.rule) ? 1_000 : 0) + held.path.split("/").length;
  const sorted = [...names].sort((a, b) => rank(a) - rank(b) || (a.path < b.path ? -1 : 1));
  return { mounts: sorted.slice(0, LIMITS.protectMounts), over: sorted.slice(LIMITS.protectMounts) };
}

/** Names a read rule spells out for any folder, at the top of the workspace, where there are none. */
function premaskedNames(readers: readonly DenyGuard[], index: ReadonlyMap<string, IndexedName>, root: string): readonly string[] {
  const out = new Set<string>();
  for (const { matcher } of readers) {
    for (const glob of matcher.paths.flatMap((one) => (one.startsWith("**/") || one.startsWith("./") ? expandGlob(one, { root: "", home: "" }) : []))) {
      const names = glob.split("/").filter((part) => part !== "" && part !== "**");
      const [name] = names;
      if (names.length !== 1 || name === undefined || !isLiteral(name) || glob.endsWith("/**") || index.has(name)) continue;
      out.add(name);
    }
  }
  return [...out].filter((name) => readers.some((guard) => guard.hits(`${root}/${name}`))).sort();
}

/** Literal absolute paths a read rule names; a whole folder for `x/**`. Places that a sandbox never has are left out. */
function outsideNames(readers: readonly DenyGuard[], places: { readonly root: string; readonly home: string }): readonly string[] {
  const out = new Set<string>();
  for (const { matcher } of readers) {
    for (const glob of matcher.paths.filter((one) => one.startsWith("/")).flatMap((one) => expandGlob(one, places))) {
      const path = glob.endsWith("/**") ? glob.slice(0, -3) : glob;
      if (!isLiteral(path) || isUnmaskable(path) || path === places.root || path.startsWith(`${places.root}/`)) continue;
      out.add(path);
    }
  }
  return [...out].sort();
}

/** Kernel interfaces have masks of the engine's own; masking them by name would take away what programs need. */
function isUnmaskable(path: string): boolean {
  return path === "" || /^\/(proc|sys|dev)(\/|$)/.test(path);
}

function parentsOf(path: string): readonly string[] {
  const out: string[] = [];
  for (let slash = path.lastIndexOf("/"); slash > 0; slash = path.lastIndexOf("/", slash - 1)) out.push(path.slice(0, slash));
  return out;
}

function ancestorsOf(paths: readonly string[]): readonly string[] {
  return [...new Set(paths.flatMap(parentsOf))].sort();
}
