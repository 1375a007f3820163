// A rule as compiled: plain data, no behaviour. Never holds a reference to the text it came from except its place.

import type { CodeSource, FileOperation } from "../action/effects.js";
import type { SourceSpan, ThreatId } from "../shared/index.js";
import type { DecisionEffect, MaestroLayer, RuleRisk } from "./decision.js";

/** Files by operation and path. Globs are absolute, `./…` (workspace root), `~/…` (home) or `**`-anchored. */
export interface FileMatcher {
  readonly on: "file";
  readonly operations: readonly FileOperation[];
  /** Empty means any path. */
  readonly paths: readonly string[];
  readonly except: readonly string[];
  /** Only paths outside the workspace root, `/tmp`, `/var/tmp` and the home folder. */
  readonly outside: boolean;
  /** Only effects that take in the whole of a folder in `paths`: itself with its tree, or `*` in it. */
  readonly whole: boolean;
  /** Only effects on a whole tree (true) or only on single names (false); null is both. */
  readonly recursive: boolean | null;
  /** Base names of the programs that do it; empty means any. */
  readonly by: readonly string[];
  /** Programs that it does not count for; `observed change` is what was found after a call. */
  readonly notBy: readonly string[];
}

/** Programs by base name and words. */
export interface ExecMatcher {
  readonly on: "exec";
  readonly programs: readonly string[];
  /** Word globs in order. Deny and ask: anywhere in that order; allow: the leading words exactly. */
  readonly args: readonly string[];
  /** Any one of these options is given; clusters (`-rf`), `--long=value` and abbreviations count. */
  readonly flags: readonly string[];
  /** Not matched when any of these options is given. */
  readonly withoutFlags: readonly string[];
  /** Only words that can be told; otherwise a word that cannot be told may be any of `args` and `flags`. */
  readonly known: boolean;
}

/** Connections by host. */
export interface ConnectMatcher {
  readonly on: "connect";
  /** Host globs; empty means any host. */
  readonly hosts: readonly string[];
  readonly except: readonly string[];
  /** URL globs, letter case ignored; empty means any. */
  readonly urls: readonly string[];
  /** Base names of the programs that connect; empty means any. */
  readonly by: readonly string[];
  /** Programs that it does not count for. */
  readonly notBy: readonly string[];
  /** Only hosts that can be told from the text; otherwise a host that cannot be told may be any of `hosts`. */
  readonly known: boolean;
}

/** Code whose doing cannot be told from the text. */
export interface CodeMatcher {
  readonly on: "code";
  readonly sources: readonly CodeSource[];
  readonly programs: readonly string[];
  /** Any of these programs feeds it through a pipe. */
  readonly upstream: readonly string[];
  /** Any of these texts occurs in inline code or in the script's path, letter case ignored. */
  readonly containing: readonly string[];
}

/** Variables and other surroundings by name and value. */
export interface EnvironmentMatcher {
  readonly on: "environment";
  readonly names: readonly string[];
  readonly values: readonly string[];
}

/** Text whose program or path cannot be told. */
export interface OpaqueMatcher {
  readonly on: "opaque";
}

/** What an edit adds to a file. */
export interface ContentMatcher {
  readonly on: "content";
  readonly contains: readonly ContentKind[];
  /** Empty means any path. */
  readonly paths: readonly string[];
  readonly except: readonly string[];
}

/** Kinds of content that can be told from the text alone. `test-command` is what decides the tests in a project file: only a change of it counts. */
export type ContentKind = "invisible-characters" | "private-key" | "access-token" | "test-command";

export type Matcher = FileMatcher | ExecMatcher | ConnectMatcher | CodeMatcher | EnvironmentMatcher | OpaqueMatcher | ContentMatcher;

/** One rule of a policy set. It matches an effect when any of `when` does. */
export interface Rule {
  readonly id: string;
  /** Id of the file it comes from. */
  readonly pack: string;
  readonly effect: DecisionEffect;
  readonly layer: MaestroLayer | null;
  readonly threats: readonly ThreatId[];
  readonly message: string;
  readonly allowed: string | null;
  readonly guidance: string | null;
  readonly risk: RuleRisk | null;
  /** Empty means every role and none. */
  readonly roles: readonly string[];
  readonly notRoles: readonly string[];
  readonly containment: "attested" | "none" | "any";
  /** Longest run of what the rule matches, in milliseconds, as an obligation; null is none. */
  readonly timeoutMs: number | null;
  readonly when: readonly Matcher[];
  /** The rule comes from a file in shadow mode: its refusals are noted, it decides nothing. */
  readonly shadow?: true;
  readonly at: SourceSpan;
}

/** One of a rule's own examples. */
export interface Example {
  readonly subject: { readonly kind: "command" | "write" | "read" | "delete"; readonly text: string };
  /** Text an edit adds; null when the example is about the path alone. */
  readonly content: string | null;
  readonly role: string | null | undefined;
  readonly cwd: string | null;
  readonly root: string | null;
  readonly at: SourceSpan;
}
