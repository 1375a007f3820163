// Runs other programs: always with a time limit, always in a process group of their own so that the whole tree can be ended.

import { spawn } from "node:child_process";
import { appendFileSync } from "node:fs";
import { SetupError, explainFailure } from "./errors.mjs";

/** How much output of a program is kept for messages, in characters; the end is what explains a failure. */
const KEPT_CHARS = 64 * 1024;

/** How long a tree gets between the polite signal and SIGKILL, in milliseconds; apt and dpkg, which get SIGINT, may finish a package. */
const GRACE_MS = 2_000;
const APT_GRACE_MS = 15_000;

/**
 * @typedef {object} Finished
 * @property {number | null} code exit code; null when a signal ended it
 * @property {string} stdout
 * @property {string} stderr
 * @property {boolean} timedOut
 * @property {boolean} missing the program was not found
 */

/** @param {number} pid @param {NodeJS.Signals} signal */
export function killTree(pid, signal) {
  try {
    process.kill(-pid, signal);
  } catch {
    // the group is already gone
  }
}

/**
 * Starts a program; every way out goes through its end. Never throws for what the program does.
 * @param {readonly string[]} argv
 * @param {{readonly limitMs: number, readonly cwd?: string, readonly env?: Record<string, string | undefined>, readonly signal?: AbortSignal,
 *   readonly endSignal?: NodeJS.Signals, readonly onLine?: (line: string) => void, readonly log?: string,
 *   readonly firstLine?: {readonly pattern: RegExp, readonly withinMs: number}, readonly stdin?: import("node:stream").Readable | null, readonly keepChars?: number}} options
 *   `keepChars`: most characters kept of an output (default: what messages need). `endSignal`: the polite one (default SIGTERM). `firstLine`: output that must have come by then, else it is ended as timed out.
 * @returns {Promise<Finished>}
 */
export function run(argv, { limitMs, cwd, env, signal, endSignal = "SIGTERM", onLine, log, firstLine, stdin, keepChars = KEPT_CHARS }) {
  return new Promise((resolve) => {
    const [program = "", ...rest] = argv;
    if (signal?.aborted) return resolve({ code: null, stdout: "", stderr: "interrupted", timedOut: false, missing: false });
    const child = spawn(program, rest, { cwd, env: env ?? process.env, detached: true, stdio: [stdin ? "pipe" : "ignore", "pipe", "pipe"] });
    const state = { stdout: "", stderr: "", timedOut: false, seen: firstLine === undefined };
    /** @type {NodeJS.Timeout[]} */
    const timers = [];
    const end = () => {
      if (child.pid === undefined) return;
      killTree(child.pid, endSignal);
      timers.push(setTimeout(() => child.pid !== undefined && killTree(child.pid, "SIGKILL"), endSignal === "SIGINT" ? APT_GRACE_MS : GRACE_MS));
    };
    const late = () => {
      state.timedOut = true;
      end();
    };
    timers.push(setTimeout(late, limitMs));
    if (firstLine !== undefined) timers.push(setTimeout(() => state.seen || late(), firstLine.withinMs));
    signal?.addEventListener("abort", end, { once: true });
    const take = (/** @type {"stdout" | "stderr"} */ name) => (/** @type {string} */ text) => {
      state[name] = (state[name] + text).slice(-keepChars);
      if (firstLine?.pattern.test(state[name])) state.seen = true;
      if (log !== undefined) appendLog(log, text);
      if (onLine !== undefined) for (const line of text.split(/[\r\n]+/)) if (line.trim() !== "") onLine(line.trim());
    };
    child.stdout?.setEncoding("utf8").on("data", take("stdout"));
    child.stderr?.setEncoding("utf8").on("data", take("stderr"));
    if (stdin && child.stdin) {
      child.stdin.on("error", () => undefined); // the reader ended first; its exit code says why
      stdin.pipe(child.stdin);
    }
    const done = (/** @type {number | null} */ code, missing = false) => {
      for (const timer of timers) clearTimeout(timer);
      signal?.removeEventListener("abort", end);
      resolve({ code, stdout: state.stdout, stderr: state.stderr, timedOut: state.timedOut, missing });
    };
    child.on("error", (error) => {
      state.stderr += String(error.message);
      done(null, "code" in error && error.code === "ENOENT");
    });
    child.on("close", (code) => done(code));
  });
}

/** @param {string} file @param {string} text */
function appendLog(file, text) {
  try {
    appendFileSync(file, text, { mode: 0o600 });
  } catch {
    // a full disk must not hide the program's own error
  }
}

/**
 * Like run, but anything except exit code 0 becomes a SetupError with what went wrong and a hint.
 * @param {string} what the work in words, for the message: "installing the engine"
 * @param {readonly string[]} argv
 * @param {Parameters<typeof run>[1]} options
 * @returns {Promise<Finished>}
 */
export async function must(what, argv, options) {
  const result = await run(argv, options);
  if (result.code !== 0) throw failure(what, argv, result, options);
  return result;
}

/**
 * @param {string} what @param {readonly string[]} argv @param {Finished} result
 * @param {{readonly limitMs: number, readonly signal?: AbortSignal}} options
 */
export function failure(what, argv, result, { limitMs, signal }) {
  if (signal?.aborted) return new SetupError(`${what} was interrupted`, { exit: 130 });
  if (result.missing) return new SetupError(`${what} failed: \`${argv[0]}\` is not installed`, { hint: `install \`${argv[0]}\` and run set-up again` });
  const output = `${result.stdout}\n${result.stderr}`;
  const known = explainFailure(output);
  const detail = argv[0] === "npm" ? npmReason(output) : lastLines(output, 12);
  if (result.timedOut) {
    return new SetupError(`${what} did not end within ${Math.round(limitMs / 1000)} s`, { hint: known?.hint ?? "a slow network or machine: run set-up again, it goes on where it stopped", detail });
  }
  const why = known === null ? `\`${argv.slice(0, 2).join(" ")}\` ended with code ${result.code ?? "none (a signal)"}` : known.meaning;
  return new SetupError(`${what} failed: ${why}`, { hint: known?.hint ?? "", detail });
}

/** npm says why at the beginning and prints its manual after it. @param {string} output */
function npmReason(output) {
  const lines = output.split("\n").filter((line) => /^npm (error|ERR!) \S/.test(line));
  return lines.length === 0 ? lastLines(output, 12) : lines.slice(0, 8).join("\n");
}

/**
 * The last lines with something on them.
 * @param {string} text @param {number} count
 */
export function lastLines(text, count) {
  return text
    .split(/[\r\n]+/)
    .filter((line) => line.trim() !== "")
    .slice(-count)
    .join("\n");
}
