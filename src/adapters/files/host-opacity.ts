// rf-scan on this machine, kept running for the session that asks: a question costs a tenth of a millisecond instead of a
// new process. It ends by itself when it was not asked for a while, and never keeps this program alive.

import { spawn, type ChildProcessByStdio } from "node:child_process";
import { Socket } from "node:net";
import type { Readable, Writable } from "node:stream";
import { GuardError } from "../../core/shared/index.js";
import { opacityOf, type Opacity, type OpacityReader } from "./opacity.js";
import { rawBytes, type Raw } from "./raw-path.js";

const ANSWER_MS = 10_000;
const IDLE_MS = 10_000;

type Child = ChildProcessByStdio<Writable, Readable, null>;

interface Helper {
  ask(folders: readonly Raw[]): Promise<readonly Opacity[]>;
  /** Settles when the program is gone. */
  end(): Promise<void>;
}

/** Reads overlay marks with this rf-scan; needs CAP_SYS_ADMIN, and is `unknown` about everything without it. */
export function createHostOpacity(program: string): OpacityReader {
  const helpers = new Map<string, Helper>();
  let queue: Promise<unknown> = Promise.resolve();
  const read: OpacityReader = (upper, folders, signal) => {
    const answer = queue.then(async (): Promise<readonly Opacity[]> => {
      if (signal.aborted) throw new GuardError("CANCELLED", "looking through the workspace was cancelled");
      if (folders.length === 0) return [];
      const helper = helpers.get(upper) ?? start(program, upper, () => helpers.delete(upper));
      helpers.set(upper, helper);
      const answers = await helper.ask(folders);
      if (answers.length === folders.length) return answers;
      helpers.delete(upper);
      void helper.end();
      return folders.map(() => "unknown");
    });
    queue = answer.catch(() => undefined);
    return answer;
  };
  read.release = async (upper) => helpers.get(upper)?.end();
  return read;
}

function start(program: string, upper: string, onEnd: () => void): Helper {
  const child: Child = spawn(program, [upper], { stdio: ["pipe", "pipe", "ignore"], env: {} });
  let ended = false;
  let waiting: ((chunk: Buffer | null) => void) | null = null;
  let idle: NodeJS.Timeout | null = null;
  const gone = new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
    // One that never started has nothing open.
    child.once("error", () => resolve());
  });
  const end = (): Promise<void> => {
    if (ended) return gone;
    ended = true;
    if (idle !== null) clearTimeout(idle);
    // Who waits for its end must live to see it.
    hold(child, true);
    child.kill("SIGKILL");
    onEnd();
    waiting?.(null);
    return gone;
  };
  for (const each of [child, child.stdin, child.stdout]) each.on("error", () => void end());
  child.on("exit", () => void end());
  child.stdout.on("data", (chunk: Buffer) => waiting?.(chunk));
  hold(child, false);

  return {
    end,
    ask: async (folders) => {
      if (idle !== null) clearTimeout(idle);
      if (ended) return [];
      hold(child, true);
      const limit = setTimeout(() => void end(), ANSWER_MS);
      try {
        return await new Promise<readonly Opacity[]>((resolve) => {
          const answers: Opacity[] = [];
          waiting = (chunk) => {
            if (chunk === null) return resolve([]);
            for (const byte of chunk) answers.push(opacityOf(byte));
            if (answers.length >= folders.length) resolve(answers);
          };
          child.stdin.write(rawBytes(folders.map((folder) => `${folder}\0`).join("")));
        });
      } finally {
        waiting = null;
        clearTimeout(limit);
        hold(child, false);
        idle = setTimeout(() => void end(), IDLE_MS).unref();
      }
    },
  };
}

/** Whether the helper keeps this program running: only while it owes an answer. */
function hold(child: Child, on: boolean): void {
  for (const each of [child, child.stdin, child.stdout]) {
    if (each !== child && !(each instanceof Socket)) continue;
    const handle = each as { ref(): void; unref(): void };
    if (on) handle.ref();
    else handle.unref();
  }
}
