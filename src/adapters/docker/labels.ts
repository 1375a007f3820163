// The labels by which everything of ours on an engine is found again.

/** The session a container or volume was made for. */
export const SESSION_LABEL = "dev.ringfence.session";
/** The lease of the process that made it. */
export const OWNER_LABEL = "dev.ringfence.owner";

export function labelsOf(sessionId: string, lease: string): Record<string, string> {
  return { [SESSION_LABEL]: sessionId, [OWNER_LABEL]: lease };
}
