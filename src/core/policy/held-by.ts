// What holds a rule besides the judgement of text: a classification for authors. Enforces nothing.

import { assertNever } from "../shared/index.js";
import type { Matcher } from "./rule.js";

/**
 * `kernel`: the sandbox has no network, whatever the text says. `reconciled`: changes in the workspace are compared with the rule
 * after each call and undone. `read-only`: the container's own root cannot be written. `edits`: what an edit adds is judged; what
 * a command writes is judged only as far as its kind says. `counted`: of the record, whatever the text says. `text`: judged from the text of the call alone.
 */
export type Enforcement = "kernel" | "reconciled" | "read-only" | "edits" | "counted" | "text";

/** The strongest thing that holds a matcher of a refusing rule. */
export function heldBy(matcher: Matcher): Enforcement {
  switch (matcher.on) {
    case "connect":
      return "kernel";
    case "content":
      return matcher.contains.every((kind) => kind === "test-command") ? "reconciled" : "edits";
    case "file":
      if (matcher.operations.every((one) => one === "read")) return "text";
      return matcher.outside || (matcher.paths.length > 0 && matcher.paths.every((glob) => glob.startsWith("/"))) ? "read-only" : "reconciled";
    case "budget":
      return matcher.calls === null ? "reconciled" : "counted";
    case "refusals":
      return "counted";
    case "sequence":
      return heldBy(matcher.then);
    case "exec":
    case "code":
    case "environment":
    case "opaque":
      return "text";
    default:
      return assertNever(matcher);
  }
}
