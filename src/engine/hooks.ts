// Who watches a call while it runs. A watcher changes nothing about the call.

import type { OutputSink } from "../ports/sandbox.js";

export interface CallHooks {
  /** Raw output as it arrives. What it throws ends the watching, not the call. */
  readonly output?: OutputSink;
}
