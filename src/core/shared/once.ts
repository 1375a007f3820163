// A value made on first use. Only for pure work, so that nobody can tell when it was done.

/** Keeps what the first call made. `make` must be pure. */
export function once<T>(make: () => T): () => T {
  let kept: { readonly value: T } | null = null;
  return () => (kept ??= { value: make() }).value;
}
