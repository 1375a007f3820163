// Which format a document or a line is of, by what only that format has. A file says so itself; a wrong guess costs counted skips.

import type { JsonValue } from "../shared/index.js";
import type { ImportFormat } from "./form.js";
import { at, isObject, listAt, textAt } from "./read.js";

const LOOKED_AT = 50;

/** The format of a whole document; null when it is none that is known. */
export function documentFormat(value: JsonValue): ImportFormat | null {
  if (Array.isArray(value)) return listFormat((value as readonly JsonValue[]).slice(0, LOOKED_AT));
  if (!isObject(value)) return null;
  if (textAt(value, "schema_version")?.startsWith("ATIF-") === true) return "atif";
  if (textAt(value, "trajectory_format")?.startsWith("mini-swe-agent") === true) return "mini-swe-agent";
  if (Array.isArray(at(value, "trajectory")) || Array.isArray(at(value, "attempts"))) return "swe-agent";
  const history = listAt(value, "history");
  if (history.length > 0) return history.slice(0, LOOKED_AT).some((entry) => textAt(entry, "role") !== null) ? "swe-agent" : listFormat(history.slice(0, LOOKED_AT));
  if (Array.isArray(at(value, "messages"))) {
    if (textAt(value, "sessionId") !== null && (textAt(value, "projectHash") !== null || textAt(value, "startTime") !== null)) return "gemini-cli";
    if (isObject(at(value, "info"))) return "mini-swe-agent";
    return listFormat(listAt(value, "messages").slice(0, LOOKED_AT));
  }
  return null;
}

function listFormat(items: readonly JsonValue[]): ImportFormat | null {
  if (items.some(isOpenHands)) return "openhands";
  const messages = items.filter((item) => textAt(item, "role") !== null && at(item, "content") !== undefined);
  if (messages.length === 0) return null;
  const isMini = messages.some((item) => /```mswea_bash_command|<mswea_bash_command>|COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT|```bash\n/u.test((textAt(item, "content") ?? "").slice(0, 20_000)));
  return isMini && !messages.some((item) => listAt(item, "tool_calls").length > 0) ? "mini-swe-agent" : "chat";
}

/** An event of OpenHands: of V1 by its class and source, of V0 by its action or observation. */
function isOpenHands(value: JsonValue): boolean {
  if (textAt(value, "kind") !== null && textAt(value, "source") !== null) return true;
  const isNamed = typeof at(value, "action") === "string" || typeof at(value, "observation") === "string";
  return isNamed && textAt(value, "role") === null && (at(value, "args") !== undefined || at(value, "content") !== undefined || at(value, "thought") !== undefined || at(value, "extras") !== undefined || at(value, "outputs") !== undefined);
}

const CLAUDE: ReadonlySet<string> = new Set(["user", "assistant", "system", "summary", "file-history-snapshot"]);
const CODEX: ReadonlySet<string> = new Set(["session_meta", "response_item", "event_msg", "turn_context", "compacted"]);

/** The format of one line of a file of lines; null when it tells nothing. */
export function lineFormat(value: JsonValue): ImportFormat | null {
  if (!isObject(value)) return null;
  const type = textAt(value, "type");
  if (type === "metadata" && textAt(value, "protocol_version") !== null) return "kimi-wire";
  if (textAt(value, "message", "type") !== null && isObject(at(value, "message", "payload")) && type === null) return "kimi-wire";
  if (isObject(at(value, "payload")) && type !== null && CODEX.has(type)) return "codex";
  if (type !== null && CLAUDE.has(type) && (isObject(at(value, "message")) || textAt(value, "leafUuid") !== null || textAt(value, "uuid") !== null)) return "claude-code";
  if (textAt(value, "projectHash") !== null || at(value, "$set") !== undefined || at(value, "$rewindTo") !== undefined) return "gemini-cli";
  if ((type === "gemini" || type === "user") && textAt(value, "id") !== null && at(value, "content") !== undefined) return "gemini-cli";
  if (type === "function_call" || type === "function_call_output" || type === "local_shell_call") return "codex";
  if (isOpenHands(value)) return "openhands";
  return textAt(value, "role") !== null && at(value, "content") !== undefined ? "chat" : null;
}

/** The format that most of the lines are of; the first in the order of the list where two are equal. */
export function linesFormat(values: Iterable<JsonValue>): ImportFormat | null {
  const votes = new Map<ImportFormat, number>();
  for (const value of values) {
    const format = lineFormat(value);
    if (format !== null) votes.set(format, (votes.get(format) ?? 0) + 1);
  }
  return [...votes].reduce<readonly [ImportFormat, number] | null>((most, one) => (most === null || one[1] > most[1] ? one : most), null)?.[0] ?? null;
}
