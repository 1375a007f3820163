// Globs for what a program lists below the folders it is given.

import { escapeGlob, type Field } from "./value.js";

/** Globs for everything at or below some folders; the working directory when none is named. */
export function below(places: readonly Field[]): readonly string[] | null {
  if (places.length === 0) return ["**"];
  const out: string[] = [];
  for (const root of places) {
    const glob = root.text !== null ? escapeGlob(root.text) : root.glob;
    if (glob === null || out.length > 20) return null;
    if (root.text === "." || root.text === "./") out.push("**");
    else out.push(glob.endsWith("/") ? `${glob}**` : `${glob}/**`);
  }
  return out;
}
