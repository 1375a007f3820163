// Attempts that the kernel held: nothing changed, so the comparison has nothing to say. Two witnesses tell of them. The text of a
// call that ran although policy refuses it says what it would have done; the program's output repeats the kernel's refusal. The
// first is what was judged, the second is the program's own word: it is marked so, counts little, and never replaces the first.

import type { ActionEffect, FileEffect } from "../action/effects.js";
import { isInside, normalisePath, relativeTo } from "../action/paths.js";
import { decideEffects, DEFAULT_DENY } from "../policy/decide.js";
import type { DecisionContext, Reason } from "../policy/decision.js";
import type { PolicySet } from "../policy/policy-set.js";
import { reasonOf } from "../policy/reason.js";
import { LIMITS, printable } from "../shared/index.js";
import type { Change, Finding, HeldBy, ToldBy } from "./change.js";
import type { Holding, Holdings } from "./holdings.js";
import { readRefusals, type KernelError } from "./refusals.js";

export interface AttemptInput {
  /** What the text says the call does, where it ran although policy refuses it; empty otherwise. */
  readonly effects: readonly ActionEffect[];
  /** What the call printed, as far as it is kept. */
  readonly outputs: readonly string[];
  readonly holdings: Holdings;
  readonly policySet: PolicySet;
  readonly context: DecisionContext;
  /** What the call changed, undone or not: of these the comparison tells. */
  readonly changed: readonly Pick<Change, "path">[];
}

interface Attempt {
  readonly holding: Holding;
  readonly reason: Reason;
  readonly path: string;
  readonly operation: Finding["operation"];
  readonly told: Set<ToldBy>;
  error: KernelError | null;
}

/** A printed name that is repeated as it is. */
const PLAIN = /^[\w@%+=.,/-]{1,160}$/u;

/** Most names looked into for one call; only how many there were is told of those past the limit of findings. */
const MOST = LIMITS.attempts * 8;

/** Errors that a mere reading gives too: they confirm what the text tells, and make no report of their own. */
const ALSO_OF_READING: readonly KernelError[] = ["EACCES", "EISDIR"];

/** The errors by which what is held shows. */
const ERRORS: Readonly<Record<HeldBy, readonly KernelError[]>> = {
  "read-only-mount": ["EROFS", "EBUSY", "EACCES", "EPERM", "EXDEV", "EEXIST"],
  "held-place": ["EROFS", "EBUSY", "EACCES", "EPERM", "EXDEV", "EISDIR"],
  "mount-point": ["EBUSY", "EXDEV"],
  mask: ["ENOENT"],
  "read-only-root": ["EROFS"],
  "no-network": [],
  "no-capability": [],
  "process-boundary": [],
};

/** Programs that ask for what no process of the agent's has. */
const WITHOUT_CAPABILITY = new Set(["mount", "umount", "unshare", "nsenter", "pivot_root", "chroot", "insmod", "modprobe", "rmmod", "sysctl", "swapon", "swapoff", "losetup", "reboot", "shutdown", "halt", "poweroff", "hwclock", "iptables", "nft", "setcap"]);
const SIGNALLING = new Set(["kill", "pkill", "killall"]);

/** Findings on held attempts, at most `LIMITS.attempts`; the last tells how many more there were. */
export function attemptFindings(input: AttemptInput): readonly Finding[] {
  const attempts = new Map<string, Attempt>();
  toldByText(input, attempts);
  toldByProgram(input, attempts);
  const changed = new Set(input.changed.map(({ path }) => path));
  const rank = ({ told }: Attempt): number => (told.has("text") ? (told.has("program") ? 0 : 1) : 2);
  const all = [...attempts.values()].filter(({ path, operation }) => operation === "read" || path === "" || !changed.has(path)).sort((a, b) => rank(a) - rank(b));
  const kept = all.slice(0, LIMITS.attempts);
  return kept.map((attempt, index) => findingOf(attempt, index === kept.length - 1 ? all.length - kept.length : 0));
}

function findingOf({ holding, reason, path, operation, told, error }: Attempt, more: number): Finding {
  const { rule, layer, threats, message, risk } = reason;
  const held = { by: holding.by, name: printable(holding.name), told: (["text", "program"] as const).filter((one) => told.has(one)), ...(error === null ? {} : { error }), ...(more === 0 ? {} : { more }) };
  return { rule, layer, threats, message, path, operation, reverted: true, risk, about: "attempt", held };
}

function toldByText({ effects, holdings, policySet, context }: AttemptInput, attempts: Map<string, Attempt>): void {
  const add = (holding: Holding, reason: Reason | null, path: string, operation: Finding["operation"]): void => {
    const key = `${holding.by} ${holding.name}`;
    if (reason !== null && !attempts.has(key)) attempts.set(key, { holding, reason, path, operation, told: new Set(["text"]), error: null });
  };
  for (const effect of effects) {
    if (attempts.size >= MOST) return;
    if (effect.kind === "file") {
      for (const holding of holdings.under(effect)) {
        // Looking at a folder is no attempt on each secret in it, unless policy takes it for one.
        if (effect.operation === "read" && !isAgainst(effect, holding.rule, policySet, context)) continue;
        const isOne = effect.certainty === "exact" && !effect.recursive;
        add(holding, reasonFor(holding, effect, policySet, context), isOne ? nameOf(effect.path, context.root) : holding.name, operationOf(effect));
      }
    } else if (effect.kind === "connect") {
      const name = effect.url ?? effect.host ?? printable(effect.from, LIMITS.attemptName);
      add({ by: "no-network", name, rule: null }, against([effect], policySet, context), "", "modify");
    } else if (effect.kind === "exec" && (WITHOUT_CAPABILITY.has(effect.program) || SIGNALLING.has(effect.program))) {
      const name = printable(effect.from, LIMITS.attemptName);
      add({ by: SIGNALLING.has(effect.program) ? "process-boundary" : "no-capability", name, rule: null }, against([effect], policySet, context), "", "modify");
    }
  }
}

function toldByProgram({ outputs, holdings, policySet, context }: AttemptInput, attempts: Map<string, Attempt>): void {
  const texts = [...attempts.values()];
  // Hostile output names as many as it likes.
  let left = MOST;
  for (const { error, words } of outputs.flatMap(readRefusals)) {
    for (const word of words) {
      const path = word.length > LIMITS.pathChars ? null : normalisePath(word, context.cwd);
      if (path === null) continue;
      const holding = error === "ENOENT" ? holdings.reading(path) : holdings.changing(path, null);
      const known = texts.find((one) => tells(one, { word, path, holding, error }, context.root));
      if (known !== undefined) {
        known.told.add("program");
        known.error ??= error;
        break;
      }
      if (holding === null || !ERRORS[holding.by].includes(error) || ALSO_OF_READING.includes(error)) continue;
      // A name of the image counts only where it is spelt out. Words that are no plain name are not repeated in words of ours.
      const isPlain = PLAIN.test(word);
      if (holding.by === "read-only-root" && !(isPlain && word.startsWith("/"))) continue;
      const key = `${holding.by} ${holding.name}`;
      const reported = attempts.get(key);
      if (reported !== undefined) break;
      left -= 1;
      if (left < 0) return;
      const effect: FileEffect = { kind: "file", operation: error === "ENOENT" ? "read" : "write", path, certainty: "exact", recursive: false, by: "reported", from: printable(word, LIMITS.attemptName) };
      const reason = reasonFor(holding, effect, policySet, context);
      if (reason === null) continue;
      attempts.set(key, { holding, reason, path: isPlain ? nameOf(path, context.root) : holding.name, operation: operationOf(effect), told: new Set(["program"]), error });
      break;
    }
  }
}

/** Is a report about an attempt that the text told of: the same thing held, a name below it, or the same name seen from another folder. */
function tells({ holding: told, path: attempted }: Attempt, { word, path, holding, error }: { readonly word: string; readonly path: string; readonly holding: Holding | null; readonly error: KernelError }, root: string): boolean {
  if (!ERRORS[told.by].includes(error) && !(told.by === "read-only-root" && error !== "ENOENT")) return false;
  if (holding !== null && holding.by === told.by && isInside(fullPath(holding, root), fullPath(told, root))) return true;
  if (word.startsWith("/") || attempted === "") return false;
  const seen = normalisePath(word, "/")?.slice(1) ?? "";
  return seen !== "" && (nameOf(path, root) === attempted || attempted.endsWith(`/${seen}`));
}

/** The rule that is against an attempt; null when none is named. */
function reasonFor(holding: Holding, effect: FileEffect, policySet: PolicySet, context: DecisionContext): Reason | null {
  if (holding.rule === null) return against([effect], policySet, context);
  const rule = policySet.rules.find(({ id }) => id === holding.rule);
  return rule === undefined ? null : reasonOf({ rule, subject: holding.name });
}

function isAgainst(effect: FileEffect, rule: string | null, policySet: PolicySet, context: DecisionContext): boolean {
  return decideEffects(policySet, [effect], context).reasons.some((reason) => reason.effect !== "allow" && reason.rule === rule);
}

function against(effects: readonly ActionEffect[], policySet: PolicySet, context: DecisionContext): Reason | null {
  const { effect, reasons } = decideEffects(policySet, effects, context);
  return effect === "allow" ? null : (reasons.find((reason) => reason.effect === effect && reason.rule !== DEFAULT_DENY) ?? null);
}

function fullPath({ name }: Holding, root: string): string {
  return name.startsWith("/") ? name : `${root}/${name}`;
}

/** As changes name it: below the workspace where it is there. */
function nameOf(path: string, root: string): string {
  return relativeTo(path, root) ?? path;
}

function operationOf({ operation }: FileEffect): Finding["operation"] {
  return operation === "write" ? "modify" : operation;
}
