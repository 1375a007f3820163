// The user's folder as it was when a session began, kept so that the session can be run again. Contract: test/unit/surfaces/base-store.test.ts.

import type { Digest } from "../core/shared/index.js";

/** What is on record of it. */
export interface KeptBase {
  /** Digest of the list of names, which has the digests of all contents; null where it was not kept. */
  readonly digest: Digest | null;
  readonly files: number;
  readonly bytes: number;
  /** Why it was not kept; null where it was. */
  readonly why: string | null;
}

export interface BaseKeeper {
  /**
   * Keeps what the folder holds now, but for names that are hidden from the agent and all below them. Never rejects: what cannot be kept is said.
   * @param hidden names relative to the folder
   */
  keep(folder: string, hidden: readonly string[], signal: AbortSignal): Promise<KeptBase>;
}
