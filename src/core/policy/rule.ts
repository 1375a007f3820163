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
  /** Not when the only word behind the program is one of these: what is asked for its version starts nothing else. */
  readonly unlessAlone: readonly string[];
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

/** What an edit adds to a file, or what the output of a call says to the model. */
export interface ContentMatcher {
  readonly on: "content";
  readonly contains: readonly ContentKind[];
  /** Empty means any path. */
  readonly paths: readonly string[];
  readonly except: readonly string[];
  readonly where: "edit" | "output";
  /** Of an output that a rule denies: `masked` gives it with the found places made harmless, `marked` gives it as it is with a warning; null withholds it. */
  readonly deliver: "masked" | "marked" | null;
}

/**
 * Kinds of content that can be told from the text alone. `access-token` has the form of one issuer's, `secret` is whatever redaction
 * takes out. `hidden-text` is an invisible character that can only mean to hide something. `test-command` is what decides the tests
 * in a project file: only a change of it counts.
 */
export type ContentKind = "invisible-characters" | "hidden-text" | "private-key" | "access-token" | "secret" | "injected-instructions" | "obfuscated-code" | "test-command";

/** Matchers of one effect of an action. */
export type EffectMatcher = FileMatcher | ExecMatcher | ConnectMatcher | CodeMatcher | EnvironmentMatcher | OpaqueMatcher | ContentMatcher;

/** Amounts that a session or a call may come to; null is no limit. What passes one is matched. */
export interface BudgetMatcher {
  readonly on: "budget";
  /** `session`: all calls together; `call`: each by itself. */
  readonly per: "session" | "call";
  /** Calls judged; with `counting` the calls that ran and did that. Only per session. */
  readonly calls: number | null;
  /** Time that calls ran, in seconds. */
  readonly seconds: number | null;
  /** Bytes of the files that were made or changed. */
  readonly bytesWritten: number | null;
  /** Files made, changed or deleted: different ones of a session, names of a call. */
  readonly filesChanged: number | null;
  readonly deletions: number | null;
  /** Which calls `calls` counts; null counts all. */
  readonly counting: EffectMatcher | null;
}

/** Something that an earlier call of the session did, was found to have done, or was refused for. */
export type SequenceStep =
  | { readonly kind: "did"; readonly matcher: EffectMatcher }
  /** Rule globs of findings. */
  | { readonly kind: "found"; readonly rules: readonly string[] }
  /** Rule globs of refusals. */
  | { readonly kind: "refused"; readonly rules: readonly string[] };

/** An effect after something else happened in the same session, or in the same call. */
export interface SequenceMatcher {
  readonly on: "sequence";
  /** All of them, in any order. */
  readonly after: readonly SequenceStep[];
  readonly then: EffectMatcher;
  /** The file that `then` is about must be one that `after` changed. */
  readonly same: boolean;
  /** At most so many calls ago; null is any time. */
  readonly within: number | null;
}

/** Calls refused one after the other, with none that ran between them. */
export interface RefusalsMatcher {
  readonly on: "refusals";
  readonly inRow: number;
  /** Globs of rules, or of threats, that refused; both empty means any. */
  readonly rules: readonly string[];
  readonly threats: readonly string[];
}

/** Matchers that need what the session did before. */
export type HistoryMatcher = BudgetMatcher | SequenceMatcher | RefusalsMatcher;

export type Matcher = EffectMatcher | HistoryMatcher;

/** Tells whether a matcher is about one effect alone. */
export function isEffectMatcher(matcher: Matcher): matcher is EffectMatcher {
  return matcher.on !== "budget" && matcher.on !== "sequence" && matcher.on !== "refusals";
}

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
  /** Of a rule in shadow mode whose file watches: what it matches is evidence for the score, where the call runs and a container holds it. */
  readonly watch?: true;
  readonly at: SourceSpan;
}

/** What an example is about. */
export interface ExampleSubject {
  readonly kind: "command" | "write" | "read" | "delete";
  readonly text: string;
}

/** A short history in which an example is judged. */
export interface ExampleHistory {
  /** Calls that ran before, oldest first. */
  readonly before: readonly { readonly subject: ExampleSubject; readonly content: string | null }[];
  /** Rules that refused a call each, just before. */
  readonly refused: readonly string[];
  /** Rules of findings. */
  readonly found: readonly string[];
  /** What was used up; for a rule per call, what the call itself came to. */
  readonly spent: Partial<Spent>;
}

/** What a session, or a call, came to. */
export interface Spent {
  readonly calls: number;
  readonly seconds: number;
  readonly bytesWritten: number;
  readonly filesChanged: number;
  readonly deletions: number;
}

/** One of a rule's own examples. */
export interface Example {
  readonly subject: ExampleSubject;
  /** Null when it is about a call by itself. */
  readonly history: ExampleHistory | null;
  /** Text an edit adds; null when the example is about the path alone. */
  readonly content: string | null;
  /** Text the call prints; null when the example is not about it. */
  readonly output: string | null;
  readonly role: string | null | undefined;
  readonly cwd: string | null;
  readonly root: string | null;
  readonly at: SourceSpan;
}
