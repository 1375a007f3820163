// `ringfence export`: a session in the forms of others, on standard output or in a file.

import { Option, type Command } from "commander";
import { EXPORT_FORMATS, type ExportFormat } from "../../../core/export/formats.js";
import { GuardError, count, printable } from "../../../core/shared/index.js";
import { onInterrupt } from "../interrupt.js";
import type { CliContext } from "../main.js";
import type { Io } from "../io.js";
import { noteBundle, SESSION_OR_BUNDLE } from "../named-session.js";

interface ExportFlags {
  readonly as?: ExportFormat;
  readonly out?: string;
  readonly otlp?: string;
}

export function registerExport(program: Command, context: CliContext): void {
  program
    .command("export")
    .description("write a session in a form of others: for code scanning, comments, pipelines, trajectory tools, terminals, SIEM and traces")
    .argument("<session>", SESSION_OR_BUNDLE)
    .addOption(new Option("--as <format>", "sarif (2.1.0), markdown, junit, atif (1.4), asciicast (2), ocsf (1.8), otel (OTLP JSON)").choices([...EXPORT_FORMATS]))
    .option("-o, --out <file>", "write to this file (default: standard output)")
    .option("--otlp <url>", "send it as spans to an OpenTelemetry collector (OTLP over HTTP); headers come from OTEL_EXPORTER_OTLP_HEADERS")
    .addHelpText("after", "\nA session that was imported is marked as not witnessed in each form that can say so. The record is the evidence, an export is not.\n\nExamples:\n  ringfence export last --as sarif -o ringfence.sarif\n  ringfence export last --as markdown >> \"$GITHUB_STEP_SUMMARY\"\n  ringfence export last --as junit -o ringfence.xml\n  ringfence export last --otlp http://127.0.0.1:4318")
    .action(async (session: string, flags: ExportFlags, command: Command) => write(session, flags, context.ioOf(command)));
}

async function write(wanted: string, { as, out, otlp }: ExportFlags, io: Io): Promise<void> {
  if ((as === undefined) === (otlp === undefined)) throw new GuardError("USAGE_INVALID", "give --as with a format, or --otlp with the address of a collector");
  await noteBundle(wanted, io);
  if (otlp !== undefined) return send(wanted, otlp, io);
  if (as === undefined) return;
  const { exportStored } = await import("../../../compose-replay.js");
  const { session, text, bytes } = await exportStored(wanted, as, out ?? null, io.env);
  if (text !== null) io.out(text.replace(/\n$/u, ""));
  else if (io.options.json) io.json({ session, as, file: out, bytes });
  else io.note(`wrote ${session} to ${printable(out ?? "", 300)}, ${count(bytes, "byte")}`);
}

async function send(wanted: string, address: string, io: Io): Promise<void> {
  const { sendSpans } = await import("../../../compose-replay.js");
  const interrupt = onInterrupt(io);
  try {
    const { session, spans, requests } = await sendSpans(wanted, address, io.env, { signal: interrupt.signal, onAgain: (why, pauseMs) => io.note(`${why}; again in ${String(pauseMs / 1000)} s`) });
    if (io.options.json) io.json({ session, otlp: address, spans, requests });
    else io.note(`sent ${session}: ${count(spans, "span")} taken`);
  } finally {
    interrupt.release();
  }
}
