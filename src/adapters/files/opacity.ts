// Which folders of an upper layer hide everything below them. Node cannot read extended attributes, so the static
// program rf-scan does. An answer that is not certain is `unknown`, never "not opaque".

import { existsSync } from "node:fs";
import { GuardError, printable } from "../../core/shared/index.js";
import { packageFile } from "../system/package-root.js";
import { rawBytes, type Raw } from "./raw-path.js";

export type Opacity = "opaque" | "transparent" | "unknown";

/** Answers for folders of one upper layer, in order. Throws CANCELLED when aborted; anything else is `unknown`. */
export interface OpacityReader {
  (upper: string, folders: readonly Raw[], signal: AbortSignal): Promise<readonly Opacity[]>;
  /** Lets go of a layer, so that it can be unmounted. */
  release?(upper: string): Promise<void>;
}

/** Runs rf-scan once with these bytes as standard input, in a container that sees `upper`, where we are not root ourselves. */
export type ScanRunner = (upper: string, input: Uint8Array, signal: AbortSignal) => Promise<{ readonly exitCode: number | null; readonly stdout: Uint8Array }>;

/** The rf-scan program of this installation, or null when it was not built. */
export function findScanProgram(): string | null {
  const program = packageFile("dist", "runtime", "bin", "rf-scan");
  return existsSync(program) ? program : null;
}

/** Reads opacity through an rf-scan that is run anew for each question. */
export function createOpacityReader(run: ScanRunner): OpacityReader {
  return async (upper, folders, signal) => {
    if (folders.length === 0) return [];
    const input = rawBytes(folders.map((folder) => `${folder}\0`).join(""));
    const { exitCode, stdout } = await run(upper, input, signal);
    if (signal.aborted) throw new GuardError("CANCELLED", "looking through the workspace was cancelled");
    if (exitCode !== 0 || stdout.length !== folders.length) return folders.map(() => "unknown");
    return folders.map((_, index) => opacityOf(stdout[index]));
  };
}

/** The failure when a folder may have been emptied and nobody here may look. */
export function opacityUnknown(path: string): GuardError {
  return new GuardError("STATE_UNUSABLE", `cannot tell whether \`${printable(path)}\` was emptied: its overlay mark is not readable by this user`, {
    hint: "build the runtime with `npm run setup`, and run as root or let the engine read the mark",
  });
}

/** The meaning of one byte of rf-scan's answer. */
export function opacityOf(byte: number | undefined): Opacity {
  if (byte === 0x79) return "opaque";
  return byte === 0x6e ? "transparent" : "unknown";
}
