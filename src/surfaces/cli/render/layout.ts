// Text in columns: how wide it is, where it is cut, how it goes on in the next line. Takes printable text and colours it last.

/** A piece of a line, with the colour it gets. */
export interface Part {
  readonly text: string;
  readonly paint?: (text: string) => string;
}

/** Width of output that is no terminal. */
export const PIPE_COLUMNS = 100;

const NARROWEST = 60;
const WIDEST = 132;

/** Columns to lay out for. */
export function columnsOf(stream: { readonly isTTY?: boolean; readonly columns?: number }): number {
  if (stream.isTTY !== true || stream.columns === undefined || stream.columns === 0) return PIPE_COLUMNS;
  return Math.min(Math.max(stream.columns, NARROWEST), WIDEST);
}

/** East Asian wide signs and pictures take two columns, combining marks none. */
const WIDE = /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;
const MARK = /\p{M}/u;

/** Columns a text takes. */
export function textWidth(text: string): number {
  let width = 0;
  for (const sign of text) width += signWidth(sign);
  return width;
}

function signWidth(sign: string): number {
  const code = sign.codePointAt(0) ?? 0;
  if (code < 0x300) return 1;
  return WIDE.test(sign) ? 2 : MARK.test(sign) ? 0 : 1;
}

/** The text, cut with `…` where it is wider than `width`. */
export function cut(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  let taken = "";
  let used = 0;
  for (const sign of text) {
    used += signWidth(sign);
    if (used > width - 1) break;
    taken += sign;
  }
  return `${taken}…`;
}

/** The text with blanks up to `width`. */
export function pad(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - textWidth(text)));
}

/** Lines of at most `width` columns, broken at blanks; a word that is wider is cut in two. Colours never cross a line. */
export function wrap(parts: readonly Part[], width: number): readonly string[] {
  const lines: string[] = [];
  let done = "";
  let used = 0;
  for (const { text, paint = (plain: string) => plain } of parts) {
    let run = "";
    const put = (piece: string): void => {
      run += piece;
      used += textWidth(piece);
    };
    const flush = (): void => {
      // Blanks at the end are left bare, so that they can be cut off.
      const bare = run.trimEnd();
      done += (bare === "" ? "" : paint(bare)) + run.slice(bare.length);
      run = "";
    };
    const next = (): void => {
      flush();
      lines.push(done.trimEnd());
      done = "";
      used = 0;
    };
    for (const word of text.split(/(?<= )/u)) {
      const bare = word.trimEnd();
      if (used > 0 && used + textWidth(bare) > width) next();
      let rest = bare;
      while (textWidth(rest) > width) {
        const start = cut(rest, width).slice(0, -1);
        put(start);
        next();
        rest = rest.slice(start.length);
      }
      put(rest + (used + textWidth(rest) < width ? word.slice(bare.length) : ""));
    }
    flush();
  }
  if (done !== "") lines.push(done.trimEnd());
  return lines;
}

/** A colour sequence of ours; text of a session holds none, because it is printable by then. */
const COLOUR = /^\u001b\[[0-9;]*m/u;

/** A line with colours, broken at `width` columns; the colours go on in the next line. */
export function breakLine(line: string, width: number): readonly string[] {
  const lines: string[] = [];
  let done = "";
  let used = 0;
  for (let at = 0; at < line.length; ) {
    const colour = COLOUR.exec(line.slice(at, at + 16))?.[0];
    const sign = colour ?? String.fromCodePoint(line.codePointAt(at) ?? 32);
    const columns = colour === undefined ? textWidth(sign) : 0;
    if (used + columns > width) {
      lines.push(done);
      done = "";
      used = 0;
    }
    done += sign;
    used += columns;
    at += sign.length;
  }
  return [...lines, done];
}
