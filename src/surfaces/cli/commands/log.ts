// `ringfence log verify`: checks a record without trusting anything but the signed head and its key.

import { existsSync, readFileSync, statSync } from "node:fs";
import type { Command } from "commander";
import { verdictOfLedger, type BrokenLedger, type SoundLedger } from "../../../core/ledger/index.js";
import type { Stored } from "../../../compose.js";
import { ERRORS, GuardError, count, isSessionId, printable, type SessionId } from "../../../core/shared/index.js";
import type { CliContext } from "../main.js";
import type { Io } from "../io.js";
import { collect } from "../session-options.js";

const MOST_BYTES = 65_536;

export function registerLog(program: Command, context: CliContext): void {
  const log = program.command("log").description("work with the tamper-evident record of a session");
  log
    .command("verify")
    .description("check a session's record and name the first bad line")
    .argument("<session>", "session id, `last`, or a ledger file")
    .option("--expect-head <checkpoint>", "a signed head of the session that was kept elsewhere; it must hold too (may be repeated)", collect, [])
    .option("--key <pem>", "the public key of whoever signed, where it is not this machine's")
    .option("--witness <key>", "a witness (name+id+base64) that must have signed the heads given, or the stored one (may be repeated)", collect, [])
    .addHelpText(
      "after",
      `
Without --expect-head the verdict is \`internally consistent, completeness unknown\`: who can write the state folder can put an older
record back together with its older head. A head is heads/<id>.checkpoint in the state folder; keep a copy where nobody of this machine
can change it.

Exit codes: 0 intact, 5 invalid.

Examples:
  ringfence log verify last
  ringfence log verify ses_abc --expect-head kept/ses_abc.checkpoint
  ringfence log verify ./ledger.jsonl --json`,
    )
    .action(async (wanted: string, flags: VerifyFlags, command: Command) => {
      context.exit(await verify(wanted, flags, context.ioOf(command)));
    });
  registerProofs(log, context);
}

function registerProofs(log: Command, context: CliContext): void {
  log
    .command("prove")
    .description("prove that the record only added to what an earlier head vouched for")
    .argument("<session>", "session id, a unique beginning of it, or `last`")
    .requiredOption("--since <checkpoint>", "the earlier signed head")
    .addHelpText("after", "\nPrints the proof as JSON; `log consistent` checks it without the record.\n\nExamples:\n  ringfence log prove ses_abc --since kept/ses_abc.checkpoint > proof.json")
    .action(async (session: string, { since }: { readonly since: string }, command: Command) => {
      const io = context.ioOf(command);
      const { proveHead } = await import("../../../compose-heads.js");
      io.json(await proveHead(session, smallFile(since), io.env));
    });
  log
    .command("consistent")
    .description("check such a proof: two heads and a key, without the record")
    .argument("<earlier>", "the earlier signed head")
    .argument("<later>", "the later signed head")
    .requiredOption("--proof <file>", "what `log prove` printed")
    .requiredOption("--key <pem>", "the public key of who signed")
    .addHelpText("after", "\nExit codes: 0 it holds, 5 it does not.\n\nExamples:\n  ringfence log consistent old.checkpoint new.checkpoint --proof proof.json --key team.pem")
    .action(async (earlier: string, later: string, flags: { readonly proof: string; readonly key: string }, command: Command) => {
      const io = context.ioOf(command);
      const { checkHeads } = await import("../../../compose-heads.js");
      const wrong = checkHeads({ earlier: smallFile(earlier), later: smallFile(later), proof: smallFile(flags.proof), keyPem: smallFile(flags.key) });
      if (io.options.json) io.json({ ok: wrong === null, message: wrong });
      else if (wrong === null) io.out(`${io.paint.green("consistent")}  the later head only adds to the earlier one`);
      else io.fail(`${io.paintErr.red("invalid")}  ${wrong}`);
      context.exit(wrong === null ? 0 : ERRORS.LEDGER_INVALID.exit);
    });
}

interface VerifyFlags {
  readonly witness: readonly string[];
  readonly expectHead: readonly string[];
  readonly key?: string;
}

async function verify(wanted: string, flags: VerifyFlags, io: Io): Promise<number> {
  const { openStore, resolveSession } = await import("../../../compose.js");
  const { store, close } = await openStore(io.env);
  try {
    const { receiptOf } = await import("../../../compose-sessions.js");
    const receipt = !isSessionId(wanted) || existsSync(store.ledgerFile(wanted)) ? null : await receiptOf(wanted, io.env);
    if (receipt !== null) {
      const { prunedFault } = await import("../../../compose-heads.js");
      const fault = isSessionId(wanted) ? prunedFault(wanted, receipt.head, flags.expectHead.map((file) => smallFile(file)), store.publicKeyPem()) : null;
      if (fault !== null) {
        if (io.options.json) io.json({ ...fault, verdict: "invalid", removed: true });
        else io.fail(`${io.paintErr.red("invalid")}  ${wanted}: ${fault.fault}: ${printable(fault.message, 300)}`, ERRORS.LEDGER_INVALID.hint);
        return ERRORS.LEDGER_INVALID.exit;
      }
      if (io.options.json) io.json({ removed: true, ...receipt });
      else io.out(`${io.paint.yellow("removed")}  ${wanted}: by ${printable(receipt.by, 60)} at ${receipt.prunedAt}, ${count(Number(receipt.head.split("\n")[1]), "record")}; its signed head is in the receipt`);
      return 0;
    }
    const isFile = wanted.includes("/") || wanted.endsWith(".jsonl") || existsSync(wanted);
    if (isFile && (await import("../../../compose-bundle-check.js")).isBundleFile(wanted)) throw new GuardError("USAGE_INVALID", `\`${printable(wanted)}\` is a bundle, not a record`, { hint: "check it with `ringfence bundle verify`" });
    const expected = flags.expectHead.map((file) => smallFile(file));
    const keyPem = flags.key === undefined ? null : smallFile(flags.key);
    const gone = isFile || !isSessionId(wanted) || existsSync(store.ledgerFile(wanted)) ? null : await goneOf(store, wanted, expected, keyPem);
    const target = isFile || gone !== null ? wanted : await resolveSession(store, wanted);
    const report = gone ?? (await store.verify(target, { expected, ...(keyPem === null ? {} : { publicKeyPem: keyPem }) }));
    const unwitnessed = await witnessFaults(flags.witness, expected.length > 0 ? expected : report.session === null ? [] : [store.checkpoint(report.session) ?? ""]);
    if (report.ok && unwitnessed.length > 0) {
      if (io.options.json) io.json({ ...report, ok: false, verdict: "invalid", witnesses: unwitnessed });
      else for (const line of unwitnessed) io.fail(`${io.paintErr.red("invalid")}  ${printable(target)}: ${printable(line, 300)}`);
      return ERRORS.LEDGER_INVALID.exit;
    }
    const verdict = verdictOfLedger(report, expected.length === 0 ? null : Math.max(...expected.map((note) => Number(note.split("\n")[1]))));
    if (io.options.json) io.json({ ...report, verdict });
    else if (report.ok) io.out(`${io.paint.green("intact")}  ${printable(target)}: ${count(report.records, "record")}${headText(report)}`);
    else io.fail(`${io.paintErr.red("invalid")}  ${printable(target)}${report.line === null ? "" : `, line ${report.line}`}: ${report.fault}: ${printable(report.message, 300)}`, ERRORS.LEDGER_INVALID.hint);
    if (!io.options.json && report.ok) io.note(`${verdict}${expected.length === 0 ? ": a head kept elsewhere tells more (--expect-head)" : ""}`);
    return report.ok ? 0 : ERRORS.LEDGER_INVALID.exit;
  } finally {
    await close();
  }
}

/** A session whose folder was removed is not one that never was: its head is still there, or was kept elsewhere. */
async function goneOf(store: Stored["store"], id: SessionId, expected: readonly string[], keyPem: string | null): Promise<BrokenLedger | null> {
  return (await import("../../../compose-heads.js")).goneRecord(id, [store.checkpoint(id) ?? "", ...expected], keyPem ?? store.publicKeyPem());
}

async function witnessFaults(keys: readonly string[], notes: readonly string[]): Promise<readonly string[]> {
  if (keys.length === 0) return [];
  return (await import("../../../compose-heads.js")).checkWitnesses(notes, keys);
}

/** A checkpoint or a key. */
function smallFile(path: string): string {
  try {
    const about = statSync(path);
    // A device or a pipe tells no size, and may never end.
    if (!about.isFile()) throw new GuardError("USAGE_INVALID", `\`${printable(path)}\` is no regular file`);
    if (about.size > MOST_BYTES) throw new GuardError("USAGE_INVALID", `\`${printable(path)}\` has more than ${MOST_BYTES} bytes`);
    return readFileSync(path, "utf8");
  } catch (cause) {
    if (cause instanceof GuardError) throw cause;
    throw new GuardError("USAGE_INVALID", `\`${printable(path)}\` cannot be read`, { cause });
  }
}

function headText(report: SoundLedger): string {
  const last = report.lastHash === null ? "" : `, head ${report.lastHash.slice(0, 19)}`;
  if (report.signed === null) return `${last}; no signed head was given, so a cut tail cannot be seen`;
  return report.unsigned === 0 ? `${last}, signed` : `${last}, ${report.signed} of them signed: the last ${report.unsigned} came after the signed head`;
}
