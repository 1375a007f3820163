// One line of `policy check --jsonl`: judged without running anything. The form is a contract; see docs.

import type { Action } from "../action/action.js";
import type { ActionEffect } from "../action/effects.js";
import { normalisePath } from "../action/paths.js";
import { printable, type JsonObject, type JsonValue } from "../shared/index.js";
import { evaluateArgv, evaluateShell, sessionEnvironment, type ShellContext } from "../shell/index.js";
import { decide } from "./decide.js";
import type { Decision, DecisionContext } from "./decision.js";
import { fileEffect } from "./example-effects.js";
import { summariseDecision } from "./explain.js";
import { explainEffects, type Explanation } from "./explain-tree.js";
import { absolutePath } from "./paths.js";
import type { PolicySet } from "./policy-set.js";

/** What holds for lines that say nothing else. */
export interface CheckDefaults {
  readonly role: string | null;
  readonly root: string;
  readonly home: string;
  readonly containment: DecisionContext["containment"];
  /** Working directory; the root when absent. */
  readonly cwd?: string;
}

/** The answer to one line; `decision` is null when the line was no question. */
export interface CheckedLine {
  readonly json: JsonObject;
  readonly decision: Decision | null;
}

export type CheckSubject = { readonly kind: "command"; readonly text: string } | { readonly kind: "argv"; readonly words: readonly string[] } | { readonly kind: "write" | "read" | "delete"; readonly text: string };

/** One question: a command, or one file touched by a tool. */
export interface CheckQuestion {
  readonly subject: CheckSubject;
  readonly role: string | null;
  readonly root: string;
  readonly cwd: string;
}

/** How text and words become effects. */
export interface Evaluators {
  readonly shell: typeof evaluateShell;
  readonly argv: typeof evaluateArgv;
}

const EVALUATORS: Evaluators = { shell: evaluateShell, argv: evaluateArgv };

const KINDS = ["command", "argv", "write", "read", "delete"] as const;

/** Judges one parsed line. Never throws. */
export function checkLine(policySet: PolicySet, line: JsonValue, defaults: CheckDefaults, evaluators: Evaluators = EVALUATORS): CheckedLine {
  if (typeof line !== "object" || line === null || Array.isArray(line)) return failure(null, "the line is no JSON object");
  const fields = new Map<string, unknown>(Object.entries(line));
  const id = idOf(fields.get("id"));
  const question = questionOf(fields, defaults);
  if (typeof question === "string") return failure(id, question);
  const decision = checkQuestion(policySet, question, defaults, evaluators);
  return { decision, json: { id, ...decisionJson(decision) } };
}

/** Judges one question under a policy. Never throws. */
export function checkQuestion(policySet: PolicySet, question: CheckQuestion, defaults: Pick<CheckDefaults, "home" | "containment">, evaluators: Evaluators = EVALUATORS): Decision {
  const { action, context } = actionOf(question, defaults, evaluators, policySet);
  return decide(policySet, action, context);
}

/** Judges one question and tells how: from text to effects to rules. Never throws. */
export function explainQuestion(policySet: PolicySet, question: CheckQuestion, defaults: Pick<CheckDefaults, "home" | "containment">, evaluators: Evaluators = EVALUATORS): Explanation {
  const { action, context } = actionOf(question, defaults, evaluators, policySet);
  const effects: readonly ActionEffect[] = action.kind === "opaque" ? [...action.effects, { kind: "opaque-text", why: action.why, from: `${action.tool}: ${action.why}` }] : action.effects;
  return explainEffects(policySet, effects, context, decide(policySet, action, context));
}

/** Where no container is, a command's environment is whatever the machine's owner has. */
const NOTHING_KNOWN: ReadonlyMap<string, string> = new Map();

/** The action that a question is about, and what it is judged in. */
function actionOf(question: CheckQuestion, defaults: Pick<CheckDefaults, "home" | "containment">, evaluators: Evaluators, policySet: PolicySet): { readonly action: Action; readonly context: DecisionContext } {
  const { root, cwd, subject } = question;
  const context: DecisionContext = { role: question.role, root, cwd, home: defaults.home, containment: defaults.containment };
  const whole = defaults.containment !== "none";
  const environment = whole ? sessionEnvironment({ home: defaults.home, cwd }) : NOTHING_KNOWN;
  const surroundings: ShellContext = { cwd, root, home: defaults.home, environment, environmentIsWhole: whole, ...(policySet.models === undefined ? {} : { programs: policySet.models }) };
  if (subject.kind === "command") {
    const { effects } = evaluators.shell(subject.text, surroundings);
    return { context, action: { kind: "command", form: { shell: subject.text }, cwd, timeoutMs: null, effects } };
  }
  if (subject.kind === "argv") {
    const { effects } = evaluators.argv(subject.words, surroundings);
    return { context, action: { kind: "command", form: { argv: subject.words }, cwd, timeoutMs: null, effects } };
  }
  const path = absolutePath(subject.text, { cwd, home: defaults.home });
  if (path === null) return { context, action: { kind: "opaque", tool: subject.kind, why: "a path no file can have", effects: [] } };
  const effects: readonly ActionEffect[] = [fileEffect(subject.kind, path)];
  if (subject.kind === "read") return { context, action: { kind: "view", path, range: null, effects } };
  return { context, action: { kind: "edit", path, edit: { op: "undo" }, effects } };
}

/** The contract's form of a decision, without the id. */
export function decisionJson(decision: Decision): JsonObject {
  return {
    effect: decision.effect,
    rules: [...new Set(decision.reasons.map((reason) => reason.rule))],
    threats: decision.effect === "allow" ? [] : [...new Set(decision.reasons.flatMap((reason) => reason.threats))],
    reason: summariseDecision(decision),
    guidance: decision.guidance,
  };
}

function idOf(value: unknown): string | number | null {
  return typeof value === "string" || typeof value === "number" ? value : null;
}

function failure(id: string | number | null, error: string): CheckedLine {
  return { decision: null, json: { id, error: printable(error, 300) } };
}

/** The question a line asks, or what is wrong with it. */
export function questionOf(fields: ReadonlyMap<string, unknown>, defaults: CheckDefaults): CheckQuestion | string {
  const given = KINDS.filter((kind) => fields.has(kind));
  const kind = given[0];
  if (kind === undefined) return "the line has none of `command`, `write`, `read`";
  if (given.length > 1) return `the line has ${given.map((one) => `\`${one}\``).join(" and ")}; give one`;
  const subject = subjectIn(kind, fields.get(kind));
  if (typeof subject === "string") return subject;
  const role = fields.get("role") ?? defaults.role;
  if (role !== null && typeof role !== "string") return "`role` must be a text or null";
  const root = fields.get("root") ?? defaults.root;
  if (typeof root !== "string" || !root.startsWith("/") || root.includes("\u0000")) return "`root` must be an absolute path";
  const cwd = fields.get("cwd") ?? (fields.has("root") ? root : (defaults.cwd ?? root));
  if (typeof cwd !== "string" || cwd.includes("\u0000")) return "`cwd` must be a path";
  const place = normalisePath(root, "/");
  const working = place === null ? null : normalisePath(cwd, place);
  if (place === null || working === null) return "`root` and `cwd` must be paths a folder can have";
  return { subject, role, root: place, cwd: working };
}

function subjectIn(kind: (typeof KINDS)[number], value: unknown): CheckSubject | string {
  if (kind === "argv") {
    if (!Array.isArray(value) || value.length === 0 || !value.every((word): word is string => typeof word === "string")) return "`argv` must be a list of texts";
    return { kind, words: value };
  }
  if (typeof value !== "string") return `\`${kind}\` must be a text`;
  if (kind !== "command" && (value === "" || value.includes("\u0000"))) return `\`${kind}\` must be a path`;
  return { kind, text: value };
}
