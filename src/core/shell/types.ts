// The public forms of shell evaluation: what it is given and what it answers. It never touches the machine itself.

import type { ActionEffect } from "../action/effects.js";
import type { Model } from "./model.js";

/** What a path is, as far as the caller can tell without following agent-made links. */
export type PathKind = "file" | "directory" | "missing" | "unknown";

/** The surroundings a command is evaluated in. */
export interface ShellContext {
  /** Absolute working directory inside the sandbox. */
  readonly cwd: string;
  /** Absolute home folder of the agent's user inside the sandbox. */
  readonly home: string;
  /** Absolute workspace root inside the sandbox. */
  readonly root: string;
  /** Variables whose value is certain. Others count as unknown, never as empty, unless the next field says more. */
  readonly environment: ReadonlyMap<string, string>;
  /** The environment is all there is: a variable that is neither in it nor set by the text nor by bash itself is not set. */
  readonly environmentIsWhole?: boolean;
  /** What a path is before the command starts; absent means `unknown` for all. */
  readonly exists?: (absolutePath: string) => PathKind;
  /** Text of a script, so that it can be followed; null or absent when there is none to see. */
  readonly readText?: (absolutePath: string) => string | null;
  /** Models of programs that the built-in tables do not know, by name; from a trusted policy only. */
  readonly programs?: ReadonlyMap<string, Model>;
}

/** What a command may do, as far as its text tells. */
export interface Evaluation {
  /** In order of first appearance, without repeats; at most LIMITS.effects and one `opaque-text`. */
  readonly effects: readonly ActionEffect[];
  /** Working directory after the command; null when it cannot be told. */
  readonly cwdAfter: string | null;
  /** Exported variables that the command changed; null value: unset or unknown. */
  readonly environmentAfter: ReadonlyMap<string, string | null>;
  /** At least one effect is `opaque-text`. */
  readonly opaque: boolean;
}
