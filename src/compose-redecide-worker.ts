// A thread that judges sessions again for compose-redecide-threads.ts: it reads records by itself, and answers with what it found; null
// where this could not be, of which the thread that asked finds the reason.

import { parentPort, workerData } from "node:worker_threads";
import { redecideOne } from "./compose-redecide.js";
import type { HelperAnswer, HelperTask } from "./compose-redecide-threads.js";
import { openStore } from "./compose-store.js";
import { policyFromData } from "./core/policy/index.js";
import type { SessionId } from "./core/shared/index.js";

await serve(workerData as HelperTask);

async function serve(task: HelperTask): Promise<void> {
  const policy = policyFromData(task.policy);
  const baseline = task.baseline === null ? null : policyFromData(task.baseline);
  const stored = await openStore(task.env);
  const answer = (message: HelperAnswer): void => parentPort?.postMessage(message);
  let last: Promise<void> = Promise.resolve();
  parentPort?.on("message", ({ index, id }: { readonly index: number; readonly id: SessionId }) => {
    last = last.then(async () => answer({ index, calls: await redecideOne(stored, id, policy, baseline).catch(() => null) }));
  });
  answer("ready");
}
