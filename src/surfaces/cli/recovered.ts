// What a crash left open is closed by the next command, and the person is told.

import type { Recovered } from "../../engine/recover.js";
import type { Io } from "./io.js";

/** One line for each session that was closed. */
export function tellRecovered(io: Io): (recovered: Recovered) => void {
  return ({ session, inDoubt }) => {
    io.note(`closed session ${session}, whose process ended early${inDoubt.length === 0 ? "" : `, in doubt: ${inDoubt.join(", ")}`}`);
  };
}

/** For a command that opens no session itself. */
export async function recoverFirst(io: Io): Promise<void> {
  const { recoverAbandoned } = await import("../../compose.js");
  await recoverAbandoned(io.env, tellRecovered(io));
}
