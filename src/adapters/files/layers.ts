// Where a session's overlay layers lie. Only our own names appear in these paths: the user's folder is a link under a
// clean name, so that no name of the user or the agent gets into mount options.

import { join } from "node:path";

export interface LayerPaths {
  readonly folder: string;
  /** A link to the user's folder. */
  readonly lower: string;
  /** An extra lower layer above the user's folder: whiteouts for secrets, placeholders for names to protect. */
  readonly protect: string;
  /** Where the session writes, when it has no disk of its own. */
  readonly upper: string;
  readonly work: string;
  /** A disk of the session's own, and where it is mounted while the session runs; `upper` and `work` then lie in there. */
  readonly image: string;
  readonly disk: string;
  /** Which folder of the user it is. */
  readonly description: string;
  /** The user's entries as first touched. */
  readonly record: string;
  /** Names hidden from the session while it ran. */
  readonly concealed: string;
  /** Content kept for undoing. */
  readonly objects: string;
}

/** @param stateDir real path of the state folder */
export function layerPaths(stateDir: string, sessionId: string): LayerPaths {
  const folder = join(stateDir, "sessions", sessionId, "ws");
  return {
    folder,
    lower: join(folder, "lower"),
    protect: join(folder, "base-protect"),
    upper: join(folder, "upper"),
    work: join(folder, "work"),
    image: join(folder, "disk.img"),
    disk: join(folder, "disk"),
    description: join(folder, "workspace.json"),
    record: join(folder, "base.jsonl"),
    concealed: join(folder, "concealed.jsonl"),
    objects: join(folder, "objects"),
  };
}
