// Exhaustiveness: a switch over a closed union ends here when a case is missing.

/** Fails to compile when a case is missing, and throws should one appear at run time. */
export function assertNever(value: never): never {
  throw new Error(`unexpected value: ${JSON.stringify(value)}`);
}
