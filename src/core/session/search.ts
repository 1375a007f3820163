// What a session is found by, as a pure function of its record, and whether a question fits it. An index may hold the same; the record decides.

import type { AuditEvent } from "./event.js";
import { callsInDoubt, sessionState, type SessionState } from "./state.js";
import { netChanges } from "./net-changes.js";

/** One call as it can be found. Texts are printable and redacted, as the record has them. */
export interface CallText {
  /** From 1. */
  readonly number: number;
  readonly command: string;
  readonly effect: string | null;
  readonly outcome: string | null;
}

/** What a session is listed with and found by. */
export interface SessionFacts {
  readonly openedAt: string;
  readonly workspace: string;
  readonly status: string;
  readonly source: string;
  readonly agent: string | null;
  readonly policy: string;
  readonly score: string | null;
  readonly peak: string | null;
  readonly refused: number;
  /** Names that stand changed. */
  readonly changes: number;
  readonly calls: readonly CallText[];
  /** Changed paths, and files that rules named; each once. */
  readonly paths: readonly string[];
  /** Rules that refused, asked or found something, and their threats; each once. */
  readonly rules: readonly string[];
  readonly threats: readonly string[];
}

/** A question. Texts are found anywhere, whatever their case; all that is asked must hold. */
export interface SessionQuery {
  /** Each somewhere: in commands, paths, rules, threats, workspace, agent. */
  readonly words?: readonly string[];
  readonly command?: string;
  readonly path?: string;
  readonly rule?: string;
  readonly threat?: string;
  readonly workspace?: string;
  readonly status?: string;
  readonly minScore?: number;
  readonly maxScore?: number;
  /** ISO 8601, a beginning of it will do. */
  readonly since?: string;
  readonly before?: string;
}

/** Most commands, paths, rules and threats kept of one session, and longest text of one, in characters. */
export const SEARCH_LIMITS = { commands: 20_000, names: 20_000, chars: 4_000 } as const;

/** How a session on record can stand. */
export const SESSION_STATUSES = ["open", "paused", "finished", "cancelled", "stopped", "broken", "recovered", "in doubt", "applied", "discarded", "imported", "incomplete"] as const;
export type SessionStatus = (typeof SESSION_STATUSES)[number];

/** One word for how a session stands. */
export function sessionStatus(state: SessionState | null): SessionStatus | "invalid" {
  if (state === null) return "invalid";
  if (state.discarded) return "discarded";
  if (state.applied.length > 0) return "applied";
  if (callsInDoubt(state).length > 0 && state.closed !== null) return "in doubt";
  if (state.opened.imported !== undefined) return state.closed === null ? "open" : state.closed.reason === "finished" ? "imported" : "incomplete";
  if (state.closed === null && state.paused !== null) return "paused";
  return state.closed?.reason ?? "open";
}

/** What a record says; null without an opening. */
export function sessionFacts(events: readonly AuditEvent[]): SessionFacts | null {
  const state = sessionState(events);
  if (state === null) return null;
  const [paths, rules, threats] = [new Set<string>(), new Set<string>(), new Set<string>()];
  const note = (set: Set<string>, text: string): void => {
    if (text !== "" && set.size < SEARCH_LIMITS.names) set.add(text.slice(0, SEARCH_LIMITS.chars));
  };
  for (const call of state.calls) {
    for (const { rule, effect, threats: ids, subject } of call.reasons) {
      if (effect === "allow" || effect !== call.effect) continue;
      note(rules, rule);
      for (const id of ids) note(threats, id);
      const file = /^(?:read|write|create|delete|metadata|change) (\/.+)$/u.exec(subject)?.[1];
      if (file !== undefined) note(paths, file);
    }
    for (const change of call.changes) note(paths, change.path);
    for (const { rule, threats: ids, path } of call.findings) {
      note(rules, rule);
      note(paths, path);
      for (const id of ids) note(threats, id);
    }
  }
  const { opened, risk } = state;
  return {
    openedAt: state.openedAt,
    // Of an imported one the folder that its file tells.
    workspace: opened.imported === undefined ? opened.workspace.path : opened.workspace.root,
    status: sessionStatus(state),
    source: opened.source,
    agent: opened.agent.name,
    policy: opened.policy.profile ?? opened.policy.sources.join(", "),
    score: risk?.score ?? null,
    peak: risk?.peak ?? null,
    refused: state.calls.filter(({ outcome, effect }) => outcome === "denied" || outcome === "rejected" || (outcome === "imported" && effect === "deny")).length,
    changes: netChanges(events).length,
    calls: state.calls.slice(0, SEARCH_LIMITS.commands).map(({ summary, tool, effect, outcome, arguments: values }, at) => ({ number: at + 1, command: commandOf(summary, tool, values["command"], values["path"]).slice(0, SEARCH_LIMITS.chars), effect, outcome })),
    paths: [...paths],
    rules: [...rules],
    threats: [...threats],
  };
}

/** The words of a call: its text as it was given, not only the beginning that the summary has. */
function commandOf(summary: string, tool: string, command: unknown, path: unknown): string {
  if (typeof path === "string") return `${typeof command === "string" ? command : tool} ${path}`;
  return typeof command === "string" ? command : summary === "" ? tool : summary;
}

/** Calls that a question names, where it fits the session; null where it does not. Without a question about calls: none. */
export function matchSession(facts: SessionFacts, query: SessionQuery): readonly CallText[] | null {
  const score = facts.score === null ? null : Number(facts.score);
  if (query.minScore !== undefined && (score === null || score < query.minScore)) return null;
  if (query.maxScore !== undefined && (score === null || score > query.maxScore)) return null;
  if (query.since !== undefined && facts.openedAt < query.since) return null;
  if (query.before !== undefined && facts.openedAt >= query.before) return null;
  if (query.status !== undefined && facts.status !== query.status) return null;
  if (!holds([facts.workspace], query.workspace) || !holds(facts.paths, query.path) || !holds(facts.rules, query.rule) || !holds(facts.threats, query.threat)) return null;
  const calls = query.command === undefined ? [] : facts.calls.filter(({ command }) => contains(command, query.command ?? ""));
  if (query.command !== undefined && calls.length === 0) return null;
  const named = new Set(calls);
  for (const word of query.words ?? []) {
    const found = facts.calls.filter(({ command }) => contains(command, word));
    for (const call of found) named.add(call);
    if (found.length === 0 && !holds([facts.workspace, facts.agent ?? "", ...facts.paths, ...facts.rules, ...facts.threats], word)) return null;
  }
  return [...named].sort((a, b) => a.number - b.number);
}

function holds(texts: readonly string[], wanted: string | undefined): boolean {
  return wanted === undefined || texts.some((text) => contains(text, wanted));
}

/** The form in which texts are compared. */
export function foldText(text: string): string {
  return text.toLowerCase();
}

function contains(text: string, wanted: string): boolean {
  return foldText(text).includes(foldText(wanted));
}
