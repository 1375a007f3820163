// Two globs against each other: could they name the same file (for deny and ask), does one cover the other (for allow).
// Errs on the side of "could meet" and "does not cover".

/** One element of a name glob. */
type Token = { readonly kind: "one"; readonly char: string } | { readonly kind: "any" } | { readonly kind: "run" };

const ANY: Token = { kind: "any" };
const RUN: Token = { kind: "run" };

/** Splits a name glob. Classes count as any character, extended globs and unclosed forms as any run. */
function tokensOf(name: string): readonly Token[] {
  const out: Token[] = [];
  for (let at = 0; at < name.length; at += 1) {
    const char = name[at] ?? "";
    if ("?*+@!".includes(char) && name[at + 1] === "(") return [...out, RUN];
    if (char === "\\" && at + 1 < name.length) {
      at += 1;
      out.push({ kind: "one", char: name[at] ?? "" });
    } else if (char === "*") {
      out.push(RUN);
    } else if (char === "?") {
      out.push(ANY);
    } else if (char === "[") {
      const close = name.indexOf("]", at + 2);
      if (close < 0) out.push({ kind: "one", char });
      else {
        out.push(ANY);
        at = close;
      }
    } else if (char === "{") {
      return [...out, RUN];
    } else {
      out.push({ kind: "one", char });
    }
  }
  return out;
}

const OPENS = "*?[\\{+@!(";
const CLOSES = "*?]})\\";

/** Tells from the first and the last characters alone that two globs share no name. Most pairs end here. */
function surelyApart(left: string, right: string): boolean {
  const [first, other] = [left[0] ?? "", right[0] ?? ""];
  if (first !== other && !OPENS.includes(first) && !OPENS.includes(other)) return true;
  const [last, end] = [left[left.length - 1] ?? "", right[right.length - 1] ?? ""];
  return last !== end && !CLOSES.includes(last) && !CLOSES.includes(end);
}

/** Tells whether two name globs can name the same thing. */
export function namesMeet(left: string, right: string): boolean {
  if (left === right || left === "*" || right === "*") return true;
  if (left !== "" && right !== "" && surelyApart(left, right)) return false;
  if (left !== "" && right !== "" && isLiteral(left) && isLiteral(right)) return false;
  const one = tokensOf(left);
  const two = tokensOf(right);
  if (leastOf(one) > MAX_NAME || leastOf(two) > MAX_NAME) return false;
  let row = startRow(two);
  for (const token of one) {
    const next: boolean[] = [token.kind === "run" && (row[0] ?? false)];
    for (let column = 1; column <= two.length; column += 1) {
      const other = two[column - 1] ?? RUN;
      const above = row[column] ?? false;
      const before = next[column - 1] ?? false;
      const diagonal = row[column - 1] ?? false;
      if (token.kind === "run" || other.kind === "run") next.push((token.kind === "run" && (above || before)) || (other.kind === "run" && (above || before)) || diagonal);
      else next.push(diagonal && (token.kind === "any" || other.kind === "any" || token.char === other.char));
    }
    row = next;
  }
  return row[two.length] ?? false;
}

/** Longest folded name a file can have: 255 bytes, each letter of two or three of which may be folded to as many as eighteen. */
const MAX_NAME = 1_600;

/** Characters of the shortest name that tokens can mean. */
function leastOf(tokens: readonly Token[]): number {
  let least = 0;
  for (const token of tokens) if (token.kind !== "run") least += 1;
  return least;
}

/** Characters of the shortest name that a name glob can mean; null when no file has a name that long. */
export function shortest(name: string): number | null {
  const least = leastOf(tokensOf(name));
  return least > MAX_NAME ? null : least;
}

/** What the empty left side meets. */
function startRow(two: readonly Token[]): readonly boolean[] {
  const row = [true];
  for (const token of two) row.push((row.at(-1) ?? false) && token.kind === "run");
  return row;
}

/** A shell's leading wildcard does not name dot files; the rule's own does. */
function segmentMeets(pattern: string, rule: string): boolean {
  if (/^[*?[]/.test(pattern) && rule.startsWith(".")) return false;
  return namesMeet(pattern, rule);
}

/**
 * Tells whether a pattern effect and a rule's glob could name the same file. `**` stands for any run of names on both
 * sides. Both are lists of names, folded alike.
 */
export function globsMeet(pattern: readonly string[], rule: readonly string[]): boolean {
  if (pattern.length > 0 && rule.length > 0 && (!endsMeet(pattern[0], rule[0]) || !endsMeet(pattern[pattern.length - 1], rule[rule.length - 1]))) return false;
  let row: readonly boolean[] = [true];
  for (let column = 0; column < rule.length; column += 1) row = [...row, (row[column] ?? false) && rule[column] === "**"];
  for (const name of pattern) {
    const wild = name === "**";
    const next: boolean[] = [wild && (row[0] ?? false)];
    for (let column = 1; column <= rule.length; column += 1) {
      const other = rule[column - 1] ?? "";
      const above = row[column] ?? false;
      const before = next[column - 1] ?? false;
      const diagonal = row[column - 1] ?? false;
      if (wild || other === "**") next.push(above || before || diagonal);
      else next.push(diagonal && segmentMeets(name, other));
    }
    row = next;
  }
  return row[rule.length] ?? false;
}

/** The names at one end of two globs: they must meet unless one stands for any run of names. */
function endsMeet(pattern: string = "**", rule: string = "**"): boolean {
  return pattern === "**" || rule === "**" || segmentMeets(pattern, rule);
}

/** Tells whether every name a wildcard can mean is one that a rule singles out. Understands equal globs and one `*` at an end. */
function nameCovered(name: string, rule: string): boolean {
  if (rule === "*" || rule === "**") return false;
  if (name === rule) return true;
  if (rule.endsWith("*") && isLiteral(rule.slice(0, -1))) return name.startsWith(rule.slice(0, -1));
  return rule.startsWith("*") && name.endsWith(rule.slice(1)) && isLiteral(rule.slice(1));
}

/** The characters a name glob begins with for sure. */
function leadOf(name: string): string {
  return /^[^*?[\]{}()\\]*/.exec(name.replace(/\[([a-z0-9._-])\]/g, "$1"))?.[0] ?? "";
}

/**
 * Tells whether who asks for these names asks for protected ones. A spelt-out name does when the rule names it. Wildcards do when
 * all they can mean is protected (`*.pem` and `*.pem`) or when both begin alike (`.env*` and `.env.*`), or when they leave but few letters open, not when some name might
 * be both (`*.pyc` and `id_*`, `*.json` and `credentials.json`).
 */
export function asksFor(name: string, rule: string): boolean {
  if (isLiteral(name)) return namesMeet(name, rule);
  return nameCovered(name, rule) || beginsAlike(name, rule, 2) || spellsOut(name, rule);
}

/** Tells whether a pattern leaves no more than half of a name's letters open, one by one or in a row: `.??v` and `.env`, `.*rc` and `.netrc`. */
function spellsOut(name: string, rule: string): boolean {
  if (/[{}()\\]/.test(name) || !isLiteral(rule)) return false;
  const letters = name.replace(/\[[^\]]*\]/g, "?");
  if (letters.includes("*")) return rule.length >= 4 && 2 * letters.replace(/[*?]/g, "").length >= rule.length && namesMeet(name, rule);
  return letters.length === rule.length && 2 * letters.replaceAll("?", "").length >= rule.length && namesMeet(name, rule);
}

/** A glob that begins so begins with no certain character. */
const NO_LEAD = "*?{}()]\\";

/** Tells whether both globs can mean one name and begin with the same characters, at least `least` of them. */
function beginsAlike(name: string, rule: string, least: number): boolean {
  const [first, other] = [name.charAt(0), rule.charAt(0)];
  if (NO_LEAD.includes(first) || NO_LEAD.includes(other) || (first !== other && first !== "[" && other !== "[")) return false;
  const lead = leadOf(name);
  const ruleLead = leadOf(rule);
  return lead.length >= least && ruleLead.length >= least && (lead.startsWith(ruleLead) || ruleLead.startsWith(lead)) && namesMeet(name, rule);
}

/** Tells whether a folder that the pattern asks for is the top of the tree or lies in it. */
export function reachesInto(pattern: readonly string[], tree: readonly string[]): boolean {
  const top = tree.at(-1) ?? "**";
  return pattern.some((name, index) => name !== "**" && asksForTop(name, top) && globsMeet(pattern.slice(0, index + 1), tree));
}

/** Tells whether who asks for this name may ask for the folder at the top of a tree. */
export function asksForTop(name: string, top: string): boolean {
  return asksFor(name, top) || beginsAlike(name, top, 1);
}

const MAGIC = /[*?[\]{}()\\]/;

/** Tells whether a name is itself, without wildcards. */
export function isLiteral(name: string): boolean {
  return !MAGIC.test(name);
}

/**
 * Tells whether a rule's glob covers everything a pattern (or, with `tree`, everything below it) can name. Only plain forms are
 * understood: equal names (`**` in the same place too), `*`, and a final `**`.
 */
export function globCovers(rule: readonly string[], pattern: readonly string[], tree: boolean): boolean {
  const open = rule.at(-1) === "**";
  const fixed = open ? rule.slice(0, -1) : rule;
  if (!open && tree) return false;
  if (open ? pattern.length < fixed.length : pattern.length !== fixed.length) return false;
  return fixed.every((name, index) => {
    const other = pattern[index] ?? "";
    if (other === "**" || name === "**") return other === name;
    return name === other || name === "*" || (isLiteral(other) && name === escapeName(other));
  });
}

/** A name as a glob that means only itself. */
export function escapeName(name: string): string {
  return name.replace(/[*?[\]{}()\\!+@]/g, "\\$&");
}
