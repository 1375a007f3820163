// What set-up shows: the list of changes, one question, progress. Colours and the spinner only on a terminal.

import { createInterface } from "node:readline";

/** Without a terminal a long step says now and then that it still works, in milliseconds. */
const HEARTBEAT_MS = 20_000;
const FRAMES = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const ESC = String.fromCharCode(27);

/**
 * @typedef {object} Ui
 * @property {boolean} interactive a person can be asked
 * @property {(line?: string) => void} say
 * @property {(line: string) => void} warn
 * @property {(step: string) => {note(text: string): void, done(text?: string): void, failed(): void}} begin
 * @property {(question: string) => Promise<boolean>} ask
 * @property {() => void} close
 * @property {(text: string) => string} bold
 * @property {(text: string) => string} dim
 */

/**
 * @param {{readonly out?: NodeJS.WriteStream, readonly input?: NodeJS.ReadStream, readonly env?: Readonly<Record<string, string | undefined>>, readonly now?: () => number}} [options]
 * @returns {Ui}
 */
export function terminalUi({ out = process.stderr, input = process.stdin, env = process.env, now = Date.now } = {}) {
  const live = out.isTTY === true && env["TERM"] !== "dumb" && !isSet(env["CI"]);
  const colour = live && !isSet(env["NO_COLOR"]);
  const paint = (/** @type {number} */ code) => (/** @type {string} */ text) => (colour ? `${ESC}[${code}m${text}${ESC}[0m` : text);
  const [bold, red, green, dim] = [paint(1), paint(31), paint(32), paint(2)];
  /** @type {Map<string, {since: number, note: string}>} */
  const running = new Map();
  const view = { frame: 0, timer: /** @type {NodeJS.Timeout | null} */ (null) };

  const erase = () => live && running.size > 0 && out.write(`\r${ESC}[2K`);
  const draw = () => {
    if (!live || running.size === 0) return;
    view.frame = (view.frame + 1) % FRAMES.length;
    const parts = [...running].map(([step, { since, note }]) => `${step} ${seconds(now() - since)}${note === "" ? "" : ` (${note})`}`);
    const line = `${FRAMES[view.frame]} ${parts.join(" · ")}`;
    out.write(`\r${ESC}[2K${line.slice(0, Math.max(20, (out.columns || 80) - 1))}`);
  };
  const beat = () => {
    for (const [step, { since, note }] of running) out.write(`  ${step}: ${seconds(now() - since)}${note === "" ? "" : `, ${note}`}\n`);
  };
  const print = (/** @type {string} */ line) => {
    erase();
    out.write(`${line}\n`);
    draw();
  };
  const stop = (/** @type {string} */ step) => {
    erase();
    running.delete(step);
    if (running.size === 0 && view.timer !== null) {
      clearInterval(view.timer);
      view.timer = null;
      if (live) out.write(`${ESC}[?25h`);
    }
  };

  return {
    interactive: out.isTTY === true && input.isTTY === true && !isSet(env["CI"]),
    bold,
    dim,
    say: (line = "") => print(line),
    warn: (line) => print(line),
    begin(step) {
      const since = now();
      running.set(step, { since, note: "" });
      if (view.timer === null) {
        if (live) out.write(`${ESC}[?25l`);
        view.timer = live ? setInterval(draw, 100) : setInterval(beat, HEARTBEAT_MS);
        view.timer.unref();
      }
      if (!live) print(`- ${step} …`);
      return {
        note(text) {
          const entry = running.get(step);
          if (entry !== undefined) entry.note = plain(text).slice(0, 60);
        },
        done(text = "") {
          stop(step);
          print(`${green("✓")} ${step}${text === "" ? "" : `: ${text}`} ${dim(`(${seconds(now() - since)})`)}`);
        },
        failed() {
          stop(step);
          print(`${red("✗")} ${step} ${dim(`(${seconds(now() - since)})`)}`);
        },
      };
    },
    ask(question) {
      const reader = createInterface({ input, output: out });
      return new Promise((resolve) => {
        reader.on("close", () => resolve(false));
        reader.on("SIGINT", () => reader.close());
        reader.question(`${question} [Y/n] `, (answer) => {
          resolve(["", "y", "yes"].includes(answer.trim().toLowerCase()));
          reader.close();
        });
      });
    },
    close() {
      for (const step of [...running.keys()]) stop(step);
    },
  };
}

/** Notes quote other programs' output: no control characters reach the terminal. @param {string} text */
function plain(text) {
  return text.replace(/[^\x20-\x7e]+/g, " ").trim();
}

/** @param {number} ms */
export function seconds(ms) {
  return `${(ms / 1000).toFixed(1)} s`;
}

/** Environment switches count when they are there and neither empty nor a spelt-out no. @param {string | undefined} value */
export function isSet(value) {
  return value !== undefined && !["", "0", "false", "no"].includes(value.toLowerCase());
}
