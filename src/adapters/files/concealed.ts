// Names of the user's folder that came to be while the session ran and were hidden from it then. Kept beside the layers, so that a
// review counts them as hidden too.

import { appendFileSync, readFileSync } from "node:fs";
import { GuardError } from "../../core/shared/index.js";
import { pathOfRaw, rawFromPath, type Raw } from "./raw-path.js";
import { errorCode } from "./system-error.js";

export interface Concealed {
  readonly names: ReadonlySet<Raw>;
  /** Throws STATE_UNUSABLE when they cannot be put down. */
  add(paths: readonly string[]): void;
}

/** Opens the list at `path`, which need not exist. A torn last line is left out. */
export function openConcealed(path: string): Concealed {
  const names = new Set<Raw>(linesOf(path).map((line) => rawFromPath(JSON.parse(line) as string)));
  return {
    names,
    add: (paths) => {
      const fresh = paths.map(rawFromPath).filter((raw) => !names.has(raw));
      for (const raw of fresh) names.add(raw);
      if (fresh.length === 0) return;
      try {
        appendFileSync(path, fresh.map((raw) => `${JSON.stringify(pathOfRaw(raw))}\n`).join(""), { mode: 0o600 });
      } catch (error) {
        throw new GuardError("STATE_UNUSABLE", `cannot note what is hidden from the session: ${errorCode(error)}`, { cause: error });
      }
    },
  };
}

function linesOf(path: string): readonly string[] {
  try {
    return readFileSync(path, "utf8").split("\n").slice(0, -1);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return [];
    throw new GuardError("STATE_UNUSABLE", `cannot read what was hidden from the session: ${errorCode(error)}`, { cause: error });
  }
}
