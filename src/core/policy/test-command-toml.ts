// Lines of a pyproject.toml that test runners and task runners read. No parser: tables, keys, and values over several lines.

/** Tables of test runners, coverage tools and task runners. */
const TEST_TABLE = /^tool\s*\.\s*"?(?:pytest|coverage|tox|nox|nose|taskipy|poe|hatch|pdm|unittest|green|mutmut)\b/u;

/** The same as a dotted key, or inside `[tool]`. */
const TEST_KEY = /^(?:tool\s*\.\s*)?"?(?:pytest|coverage|tox|nox|nose|taskipy|poe|mutmut)"?\s*[.=]/u;

/** Each deciding line with the number of times it stands in its table, by table and line. */
export function tomlTestLines(text: string): ReadonlyMap<string, string> {
  const found = new Map<string, number>();
  let table = "";
  let decides = false;
  let value: OpenValue = CLOSED;
  for (const raw of text.split(/\r?\n/u)) {
    const line = raw.trim();
    const isInside = value.quote !== null || value.depth > 0;
    const header = isInside ? undefined : /^\[\[?\s*([^\]]+?)\s*\]\]?/u.exec(line)?.[1];
    if (header !== undefined) table = header;
    // A value that goes on over several lines belongs to the key it began with.
    if (!isInside) decides = TEST_TABLE.test(table) || TEST_KEY.test(line);
    if (header === undefined) value = afterLine(line, value);
    if (!decides || line === "" || (!isInside && line.startsWith("#"))) continue;
    const key = `${table}\n${line}`;
    found.set(key, (found.get(key) ?? 0) + 1);
  }
  return new Map([...found].map(([key, count]) => [key, String(count)]));
}

/** What is not closed at the end of a line: a string of three quotes, and brackets. */
interface OpenValue {
  readonly quote: string | null;
  readonly depth: number;
}

const CLOSED: OpenValue = { quote: null, depth: 0 };

function afterLine(line: string, before: OpenValue): OpenValue {
  let { quote, depth } = before;
  for (let at = 0; at < line.length; ) {
    const sign = line[at] ?? "";
    if (quote !== null) {
      if (quote.startsWith('"') && sign === "\\") at += 2;
      else if (line.startsWith(quote, at)) {
        at += quote.length;
        quote = null;
      } else at += 1;
      continue;
    }
    if (sign === "#") break;
    if (sign === '"' || sign === "'") {
      quote = line.startsWith(sign.repeat(3), at) ? sign.repeat(3) : sign;
      at += quote.length;
      continue;
    }
    if (sign === "[" || sign === "{") depth += 1;
    if (sign === "]" || sign === "}") depth = Math.max(0, depth - 1);
    at += 1;
  }
  // A string of one quote ends with its line.
  return { quote: quote?.length === 3 ? quote : null, depth };
}
