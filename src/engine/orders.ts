// Orders of people in other processes: a pause, and what is done with one process of the session. What is written to a process, or read
// of it, is a call like the agent's own: judged, on record with who gave it, and in its turn.

import type { JsonObject } from "../core/shared/index.js";
import { GuardError, printable } from "../core/shared/index.js";
import type { OrderAnswer, ProcessOrder } from "../ports/control.js";
import type { LiveSession } from "./live.js";
import type { Observation } from "./observation.js";
import { pauseSession, resumeSession } from "./pause.js";

const MOST_MS = 600_000;
/** What of the tool is a person's to do. Opening one is the agent's, and ending one has an order of its own. */
const OPS: ReadonlySet<unknown> = new Set(["read", "write"]);

/** What of a session orders need. */
export interface Ordered {
  /** A call of the tool `process` in its turn. Rejects with SESSION_BUSY where its time is over by then, or the session is paused. */
  call(args: JsonObject, by: string, signal: AbortSignal): Promise<Observation>;
  endProcess(name: string, by: string): Promise<boolean>;
}

/** Does what people order from other processes; gives what ends it. */
export function listenForOrders(live: LiveSession, ordered: Ordered): () => void {
  const { control, telemetry } = live.deps;
  const failed = (error: unknown): void => telemetry.warn("an order could not be carried out", { session: live.id, cause: printable(String(error)) });
  const carryOut = async (order: ProcessOrder): Promise<void> => control?.answer(live.id, order.id, await answerTo(order, ordered));
  try {
    return (
      control?.listen(live.id, (order) => {
        const done = order.order === "process" ? carryOut(order) : order.order === "pause" ? pauseSession(live, order.by, order.reason) : resumeSession(live, order.by);
        done.catch(failed);
      }) ?? (() => undefined)
    );
  } catch (error) {
    failed(error);
    return () => undefined;
  }
}

async function answerTo({ what, by, withinMs }: ProcessOrder, ordered: Ordered): Promise<OrderAnswer> {
  try {
    if ("end" in what) return { ok: true, ended: await ordered.endProcess(what.end, by) };
    if (!OPS.has(what.call["op"])) throw new GuardError("USAGE_INVALID", "a process is read, written to, or ended");
    const { call, outcome, exitCode, stdout, stderr, message } = await ordered.call(what.call, by, AbortSignal.timeout(Math.min(withinMs, MOST_MS)));
    return { ok: true, call, outcome, exitCode, stdout, stderr, message };
  } catch (error) {
    const code = error instanceof GuardError ? error.code : "INTERNAL_BUG";
    return { ok: false, code, message: printable(error instanceof Error ? error.message : String(error), 600) };
  }
}

