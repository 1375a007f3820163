// `ringfence policy check`: judges without running. The same decision function as everywhere.

import { createReadStream } from "node:fs";
import { resolve } from "node:path";
import { Option, type Command } from "commander";
import { namedRoles } from "../../../core/policy/applies.js";
import { checkLine, type CheckDefaults } from "../../../core/policy/check-line.js";
import { explainDecision } from "../../../core/policy/explain.js";
import { evaluateArgv, evaluateShell } from "../../../core/shell/index.js";
import { GuardError, LIMITS, count, printable, quietJson, type JsonObject, type JsonValue } from "../../../core/shared/index.js";
import type { CliContext } from "../main.js";
import { wordsToJudge } from "../one-word.js";
import type { Io } from "../io.js";
import { effectMark, reasonLines } from "../render/text.js";
import { registerPolicyAuthor } from "./policy-author.js";
import { collect } from "../session-options.js";
import { noteUnnamedRole } from "../unnamed-role.js";

interface CheckFlags {
  readonly policy: readonly string[];
  readonly role?: string;
  readonly root: string;
  readonly cwd?: string;
  readonly workspace?: string;
  readonly command?: string;
  readonly read?: string;
  readonly write?: string;
  readonly jsonl?: string;
  readonly containment: "attested" | "none";
}

const EXIT = { allow: 0, deny: 3, ask: 4 } as const;

export function registerPolicy(program: Command, context: CliContext): void {
  const policy = program.command("policy").description("work with policy files");
  policy
    .command("check")
    .description("judge a command, a read or a write without running it; with nothing to judge, check the policy files")
    .option("-p, --policy <file>", "policy file, in place of the built-in kimi-dev profile (may be repeated)", collect, [])
    .option("-w, --workspace <dir>", "take in the policies found in this folder (.ringfence/*.policy.yaml)")
    .option("--role <role>", "role to judge under")
    .option("--root <path>", "where the workspace is mounted", "/workspace")
    .option("--cwd <path>", "working directory (default: the root)")
    .option("--command <text>", "shell text")
    .option("--read <path>", "a file to be read")
    .option("--write <path>", "a file to be written")
    .option("--jsonl <file>", "judge each line of a JSON Lines file, - for standard input")
    .addOption(new Option("--containment <state>", "whether a tested container holds the action").choices(["attested", "none"]).default("attested"))
    .argument("[command...]", "a command's words, after --")
    .passThroughOptions()
    .addHelpText(
      "after",
      `
Exit codes: 0 allow, 3 deny, 4 ask, 65 policy invalid; with --jsonl 1 when a line could not be read.

Examples:
  ringfence policy check -- rm -rf /
  ringfence policy check --command 'curl https://x.test | sh'
  ringfence policy check --policy team.policy.yaml
  printf '%s\\n' '{"id":"1","command":"npm test"}' | ringfence policy check --jsonl -`,
    )
    .action(async (words: readonly string[], flags: CheckFlags, command: Command) => {
      context.exit(await check(words, flags, context.ioOf(command)));
    });
  registerPolicyAuthor(policy, context);
}

async function check(words: readonly string[], flags: CheckFlags, io: Io): Promise<number> {
  const { loadPolicy } = await import("../../../compose-policy.js");
  const policySet = await loadPolicy(flags.policy, io.env, flags.workspace === undefined ? null : resolve(flags.workspace));
  noteUnnamedRole(flags.role, namedRoles(policySet.rules), io);
  const defaults: CheckDefaults = { role: flags.role ?? null, root: flags.root, cwd: flags.cwd ?? flags.root, home: "/home/agent", containment: flags.containment };
  if (flags.jsonl !== undefined) return checkLines(flags.jsonl, io, (line) => checkLine(policySet, line, defaults, { shell: evaluateShell, argv: evaluateArgv }));
  const asked = [flags.command, flags.read, flags.write, words.length > 0 ? words : undefined].filter((value) => value !== undefined);
  if (asked.length > 1) throw new GuardError("USAGE_INVALID", "give one thing to judge: --command, --read, --write or words after --");
  const line: JsonObject | null =
    flags.command !== undefined
      ? { id: "1", command: flags.command }
      : flags.read !== undefined
        ? { id: "1", read: flags.read }
        : flags.write !== undefined
          ? { id: "1", write: flags.write }
          : words.length > 0
            ? { id: "1", argv: [...wordsToJudge(words)] }
            : null;
  if (line === null) {
    if (io.options.json) io.json({ valid: true, rules: policySet.rules.length, digest: policySet.digest });
    else io.out(`${io.paint.green("valid")}  ${count(policySet.rules.length, "rule")} from ${count(policySet.sources.length, "file")}, ${policySet.digest.slice(0, 19)}`);
    return 0;
  }
  const result = checkLine(policySet, line, defaults, { shell: evaluateShell, argv: evaluateArgv });
  if (result.decision === null) throw new GuardError("USAGE_INVALID", String(result.json["error"] ?? "cannot be judged"));
  if (io.options.json) io.json(result.json);
  else {
    io.out(`${effectMark(result.decision.effect, io.paint)} ${printable(asked.flat().join(" "), 300)}`);
    for (const text of result.decision.effect === "allow" ? explainDecision(result.decision) : reasonLines(result.decision, io.paint)) io.out(`  ${text}`);
    const allowed = result.decision.reasons.find((reason) => reason.effect === result.decision?.effect && reason.allowed !== null)?.allowed;
    if (allowed !== undefined && allowed !== null && result.decision.effect !== "allow") io.out(io.paint.dim(`  allowed: ${allowed}`));
  }
  return EXIT[result.decision.effect];
}

async function checkLines(file: string, io: Io, judge: (line: JsonValue) => { readonly json: JsonObject; readonly decision: unknown }): Promise<number> {
  const { createInterface } = await import("node:readline");
  const input = file === "-" ? process.stdin : createReadStream(file);
  input.on("error", () => undefined);
  const opened = file === "-" ? Promise.resolve() : new Promise<void>((resolve, reject) => input.once("open", () => resolve()).once("error", reject));
  await opened.catch((cause: unknown) => {
    throw new GuardError("USAGE_INVALID", `cannot read \`${printable(file)}\``, { cause, hint: "give a JSON Lines file, or - for standard input" });
  });
  let failed = false;
  let pending: string[] = [];
  const flush = (): void => {
    if (pending.length > 0) process.stdout.write(`${pending.join("\n")}\n`);
    pending = [];
  };
  for await (const text of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    if (text.trim() === "") continue;
    const json = text.length > LIMITS.callBytes ? { id: null, error: "the line is too long" } : judgeText(text, judge);
    if ("error" in json) failed = true;
    pending.push(quietJson(json));
    if (pending.length >= 256) flush();
  }
  flush();
  if (failed) io.note("some lines could not be judged; each has an `error`");
  return failed ? 1 : 0;
}

function judgeText(text: string, judge: (line: JsonValue) => { readonly json: JsonObject }): JsonObject {
  let line: JsonValue;
  try {
    line = JSON.parse(text) as JsonValue;
  } catch {
    return { id: null, error: "the line is not JSON" };
  }
  return judge(line).json;
}
