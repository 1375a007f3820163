// Applies one edit to the text of one file. Pure; refuses whatever has more than one reading and never changes half.

import { LIMITS, assertNever, count, err, ok, type Issue, type Result } from "../../shared/index.js";
import type { Edit } from "../action.js";
import { isWellFormed } from "../well-formed.js";
import { endingOf, originalOffsets, toLf, withEnding } from "./line-endings.js";
import { ambiguous, notFound } from "./mismatch.js";
import { occurrences } from "./occurrences.js";
import { utf8Length } from "./text.js";

/** Matches counted; two are enough to refuse. */
const MAX_MATCHES = 1_000;

/** What an edit may depend on besides the file's text. */
export interface EditContext {
  /** Only for callers that keep one context a file; the edit does not depend on it. */
  readonly path?: string;
  /** The file before the last edit of this session that is not yet undone; `content` is null where there was none. Only `undo` reads it. */
  readonly previous?: { readonly content: string | null } | undefined;
}

/**
 * The file's text after an edit.
 *
 * `replace` needs its text exactly once; `create` a file that does not exist, unless it may overwrite; `insert` a line
 * number within the file, and adds whole lines. Lines are matched whatever their ending and written with the ending of the
 * place they go to. The result is at most `LIMITS.editBytes` bytes.
 * @param current the text now, null when there is no such file; decode it with `decodeText`
 * @returns the text to write, null when the file is to be removed (the undoing of its creation), or the issue to tell the model; the file is then to be left as it is
 */
export function applyEdit(current: string | null, edit: Edit, context: EditContext = {}): Result<string | null, Issue> {
  if (current !== null && current.includes("\0")) {
    return refuse("EDIT_BINARY", "the file is not text: it has a NUL character", "edit it with a command instead");
  }
  const after = change(current, edit, context);
  if (!after.ok || after.value === null) return after;
  if (after.value.includes("\0") || !isWellFormed(after.value)) {
    return refuse("EDIT_BINARY", "the result would not be text: it has a NUL character or half a surrogate pair");
  }
  if (after.value.length * 3 > LIMITS.editBytes && utf8Length(after.value) > LIMITS.editBytes) {
    return refuse("EDIT_TOO_LARGE", `the file would be larger than ${LIMITS.editBytes} bytes`);
  }
  return after;
}

function change(current: string | null, edit: Edit, { previous }: EditContext): Result<string | null, Issue> {
  switch (edit.op) {
    case "create":
      if (current === null || edit.overwrite) return ok(edit.content);
      return refuse("EDIT_EXISTS", "the file exists already; nothing was changed", "change it with a replacement, or choose another name");
    case "undo":
      return previous === undefined
        ? refuse("EDIT_NO_HISTORY", "there is no earlier edit of this file in this session")
        : ok(previous.content);
    case "replace":
      return current === null ? missing() : replace(current, edit.search, edit.replace);
    case "insert":
      return current === null ? missing() : insert(current, edit.afterLine, edit.text);
    default:
      return assertNever(edit);
  }
}

function replace(original: string, wanted: string, replacement: string): Result<string, Issue> {
  const search = toLf(wanted);
  if (search === "") return refuse("EDIT_EMPTY_SEARCH", "the text to replace is empty; nothing was changed", "insert at a line number, or create a new file");
  if (search === toLf(replacement)) return refuse("EDIT_NO_CHANGE", "the replacement is the same as the text it replaces");
  const plain = toLf(original);
  const places = occurrences(plain, search, MAX_MATCHES);
  const [place] = places;
  if (place === undefined) return err(notFound(plain, search));
  if (places.length > 1) return err(ambiguous(plain, places, places.length === MAX_MATCHES));
  const [start = 0, end = 0] = originalOffsets(original, [place, place + search.length]);
  const matched = original.slice(start, end);
  const ending = endingOf(matched.includes("\n") ? matched : original);
  return ok(original.slice(0, start) + withEnding(replacement, ending) + original.slice(end));
}

function insert(original: string, afterLine: number, text: string): Result<string, Issue> {
  const ending = endingOf(original);
  const lines = original.split("\n");
  const endsWithNewline = lines.at(-1) === "";
  const last = endsWithNewline ? lines.length - 1 : lines.length;
  if (!Number.isSafeInteger(afterLine) || afterLine < 0 || afterLine > last) {
    return refuse("EDIT_LINE_RANGE", `the file has ${count(last, "line")}; the line to insert after must be from 0 to ${last}`);
  }
  const plain = toLf(text);
  const block = withEnding(plain.endsWith("\n") ? plain.slice(0, -1) : plain, ending);
  const before = lines.slice(0, afterLine).join("\n");
  const after = lines.slice(afterLine).join("\n");
  if (afterLine === 0) return ok(block + ending + after);
  if (afterLine === last && !endsWithNewline) return ok(before + ending + block + (plain.endsWith("\n") ? ending : ""));
  return ok(`${before}\n${block}${ending}${after}`);
}

function missing(): Result<never, Issue> {
  return refuse("EDIT_MISSING", "there is no such file; nothing was changed", "create it, or correct the path");
}

function refuse(code: string, message: string, hint?: string): Result<never, Issue> {
  return err(hint === undefined ? { code, message } : { code, message, hint });
}
