// `ringfence bundle`: a session in one file for somebody else, and the check of one.

import type { Command } from "commander";
import { ERRORS, count, printable } from "../../../core/shared/index.js";
import type { CliContext } from "../main.js";
import type { Io } from "../io.js";
import { recoverFirst } from "../recovered.js";

const LISTED = 20;

export function registerBundle(program: Command, context: CliContext): void {
  const bundle = program.command("bundle").description("evidence in one file: record, signed head, key, outputs, patch, and a signed statement that binds them");
  bundle
    .command("export")
    .description("write a session's bundle")
    .argument("<session>", "session id, a unique beginning of it, or `last`")
    .option("-o, --output <file>", "where to (default: <session>.bundle.tar here)")
    .option("-f, --force", "replace a file that is there")
    .addHelpText("after", "\nExamples:\n  ringfence bundle export last\n  ringfence bundle export ses_abc --output evidence.tar")
    .action(async (id: string, flags: { readonly output?: string; readonly force?: boolean }, command: Command) => exportOne(id, flags, context.ioOf(command)));
  bundle
    .command("verify")
    .description("check a bundle, offline and without this machine's sessions")
    .argument("<file>", "a bundle")
    .option("--key <pem>", "the public key it must be signed with, known from elsewhere")
    .option("--head <checkpoint>", "a signed head of the session that was kept elsewhere")
    .addHelpText("after", "\nWithout --key it is not told who signed; without --head not whether records are absent at the end.\n`show`, `score`, `export` and `replay` take a bundle file in place of a session, on any machine.\nExit codes: 0 intact, 5 invalid, 2 no bundle.\n\nExamples:\n  ringfence bundle verify evidence.tar\n  ringfence bundle verify evidence.tar --key team.pem --head ses_abc.checkpoint")
    .action(async (file: string, flags: { readonly key?: string; readonly head?: string }, command: Command) => context.exit(await verifyOne(file, flags, context.ioOf(command))));
}

async function exportOne(id: string, flags: { readonly output?: string; readonly force?: boolean }, io: Io): Promise<void> {
  await recoverFirst(io);
  const { exportBundle } = await import("../../../compose-bundle.js");
  const made = await exportBundle(id, flags.output ?? null, io.env, { force: flags.force === true });
  if (io.options.json) return io.json(made);
  io.out(printable(made.file));
  io.note(`${made.session}: ${count(made.files, "file")}, ${count(made.bytes, "byte")}; \`ringfence bundle verify\` checks it anywhere`);
  for (const { what, why } of made.left.slice(0, LISTED)) io.note(`not in it: ${printable(what)}: ${printable(why)}`);
  if (made.left.length > LISTED) io.note(`and ${String(made.left.length - LISTED)} more`);
}

async function verifyOne(file: string, flags: { readonly key?: string; readonly head?: string }, io: Io): Promise<number> {
  const { verifyBundle } = await import("../../../compose-bundle-check.js");
  const report = verifyBundle(file, { keyFile: flags.key ?? null, headFile: flags.head ?? null });
  if (io.options.json) io.json(report);
  else if (!report.ok) for (const fault of report.faults) io.fail(`${io.paintErr.red("invalid")}  ${fault}`);
  else {
    const records = report.ledger?.ok === true ? `: ${count(report.ledger.records, "record")}` : "";
    io.out(`${io.paint.green(report.verdict)}  ${printable(file)}${records}`);
    for (const line of report.unknown) io.note(`not told: ${line}`);
  }
  return report.ok ? 0 : ERRORS.LEDGER_INVALID.exit;
}
