// One line of `policy check --jsonl`: judged without running anything. The form is a contract; see docs.

import type { ActionEffect } from "../action/effects.js";
import { LIMITS, printable, type JsonObject } from "../shared/index.js";
import { evaluateShell } from "../shell/index.js";
import { decide } from "./decide.js";
import type { Decision, DecisionContext } from "./decision.js";
import { fileEffect } from "./examples.js";
import { summariseDecision } from "./explain.js";
import { absolutePath, normalisePath } from "./paths.js";
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

/** The answer to one line; `failed` when the line was not a question. */
export interface CheckedLine {
  readonly json: JsonObject;
  readonly failed: boolean;
}

/** One question: a command or one file touched by a tool. */
export interface CheckQuestion {
  readonly kind: "command" | "write" | "read" | "delete";
  readonly text: string;
  readonly role: string | null;
  readonly root: string;
  readonly cwd: string;
}

const KINDS = ["command", "write", "read", "delete"] as const;

/** Judges one line of text. Never throws. */
export function checkLine(policySet: PolicySet, line: string, defaults: CheckDefaults): CheckedLine {
  let value: unknown;
  try {
    if (line.length > LIMITS.callBytes) return failure(null, "the line is too long");
    value = JSON.parse(line);
  } catch {
    return failure(null, "the line is no JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return failure(null, "the line is no JSON object");
  const fields = new Map<string, unknown>(Object.entries(value));
  const id = idOf(fields.get("id"));
  const question = questionOf(fields, defaults);
  if (typeof question === "string") return failure(id, question);
  const decision = checkQuestion(policySet, question, defaults);
  return { failed: false, json: { id, ...decisionJson(decision) } };
}

/** Judges one question under a policy. Never throws. */
export function checkQuestion(policySet: PolicySet, question: CheckQuestion, defaults: Pick<CheckDefaults, "home" | "containment">): Decision {
  const { root, cwd, kind, text } = question;
  const context: DecisionContext = { role: question.role, root, cwd, home: defaults.home, containment: defaults.containment };
  if (kind === "command") {
    const effects = evaluateShell(text, { cwd, root, home: defaults.home, environment: new Map() }).effects;
    return decide(policySet, { kind: "command", form: { shell: text }, cwd, timeoutMs: null, effects }, context);
  }
  const path = absolutePath(text, { cwd, home: defaults.home });
  const effects: readonly ActionEffect[] = [fileEffect(kind, path)];
  if (kind === "read") return decide(policySet, { kind: "view", path, range: null, effects }, context);
  return decide(policySet, { kind: "edit", path, edit: { op: "undo" }, effects }, context);
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
  return { failed: true, json: { id, error: printable(error, 300) } };
}

/** The question a line asks, or what is wrong with it. */
function questionOf(fields: ReadonlyMap<string, unknown>, defaults: CheckDefaults): CheckQuestion | string {
  const given = KINDS.filter((kind) => fields.has(kind));
  const kind = given[0];
  if (kind === undefined) return "the line has none of `command`, `write`, `read`";
  if (given.length > 1) return `the line has ${given.map((one) => `\`${one}\``).join(" and ")}; give one`;
  const text = fields.get(kind);
  if (typeof text !== "string") return `\`${kind}\` must be a text`;
  if (kind !== "command" && (text === "" || text.includes("\u0000"))) return `\`${kind}\` must be a path`;
  const role = fields.get("role") ?? defaults.role;
  if (role !== null && typeof role !== "string") return "`role` must be a text or null";
  const root = fields.get("root") ?? defaults.root;
  if (typeof root !== "string" || !root.startsWith("/") || root.includes("\u0000")) return "`root` must be an absolute path";
  const cwd = fields.get("cwd") ?? (fields.has("root") ? root : (defaults.cwd ?? root));
  if (typeof cwd !== "string" || cwd.includes("\u0000")) return "`cwd` must be a path";
  const place = normalisePath(root);
  return { kind, text, role, root: place, cwd: normalisePath(cwd.startsWith("/") ? cwd : `${place}/${cwd}`) };
}
