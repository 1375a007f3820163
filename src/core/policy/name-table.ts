// Things kept under name globs, found by a name or a name glob that can mean the same. Finds all that can, and few that cannot.

import { isLiteral, namesMeet, shortest } from "./glob-meet.js";

/** Characters with which a glob that begins or ends so can begin or end with any. */
const OPENS = "*?[\\{+@!(";
const CLOSES = "*?]})\\";
const ANY = "";

/** A table of things by name glob. */
export interface NameTable<T> {
  readonly add: (glob: string, value: T) => void;
  /** Whatever is kept under this very glob. */
  readonly exactly: (glob: string) => readonly T[];
  /**
   * Whatever is kept under a glob that can name what this one can.
   * @param wanted asked of those that may; it says yes only where both can name one thing. Left out: whether they can
   */
  readonly meeting: (glob: string, wanted?: (kept: string) => boolean) => readonly T[];
}

export function createNameTable<T>(): NameTable<T> {
  const values = new Map<string, T[]>();
  // Globs by their first and by their last character: two that differ in either share no name.
  const byFirst = new Map<string, string[]>();
  const byLast = new Map<string, string[]>();
  const wild: string[] = [];
  const put = (map: Map<string, string[]>, key: string, glob: string): void => {
    const list = map.get(key);
    if (list === undefined) map.set(key, [glob]);
    else list.push(glob);
  };
  const first = (glob: string): string => (OPENS.includes(glob.charAt(0)) ? ANY : glob.charAt(0));
  const last = (glob: string): string => (CLOSES.includes(glob.charAt(glob.length - 1)) ? ANY : glob.charAt(glob.length - 1));
  const among = (glob: string): readonly string[] => {
    if (isLiteral(glob)) return values.has(glob) ? [glob, ...wild] : wild;
    if (first(glob) !== ANY) return [...(byFirst.get(first(glob)) ?? []), ...(byFirst.get(ANY) ?? [])];
    if (last(glob) !== ANY) return [...(byLast.get(last(glob)) ?? []), ...(byLast.get(ANY) ?? [])];
    return [...values.keys()];
  };
  return {
    add: (glob, value) => {
      const list = values.get(glob);
      if (list !== undefined) {
        if (list.at(-1) !== value) list.push(value);
        return;
      }
      values.set(glob, [value]);
      if (!isLiteral(glob)) wild.push(glob);
      put(byFirst, first(glob), glob);
      put(byLast, last(glob), glob);
    },
    exactly: (glob) => values.get(glob) ?? [],
    meeting: (glob, wanted = (one) => one === glob || namesMeet(one, glob)) => {
      const least = shortest(glob);
      const apart = (one: string): boolean => one !== glob && (least === null || (one.length < least && isLiteral(one)));
      return among(glob).flatMap((one) => (!apart(one) && wanted(one) ? (values.get(one) ?? []) : []));
    },
  };
}
