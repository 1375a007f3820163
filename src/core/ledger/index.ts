export { bytesToBase64, bytesToHex, hexToBytes } from "./bytes.js";
export { canonicalJson } from "./canonical.js";
export { genesis, sealRecord, type RecordPlace, type SealedRecord } from "./chain.js";
export { checkpointOrigin, openCheckpoint, signCheckpoint, verifierKey, type Head, type SignatureCheck, type Signer } from "./checkpoint.js";
export type { BrokenLedger, LedgerFault, SoundLedger, VerifyReport } from "./fault.js";
export { createMerkleTree, digestBytes, type MerkleTree } from "./merkle.js";
export { createLedgerVerifier, type ChainState, type LedgerVerifier, type VerifierOptions } from "./verify.js";
export { createSignedVerifier, verifyLedger, type SignedVerifierOptions } from "./verify-ledger.js";
export { redactJson, redactText, type KeyedDigest } from "./redact.js";
