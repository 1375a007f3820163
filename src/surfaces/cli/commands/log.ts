// `ringfence log verify`: checks a record without trusting anything but the signed head and its key.

import { existsSync } from "node:fs";
import type { Command } from "commander";
import type { SoundLedger } from "../../../core/ledger/index.js";
import { ERRORS, isSessionId, printable } from "../../../core/shared/index.js";
import type { CliContext } from "../main.js";
import type { Io } from "../io.js";

export function registerLog(program: Command, context: CliContext): void {
  const log = program.command("log").description("work with the tamper-evident record of a session");
  log
    .command("verify")
    .description("check a session's record and name the first bad line")
    .argument("<session>", "session id, `last`, or a ledger file")
    .addHelpText("after", "\nExit codes: 0 intact, 5 invalid.\n\nExamples:\n  ringfence log verify last\n  ringfence log verify ./ledger.jsonl --json")
    .action(async (wanted: string, _flags: unknown, command: Command) => {
      context.exit(await verify(wanted, context.ioOf(command)));
    });
}

async function verify(wanted: string, io: Io): Promise<number> {
  const { openStore, resolveSession } = await import("../../../compose.js");
  const { store, close } = await openStore(io.env);
  try {
    const { receiptOf } = await import("../../../compose-sessions.js");
    const receipt = !isSessionId(wanted) || existsSync(store.ledgerFile(wanted)) ? null : await receiptOf(wanted, io.env);
    if (receipt !== null) {
      if (io.options.json) io.json({ removed: true, ...receipt });
      else io.out(`${io.paint.yellow("removed")}  ${wanted}: by ${printable(receipt.by, 60)} at ${receipt.prunedAt}, ${receipt.head.split("\n")[1] ?? "?"} records; its signed head is in the receipt`);
      return 0;
    }
    const isFile = wanted.includes("/") || wanted.endsWith(".jsonl") || existsSync(wanted);
    const target = isFile ? wanted : await resolveSession(store, wanted);
    const report = await store.verify(target);
    if (io.options.json) io.json(report);
    else if (report.ok) io.out(`${io.paint.green("intact")}  ${printable(target)}: ${report.records} records${headText(report)}`);
    else io.fail(`${io.paintErr.red("invalid")}  ${printable(target)}${report.line === null ? "" : `, line ${report.line}`}: ${report.fault}: ${printable(report.message, 300)}`, ERRORS.LEDGER_INVALID.hint);
    return report.ok ? 0 : ERRORS.LEDGER_INVALID.exit;
  } finally {
    await close();
  }
}

function headText(report: SoundLedger): string {
  const last = report.lastHash === null ? "" : `, head ${report.lastHash.slice(0, 19)}`;
  if (report.signed === null) return `${last}; no signed head was given, so a cut tail cannot be seen`;
  return report.unsigned === 0 ? `${last}, signed` : `${last}, ${report.signed} of them signed: the last ${report.unsigned} came after the signed head`;
}
