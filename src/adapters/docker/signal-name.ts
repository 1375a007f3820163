// Names of signals, as every program prints them.

import { constants } from "node:os";

/** `SIGTERM` for 15; a number without a name keeps it. */
export function signalName(number: number): string {
  return Object.entries(constants.signals).find(([, value]) => value === number)?.[0] ?? `SIG${number}`;
}
