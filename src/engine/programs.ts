// The programs a call really ran, judged by the same rules as its text: each before its first instruction. What a rule forbids ends
// the call; what a rule would have asked about is a finding. What only no rule allows goes on: the call that runs it was allowed to run code.

import type { ActionEffect } from "../core/action/effects.js";
import { DEFAULT_DENY, decideEffects, type DecisionContext } from "../core/policy/index.js";
import type { Reason } from "../core/policy/decision.js";
import type { Finding } from "../core/reconcile/change.js";
import { evaluateArgv } from "../core/shell/index.js";
import { LIMITS, printable, type CallId } from "../core/shared/index.js";
import type { EventDraft, RecordedProgram } from "../core/session/event.js";
import type { ProgramLog, RunRequest, StartedProgram } from "../ports/sandbox.js";
import type { LiveSession } from "./live.js";
import { modelledBy } from "./understand.js";

/** Judges the programs of one call. */
export interface ProgramJudge {
  /** For the sandbox. */
  readonly judge: NonNullable<RunRequest["judge"]>;
  /** What was refused, and what would have been asked about; nothing of it is repeated. */
  readonly findings: (log: ProgramLog | undefined) => readonly Finding[];
  /** The first that was refused, for the end of the call; null for none. */
  readonly refused: () => string | null;
  /** The strictest rule against one of the call's programs, for the record; null for none. */
  readonly against: (program: StartedProgram) => RecordedProgram["against"] | null;
}

const NAME_CHARS = 200;

/** A judge for one call. Its context is that of the call, without the session's history: rules about sequences are about calls. */
export function judgePrograms(live: LiveSession, context: DecisionContext, approvedRules: ReadonlySet<string>): ProgramJudge {
  const found = new Map<string, Finding>();
  const refusals: string[] = [];
  const known = new Map<string, readonly Reason[]>();
  const keyOf = (program: StartedProgram): string => JSON.stringify([program.image, program.cwd, program.argv]);
  const ended = new Set<string>();
  const look = (program: StartedProgram): readonly Reason[] => {
    const key = keyOf(program);
    const before = known.get(key);
    if (before !== undefined) return before;
    const reasons = reasonsAgainst(live, program, context);
    if (known.size < LIMITS.programs) known.set(key, reasons);
    return reasons;
  };
  const note = (program: StartedProgram, reason: Reason): void => {
    const key = `${reason.rule} ${reason.subject}`;
    if (found.has(key) || found.size >= LIMITS.programFindings) return;
    const { rule, layer, threats, risk } = reason;
    const refused = reason.effect === "deny";
    const what = printable(live.deps.redactor.text(program.argv.join(" ")), NAME_CHARS);
    const message = refused ? `${reason.message}: ended before its first instruction: ${what}` : `${reason.message}: ran inside the call, and nobody was asked: ${what}`;
    found.set(key, { rule, layer, threats, message, path: "", operation: "modify", reverted: refused, risk, about: "program" });
  };
  return {
    judge: {
      key: `${context.role ?? ""} ${context.home} ${context.root} ${live.options.policy.digest}`,
      allows: (program) => {
        const against = look(program).filter(({ effect }) => effect === "deny");
        for (const reason of against) note(program, reason);
        if (against.length > 0 && ended.size < LIMITS.programs) ended.add(keyOf(program));
        const [first] = against;
        if (first !== undefined && refusals.length === 0) refusals.push(`${printable(program.argv[0] ?? program.image, NAME_CHARS)} by ${first.rule}`);
        return first === undefined;
      },
    },
    findings: (log) => {
      for (const program of log?.programs.slice(1) ?? []) {
        // What was refused never ran: to say that nobody was asked about it would be wrong.
        if (ended.has(keyOf(program))) continue;
        for (const reason of look(program)) if (reason.effect === "ask" && !approvedRules.has(reason.rule)) note(program, reason);
      }
      return [...found.values()];
    },
    refused: () => refusals[0] ?? null,
    against: (program) => {
      const reasons = look(program).filter(({ effect, rule }) => effect === "deny" || !approvedRules.has(rule));
      const reason = reasons.find(({ effect }) => effect === "deny") ?? reasons.find(({ effect }) => effect === "ask");
      return reason === undefined ? null : { rule: reason.rule, effect: reason.effect === "deny" ? "deny" : "ask" };
    },
  };
}

/** Rules that speak against a program: of its words as they are, and of the same with the name of the file that really runs. */
function reasonsAgainst(live: LiveSession, program: StartedProgram, context: DecisionContext): readonly Reason[] {
  const { root, home } = live.options.defaults;
  const cwd = program.cwd.startsWith("/") ? program.cwd : root;
  const shell = { cwd, home, root, environment: new Map<string, string>(), environmentIsWhole: false, readText: () => null, ...modelledBy(live.options.policy) };
  const effects = namesOf(program).flatMap((argv) => evaluateArgv(argv, shell).effects).filter(isKnown);
  if (effects.length === 0) return [];
  const { history: _history, ...alone } = context;
  const decision = decideEffects(live.options.policy, effects, { ...alone, cwd });
  return decision.reasons.filter(({ rule }) => rule !== DEFAULT_DENY);
}

/**
 * What can be told of a program by its words. Code that it runs is heard of by what that starts in turn; where words cannot be told the
 * text of the call was judged for it.
 */
function isKnown(effect: ActionEffect): boolean {
  return effect.kind === "exec" || effect.kind === "file" || effect.kind === "connect";
}

function namesOf({ argv, image }: StartedProgram): readonly (readonly string[])[] {
  const [first = "", ...rest] = argv;
  const own = image.slice(image.lastIndexOf("/") + 1);
  const said = first.slice(first.lastIndexOf("/") + 1);
  const asImage = own === said ? [] : [[image, ...rest]];
  // The loader run by hand: the program it loads is its first argument that is no option.
  const loaded = /^ld(?:-linux[\w.-]*|-musl[\w.-]*)?\.so(?:\.\d+)*$|^ld-\d/u.test(own) ? [rest.slice(Math.max(0, rest.findIndex((word) => !word.startsWith("-"))))] : [];
  return [first === "" ? [image, ...rest] : argv, ...asImage, ...loaded.filter((words) => words.length > 0)];
}

/** What really ran, for the record: none where nothing is recorded. Secrets are taken out here. */
export function programsEvent(live: Pick<LiveSession, "deps">, call: CallId, log: ProgramLog | undefined, judge?: Pick<ProgramJudge, "against">): readonly EventDraft[] {
  if (log === undefined || log.record === "off") return [];
  const text = (value: string): string => live.deps.redactor.text(printable(value, LIMITS.programArgumentBytes));
  const programs = log.programs.map((program, at): RecordedProgram => {
    const { number, parent, replaced, image, argv, cwd, atMs, end } = program;
    const { exitCode, signal } = end ?? { exitCode: null, signal: null };
    // The first is the command itself, which was judged as text.
    const against = at === 0 ? null : (judge?.against(program) ?? null);
    return {
      number,
      parent,
      ...(replaced ? { replaced: true as const } : {}),
      image: text(image),
      argv: argv.map(text),
      ...(program.cut ? { cut: true as const } : {}),
      cwd: text(cwd),
      startedMs: rounded(atMs),
      durationMs: end === null ? null : rounded(Math.max(0, end.atMs - atMs)),
      exit: end?.replaced === true ? "replaced" : (exitCode ?? signal),
      ...(against === null ? {} : { against }),
    };
  });
  const writes = log.writes.map(({ program, path }) => ({ program, path: text(path) }));
  return [{ call, type: "programs.recorded", data: { record: log.record, programs, writes, dropped: log.dropped } }];
}

function rounded(milliseconds: number): number {
  return Math.round(milliseconds * 1000) / 1000;
}
