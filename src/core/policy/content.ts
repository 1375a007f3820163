// What can be told from added text alone. Hints for a person, never the boundary.

import { assertNever } from "../shared/index.js";
import type { ContentKind } from "./rule.js";
import { changesTests, type Extent } from "./test-command.js";

/** Text that an edit adds, or a file that was changed, judged beside the effects. */
export interface ContentSubject {
  readonly kind: "content";
  readonly path: string;
  readonly text: string;
  /** What was there in its place; left out where nothing was. */
  readonly before?: string;
  /** Left out for the text of an edit, which is a part. Of other texts only `test-command` is judged. */
  readonly extent?: Extent;
}

/** Bidirectional controls, zero-width characters inside text, and Unicode tag characters. A leading byte order mark is fine. */
const INVISIBLE = /[\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\u{e0001}-\u{e007f}]|(?!^)\ufeff/u;

const PRIVATE_KEY = /-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----/;

/** Forms whose prefix belongs to one issuer: cloud keys, code host, chat, package registry and payment tokens. */
const ACCESS_TOKENS: readonly RegExp[] = [
  /\b(?:AKIA|ASIA)[A-Z2-7]{16}\b/,
  /\bgh[pousr]_[A-Za-z0-9]{36}\b/,
  /\bgithub_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}\b/,
  /\bglpat-[A-Za-z0-9_-]{20}\b/,
  /\bxox[abposr]-[A-Za-z0-9-]{20,80}\b/,
  /\bnpm_[A-Za-z0-9]{36}\b/,
  /\bpypi-AgEIcHlwaS5vcmc[A-Za-z0-9_-]{50,200}/,
  /\bsk_live_[A-Za-z0-9]{24,99}\b/,
  /\bAIza[A-Za-z0-9_-]{35}\b/,
];

/** Tells whether a text has content of a kind. */
export function hasContent(kind: ContentKind, subject: ContentSubject): boolean {
  const { path, text, before = "", extent = "part" } = subject;
  if (kind !== "test-command" && extent !== "part") return false;
  switch (kind) {
    case "test-command":
      return changesTests(path, before, text, extent);
    case "invisible-characters":
      return INVISIBLE.test(text);
    case "private-key":
      return PRIVATE_KEY.test(text);
    case "access-token":
      return ACCESS_TOKENS.some((form) => form.test(text));
    default:
      return assertNever(kind);
  }
}
