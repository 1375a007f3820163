// What a text may have of each thing whose parsing takes more than its share of time. Looked at before the parser, in one pass.

/** Deepest nesting of brackets handed to the parser. */
const MAX_BRACKETS = 150;
/** Most here-documents, and most `$[`, of one text; the parser's work grows with their square. */
const MAX_SEARCHED = 500;
/** Most `;`, `|` and `&`: a text of the longest length with more of them is commands of a few letters, more than are evaluated. */
const MAX_SEPARATORS = 6_000;
/** Most lines, which may be the data of a here-document. */
const MAX_LINES = 25_000;
/** Most backquotes. */
const MAX_BACKQUOTES = 5_000;

/** Why a text is not parsed at all; null when it is. */
export function textProblem(text: string): string | null {
  let depth = 0;
  let deepest = 0;
  let separators = 0;
  let lines = 0;
  let backquotes = 0;
  for (let at = 0; at < text.length; at += 1) {
    switch (text.charCodeAt(at)) {
      case 0:
        return "text with a NUL";
      case 10:
        lines += 1;
        break;
      case 38: // &
      case 59: // ;
      case 124: // |
        separators += 1;
        break;
      case 40: // (
      case 123: // {
        depth += 1;
        if (depth > deepest) deepest = depth;
        break;
      case 41: // )
      case 125: // }
        if (depth > 0) depth -= 1;
        break;
      case 96: // `
        backquotes += 1;
        break;
      default:
    }
  }
  if (deepest > MAX_BRACKETS) return "nested deeper than the limit";
  if (separators > MAX_SEPARATORS || lines > MAX_LINES || backquotes > MAX_BACKQUOTES) return "more commands than the limit";
  if (countOf(text, "<<") > MAX_SEARCHED) return "more here-documents than the limit";
  return countOf(text, "$[") > MAX_SEARCHED ? "more arithmetic than the limit" : null;
}

function countOf(text: string, piece: string): number {
  let count = 0;
  for (let at = text.indexOf(piece); at >= 0; at = text.indexOf(piece, at + piece.length)) count += 1;
  return count;
}
