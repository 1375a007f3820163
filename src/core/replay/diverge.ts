// A recorded call held against the same call run again: decision, end, output, workspace. Pure; the first thing that differs is named.

import type { Change, Entry, Finding } from "../reconcile/change.js";
import type { AuditEvent, EventData } from "../session/index.js";
import { count, printable, type CallId, type Digest, type Hasher } from "../shared/index.js";
import { firstDifference } from "./settle-text.js";

/**
 * What a step differs in. `image`, `policy`: what the calls ran on or were judged under is another, so it is the step before the first.
 * `unknown`: the record does not hold what it takes to tell.
 */
export type DivergenceKind = "image" | "policy" | "decision" | "exit" | "output" | "workspace" | "unknown";

export interface Divergence {
  readonly kind: DivergenceKind;
  /** One printable sentence. */
  readonly why: string;
  /** How it was, and how it is; printable, null where there is no such thing. */
  readonly recorded: string | null;
  readonly rerun: string | null;
}

/** What a record says of one call. */
export interface CallFacts {
  readonly effect: string | null;
  readonly rules: readonly string[];
  readonly outcome: EventData["call.closed"]["outcome"] | null;
  readonly execution: EventData["execution.finished"] | null;
  readonly changes: readonly Change[];
  readonly findings: readonly Finding[];
}

/** Everything on record of a call that is compared. */
export function factsOf(events: readonly AuditEvent[], call: CallId): CallFacts {
  let effect: string | null = null;
  let rules: readonly string[] = [];
  let outcome: CallFacts["outcome"] = null;
  let execution: CallFacts["execution"] = null;
  const changes: Change[] = [];
  const findings: Finding[] = [];
  for (const event of events) {
    if (event.call !== call) continue;
    if (event.type === "decision.made") {
      effect = event.data.effect;
      rules = [...new Set(event.data.reasons.filter((reason) => reason.effect === event.data.effect).map((reason) => reason.rule))].sort();
    } else if (event.type === "execution.finished") execution = event.data;
    else if (event.type === "reconciliation.done") {
      changes.push(...event.data.changes);
      findings.push(...event.data.findings);
    } else if (event.type === "call.closed") outcome = event.data.outcome;
  }
  return { effect, rules, outcome, execution, changes, findings };
}

/** Both streams of a call as text, and contents by digest where they were kept. */
export interface CallTexts {
  readonly stdout: string;
  readonly stderr: string;
  /** Text of a changed file by its digest; null where it was not kept or is no text. */
  readonly contentOf: (digest: Digest) => string | null;
}

export interface Compared {
  readonly facts: CallFacts;
  readonly texts: CallTexts;
}

const SHOWN = 200;

/** The first thing in which two runs of a call differ, in the order in which it comes to be; null when nothing does. */
export function divergenceOf(recorded: Compared, rerun: Compared): Divergence | null {
  return decisionDiffers(recorded.facts, rerun.facts) ?? exitDiffers(recorded.facts, rerun.facts) ?? outputDiffers(recorded, rerun) ?? workspaceDiffers(recorded, rerun) ?? findingsDiffer(recorded.facts, rerun.facts);
}

function decisionDiffers(recorded: CallFacts, rerun: CallFacts): Divergence | null {
  const word = ({ effect, rules }: CallFacts): string => printable(`${effect ?? "no decision"}${rules.length === 0 ? "" : ` by ${rules.join(", ")}`}`, SHOWN);
  if (recorded.effect !== rerun.effect) return { kind: "decision", why: "policy says otherwise", recorded: word(recorded), rerun: word(rerun) };
  if (recorded.rules.join("\n") !== rerun.rules.join("\n")) return { kind: "decision", why: "other rules say so", recorded: word(recorded), rerun: word(rerun) };
  const refused = (outcome: CallFacts["outcome"]): boolean => outcome === "denied" || outcome === "rejected";
  if (refused(recorded.outcome) !== refused(rerun.outcome)) return { kind: "decision", why: "it came to another end", recorded: recorded.outcome, rerun: rerun.outcome };
  return null;
}

function exitDiffers(recorded: CallFacts, rerun: CallFacts): Divergence | null {
  const word = ({ execution }: CallFacts): string => {
    if (execution === null) return "did not run";
    const { ended, exitCode, signal } = execution;
    return ended === "exit" ? (signal === null ? `exit ${String(exitCode)}` : `signal ${printable(signal, 20)}`) : ended;
  };
  const [left, right] = [word(recorded), word(rerun)];
  return left === right ? null : { kind: "exit", why: "the command ended otherwise", recorded: left, rerun: right };
}

function outputDiffers(recorded: Compared, rerun: Compared): Divergence | null {
  for (const stream of ["stdout", "stderr"] as const) {
    const dropped = [recorded, rerun].map(({ facts }) => (facts.execution?.[stream].dropped ?? 0) > 0);
    if (dropped[0] !== dropped[1]) return { kind: "output", why: `${stream} is past the limit in one of the two only`, recorded: null, rerun: null };
    const found = firstDifference(recorded.texts[stream], rerun.texts[stream]);
    if (found === null) continue;
    const shown = (text: string | null): string | null => (text === null ? null : printable(text, SHOWN));
    return { kind: "output", why: `line ${found.line} of ${stream} differs`, recorded: shown(found.recorded), rerun: shown(found.rerun) };
  }
  return null;
}

/** Names whose content holds times and inodes by its nature: git's own store, and what Python compiled. Whether they are there counts. */
export function isVolatileName(path: string): boolean {
  return /(?:^|\/)\.git\/(?:index|ORIG_HEAD|FETCH_HEAD|COMMIT_EDITMSG|(?:logs|objects|refs)(?:\/.*)?)$/u.test(path) || /(?:^|\/)__pycache__\/[^/]+\.pyc$/u.test(path);
}

/** Commits and their objects are named by their content, which holds a time: which of them there are does not count either. */
function isVolatileExistence(path: string): boolean {
  return /(?:^|\/)\.git\/objects(?:\/.*)?$/u.test(path);
}

function workspaceDiffers(recorded: Compared, rerun: Compared): Divergence | null {
  const left = new Map(recorded.facts.changes.map((change) => [change.path, change]));
  const right = new Map(rerun.facts.changes.map((change) => [change.path, change]));
  const paths = [...new Set([...left.keys(), ...right.keys()])].filter((path) => !isVolatileExistence(path)).sort();
  for (const path of paths) {
    const [before, after] = [left.get(path), right.get(path)];
    if (before !== undefined && after !== undefined && isSameState(path, before.after, after.after, recorded.texts, rerun.texts)) continue;
    // The same file written anew with the same content is no change in one run and a later time in the other: both leave the same.
    if (isVolatileName(path) && (before === undefined || after === undefined)) continue;
    const others = paths.length > 1 ? `; ${count(paths.length, "name")} changed in all` : "";
    return { kind: "workspace", why: `\`${printable(path, SHOWN)}\` is not as it was left${others}`, recorded: stateText(before), rerun: stateText(after) };
  }
  return null;
}

function isSameState(path: string, left: Entry | null, right: Entry | null, recorded: CallTexts, rerun: CallTexts): boolean {
  if (left === null || right === null) return left === right;
  if (left.kind !== right.kind || left.mode !== right.mode || left.target !== right.target) return false;
  if (left.digest === right.digest || isVolatileName(path)) return true;
  if (left.digest === null || right.digest === null) return false;
  const [one, two] = [recorded.contentOf(left.digest), rerun.contentOf(right.digest)];
  return one !== null && two !== null && firstDifference(one, two) === null;
}

function stateText(change: Change | undefined): string {
  if (change === undefined) return "not changed";
  const { after } = change;
  if (after === null) return "deleted";
  const what = after.kind === "file" ? `${count(after.bytes, "byte")} ${(after.digest ?? "").slice(0, 19)}` : after.kind === "symlink" ? `a link to ${printable(after.target ?? "", 80)}` : `a ${after.kind}`;
  return `${what}, mode ${after.mode.toString(8)}`;
}

function findingsDiffer(recorded: CallFacts, rerun: CallFacts): Divergence | null {
  const list = ({ findings }: CallFacts): readonly string[] => [...new Set(findings.map(({ rule, path, reverted }) => printable(`${rule} ${path}${reverted ? "" : " (stands)"}`, SHOWN)))].sort();
  const [left, right] = [list(recorded), list(rerun)];
  const only = left.find((one) => !right.includes(one)) ?? null;
  const more = right.find((one) => !left.includes(one)) ?? null;
  return only === null && more === null ? null : { kind: "decision", why: "what was found differs", recorded: only, rerun: more };
}

/** One digest of what a call left changed: the same for the same names, kinds, modes and contents. */
export function stateDigest(changes: readonly Change[], hash: Hasher): Digest {
  const lines = changes.filter(({ path }) => !isVolatileName(path)).map(({ path, after }) => JSON.stringify([path, after === null ? null : [after.kind, after.mode, after.digest, after.target]])).sort();
  return hash(`ringfence/workspace/v1\n${lines.join("\n")}`);
}
