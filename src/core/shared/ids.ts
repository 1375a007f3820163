// Identifiers and digests. Prefixed strings, so that one kind is never taken for another.

export type SessionId = `ses_${string}`;
export type CallId = `call_${string}`;
/** SHA-256 in lower-case hexadecimal. */
export type Digest = `sha256:${string}`;
/** A threat with the namespace it is numbered in, such as `maestro:L7/agent-tool-misuse` or `asi-2026:ASI02`. */
export type ThreatId = `${string}:${string}`;
/** The role of the agent that makes a call: `bugfixer`, `testwriter`, `harness`, or another name; null is no role. */
export type Role = string;

/** Computes SHA-256; handed in, because core has no Node. */
export type Hasher = (bytes: Uint8Array | string) => Digest;

const SESSION_ID = /^ses_[a-z0-9]{4,40}$/;

/** Tells whether a text has the form of a session id; path separators never do. */
export function isSessionId(text: string): text is SessionId {
  return SESSION_ID.test(text);
}
