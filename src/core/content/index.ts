// What a text holds, told from the text alone. Hints for rules and for people, never the boundary; nothing here decides.

export { findHidden, findSmuggled, type Span } from "./hidden-characters.js";
export { findInstructions } from "./instructions.js";
export { findObfuscation } from "./obfuscation.js";
export { findSecrets, type SecretSpan } from "./find-secrets.js";
export { ISSUED_TOKENS } from "./secret-rules.js";
