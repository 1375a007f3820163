// Reads the arguments of one tool call strictly: each name once, of the right type, none left over. Never throws.

import { LIMITS, printable, type JsonObject, type JsonValue } from "../shared/index.js";
import { isWellFormed } from "./well-formed.js";

/** Each getter notes the first thing wrong and answers with an empty value; `problem` tells at the end whether to trust them. */
export interface ArgumentReader {
  text(name: string): string;
  optionalText(name: string): string | null;
  optionalFlag(name: string): boolean | null;
  texts(name: string): readonly string[];
  whole(name: string): number;
  optionalWhole(name: string): number | null;
  optionalSeconds(name: string): number | null;
  optionalRange(name: string): readonly [number, number] | null;
  /** Names a model may add and that change nothing: its own claims and descriptions. */
  ignore(...names: readonly string[]): void;
  /** Why the arguments cannot be used, or null. Call it last: it also reports names that were not asked for. */
  problem(): string | null;
}

/** Starts reading. An argument that is null counts as left out, as strict function calling sends it. */
export function readArguments(values: JsonObject): ArgumentReader {
  const given = new Map<string, JsonValue>(Object.entries(values).filter(([, value]) => value !== null));
  const problems: string[] = [];

  function take(name: string): JsonValue | undefined {
    const value = given.get(name);
    given.delete(name);
    return value;
  }
  function required<T>(name: string, value: T | null, empty: T): T {
    if (value === null && problems.length === 0) problems.push(`the argument \`${name}\` is missing`);
    return value ?? empty;
  }
  function wrong(name: string, what: string): null {
    problems.push(`the argument \`${name}\` must be ${what}`);
    return null;
  }
  function optionalText(name: string): string | null {
    const value = take(name);
    if (value === undefined) return null;
    if (typeof value !== "string") return wrong(name, "text");
    return isWellFormed(value) ? value : wrong(name, "well-formed Unicode text");
  }
  function optionalWhole(name: string): number | null {
    const value = take(name);
    if (value === undefined) return null;
    return isWhole(value) ? value : wrong(name, "a whole number");
  }
  function optionalTexts(name: string): readonly string[] | null {
    const value = take(name);
    if (value === undefined) return null;
    if (!Array.isArray(value) || value.length > LIMITS.argvWords) return wrong(name, `a list of at most ${LIMITS.argvWords} texts`);
    const words = value.filter((word: JsonValue) => typeof word === "string" && isWellFormed(word));
    return words.length === value.length ? words : wrong(name, "a list of well-formed texts");
  }

  return {
    optionalText,
    optionalWhole,
    text: (name) => required(name, optionalText(name), ""),
    texts: (name) => required(name, optionalTexts(name), []),
    whole: (name) => required(name, optionalWhole(name), 0),
    optionalFlag(name) {
      const value = take(name);
      if (value === undefined) return null;
      if (value === true || value === "true") return true;
      if (value === false || value === "false") return false;
      return wrong(name, "true or false");
    },
    optionalSeconds(name) {
      const value = take(name);
      if (value === undefined) return null;
      const fits = typeof value === "number" && value > 0 && value <= LIMITS.timeoutSeconds;
      return fits ? value : wrong(name, `a number of seconds up to ${LIMITS.timeoutSeconds}`);
    },
    optionalRange(name) {
      const value = take(name);
      if (value === undefined) return null;
      const [first, last]: readonly unknown[] = Array.isArray(value) && value.length === 2 ? value : [];
      if (!isWhole(first) || !isWhole(last) || first < 1 || (last !== -1 && last < first)) {
        return wrong(name, "two line numbers from 1, the second not smaller, or -1 for the end");
      }
      return [first, last];
    },
    ignore(...names) {
      for (const name of names) given.delete(name);
    },
    problem() {
      const [first] = problems;
      if (first !== undefined) return first;
      const [extra] = given.keys();
      return extra === undefined ? null : `the argument \`${printable(extra)}\` is not known`;
    },
  };
}

function isWhole(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value);
}
