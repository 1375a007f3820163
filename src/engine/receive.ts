// The first look at a tool call: how big and how deep it is. Past a limit it is refused and its arguments are not kept.

import { LIMITS, type JsonValue } from "../core/shared/index.js";
import type { ToolCall } from "../core/action/action.js";

/** Why a call is refused unread, or null. Counts at most the limit, whatever the size of the call. */
export function overLimit(call: ToolCall): string | null {
  let budget: number = LIMITS.callBytes - call.tool.length - call.id.length;
  let tooDeep = false;
  const visit = (value: JsonValue, depth: number): void => {
    if (budget < 0 || tooDeep) return;
    if (depth > LIMITS.callDepth) {
      tooDeep = true;
      return;
    }
    if (typeof value === "string") {
      budget -= value.length + 2;
    } else if (Array.isArray(value)) {
      budget -= 2;
      for (const item of value) visit(item as JsonValue, depth + 1);
    } else if (typeof value === "object" && value !== null) {
      for (const [key, item] of Object.entries(value)) {
        budget -= key.length + 4;
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
