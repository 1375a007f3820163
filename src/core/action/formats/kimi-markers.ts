// The marker lines of a SEARCH/REPLACE edit. Exactly seven characters each; whatever only looks like one is told apart.

/** What one line is, read on its own. */
export type Marker = "start" | "divider" | "end" | "near-start" | "near-divider" | "near-end" | null;

export const START_MARKER = "<<<<<<< SEARCH";
export const DIVIDER_MARKER = "=======";
export const END_MARKER = ">>>>>>> REPLACE";

/**
 * Tells a marker line. A `near-` one is a marker with another number of signs or stray blanks, which other readers may
 * take for the real one. A line of equals signs of another length is no marker: text is underlined so.
 */
export function markerOf(line: string): Marker {
  if (line === START_MARKER) return "start";
  if (line === DIVIDER_MARKER) return "divider";
  if (line === END_MARKER) return "end";
  if (/^<{4,} *\t* *SEARCH\s*$/.test(line)) return "near-start";
  if (/^>{4,} *\t* *REPLACE\s*$/.test(line)) return "near-end";
  if (/^={7}\s+$/.test(line)) return "near-divider";
  return null;
}

/** Like `markerOf`, for a line where no text is expected: indented ones are near markers too. */
export function markerOutside(line: string): Marker {
  const marker = markerOf(line);
  if (marker !== null) return marker;
  const inner = markerOf(line.trim());
  if (inner === "start") return "near-start";
  if (inner === "end") return "near-end";
  return inner;
}
