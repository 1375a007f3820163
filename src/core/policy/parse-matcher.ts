// Matchers and examples of a policy file that passed the schema, with everything that was left out written out.

import type { FileOperation } from "../action/effects.js";
import type { SourceSpan } from "../shared/index.js";
import type { BeforeFile, EffectMatcherFile, ExampleFile, MatcherFile, StepFile } from "./schema.js";
import type { EffectMatcher, Example, ExampleHistory, ExampleSubject, Matcher, SequenceStep } from "./rule.js";

const CHANGES: readonly FileOperation[] = ["write", "create", "delete", "metadata"];

function operationsOf(raw: NonNullable<MatcherFile["file"]>["operations"]): readonly FileOperation[] {
  if (raw === undefined) return ["read", ...CHANGES];
  return [...new Set(raw.flatMap((one) => (one === "change" ? CHANGES : [one])))];
}

function toEffectMatcher(raw: EffectMatcherFile): EffectMatcher {
  if (raw.file !== undefined) {
    const { operations, paths = [], except = [], outside = false, whole = false, recursive = null, by = [], notBy = [] } = raw.file;
    return { on: "file", operations: operationsOf(operations), paths, except, outside, whole, recursive, by, notBy };
  }
  if (raw.exec !== undefined) {
    const { programs = [], args = [], flags = [], withoutFlags = [], unlessAlone = [], known = false } = raw.exec;
    return { on: "exec", programs, args, flags, withoutFlags, unlessAlone, known };
  }
  if (raw.connect !== undefined) return { on: "connect", hosts: raw.connect.hosts ?? [], except: raw.connect.except ?? [], urls: raw.connect.urls ?? [], by: raw.connect.by ?? [], notBy: raw.connect.notBy ?? [], known: raw.connect.known ?? false };
  if (raw.code !== undefined) {
    const { sources = [], programs = [], upstream = [], containing = [] } = raw.code;
    return { on: "code", sources, programs, upstream, containing };
  }
  if (raw.environment !== undefined) return { on: "environment", names: raw.environment.names ?? [], values: raw.environment.values ?? [] };
  if (raw.content !== undefined) return { on: "content", contains: raw.content.contains, paths: raw.content.paths ?? [], except: raw.content.except ?? [], where: raw.content.in ?? "edit", deliver: raw.content.deliver ?? null };
  return { on: "opaque" };
}

/** A matcher of a file that passed the schema. */
export function toMatcher(raw: MatcherFile): Matcher {
  if (raw.budget !== undefined) {
    const { per = "session", calls = null, seconds = null, bytesWritten = null, filesChanged = null, deletions = null, counting } = raw.budget;
    return { on: "budget", per, calls, seconds, bytesWritten, filesChanged, deletions, counting: counting === undefined ? null : toEffectMatcher(counting) };
  }
  if (raw.sequence !== undefined) {
    const { after, then, same = false, within = null } = raw.sequence;
    return { on: "sequence", after: after.map(toStep), then: toEffectMatcher(then), same, within };
  }
  if (raw.refusals !== undefined) return { on: "refusals", inRow: raw.refusals.inRow, rules: raw.refusals.rules ?? [], threats: raw.refusals.threats ?? [] };
  return toEffectMatcher(raw);
}

function toStep({ found, refused, ...matcher }: StepFile): SequenceStep {
  if (found !== undefined) return { kind: "found", rules: found };
  if (refused !== undefined) return { kind: "refused", rules: refused };
  return { kind: "did", matcher: toEffectMatcher(matcher) };
}

const SUBJECTS = ["command", "write", "read", "delete"] as const;

function toSubject(raw: ExampleFile | BeforeFile): ExampleSubject {
  const kind = SUBJECTS.find((one) => raw[one] !== undefined) ?? "command";
  return { kind, text: raw[kind] ?? "" };
}

/** An example of a file that passed the schema. */
export function toExample(raw: ExampleFile, at: SourceSpan): Example {
  return { subject: toSubject(raw), history: toHistory(raw), content: raw.content ?? null, output: raw.output ?? null, role: raw.role, cwd: raw.cwd ?? null, root: raw.root ?? null, at };
}

function toHistory({ before, refused, found, spent }: ExampleFile): ExampleHistory | null {
  if (before === undefined && refused === undefined && found === undefined && spent === undefined) return null;
  const amounts = Object.entries(spent ?? {}).filter(([, amount]) => amount !== undefined);
  return { before: (before ?? []).map((one) => ({ subject: toSubject(one), content: one.content ?? null })), refused: refused ?? [], found: found ?? [], spent: Object.fromEntries(amounts) };
}
