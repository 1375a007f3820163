// What an action may do to the world, before it is run. Made from shell text, argv or an edit; judged by policy.

/**
 * How sure an effect is. `exact`: this very path or endpoint. `pattern`: one of the names a pattern can mean;
 * `path` is then a glob that covers them all.
 */
export type Certainty = "exact" | "pattern";

export type FileOperation = "read" | "write" | "create" | "delete" | "metadata";

/** One file touched. */
export interface FileEffect {
  readonly kind: "file";
  readonly operation: FileOperation;
  /** Absolute path inside the sandbox, lexically normalised; for `pattern` a glob. */
  readonly path: string;
  readonly certainty: Certainty;
  /** The whole tree below `path` is meant (`rm -r`, `cp -r`, `chown -R`). */
  readonly recursive: boolean;
  /** Base name of the program that does it, or the edit tool's name. */
  readonly by: string;
  /** The piece of text it comes from, for reasons. */
  readonly from: string;
}

/** One program started. `argv` has null where a word cannot be told from the text. */
export interface ExecEffect {
  readonly kind: "exec";
  /** The program's base name without path (`rm`), wrappers already seen through. */
  readonly program: string;
  /** The word as written, when it had a path (`/bin/rm`). */
  readonly path: string | null;
  readonly argv: readonly (string | null)[];
  readonly from: string;
}

/** A connection to somewhere. `host` is null when it cannot be told. */
export interface ConnectEffect {
  readonly kind: "connect";
  readonly host: string | null;
  readonly url: string | null;
  readonly by: string;
  readonly from: string;
}

/** Where code comes from that is run and cannot be judged as text. */
export type CodeSource = "file" | "inline" | "stdin" | "project" | "program";

/**
 * The program is known, what its code does is not: `pytest`, `python x.py`, `make`, `npm test`, an unknown program.
 * `stdin` with `upstream` is a pipe into an interpreter; `upstream` lists the programs that feed it.
 */
export interface CodeEffect {
  readonly kind: "runs-code";
  readonly source: CodeSource;
  readonly program: string;
  /** Inline text or script path where known. */
  readonly code: string | null;
  readonly upstream: readonly string[];
  readonly from: string;
}

/** A change of the shell's or the process's surroundings: `PATH=`, `LD_PRELOAD=`, `alias`, `GIT_SSH_COMMAND=`. */
export interface EnvironmentEffect {
  readonly kind: "environment";
  readonly name: string;
  /** null when it cannot be told from the text. */
  readonly value: string | null;
  readonly from: string;
}

/** Which program runs, or on which path, cannot be told from the text. No allow rule matches it. */
export interface OpaqueEffect {
  readonly kind: "opaque-text";
  readonly why: string;
  readonly from: string;
}

export type ActionEffect = FileEffect | ExecEffect | ConnectEffect | CodeEffect | EnvironmentEffect | OpaqueEffect;
