// Line endings: matching ignores whether a line ends in LF or CRLF, writing keeps what the file has. A lone CR is text.

/** The same text with every CRLF as LF. */
export function toLf(text: string): string {
  return text.includes("\r\n") ? text.replaceAll("\r\n", "\n") : text;
}

/** The ending that new lines of a file get: that of its first line, LF for a file without any. */
export function endingOf(text: string): "\n" | "\r\n" {
  const first = text.indexOf("\n");
  return first > 0 && text[first - 1] === "\r" ? "\r\n" : "\n";
}

/** Gives a text with LF or CRLF endings the one ending. */
export function withEnding(text: string, ending: "\n" | "\r\n"): string {
  const plain = toLf(text);
  return ending === "\n" ? plain : plain.replaceAll("\n", "\r\n");
}

/**
 * Offsets in `original` for offsets in `toLf(original)`, for offsets in rising order.
 * INVARIANT: a CRLF is one character of the LF form, so no offset ever points between its two characters.
 */
export function originalOffsets(original: string, lfOffsets: readonly number[]): readonly number[] {
  const found: number[] = [];
  let removed = 0;
  let nextPair = original.indexOf("\r\n");
  for (const offset of lfOffsets) {
    while (nextPair !== -1 && nextPair - removed < offset) {
      removed += 1;
      nextPair = original.indexOf("\r\n", nextPair + 2);
    }
    found.push(offset + removed);
  }
  return found;
}
