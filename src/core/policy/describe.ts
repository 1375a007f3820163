// What is judged, in words.

import type { ActionEffect } from "../action/effects.js";
import { assertNever, printable } from "../shared/index.js";
import type { ContentSubject } from "./content.js";

/** Longest text of what a reason is about, in characters. */
export const SUBJECT = 160;

/** What an effect is about, in one printable line. */
export function describe(effect: ActionEffect | ContentSubject): string {
  switch (effect.kind) {
    case "file":
      return printable(`${effect.operation} ${effect.path}${effect.recursive ? " (with its tree)" : ""}`, SUBJECT);
    case "exec":
      return printable(effect.argv.length > 0 ? effect.argv.map((word) => word ?? "…").join(" ") : effect.program, SUBJECT);
    case "connect":
      return printable(`connect ${effect.url ?? effect.host ?? "an unknown host"}`, SUBJECT);
    case "runs-code":
      return printable(effect.source === "stdin" && effect.upstream.length > 0 ? `${effect.upstream.join(" | ")} | ${effect.program}` : effect.from === "" ? effect.program : effect.from, SUBJECT);
    case "environment":
      return printable(`${effect.name}=${effect.value ?? "…"}`, SUBJECT);
    case "opaque-text":
      return printable(effect.from === "" ? effect.why : effect.from, SUBJECT);
    case "content":
      return printable(`content of ${effect.path}`, SUBJECT);
    default:
      return assertNever(effect);
  }
}
