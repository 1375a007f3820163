// Shell patterns inside parameter expansion (`${f%.c}`, `case`). Bounded work; unsupported forms answer null, never a guess.

/** Bracket expressions and extended patterns that are not escaped. */
const UNSUPPORTED = /(?:^|[^\\])[[(]/;
/** Most comparisons of one match. */
const MAX_WORK = 20_000;

/**
 * Tells whether a pattern of literals, `*`, `?` and `\x` matches a whole text.
 * @returns null when the pattern uses more than that, or the work is too much
 */
export function matchesPattern(text: string, pattern: string): boolean | null {
  if (UNSUPPORTED.test(pattern)) return null;
  if (text.length * pattern.length > MAX_WORK) return null;
  let at = 0;
  let p = 0;
  let star = -1;
  let mark = 0;
  while (at < text.length) {
    const c = pattern[p];
    if (c === "*") {
      star = p;
      mark = at;
      p += 1;
    } else if (c === "?" || (c === "\\" ? pattern[p + 1] === text[at] : c === text[at])) {
      p += c === "\\" ? 2 : 1;
      at += 1;
    } else if (star >= 0) {
      p = star + 1;
      mark += 1;
      at = mark;
    } else {
      return false;
    }
  }
  while (pattern[p] === "*") p += 1;
  return p >= pattern.length;
}

/** Removes the shortest or longest match from one end; null when that cannot be told. */
export function removeMatch(text: string, pattern: string, operator: "#" | "##" | "%" | "%%"): string | null {
  if (text.length > 512) return null;
  const prefix = operator[0] === "#";
  const longest = operator.length === 2;
  for (let i = 0; i <= text.length; i += 1) {
    const length = longest ? text.length - i : i;
    const piece = prefix ? text.slice(0, length) : text.slice(text.length - length);
    const hit = matchesPattern(piece, pattern);
    if (hit === null) return null;
    if (hit) return prefix ? text.slice(length) : text.slice(0, text.length - length);
  }
  return text;
}
