// Why a text to replace was not found, in words that help to correct it. Names places only, never the file's content.

import type { Issue } from "../../shared/index.js";

const MAX_PLACES = 10;

/** The issue for a search text that is nowhere in the file. Both texts have LF endings. */
export function notFound(current: string, search: string): Issue {
  return {
    code: "EDIT_NO_MATCH",
    message: "the text to replace is not in the file; nothing was changed",
    hint: nearest(current.split("\n"), search.split("\n")) ?? "view the file and copy the lines exactly, indentation included",
  };
}

/** The issue for a search text that is in the file more than once. `offsets` are places in `current`, at least two; `more`: there may be others. */
export function ambiguous(current: string, offsets: readonly number[], more: boolean): Issue {
  const lines: number[] = [];
  let line = 1;
  let from = 0;
  for (const offset of offsets.slice(0, MAX_PLACES)) {
    for (let at = current.indexOf("\n", from); at !== -1 && at < offset; at = current.indexOf("\n", at + 1)) {
      line += 1;
      from = at + 1;
    }
    lines.push(line);
  }
  const times = `${offsets.length}${more ? " or more" : ""}`;
  const rest = offsets.length > MAX_PLACES ? " and more" : "";
  return {
    code: "EDIT_AMBIGUOUS",
    message: `the text to replace is in the file ${times} times, at lines ${lines.join(", ")}${rest}; nothing was changed`,
    hint: "add the lines around it until it occurs once",
  };
}

function nearest(file: readonly string[], search: readonly string[]): string | null {
  const lead = search.findIndex((line) => line.trim() !== "");
  const wanted = search[lead];
  if (wanted === undefined) return null;
  if (search.at(-1) === "" && file.join("\n").endsWith(search.slice(0, -1).join("\n"))) {
    return "the file ends without a newline: leave it out of the text";
  }
  const trimmed = wanted.trim();
  const at = file.findIndex((line) => line.trim() === trimmed);
  if (at === -1) return null;
  for (let next = 0; lead + next < search.length; next += 1) {
    if (file[at + next] === search[lead + next]) continue;
    const kind = file[at + next]?.trim() === search[lead + next]?.trim() ? "differs in its white space" : "differs";
    return `the nearest place begins at line ${at + 1}; line ${at + next + 1} of the file ${kind}`;
  }
  return null;
}
