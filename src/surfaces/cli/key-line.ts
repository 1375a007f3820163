// The lines a person types for a program that runs: edited here, shown here until they are sent, then shown by the program's own terminal.

import { StringDecoder } from "node:string_decoder";
import type { ProcessKey } from "../../core/action/index.js";

export interface KeyLine {
  /** A whole line, without its end. */
  readonly onLine: (text: string) => void;
  readonly onKey: (key: ProcessKey) => void;
  /** Shows what is typed, and takes it away. */
  readonly show: (text: string) => void;
}

const KEYS: ReadonlyMap<string, ProcessKey> = new Map([
  ["\u0003", "C-c"],
  ["\u001a", "C-z"],
  ["\u001c", "C-\\"],
]);
const MOST = 4_000;

/** Takes what a terminal in raw mode sends. Keys that would edit more than the end of the line are passed over. */
export function createKeyLine({ onLine, onKey, show }: KeyLine): (chunk: Uint8Array) => void {
  const decoder = new StringDecoder("utf8");
  const line: string[] = [];
  const state: { escape: "" | "begun" | "sequence"; last: string } = { escape: "", last: "" };
  const erase = (count: number): void => show("\b \b".repeat(count));
  const clear = (): string => {
    erase(line.length);
    return line.splice(0).join("");
  };
  const take = (character: string): void => {
    if (state.escape !== "") {
      const ends = state.escape === "begun" ? character !== "[" && character !== "O" : /[@-~]/u.test(character);
      state.escape = ends ? "" : "sequence";
      return;
    }
    const key = KEYS.get(character);
    if (key !== undefined) {
      clear();
      return onKey(key);
    }
    if (character === "\u001b") state.escape = "begun";
    else if (character === "\r" || character === "\n") onLine(clear());
    else if (character === "\u0004" && line.length === 0) onKey("C-d");
    else if (character === "\u007f" || character === "\b") erase(line.splice(-1).length);
    else if (character === "\u0015") clear();
    else if (character >= " " && !/\p{C}/u.test(character) && line.length < MOST) {
      line.push(character);
      show(character);
    }
  };
  return (chunk) => {
    for (const character of decoder.write(Buffer.from(chunk))) take(character);
  };
}

/** Listens on this process's own terminal until the returned function is called. */
export function readKeys(keys: KeyLine): () => void {
  const { stdin } = process;
  const take = createKeyLine(keys);
  const was = stdin.isRaw;
  stdin.setRawMode(true);
  stdin.on("data", take);
  stdin.resume();
  return () => {
    stdin.off("data", take);
    stdin.pause();
    stdin.setRawMode(was);
  };
}
