// The first look at a tool call: how big and how deep it is, and who makes it. Past a limit it is refused and its arguments are not kept.

import { LIMITS, printable, type JsonValue } from "../core/shared/index.js";
import { utf8Length } from "../core/action/index.js";
import type { ToolCall } from "../core/action/action.js";

/** Longest name of a role, in characters. */
const ROLE_CHARS = 64;

/** Why a call is refused unread, or null. Counts at most the limit, whatever the size of the call. */
export function overLimit(call: ToolCall): string | null {
  if (call.role !== null && printable(call.role, ROLE_CHARS) !== call.role) return `the role \`${printable(call.role, ROLE_CHARS)}\` is no name`;
  let budget: number = LIMITS.callBytes - call.tool.length - call.id.length;
  const size = (text: string): number => (text.length > budget ? text.length : utf8Length(text));
  let tooDeep = false;
  const visit = (value: JsonValue, depth: number): void => {
    if (budget < 0 || tooDeep) return;
    if (depth > LIMITS.callDepth) {
      tooDeep = true;
      return;
    }
    if (typeof value === "string") {
      budget -= size(value) + 2;
    } else if (Array.isArray(value)) {
      budget -= 2;
      for (const item of value) {
        visit(item as JsonValue, depth + 1);
        if (budget < 0 || tooDeep) return;
      }
    } else if (typeof value === "object" && value !== null) {
      for (const [key, item] of Object.entries(value)) {
        budget -= size(key) + 4;
        visit(item as JsonValue, depth + 1);
        if (budget < 0 || tooDeep) return;
      }
    } else {
      budget -= 8;
    }
  };
  visit(call.arguments, 0);
  if (tooDeep) return `arguments are nested deeper than ${LIMITS.callDepth}`;
  if (budget < 0) return `the call is larger than ${LIMITS.callBytes} bytes`;
  return null;
}
