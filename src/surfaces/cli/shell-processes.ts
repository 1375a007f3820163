// Processes in `ringfence shell`: a dev server or a REPL that outlives its line. Each is a call of the tool `process`, judged as any other.

import type { CallHooks } from "../../engine/hooks.js";
import type { OpenedSession } from "../../compose.js";
import type { JsonObject } from "../../core/shared/index.js";
import { isProcessName, PROCESS_NAMES } from "../../core/action/index.js";
import { printable } from "../../core/shared/index.js";
import type { Io } from "./io.js";
import { processNote, tellOutcome } from "./render/outcome.js";

export const PROCESS_HELP = `  :open NAME COMMAND   start a process that lives on between lines
  :read NAME           what it printed since
  :write NAME TEXT     a line for it, judged
  :end NAME            end it
  :ps                  all of them, and how each stands`;

/** Longest wait for the first words of a process that was opened, in milliseconds. */
const OPEN_WAIT_MS = 3_000;

const OPS: Readonly<Record<string, (name: string, text: string) => JsonObject | null>> = {
  ":open": (name, text) => (text === "" ? null : { op: "open", name, command: text, wait_ms: OPEN_WAIT_MS }),
  ":read": (name, text) => (text === "" ? { op: "read", name } : null),
  ":write": (name, text) => (text === "" ? null : { op: "write", name, text }),
};

/** Does what a line of the shell says of a process; false where it says nothing of any. */
export async function processLine(session: OpenedSession, line: string, io: Io, hooks: CallHooks, signal: AbortSignal): Promise<boolean> {
  const [, word = "", name = "", text = ""] = /^(:[a-z]+)(?:\s+(\S+)(?:\s+([\s\S]+))?)?$/u.exec(line) ?? [];
  if (word === ":ps" && name === "") {
    const all = session.processes();
    if (all.length === 0) io.note("no processes");
    for (const { name: one, end, summary } of all) io.note(`${printable(one, 40)}: ${end === null ? "lives" : `ended (${end.reason}${end.exitCode === null ? "" : ` ${String(end.exitCode)}`})`}, ${printable(summary, 200)}`);
    return true;
  }
  if (word === ":end" && name !== "" && text === "") {
    io.note((await session.endProcess(name)) ? `${printable(name, 40)} has ended` : `no process \`${printable(name, 40)}\` lives`);
    return true;
  }
  const form = PROCESS_HELP.split("\n").find((one) => one.trimStart().startsWith(`${word} `));
  if (form === undefined) return false;
  const args = name === "" ? null : (OPS[word]?.(name, text) ?? null);
  if (args === null || !isProcessName(name)) {
    // Nothing of it is a call: a slip of the person who types is no attempt of the agent's.
    io.fail(args === null ? `give it as:${form}` : `\`${printable(name, 40)}\` is no name for one: ${PROCESS_NAMES}`);
    return true;
  }
  const observation = await session.call({ id: word, role: null, tool: "process", arguments: args }, hooks, signal);
  if (io.options.json) return true;
  tellOutcome(observation, io);
  const told = processNote(observation.message);
  if (told !== null) (observation.exitCode === 0 ? io.note : io.fail)(told);
  else if (observation.exitCode !== 0 && observation.stdout !== "") io.fail(printable(observation.stdout.trim(), 400));
  return true;
}
