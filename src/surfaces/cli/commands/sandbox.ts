// `ringfence sandbox explain`: what holds each rule in a session on this folder, before one is started.

import { resolve } from "node:path";
import type { Command } from "commander";
import type { HeldRule } from "../../../core/policy/index.js";
import { count, printable } from "../../../core/shared/index.js";
import type { CliContext } from "../main.js";
import type { Io } from "../io.js";
import { effectMark } from "../render/text.js";
import { collect } from "../session-options.js";

interface ExplainFlags {
  readonly workspace: string;
  readonly policy: readonly string[];
  readonly role?: string;
}

/** Names of a kind that are listed; JSON has all. */
const SHOWN = 12;

export function registerSandbox(program: Command, context: CliContext): void {
  program
    .command("sandbox")
    .description("look at what a sandbox holds")
    .command("explain")
    .description("say for each rule what holds it here: the kernel, reconciliation after each call, or judgement alone")
    .option("-w, --workspace <dir>", "folder the session would work on", ".")
    .option("-p, --policy <file>", "policy file, in place of the built-in kimi-dev profile (may be repeated)", collect, [])
    .option("--role <role>", "role of the session")
    .addHelpText("after", "\nExamples:\n  ringfence sandbox explain\n  ringfence sandbox explain --workspace ~/project --role bugfixer\n  ringfence sandbox explain --json")
    .action(async (flags: ExplainFlags, command: Command) => {
      context.exit(await explain(flags, context.ioOf(command)));
    });
}

async function explain(flags: ExplainFlags, io: Io): Promise<number> {
  const { explainSandbox } = await import("../../../compose-explain.js");
  const { workspace, names, rules, plan, unlimited, mounts, lostWhenSent } = await explainSandbox({ workspace: resolve(flags.workspace), policies: flags.policy, role: flags.role ?? null, env: io.env });
  if (io.options.json) {
    io.json({ workspace, names, role: flags.role ?? null, rules: JSON.parse(JSON.stringify(rules)), plan: JSON.parse(JSON.stringify(plan)), mounts: JSON.parse(JSON.stringify(mounts)), disk: { limited: unlimited === null, why: unlimited } });
    return 0;
  }
  const { paint } = io;
  io.out(`${printable(workspace)}: ${count(names, "name")}, ${count(rules.length, "rule")} to deny or ask`);
  for (const rule of rules) showRule(rule, io);
  io.out("");
  list("hidden", plan.masked.map((held) => held.path), io);
  list("read-only", plan.readOnly.map((held) => held.path), io);
  list("held before it exists", plan.placeholders.map((held) => held.path), io);
  list("by reconciliation alone", plan.reconciled.map((held) => `${held.path} (${held.why})`), io);
  for (const { place, writable, from } of mounts) io.out(`mounted at ${place.padEnd(12)} ${writable ? "writable " : "read-only"}  ${printable(from)}`);
  io.out(`and the ${count(plan.readOnly.length + plan.placeholders.length, "name")} above, read-only; a sandbox with any other mount is refused`);
  io.out(`what is written: ${unlimited === null ? "bytes and files limited by the kernel, on a disk of the session's own" : `watched from outside, not limited by the kernel (${printable(unlimited)})`}`);
  io.out(`an engine that does not see this folder is sent it: secrets are not sent, the same names are held; lost: ${lostWhenSent}`);
  const only = rules.filter((rule) => rule.judgementOnly).length;
  io.out("");
  io.out(paint.dim(`held by judgement alone: ${only} of ${count(rules.length, "rule")}. What they refuse is refused where the text tells it, and contained otherwise.`));
  return 0;
}

function showRule({ rule, effect, holds }: HeldRule, io: Io): void {
  io.out("");
  io.out(`${effectMark(effect, io.paint)} ${io.paint.bold(rule)}`);
  const paints = { kernel: io.paint.green, reconciliation: io.paint.yellow, judgement: io.paint.dim };
  for (const hold of holds) io.out(`  ${paints[hold.by](hold.by.padEnd(15))} ${hold.how}`);
}

function list(title: string, items: readonly string[], io: Io): void {
  io.out(`${title}: ${items.length === 0 ? "nothing" : items.slice(0, SHOWN).map((item) => printable(item)).join(", ")}${items.length > SHOWN ? ` and ${items.length - SHOWN} more` : ""}`);
}
