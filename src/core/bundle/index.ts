// A session in one file, as evidence for somebody who trusts nothing but a key.

export { checkBundle, type BundleCheck, type BundleReport } from "./check.js";
export { baseOf, BUNDLE_FILES, blobName, blobsOf, manifestOf, type BundleManifest } from "./manifest.js";
export { openStatement, PREDICATE_TYPE, sealStatement, type Statement, type Subject } from "./statement.js";
