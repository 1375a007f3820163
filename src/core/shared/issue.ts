// One thing wrong with an input, with its place. Issues are values; the edge decides what to do with them.

/** A place in a source text; line and column count from 1. */
export interface SourceSpan {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** One problem in an input. Message: lower-case start, no final period, user text in backticks. */
export interface Issue {
  readonly code: string;
  readonly message: string;
  readonly at?: SourceSpan;
  /** What to do about it, one sentence. */
  readonly hint?: string;
  /** The offending source line, printable. */
  readonly excerpt?: string;
}

/** Formats an issue as one line: `file:line:column message (hint)`. */
export function formatIssue(issue: Issue): string {
  const place = issue.at === undefined ? "" : `${issue.at.file}:${issue.at.line}:${issue.at.column} `;
  const hint = issue.hint === undefined ? "" : ` (${issue.hint})`;
  return `${place}${issue.message}${hint}`;
}
