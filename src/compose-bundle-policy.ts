// The policy in a bundle: whether its texts make the policy that the record names.

import { sha256 } from "./adapters/system/hasher.js";
import { DEFAULT_PROFILE } from "./config/defaults.js";
import { BUNDLE_FILES, type BundleReport } from "./core/bundle/index.js";
import { compilePolicy, type PolicyText, type Tier } from "./core/policy/index.js";
import { isEvent, type AuditEvent } from "./core/session/index.js";
import { printable } from "./core/shared/index.js";

const TIERS: readonly Tier[] = ["organisation", "user", "workspace"];
/** Largest policy that is looked at: some of the largest files, and more of them than anybody has. */
const MOST_BYTES = 64 * 1024 * 1024;
const MOST_TEXTS = 1_000;
const LINE_FEED = 0x0a;

/**
 * The report of a bundle that holds, with what its policy is. Under the version that wrote the record, the texts make the policy on record or
 * the bundle is invalid. Another version may read the same texts otherwise: that is told, and is no fault. Never throws.
 * @param product this installation, as records name it
 */
export function withPolicy(report: BundleReport, files: ReadonlyMap<string, Uint8Array>, product: string): BundleReport {
  const bytes = files.get(BUNDLE_FILES.policy);
  const opened = report.ok ? openingOf(files.get(BUNDLE_FILES.ledger)) : null;
  if (opened === "unreadable") return { ...report, ok: false, verdict: "invalid", faults: ["its record is signed and cannot be read: line 1 is no event of ours"], unknown: [] };
  if (bytes === undefined || opened === null) return report;
  const invalid = (fault: string): BundleReport => ({ ...report, ok: false, verdict: "invalid", faults: [`its \`${BUNDLE_FILES.policy}\` ${fault}`], unknown: [] });
  const enclosed = enclosedPolicy(bytes);
  if (enclosed === null) return invalid("is no policy");
  if (enclosed.digest !== opened.policy.digest) return invalid("is not the policy on record");
  // Examples were judged when the session was: this version may judge one of them otherwise, which says nothing of the texts.
  const made = compilePolicy(enclosed.texts, { hash: sha256, examples: "skip", profiles: [DEFAULT_PROFILE] });
  if (made.ok && made.value.digest === opened.policy.digest) return report;
  const what = made.ok ? "makes another policy than the one on record" : "does not compile";
  if (opened.product === product) return invalid(what);
  return { ...report, unknown: [...report.unknown, `whether \`${BUNDLE_FILES.policy}\` is what was judged by: it ${what} under ${product}, and the record is of ${printable(opened.product, 100)}`] };
}

/** The first record of a ledger that holds; null where it opens no session. Its signer can be anybody. */
function openingOf(ledger: Uint8Array | undefined): Extract<AuditEvent, { type: "session.opened" }>["data"] | "unreadable" | null {
  if (ledger === undefined) return null;
  const event = JSON.parse(Buffer.from(ledger.subarray(0, ledger.indexOf(LINE_FEED))).toString("utf8")) as AuditEvent;
  if (!isEvent(event)) return "unreadable";
  return event.type === "session.opened" ? event.data : null;
}

/** The texts of an enclosed policy; null where it is none, or larger than policies may be. */
export function enclosedPolicy(bytes: Uint8Array): { readonly digest: unknown; readonly texts: readonly PolicyText[] } | null {
  if (bytes.length > MOST_BYTES) return null;
  try {
    const { v, digest, texts } = JSON.parse(Buffer.from(bytes).toString("utf8")) as { readonly v?: unknown; readonly digest?: unknown; readonly texts?: unknown };
    if (v !== 1 || !Array.isArray(texts) || texts.length > MOST_TEXTS) return null;
    const found = texts.map(textOf).filter((one) => one !== null);
    return found.length === texts.length ? { digest, texts: found } : null;
  } catch {
    return null; // no JSON, or no object
  }
}

function textOf(one: unknown): PolicyText | null {
  if (typeof one !== "object" || one === null) return null;
  const { name, text, tier } = one as { readonly name?: unknown; readonly text?: unknown; readonly tier?: unknown };
  if (typeof name !== "string" || typeof text !== "string") return null;
  if (tier === null || tier === undefined) return { name, text };
  const known = TIERS.find((each) => each === tier);
  return known === undefined ? null : { name, text, tier: known };
}
