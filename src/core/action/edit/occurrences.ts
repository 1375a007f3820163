// Where a text occurs in another, in linear time whatever the two are: both are chosen by an agent, and the engine's own
// search can take minutes on periodic texts (Knuth, Morris and Pratt 1977).

/**
 * Start offsets of `search` in `text`, in rising order. Overlapping ones count: `aa` is in `aaa` twice.
 * @param search not empty
 * @param limit stops after so many
 */
export function occurrences(text: string, search: string, limit: number): readonly number[] {
  const found: number[] = [];
  if (search === "" || search.length > text.length) return found;
  const borders = bordersOf(search);
  let matched = 0;
  for (let at = 0; at < text.length && found.length < limit; at += 1) {
    const unit = text.charCodeAt(at);
    while (matched > 0 && search.charCodeAt(matched) !== unit) matched = borders[matched - 1] ?? 0;
    if (search.charCodeAt(matched) === unit) matched += 1;
    if (matched === search.length) {
      found.push(at - matched + 1);
      matched = borders[matched - 1] ?? 0;
    }
  }
  return found;
}

/** For each prefix of the text, the length of its longest proper prefix that is also its suffix. */
function bordersOf(text: string): Int32Array {
  const borders = new Int32Array(text.length);
  let length = 0;
  for (let at = 1; at < text.length; at += 1) {
    while (length > 0 && text.charCodeAt(at) !== text.charCodeAt(length)) length = borders[length - 1] ?? 0;
    if (text.charCodeAt(at) === text.charCodeAt(length)) length += 1;
    borders[at] = length;
  }
  return borders;
}
