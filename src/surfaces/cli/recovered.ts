// What a crash left open is closed by the next command, and the person is told.

import { printable } from "../../core/shared/index.js";
import type { Removed } from "../../compose.js";
import type { Recovered } from "../../engine/recover.js";
import type { CutApply } from "../../ports/workspace.js";
import type { Io } from "./io.js";

/** One line for each session that was closed. */
export function tellRecovered(io: Io): (recovered: Recovered) => void {
  return ({ session, inDoubt, processes = [], apply }) => {
    if (apply !== undefined) return tellApply(session, apply, io);
    io.note(`closed session ${session}, whose process ended early${inDoubt.length === 0 ? "" : `, in doubt: ${inDoubt.join(", ")}`}${processes.length === 0 ? "" : `, handed over and ended: ${processes.join(", ")}`}`);
  };
}

function tellApply(session: string, apply: CutApply, io: Io): void {
  if (apply.outcome === "finished") return io.note(`the apply of ${session} was cut off at its end; all of it is written`);
  if (apply.gone !== undefined) return io.note(`the apply of ${session} was cut off, and \`${printable(apply.gone)}\` is gone`);
  io.note(`the apply of ${session} was cut off; it was taken back, apply again`);
  for (const path of apply.left) io.fail(`not taken back: ${printable(path)}: something else stands there by now`, `what was there is kept in ${printable(apply.kept ?? "")}`);
}

/** For a command that opens no session itself. Gives what was removed from the engine. */
export async function recoverFirst(io: Io, onRecovered: (recovered: Recovered) => void = tellRecovered(io)): Promise<Removed> {
  const { recoverAbandoned } = await import("../../compose.js");
  return recoverAbandoned(io.env, onRecovered);
}
