// Splits a program's words in options and operands, as its own parser would. Unknown words are counted, never skipped.

import type { Model, OptionModel, Role } from "./model.js";
import { dropPrefix, exact, type Field } from "./value.js";

/** One option met, with its argument. */
export interface OptionUse {
  readonly name: string;
  readonly role: Role | null;
  readonly value: Field | null;
}

/** A parsed command line. */
export interface Arguments {
  readonly options: readonly OptionUse[];
  readonly operands: readonly Field[];
  readonly marks: ReadonlySet<string>;
  /** A word that may be an option, but cannot be told, stands where options may stand. */
  readonly uncertain: boolean;
  /** Index in the given words of the first operand; their count when there is none. */
  readonly firstOperand: number;
}

interface Parsing {
  readonly options: OptionUse[];
  readonly marks: Set<string>;
}

/** Parses the words behind a program's name. */
export function parseArguments(words: readonly Field[], model: Model): Arguments {
  const parsing: Parsing = { options: [], marks: new Set() };
  const operands: Field[] = [];
  let uncertain = false;
  let firstOperand = words.length;
  let i = 0;
  let ended = false;
  while (i < words.length) {
    const word = words[i];
    if (word === undefined) break;
    const { lead } = word;
    if (!ended && word.text === "--") {
      ended = true;
      i += 1;
      continue;
    }
    if (ended || lead === "" || lead === "-" && word.text !== null || lead.charCodeAt(0) !== 45) {
      if (!ended && word.text === null && word.glob === null && lead === "") uncertain = true;
      if (operands.length === 0) firstOperand = i;
      operands.push(word);
      if (model.stops) {
        for (const rest of words.slice(i + 1)) operands.push(rest);
        break;
      }
      i += 1;
      continue;
    }
    if (word.text === null && (lead === "-" || lead === "--")) uncertain = true;
    const taken = lead.startsWith("--") || model.oneDash ? longOption(parsing, word, words[i + 1], model) : shortOptions(parsing, word, words[i + 1], model);
    i += 1 + taken;
    if (parsing.marks.has("ends")) ended = true;
  }
  return { options: parsing.options, operands, marks: parsing.marks, uncertain, firstOperand };
}

function use(parsing: Parsing, name: string, option: OptionModel | undefined, value: Field | null): void {
  parsing.options.push({ name, role: option?.role ?? null, value });
  for (const mark of option?.marks ?? []) parsing.marks.add(mark);
}

/** Reads a long option; tells how many further words it takes. */
function longOption(parsing: Parsing, word: Field, next: Field | undefined, model: Model): number {
  const equals = word.lead.indexOf("=");
  const name = equals < 0 ? word.lead : word.lead.slice(0, equals);
  const found = findLong(model, name);
  const option = found === undefined ? undefined : model.options.get(found);
  if (equals >= 0) {
    use(parsing, found ?? name, option, dropPrefix(word, `${name}=`));
    return 0;
  }
  if (option?.role != null && !option.optional) {
    use(parsing, found ?? name, option, next ?? null);
    return next === undefined ? 0 : 1;
  }
  use(parsing, found ?? name, option, null);
  return 0;
}

/** Long options may be shortened to any beginning that only one of them has. */
function findLong(model: Model, name: string): string | undefined {
  if (model.options.has(name)) return name;
  if (name.length < 3 || model.oneDash) return undefined;
  for (const [candidate] of model.options) if (candidate.startsWith(name)) return candidate;
  return undefined;
}

function shortOptions(parsing: Parsing, word: Field, next: Field | undefined, model: Model): number {
  const { lead } = word;
  const whole = model.options.get(lead);
  if (whole !== undefined && lead.length > 2 && word.text !== null) {
    use(parsing, lead, whole, whole.role !== null && !whole.optional ? (next ?? null) : null);
    return whole.role !== null && !whole.optional && next !== undefined ? 1 : 0;
  }
  for (let at = 1; at < lead.length; at += 1) {
    const name = `-${lead[at] ?? ""}`;
    const option = model.options.get(name);
    if (option?.role == null) {
      use(parsing, name, option, null);
      continue;
    }
    const attached = dropPrefix(word, lead.slice(0, at + 1));
    const hasMore = at + 1 < lead.length || word.text === null;
    if (hasMore || option.optional) {
      use(parsing, name, option, hasMore ? attached : exact(""));
      return 0;
    }
    use(parsing, name, option, next ?? null);
    return next === undefined ? 0 : 1;
  }
  return 0;
}
