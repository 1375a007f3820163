// Short forms of effects, so that a test can state the whole answer in a few lines.

import type { ActionEffect } from "../../../src/core/action/effects.js";
import { evaluateArgv, evaluateShell, type ShellContext } from "../../../src/core/shell/index.js";

/** A workspace at `/w`, a home at `/h`. */
export function aContext(change: Partial<ShellContext> = {}): ShellContext {
  return { cwd: "/w", home: "/h", root: "/w", environment: new Map([["HOME", "/h"], ["PATH", "/usr/bin:/bin"]]), ...change };
}

/** One effect as one line. */
export function line(effect: ActionEffect): string {
  switch (effect.kind) {
    case "file":
      return `${effect.operation} ${effect.path}${effect.certainty === "pattern" ? " ~" : ""}${effect.recursive ? " tree" : ""}`;
    case "exec":
      return `exec ${effect.path ?? effect.program}`;
    case "connect":
      return `connect ${effect.host ?? "?"}`;
    case "runs-code":
      return `code ${effect.source} ${effect.program}${effect.code === null ? "" : ` ${effect.code}`}${effect.upstream.length > 0 ? ` < ${effect.upstream.join(" ")}` : ""}`;
    case "environment":
      return `env ${effect.name}=${effect.value ?? "?"}`;
    case "opaque-text":
      return "opaque";
  }
}

/** All effects of a text but the starts of programs. */
export function touches(text: string, change: Partial<ShellContext> = {}): string[] {
  return evaluateShell(text, aContext(change)).effects.filter((effect) => effect.kind !== "exec").map(line);
}

/** The programs a text starts. */
export function starts(text: string, change: Partial<ShellContext> = {}): string[] {
  return evaluateShell(text, aContext(change)).effects.filter((effect) => effect.kind === "exec").map(line).map((text) => text.slice(5));
}

/** All effects of words run without a shell. */
export function argvTouches(...argv: readonly string[]): string[] {
  return evaluateArgv(argv, aContext()).effects.map(line);
}
