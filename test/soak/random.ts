// Chance that a seed gives again (mulberry32).

export interface Random {
  /** At least 0, below 1. */
  next(): number;
  /** A whole number from `from` up to and with `to`. */
  int(from: number, to: number): number;
  pick<T>(from: readonly [T, ...T[]]): T;
  /** Another one that does not depend on how much of this one is used. */
  fork(name: string): Random;
}

export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const int = (from: number, to: number): number => from + Math.floor(next() * (to - from + 1));
  return {
    next,
    int,
    pick: (from) => from[int(0, from.length - 1)] ?? from[0],
    fork: (name) => createRandom([...name].reduce((sum, char) => Math.imul(sum ^ (char.codePointAt(0) ?? 0), 16_777_619) >>> 0, (seed ^ 0x811c9dc5) >>> 0)),
  };
}
