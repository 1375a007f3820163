// What every kind of workspace does with a path it is given: takes it apart safely, and names it when it cannot be read.

import { isWorkspacePath } from "../../core/reconcile/names.js";
import { GuardError, printable } from "../../core/shared/index.js";
import { rawFromPath, type Raw } from "./raw-path.js";
import { errorCode } from "./system-error.js";

/** The raw name of a path below the workspace. Throws USAGE_INVALID for one that is none. */
export function parsePath(path: string): Raw {
  if (!isWorkspacePath(path)) throw new GuardError("USAGE_INVALID", `\`${printable(path)}\` is no path inside a workspace`);
  return rawFromPath(path);
}

/** Runs a look at the disk; a failure of the system becomes WORKSPACE_UNREADABLE with the path. */
export function reading<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof GuardError) throw error;
    throw new GuardError("WORKSPACE_UNREADABLE", `cannot read \`${printable(path)}\`: ${errorCode(error)}`, { cause: error });
  }
}
