// Every limit on what an agent controls, in one place. Each has a test.

export const LIMITS = {
  /** Longest command text judged, in characters; longer is denied as opaque. `execve` takes 131072 bytes an argument. */
  commandChars: 100_000,
  /** Deepest nesting of shells, substitutions and wrappers followed. */
  shellDepth: 32,
  /** Most effects one action may have; past it the action is opaque. */
  effects: 5_000,
  /** Largest tool call, in bytes of JSON. */
  callBytes: 8 * 1024 * 1024,
  /** Deepest JSON of a tool call. */
  callDepth: 32,
  /** Largest file the edit tools read or write, in bytes. */
  editBytes: 8 * 1024 * 1024,
  /** Output kept of one stream of one call, in bytes; the rest is counted and dropped. */
  outputBytes: 8 * 1024 * 1024,
  /** Output of one call shown to the model, in characters. */
  observationChars: 32_000,
  /** Part of an output kept inside the ledger record, in characters; all of it is in the blob store. */
  recordOutputChars: 2_000,
  /** Longest ledger record, in bytes. */
  recordBytes: 4 * 1024 * 1024,
  /** Largest policy file, in bytes. */
  policyBytes: 1024 * 1024,
  /** Most rules in one policy set. */
  policyRules: 5_000,
  /** Most expansions of braces in one glob. */
  globBraces: 200,
  /** Most changed paths listed of one call; past it the call is refused as a whole and reverted. */
  changes: 50_000,
  /** Largest regular file whose content is compared in a change, in bytes; larger ones are compared by size and time. */
  compareBytes: 256 * 1024 * 1024,
} as const;
