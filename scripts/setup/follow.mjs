// Runs the program a script was written for, on the same terminal: passes signals on and its exit code back.

import { spawn } from "node:child_process";
import { constants } from "node:os";

const SIGNALS = /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"]);

/**
 * @param {readonly string[]} argv
 * @param {{readonly env?: NodeJS.ProcessEnv, readonly cwd?: string}} [options]
 * @returns {Promise<number>} the exit code; 128 + number for a signal
 */
export function follow(argv, { env = process.env, cwd } = {}) {
  return new Promise((resolve, reject) => {
    const [program = "", ...rest] = argv;
    const child = spawn(program, rest, { stdio: "inherit", env, cwd });
    // A terminal's Ctrl-C reaches the child by itself (same process group); the others have to be passed on.
    const pass = (/** @type {NodeJS.Signals} */ signal) => (signal === "SIGINT" && process.stdin.isTTY ? undefined : child.kill(signal));
    for (const signal of SIGNALS) process.on(signal, pass);
    const done = () => SIGNALS.forEach((signal) => process.off(signal, pass));
    child.on("error", (error) => (done(), reject(error)));
    child.on("exit", (code, signal) => (done(), resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]))));
  });
}
