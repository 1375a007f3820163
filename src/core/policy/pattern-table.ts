// File rules that a pattern can concern: what `match-path.ts` asks of a pattern and a glob, turned round into tables. Finds every rule
// whose glob meets the pattern, and some that do not.

import { asksFor, asksForTop, isLiteral } from "./glob-meet.js";
import { fixedPart, worksWide, type Places, type SubjectPath } from "./match-path.js";
import { createNameTable } from "./name-table.js";
import type { FileKey } from "./rule-key.js";

/** A table of things by the paths that they are about. */
export interface PatternTable<T> {
  /** @param keys undefined: it tells nothing of itself and is found by every pattern */
  readonly add: (keys: readonly FileKey[] | undefined, value: T) => void;
  readonly meeting: (pattern: SubjectPath) => Iterable<T>;
}

export function createPatternTable<T>(): PatternTable<T> {
  const always: T[] = [];
  // A pattern that works in a folder meets what lies in it: by each folder that holds the glob.
  const inFolder = new Map<string, Set<T>>();
  // One that asks for the top of a tree, or for a name in it, meets the tree: by the name of the top.
  const tops = createNameTable<T>();
  // Any other meets what has the last name it asks for.
  const lasts = createNameTable<T>();
  let places: Places | null = null;

  const addNames = (names: readonly string[], value: T): void => {
    let folder = "/";
    for (let length = 0; ; length += 1) {
      const there = inFolder.get(folder);
      if (there === undefined) inFolder.set(folder, new Set([value]));
      else there.add(value);
      const next = names[length];
      if (next === undefined || !isLiteral(next)) break;
      folder = length === 0 ? `/${next}` : `${folder}/${next}`;
    }
    if (names.at(-1) === "**") tops.add(names.at(-2) ?? "**", value);
    else lasts.add(names.at(-1) ?? "", value);
  };

  return {
    add: (keys, value) => {
      const forms = (keys ?? []).flatMap((key) => (key.meets ? (key.paths ?? []) : []).flatMap((glob) => glob.names()));
      const told = keys !== undefined && keys.every((key) => key.meets && key.paths !== null);
      if (!told || forms.some((names) => names.length === 0 || (names.length === 1 && names[0] === "**"))) {
        always.push(value);
        return;
      }
      places ??= keys[0]?.places ?? null;
      for (const names of forms) addNames(names, value);
    },
    meeting: (pattern) => {
      const found = new Set(always);
      const take = (values: Iterable<T>): void => {
        for (const value of values) found.add(value);
      };
      const names = pattern.foldedNames;
      if (places === null || !worksWide(pattern, places)) take(inFolder.get(fixedPart(names)) ?? []);
      for (const name of names) if (name !== "**") take(tops.meeting(name, (top) => asksForTop(name, top)));
      const last = names.at(-1);
      if (last !== undefined && last !== "**") take(lasts.meeting(last, (kept) => asksFor(last, kept)));
      return found;
    },
  };
}
