// A role that no rule speaks of is most likely misspelt, and what was meant to be stricter is judged by the general rules alone.

import { printable } from "../../core/shared/index.js";
import type { Io } from "./io.js";

/** Says so; nothing is refused for it, since a policy may have no rules about roles at all. */
export function noteUnnamedRole(role: string | undefined, named: readonly string[], io: Io): void {
  if (role === undefined || named.includes(role)) return;
  io.note(`no rule of the policy is about the role \`${printable(role, 60)}\`; the general rules judge it${named.length === 0 ? "" : ` (rules are about ${named.map((name) => printable(name, 60)).join(", ")})`}`);
}
