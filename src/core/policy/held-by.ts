// What holds a rule besides the judgement of text: a classification for authors. Enforces nothing.

import { assertNever } from "../shared/index.js";
import type { Matcher } from "./rule.js";

/**
 * `kernel`: the sandbox has no network, whatever the text says. `reconciled`: changes in the workspace are compared with the rule
 * after each call and undone. `read-only`: the container's own root cannot be written. `outputs`:
 * what a call prints is looked at before the model sees it. `counted`: of the record, whatever the text says. `text`: judged from the text of the call alone.
 */
export type Enforcement = "kernel" | "reconciled" | "read-only" | "outputs" | "counted" | "text";

/** The strongest thing that holds a matcher of a refusing rule. */
export function heldBy(matcher: Matcher): Enforcement {
  switch (matcher.on) {
    case "connect":
      return "kernel";
    case "content":
      return matcher.where === "output" ? "outputs" : "reconciled";
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
