// Characters that a reader does not see or that turn the order of a text round, where they stand for no writing system's need.

/** One piece of a text, in UTF-16 units. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/**
 * Bidirectional controls, zero-width spaces and joiners of nothing, fillers that count as letters, tag characters, runs of variation
 * selectors. Joiners between letters of scripts that need them, and in emoji, are writing; between ASCII letters they are not. A
 * flag of tag characters after U+1F3F4 is an emoji; a byte order mark at the start is fine.
 */
const HIDDEN = new RegExp(
  [
    "[\\u061c\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069]",
    "[\\u200b\\u180e\\u2060-\\u2064\\u206a-\\u206f\\u115f\\u1160\\u3164\\uffa0]",
    "(?!^)\\ufeff",
    "(?<=[A-Za-z0-9_])[\\u200c\\u200d](?=[A-Za-z0-9_])",
    "(?<!\\u{1f3f4}[\\u{e0020}-\\u{e007e}]{0,8})[\\u{e0001}\\u{e0020}-\\u{e007f}]",
    "[\\ufe00-\\ufe0f\\u{e0100}-\\u{e01ef}]{2,}",
  ].join("|"),
  "gu",
);

/** Invisible characters that nobody types by chance: overriding of the reading order, tags, long runs of what has no width. */
const SMUGGLED = /[\u202a-\u202e\u2066-\u2069]|(?<!\u{1f3f4}[\u{e0020}-\u{e007e}]{0,8})[\u{e0001}\u{e0020}-\u{e007f}]+|[\u200b-\u200d\u2060-\u2064\ufeff]{4,}|[\ufe00-\ufe0f\u{e0100}-\u{e01ef}]{4,}/gu;

/** Where text is hidden in a text, in order; at most `most`. */
export function findSmuggled(text: string, most: number = 1_000): readonly Span[] {
  const spans: Span[] = [];
  for (const match of text.matchAll(SMUGGLED)) {
    if (spans.length >= most) break;
    spans.push({ start: match.index, end: match.index + match[0].length });
  }
  return spans;
}

/** Where hidden characters stand, in order; at most `most`. */
export function findHidden(text: string, most: number = 1_000): readonly Span[] {
  const spans: Span[] = [];
  for (const match of text.matchAll(HIDDEN)) {
    const last = spans.at(-1);
    if (last?.end === match.index) spans[spans.length - 1] = { start: last.start, end: match.index + match[0].length };
    else if (spans.length >= most) break;
    else spans.push({ start: match.index, end: match.index + match[0].length });
  }
  return spans;
}
