// `ringfence policy explain, lint, test, schema, diff, learn`: for those who write policies. Judges and reads; writes and runs nothing.

import { resolve } from "node:path";
import { Option, type Command } from "commander";
import { namedRoles } from "../../../core/policy/applies.js";
import type { CheckSubject, Explanation } from "../../../core/policy/index.js";
import { GuardError, count, formatIssue, printable, type Issue, type JsonValue } from "../../../core/shared/index.js";
import type { CliContext } from "../main.js";
import { wordsToJudge } from "../one-word.js";
import type { Io } from "../io.js";
import { collect } from "../session-options.js";
import { noteUnnamedRole } from "../unnamed-role.js";
import { effectMark } from "../render/text.js";
import { explanationLines } from "../render/explanation.js";

interface ExplainFlags {
  readonly policy: readonly string[];
  readonly role?: string;
  readonly root: string;
  readonly cwd?: string;
  readonly workspace?: string;
  readonly command?: string;
  readonly read?: string;
  readonly write?: string;
  readonly containment: "attested" | "none";
}

const EXIT = { allow: 0, deny: 3, ask: 4 } as const;
const FINDING = 1;

/** Adds the commands of policy authors. */
export function registerPolicyAuthor(policy: Command, context: CliContext): void {
  registerExplain(policy, context);
  policy
    .command("lint")
    .description("find rules that decide nothing, allow too much, never match or are held by text alone")
    .argument("[file...]", "policy files, or ids of built-in ones (default: all built-in ones)")
    .option("--notes", "show notes too, not only warnings")
    .addHelpText("after", "\nExit codes: 0 no warning, 1 at least one, 65 policy invalid.\n\nExamples:\n  ringfence policy lint team.policy.yaml\n  ringfence policy lint --notes kimi-dev")
    .action(async (files: readonly string[], flags: { readonly notes?: boolean }, command: Command) => context.exit(await lint(files, flags.notes === true, context.ioOf(command))));
  policy
    .command("test")
    .description("judge the examples of policies and the cases beside them (`x.cases.yaml` beside `x.policy.yaml`)")
    .argument("[file...]", "policy files, or ids of built-in ones (default: all built-in ones)")
    .addHelpText("after", "\nExit codes: 0 all hold, 1 at least one fails, 65 policy invalid.\n\nExamples:\n  ringfence policy test\n  ringfence policy test team.policy.yaml")
    .action(async (files: readonly string[], _flags: unknown, command: Command) => context.exit(await test(files, context.ioOf(command))));
  policy
    .command("schema")
    .description("print the JSON Schema of policy files, for editors")
    .addHelpText("after", "\nExample:\n  ringfence policy schema > policy.schema.json")
    .action(async (_flags: unknown, command: Command) => {
      const { policyJsonSchema } = await import("../../../core/policy/schema.js");
      const io = context.ioOf(command);
      if (io.options.json) io.json(policyJsonSchema());
      else io.out(JSON.stringify(policyJsonSchema(), null, 2));
    });
  policy
    .command("diff")
    .description("name commands and paths that two policies answer differently, from their examples and a built-in list")
    .argument("<before>", "policy file, or id of a built-in one")
    .argument("<after>", "policy file, or id of a built-in one")
    .addHelpText("after", "\nExit codes: 0 no difference found, 1 at least one, 65 policy invalid. No difference found is no proof.\n\nExample:\n  ringfence policy diff kimi-dev team.policy.yaml")
    .action(async (before: string, after: string, _flags: unknown, command: Command) => context.exit(await diff(before, after, context.ioOf(command))));
  policy
    .command("learn")
    .description("propose the smallest allow rules for what sessions did or were refused for want of a rule; writes nothing")
    .argument("<session...>", "ids of sessions")
    .option("-p, --policy <file>", "policy that the proposal is for (default: the built-in kimi-dev profile; may be repeated)", collect, [])
    .option("--all", "a policy of its own for everything they did, in place of what the policy lacks")
    .addHelpText("after", "\nWhat a rule denies is never proposed away; it is listed with its rule.\n\nExample:\n  ringfence policy learn --all ses_… > draft.policy.yaml")
    .action(async (ids: readonly string[], flags: { readonly policy: readonly string[]; readonly all?: boolean }, command: Command) => context.exit(await learn(ids, flags, context.ioOf(command))));
}

function registerExplain(policy: Command, context: CliContext): void {
  policy
    .command("explain")
    .description("show how a decision comes about: from text to effects to rules")
    .option("-p, --policy <file>", "policy file, in place of the built-in kimi-dev profile (may be repeated)", collect, [])
    .option("-w, --workspace <dir>", "take in the policies found in this folder (.ringfence/*.policy.yaml)")
    .option("--role <role>", "role to judge under")
    .option("--root <path>", "where the workspace is mounted", "/workspace")
    .option("--cwd <path>", "working directory (default: the root)")
    .option("--command <text>", "shell text")
    .option("--read <path>", "a file to be read")
    .option("--write <path>", "a file to be written")
    .addOption(new Option("--containment <state>", "whether a tested container holds the action").choices(["attested", "none"]).default("attested"))
    .argument("[command...]", "a command's words, after --")
    .passThroughOptions()
    .addHelpText("after", "\nExit codes: 0 allow, 3 deny, 4 ask, 65 policy invalid.\n\nExamples:\n  ringfence policy explain -- rm -rf /\n  ringfence policy explain --command 'cd src && ls | xargs rm'\n  ringfence policy explain --role bugfixer --write test/a.test.js")
    .action(async (words: readonly string[], flags: ExplainFlags, command: Command) => context.exit(await explain(words, flags, context.ioOf(command))));
}

/** The one thing a command line asks about. */
function subjectOf(words: readonly string[], flags: ExplainFlags): CheckSubject {
  const asked: readonly (CheckSubject | null)[] = [
    flags.command === undefined ? null : { kind: "command", text: flags.command },
    flags.read === undefined ? null : { kind: "read", text: flags.read },
    flags.write === undefined ? null : { kind: "write", text: flags.write },
    words.length === 0 ? null : { kind: "argv", words: wordsToJudge(words) },
  ];
  const given = asked.filter((one) => one !== null);
  if (given.length !== 1 || given[0] === undefined) throw new GuardError("USAGE_INVALID", "give one thing to explain: --command, --read, --write or words after --");
  return given[0];
}

async function explain(words: readonly string[], flags: ExplainFlags, io: Io): Promise<number> {
  const subject = subjectOf(words, flags);
  const { explainQuestion, questionOf } = await import("../../../core/policy/check-line.js");
  const { explanationJson } = await import("../../../core/policy/explain-tree.js");
  const asked = subject.kind === "argv" ? { argv: [...subject.words] } : { [subject.kind]: subject.text };
  const question = questionOf(new Map<string, unknown>(Object.entries(asked)), { role: flags.role ?? null, root: flags.root, cwd: flags.cwd ?? flags.root, home: "/home/agent", containment: flags.containment });
  if (typeof question === "string") throw new GuardError("USAGE_INVALID", question);
  const { loadPolicy } = await import("../../../compose-policy.js");
  const policySet = await loadPolicy(flags.policy, io.env, flags.workspace === undefined ? null : resolve(flags.workspace));
  noteUnnamedRole(flags.role, namedRoles(policySet.rules), io);
  const explanation: Explanation = explainQuestion(policySet, question, { home: "/home/agent", containment: flags.containment });
  if (io.options.json) io.json({ ...asked, role: question.role, root: question.root, cwd: question.cwd, ...explanationJson(explanation) });
  else for (const line of explanationLines(subject.kind === "argv" ? subject.words.join(" ") : subject.text, explanation, io.paint)) io.out(line);
  return EXIT[explanation.decision.effect];
}

async function lint(files: readonly string[], notes: boolean, io: Io): Promise<number> {
  const { lintFiles } = await import("../../../compose-author.js");
  const findings = await lintFiles(files);
  const warnings = findings.filter((one) => one.severity === "warning");
  if (io.options.json) io.json({ warnings: warnings.length, findings: findings.map(issueJson) });
  else {
    for (const finding of notes ? findings : warnings) {
      io.out(`${finding.severity === "warning" ? io.paint.yellow("warning") : io.paint.dim("note   ")} ${io.paint.dim(finding.code)} ${formatIssue(finding)}`);
    }
    io.out(`${count(warnings.length, "warning")}, ${count(findings.length - warnings.length, "note")}${notes || findings.length === warnings.length ? "" : io.paint.dim(" (--notes shows them)")}`);
  }
  return warnings.length > 0 ? FINDING : 0;
}

async function test(files: readonly string[], io: Io): Promise<number> {
  const { testFiles } = await import("../../../compose-author.js");
  const tested = await testFiles(files);
  const failed = tested.reduce((sum, one) => sum + one.failed.length, 0);
  if (io.options.json) io.json({ failed, policies: tested.map((one) => ({ ...one, failed: one.failed.map(issueJson) })) });
  else {
    for (const one of tested) {
      const mark = one.failed.length === 0 ? io.paint.green("ok  ") : io.paint.red("FAIL");
      io.out(`${mark} ${printable(one.file)}  ${count(one.rules, "rule")}, ${count(one.examples, "example")}, ${one.cases === null ? io.paint.dim("no cases file") : count(one.cases, "case")}`);
      for (const issue of one.failed) io.out(`     ${formatIssue(issue)}`);
    }
    io.out(failed === 0 ? "all hold" : `${failed} failed`);
  }
  return failed > 0 ? FINDING : 0;
}

async function diff(before: string, after: string, io: Io): Promise<number> {
  const { diffPolicies } = await import("../../../compose-author.js");
  const { asked, differences } = await diffPolicies(before, after);
  if (io.options.json) io.json({ asked, differences: differences as unknown as JsonValue });
  else {
    for (const { subject, role, before: left, after: right, tighter } of differences) {
      const text = subject.kind === "argv" ? subject.words.join(" ") : subject.kind === "command" ? subject.text : `${subject.kind} ${subject.text}`;
      io.out(`${tighter ? io.paint.green("tighter") : io.paint.red("looser ")} ${effectMark(left.effect, io.paint)} → ${effectMark(right.effect, io.paint)} ${printable(text, 120)}${role === null ? "" : io.paint.dim(` as ${role}`)} ${io.paint.dim(`(${left.rule} → ${right.rule})`)}`);
    }
    io.out(`${count(differences.length, "difference")} in ${count(asked, "question")}`);
  }
  return differences.length > 0 ? FINDING : 0;
}

async function learn(ids: readonly string[], flags: { readonly policy: readonly string[]; readonly all?: boolean }, io: Io): Promise<number> {
  const { learnFrom } = await import("../../../compose-author.js");
  const lesson = await learnFrom(ids, { policy: flags.policy, all: flags.all === true, env: io.env });
  if (io.options.json) {
    io.json({ rules: lesson.rules, yaml: lesson.yaml, held: lesson.held.map((one) => ({ ...one })) });
    return 0;
  }
  io.out(lesson.yaml);
  for (const { rule, calls, example } of lesson.held) io.note(`stays refused by ${rule}: ${count(calls, "call")}, such as \`${example}\``);
  if (lesson.rules === 0) io.note(flags.all === true ? "nothing was done that a rule could allow" : "the policy lacks nothing that these sessions were refused for want of");
  return 0;
}

function issueJson(issue: Issue): Record<string, JsonValue> {
  const { at, ...rest } = issue;
  return { ...rest, ...(at === undefined ? {} : { at: { ...at } }) };
}
