export { ok, err, type Result } from "./result.js";
export type { JsonValue, JsonObject } from "./json.js";
export { isSessionId, type SessionId, type CallId, type Digest, type ThreatId, type Role, type Hasher } from "./ids.js";
export { formatIssue, type Issue, type SourceSpan } from "./issue.js";
export { ERRORS, GuardError, type ErrorCode, type ErrorRow } from "./errors.js";
export { assertNever } from "./assert-never.js";
export { printable, printableBlock } from "./printable.js";
export { LIMITS } from "./limits.js";
export { once } from "./once.js";
