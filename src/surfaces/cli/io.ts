// What a command writes to and how: streams, colour, quiet, JSON. Agent text reaches a terminal only through here.

import pc from "picocolors";
import { quietJson } from "../../core/shared/index.js";
import { sanitiseTerminal } from "./terminal-text.js";

export interface GlobalOptions {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly color: boolean;
}

export type Palette = ReturnType<typeof pc.createColors>;

export interface Io {
  readonly options: GlobalOptions;
  readonly env: NodeJS.ProcessEnv;
  readonly isTerminal: { readonly in: boolean; readonly out: boolean; readonly err: boolean };
  readonly paint: Palette;
  /** Colours for standard error. */
  readonly paintErr: Palette;
  /** A result, on standard output. */
  out(text: string): void;
  /** A value as one JSON line, on standard output. */
  json(value: unknown): void;
  /** A line of ours on standard error, with the prefix; silent when quiet. */
  note(text: string): void;
  /** A failure, never silent. */
  fail(text: string, hint?: string): void;
  /** Output of a guarded command: untouched into a pipe or file, made safe for a terminal. */
  command(stream: "stdout" | "stderr", chunk: Uint8Array): void;
}

/** A terminal that tells no size (0 by 0, as in some CI) would show a question letter by letter and hide its answers. */
function giveSize(stream: NodeJS.WriteStream): void {
  if (stream.isTTY !== true) return;
  if (stream.columns === 0) stream.columns = 80;
  if (stream.rows === 0) stream.rows = 24;
}

/** Reads NO_COLOR, FORCE_COLOR and the streams; EPIPE ends output quietly. */
export function createIo(options: GlobalOptions, env: NodeJS.ProcessEnv = process.env): Io {
  giveSize(process.stdout);
  giveSize(process.stderr);
  const isTerminal = {
    // The first look at standard input takes longer than a judgement, and few commands ask.
    get in() {
      return process.stdin.isTTY === true;
    },
    out: process.stdout.isTTY === true,
    err: process.stderr.isTTY === true,
  };
  const wanted = (terminal: boolean): boolean =>
    options.color && env["NO_COLOR"] === undefined && (env["FORCE_COLOR"] !== undefined || (terminal && env["TERM"] !== "dumb"));
  const paint = pc.createColors(wanted(isTerminal.out) && !options.json);
  const paintErr = pc.createColors(wanted(isTerminal.err));
  const cleaners = { stdout: sanitiseTerminal(), stderr: sanitiseTerminal() };
  // Colours that a command left switched on end before a word of ours.
  const colours = { left: false };
  const write = (stream: NodeJS.WriteStream, data: string | Uint8Array): void => {
    if (!stream.destroyed) stream.write(data);
  };
  const say = (stream: NodeJS.WriteStream, text: string): void => {
    const reset = colours.left && stream.isTTY === true ? "\u001b[0m" : "";
    if (reset !== "") colours.left = false;
    write(stream, `${reset}${text}`);
  };
  return {
    options,
    env,
    isTerminal,
    paint,
    paintErr,
    out: (text) => say(process.stdout, `${text}\n`),
    json: (value) => write(process.stdout, `${quietJson(value)}\n`),
    note: (text) => {
      if (!options.quiet) say(process.stderr, `${paintErr.dim("ringfence:")} ${text}\n`);
    },
    fail: (text, hint) => {
      say(process.stderr, `${paintErr.red("ringfence:")} ${text}${hint === undefined ? "" : ` ${paintErr.dim(`(${hint})`)}`}\n`);
    },
    command: (stream, chunk) => {
      const target = stream === "stdout" ? process.stdout : process.stderr;
      if (target.isTTY !== true) return write(target, chunk);
      const text = cleaners[stream](chunk);
      if (text.includes("\u001b")) colours.left = true;
      write(target, text);
    },
  };
}
