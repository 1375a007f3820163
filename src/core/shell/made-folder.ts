// The folder that `mktemp -d` makes: its place is known, its name is not. While a shell stands in it, it goes by a name of its own here;
// effects tell of it as the pattern that it is.

import type { Field } from "./value.js";

/** What stands for the name that `mktemp` will choose: its own sign for it. */
const NAME = "tmp.XXXXXXXXXX";
const PLACES = ["/tmp/", "/var/tmp/"] as const;

/** The path to go by for a folder that a word names, when it is one that `mktemp` makes in a temporary folder, or lies below it; null for any other word. */
export function madeFolder(word: Field): string | null {
  const place = PLACES.find((one) => word.glob?.startsWith(`${one}tmp.*`) === true);
  const rest = place === undefined ? null : (word.glob ?? "").slice(place.length + "tmp.*".length);
  return place === undefined || rest === null || !/^(?:\/[\w./-]*)?$/.test(rest) ? null : `${place}${NAME}${rest}`;
}

/** A path in such a folder as the glob that covers it; null for any other path. */
export function globOfMade(path: string): string | null {
  for (const place of PLACES) if (path.startsWith(place) && path.startsWith(NAME, place.length)) return `${place}tmp.*${path.slice(place.length + NAME.length)}`;
  return null;
}
