// The lines a person types, one at a time: from a terminal with editing and history, or from a pipe. Nothing is kept on disk.

import { createInterface, type Interface } from "node:readline";
import type { Io } from "./io.js";

export interface Lines {
  /** The next line; null at the end. On a terminal Ctrl-C gives an empty one. */
  next(prompt: string): Promise<string | null>;
  /** Ends the line that is awaited, as at the end. */
  close(): void;
}

const HISTORY = 500;

/** On a terminal nobody listens between two lines, so that a question can be asked there. */
export function openLines(io: Io): Lines {
  return io.isTerminal.in && io.isTerminal.err ? terminalLines() : pipedLines();
}

function terminalLines(): Lines {
  const history: string[] = [];
  const open: { reading: Interface | null } = { reading: null };
  return {
    next: (prompt) =>
      new Promise((resolve) => {
        if (process.stdin.readableEnded || process.stdin.destroyed) return resolve(null);
        const reading = createInterface({ input: process.stdin, output: process.stderr, terminal: true, history: [...history], historySize: HISTORY, removeHistoryDuplicates: true });
        open.reading = reading;
        let over = false;
        const done = (line: string | null): void => {
          if (over) return;
          over = true;
          open.reading = null;
          reading.close();
          if (line !== null && line.trim() !== "" && history[0] !== line) history.unshift(line);
          history.splice(HISTORY);
          resolve(line);
        };
        reading.on("line", done);
        reading.on("close", () => done(null));
        reading.on("SIGINT", () => {
          process.stderr.write("^C\n");
          done("");
        });
        reading.setPrompt(prompt);
        reading.prompt();
      }),
    close: () => open.reading?.close(),
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
    close: () => reading.close(),
  };
}
