// What can be told from added text alone. Hints for a person, never the boundary.

import { findHidden, findInstructions, findObfuscation, findSecrets, findSmuggled, ISSUED_TOKENS, type Span } from "../content/index.js";
import { assertNever } from "../shared/index.js";
import type { ContentKind } from "./rule.js";
import { changesTests, type Extent } from "./test-command.js";

/** Text that an edit adds, a file that was changed, or what a call prints; judged beside the effects. */
export interface ContentSubject {
  readonly kind: "content";
  /** Of the file; empty for an output. */
  readonly path: string;
  readonly text: string;
  /** What was there in its place; left out where nothing was. */
  readonly before?: string;
  /** Left out for the text of an edit, which is a part. */
  readonly extent?: Extent;
  /** The text is what a call prints for the model. */
  readonly output?: true;
}

const KEY_HEADER = /-----BEGIN (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----/g;

/** Marks that redaction leaves in an output: what was there is known to be a secret. */
const REDACTED = /\[redacted:([a-z0-9-]{1,60}):[0-9a-f]{8}\]/g;

/** Where a text has content of a kind, in order. `test-command` has no places. */
export function findContent(kind: ContentKind, text: string, output: boolean): readonly Span[] {
  switch (kind) {
    case "test-command":
      return [];
    case "invisible-characters":
      return findHidden(text);
    case "hidden-text":
      return findSmuggled(text);
    case "injected-instructions":
      return findInstructions(text);
    case "obfuscated-code":
      return findObfuscation(text);
    case "private-key":
      return [...(output ? redacted(text) : findSecrets(text)).filter((span) => isOfKind(span.kind, kind)), ...[...text.matchAll(KEY_HEADER)].map((match) => ({ start: match.index, end: match.index + match[0].length }))];
    case "access-token":
    case "secret":
      return (output ? redacted(text) : findSecrets(text)).filter((span) => isOfKind(span.kind, kind));
    default:
      return assertNever(kind);
  }
}

interface NamedSpan extends Span {
  readonly kind: string;
}

function redacted(text: string): readonly NamedSpan[] {
  return [...text.matchAll(REDACTED)].map((match) => ({ start: match.index, end: match.index + match[0].length, kind: match[1] ?? "" }));
}

function isOfKind(found: string, wanted: "private-key" | "access-token" | "secret"): boolean {
  const plain = found.replace(/^base64-/, "");
  return wanted === "secret" || (wanted === "private-key" ? plain === "private-key" : ISSUED_TOKENS.has(plain));
}

/** Tells whether a text has content of a kind that was not there before. */
export function hasContent(kind: ContentKind, { path, text, before = "", extent = "part", output }: ContentSubject): boolean {
  if (kind === "test-command") return output !== true && changesTests(path, before, text, extent);
  if (extent === "unreadable") return false;
  const spans = findContent(kind, text, output === true);
  return before === "" || spans.length === 0 ? spans.length > 0 : isMore(spans.map(({ start, end }) => text.slice(start, end)), before);
}

/** One of the pieces is oftener there than before. */
function isMore(pieces: readonly string[], before: string): boolean {
  const counts = new Map<string, number>();
  for (const piece of pieces) counts.set(piece, (counts.get(piece) ?? 0) + 1);
  return [...counts].some(([piece, count]) => count > before.split(piece).length - 1);
}
