// The lines a person types, one at a time: from a terminal with editing and history, or from a pipe. Nothing is kept on disk.

import { createInterface, type Interface } from "node:readline";
import { printable } from "../../core/shared/index.js";
import type { Io } from "./io.js";

export interface Lines {
  /** The next line; null at the end. On a terminal Ctrl-C gives an empty one. */
  next(prompt: string): Promise<string | null>;
  /** Leaves out what was pasted behind the line that was given last. */
  forget(): void;
  /** Ends the line that is awaited, as at the end. */
  close(): void;
}

const HISTORY = 500;
/** Most characters shown of a line that was pasted. */
const PASTED = 4_000;

/** On a terminal nobody listens between two lines, so that a question can be asked there. */
export function openLines(io: Io): Lines {
  return io.isTerminal.in && io.isTerminal.err ? terminalLines() : pipedLines();
}

function terminalLines(): Lines {
  const history: string[] = [];
  const open: { reading: Interface | null } = { reading: null };
  // Lines that came in one piece with the one that was given last, and what of such a piece had no end yet.
  const pasted: { lines: string[]; rest: string; isOver: boolean } = { lines: [], rest: "", isOver: false };
  const remember = (line: string): string => {
    if (line.trim() !== "" && history[0] !== line) history.unshift(line);
    history.splice(HISTORY);
    return line;
  };
  return {
    next: (prompt) =>
      new Promise((resolve) => {
        const waiting = pasted.lines.shift();
        if (waiting !== undefined) {
          process.stderr.write(`${prompt}${printable(waiting, PASTED)}\n`);
          return resolve(remember(waiting));
        }
        if (pasted.isOver || process.stdin.readableEnded || process.stdin.destroyed) return resolve(null);
        const reading = createInterface({ input: process.stdin, output: process.stderr, terminal: true, history: [...history], historySize: HISTORY, removeHistoryDuplicates: true });
        open.reading = reading;
        let over = false;
        const done = (line: string | null): void => {
          if (over) return;
          over = true;
          open.reading = null;
          reading.close();
          resolve(line === null ? null : remember(line));
        };
        let first: string | null = null;
        reading.on("line", (line) => {
          if (first !== null) return void pasted.lines.push(line);
          first = line;
          // Behind the keys that came in the same piece: those after the line would be lost with its reader.
          queueMicrotask(() => {
            pasted.rest = over ? "" : reading.line;
            done(line);
          });
        });
        reading.on("close", () => {
          if (first === null) return done(null);
          pasted.isOver ||= !over;
        });
        reading.on("SIGINT", () => {
          process.stderr.write("^C\n");
          pasted.lines = [];
          done("");
        });
        reading.setPrompt(prompt);
        reading.prompt();
        if (pasted.rest !== "") reading.write(pasted.rest);
        pasted.rest = "";
      }),
    forget: () => {
      pasted.lines = [];
      pasted.rest = "";
    },
    close: () => {
      pasted.lines = [];
      open.reading?.close();
    },
  };
}

function pipedLines(): Lines {
  const reading: Interface = createInterface({ input: process.stdin, terminal: false, crlfDelay: Number.POSITIVE_INFINITY });
  const lines = reading[Symbol.asyncIterator]();
  return {
    next: async () => {
      const { value, done } = (await lines.next()) as IteratorResult<string, undefined>;
      return done === true ? null : value;
    },
    forget: () => undefined,
    close: () => reading.close(),
  };
}
