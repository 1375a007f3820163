// Numbers with the noun and the verb that agree with them.

/** `1 file`, `2 files`, `2 processes`. */
export function count(value: number, noun: string): string {
  return `${value} ${noun}${value === 1 ? "" : noun.endsWith("s") ? "es" : "s"}`;
}

/** `was` of one, `were` of none and of several. */
export function were(value: number): string {
  return value === 1 ? "was" : "were";
}
