// The SEARCH/REPLACE blocks of a Kimi-Dev answer, read line by line. All of them are whole, or none is returned.

import { assertNever, err, LIMITS, ok, type Result } from "../../shared/index.js";
import type { Problem } from "./format-error.js";
import { closesFence, fenceOpening, type AnswerLine } from "./kimi-fences.js";
import { DIVIDER_MARKER, END_MARKER, markerOf, markerOutside, START_MARKER, type Marker } from "./kimi-markers.js";

/** One block as written; the sections are its lines. */
export interface Block {
  readonly path: string;
  readonly search: readonly string[];
  readonly replace: readonly string[];
  /** Number of the block in the answer, from 1. */
  readonly number: number;
  /** Line of its start marker in the answer. */
  readonly line: number;
  /** Number of the fenced block it stands in, from 1. */
  readonly fence: number;
}

/** Where the reader is: between fences, in one between edits, or in one of the two sections of an edit. */
type Place = "prose" | "fence" | "search" | "replace";

interface Reader {
  place: Place;
  ticks: number;
  fences: number;
  fenceLine: number;
  /** The path that a block here gets, or null when none was given in this fence. */
  header: string | null;
  /** Text stands between the last header and this line: it is no longer clear what the header is for. */
  headerIsStale: boolean;
  search: string[];
  replace: string[];
  startLine: number;
  readonly blocks: Block[];
}

/**
 * Reads every block. A header serves all blocks after it in the same fence. Text between blocks and around fences is
 * skipped; a marker there, a marker inside a section, a section that is cut, and a fence that is not closed are problems.
 */
export function readBlocks(lines: readonly AnswerLine[]): Result<readonly Block[], Problem> {
  const reader: Reader = {
    place: "prose", ticks: 0, fences: 0, fenceLine: 0, header: null, headerIsStale: false, search: [], replace: [], startLine: 0, blocks: [],
  };
  for (const line of lines) {
    const problem = step(reader, line);
    if (problem !== null) return err(problem);
    if (reader.blocks.length > LIMITS.answerEdits) {
      return err({ code: "KIMI_TOO_MANY_EDITS", message: `the answer has more than ${LIMITS.answerEdits} edits` });
    }
  }
  return atEnd(reader);
}

/** Paths named by headers that stand right above a start marker: what an answer wants to touch, however broken the rest. */
export function headerPaths(lines: readonly AnswerLine[]): readonly { readonly path: string; readonly line: number }[] {
  return lines.flatMap(({ text, number }, index) => {
    const path = headerOf(text);
    return path !== null && markerOutside(lines[index + 1]?.text ?? "")?.endsWith("start") === true ? [{ path, line: number }] : [];
  });
}

function step(reader: Reader, line: AnswerLine): Problem | null {
  switch (reader.place) {
    case "prose":
      return inProse(reader, line);
    case "fence":
      return inFence(reader, line);
    case "search":
    case "replace":
      return inSection(reader, line, reader.place);
    default:
      return assertNever(reader.place);
  }
}

function inProse(reader: Reader, { text, number }: AnswerLine): Problem | null {
  const ticks = fenceOpening(text);
  if (ticks > 0) {
    Object.assign(reader, { place: "fence", ticks, fences: reader.fences + 1, fenceLine: number, header: null, headerIsStale: false });
    return null;
  }
  const marker = markerOutside(text);
  // A line of equals signs underlines a heading in prose; only the other two can belong to nothing but an edit.
  if (marker === null || marker.endsWith("divider")) return null;
  return { code: "KIMI_NO_FENCE", message: "an edit marker stands outside a fenced block", answerLine: number };
}

function inFence(reader: Reader, { text, number }: AnswerLine): Problem | null {
  if (closesFence(text, reader.ticks)) {
    reader.place = "prose";
    return null;
  }
  if (fenceOpening(text) >= reader.ticks) {
    return { code: "KIMI_CUT", message: "a fenced block begins before the one above it is closed", answerLine: number };
  }
  const marker = markerOutside(text);
  if (marker === "start") return beginBlock(reader, number);
  if (marker !== null) return { ...strayMarker(marker), answerLine: number, block: reader.blocks.length + 1 };
  const path = headerOf(text);
  if (path !== null) {
    reader.header = path;
    reader.headerIsStale = false;
  } else if (text.trim() !== "" && reader.header !== null && reader.blocks.at(-1)?.path !== reader.header) {
    reader.headerIsStale = true;
  }
  return null;
}

function beginBlock(reader: Reader, number: number): Problem | null {
  const block = reader.blocks.length + 1;
  if (reader.header === null) {
    return { code: "KIMI_NO_HEADER", message: "there is no line `### path/to/file` above the edit", answerLine: number, block };
  }
  if (reader.headerIsStale) {
    return { code: "KIMI_NO_HEADER", message: "other text stands between the line `### path/to/file` and the edit", answerLine: number, block };
  }
  Object.assign(reader, { place: "search", search: [], replace: [], startLine: number });
  return null;
}

function inSection(reader: Reader, { text, number }: AnswerLine, section: "search" | "replace"): Problem | null {
  const block = reader.blocks.length + 1;
  const marker = markerOf(text);
  if (closesFence(text, reader.ticks)) {
    return {
      code: "KIMI_CUT", message: `the fenced block ends inside the edit, before \`${section === "search" ? DIVIDER_MARKER : END_MARKER}\``,
      hint: "to edit a text that has fences of its own, use more backticks around the answer", answerLine: number, block,
    };
  }
  if (marker === null) {
    reader[section].push(text);
    return null;
  }
  if (section === "search" && marker === "divider") {
    reader.place = "replace";
    return null;
  }
  if (section === "replace" && marker === "end") {
    const { header, search, replace, startLine, fences } = reader;
    reader.blocks.push({ path: header ?? "", search, replace, number: block, line: startLine, fence: fences });
    reader.place = "fence";
    return null;
  }
  return { ...markerInside(marker, section), answerLine: number, block };
}

function atEnd(reader: Reader): Result<readonly Block[], Problem> {
  switch (reader.place) {
    case "prose":
      if (reader.fences === 0) return err({ code: "KIMI_NO_FENCE", message: "there is no fenced block in the answer" });
      return reader.blocks.length === 0 ? err({ code: "KIMI_NO_EDIT", message: "there is no SEARCH/REPLACE edit in the answer" }) : ok(reader.blocks);
    case "fence":
      return err({ code: "KIMI_CUT", message: "the fenced block is not closed", answerLine: reader.fenceLine });
    case "search":
    case "replace": {
      const missing = reader.place === "search" ? DIVIDER_MARKER : END_MARKER;
      return err({ code: "KIMI_CUT", message: `the answer stops inside the edit: \`${missing}\` is missing`, answerLine: reader.startLine, block: reader.blocks.length + 1 });
    }
    default:
      return assertNever(reader.place);
  }
}

function headerOf(line: string): string | null {
  if (!line.startsWith("### ")) return null;
  const path = line.slice(4).trim();
  return path === "" ? null : path;
}

function strayMarker(marker: NonNullable<Marker>): Problem {
  const name = marker.startsWith("near-") ? `a line that is almost \`${exact(marker)}\`` : `\`${exact(marker)}\``;
  return { code: "KIMI_MARKER", message: `${name} stands where no edit is open`, hint: `an edit begins with \`${START_MARKER}\`, exactly so` };
}

function markerInside(marker: NonNullable<Marker>, section: "search" | "replace"): Problem {
  const name = marker.startsWith("near-") ? `a line that is almost \`${exact(marker)}\`` : `a line \`${exact(marker)}\``;
  const missing = section === "search" ? DIVIDER_MARKER : END_MARKER;
  return {
    code: "KIMI_MARKER",
    message: `${name} stands inside the ${section === "search" ? "SEARCH" : "REPLACE"} part, where only text or \`${missing}\` may follow`,
    hint: "each marker line has exactly seven signs and stands once in an edit; text cannot contain one",
  };
}

function exact(marker: NonNullable<Marker>): string {
  if (marker.endsWith("start")) return START_MARKER;
  return marker.endsWith("end") ? END_MARKER : DIVIDER_MARKER;
}
