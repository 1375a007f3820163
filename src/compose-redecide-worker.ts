// A thread that judges sessions again for compose-redecide-threads.ts: it reads records and policies by itself, and answers with what
// it found; null where this could not be, of which the thread that asked finds the reason.

import { parentPort, workerData } from "node:worker_threads";
import { policiesOf, redecideOne } from "./compose-redecide.js";
import type { HelperAnswer, HelperTask } from "./compose-redecide-threads.js";
import { openStore } from "./compose-store.js";
import type { SessionId } from "./core/shared/index.js";

await serve(workerData as HelperTask);

async function serve(task: HelperTask): Promise<void> {
  const { policy, baseline } = await policiesOf(task);
  const [expected, expectedBaseline] = task.digests;
  if (policy.digest !== expected || (baseline?.digest ?? null) !== expectedBaseline) return;
  const stored = await openStore(task.env);
  const answer = (message: HelperAnswer): void => parentPort?.postMessage(message);
  let last: Promise<void> = Promise.resolve();
  parentPort?.on("message", ({ index, id }: { readonly index: number; readonly id: SessionId }) => {
    last = last.then(async () => answer({ index, calls: await redecideOne(stored, id, policy, baseline).catch(() => null) }));
  });
  answer("ready");
}
