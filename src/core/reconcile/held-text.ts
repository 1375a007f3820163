// What held an attempt, in words.

import { printable } from "../shared/index.js";
import type { Finding, Held, HeldBy } from "./change.js";

const BY: Readonly<Record<HeldBy, string>> = {
  "read-only-mount": "a read-only mount",
  "held-place": "a place held read-only",
  "mount-point": "a mount below it",
  mask: "a mask: the name is not there",
  "read-only-root": "the read-only root",
  "no-network": "no network",
  "no-capability": "no capability and the system call filter",
  "process-boundary": "another user's process",
};

const OPERATION: Readonly<Record<Finding["operation"], string>> = { create: "creation", modify: "change", delete: "deletion", metadata: "change of mode or times", read: "reading" };

/** `change of .git/config: held by a read-only mount; the program reported EROFS`. */
export function heldText({ path, operation, held }: Pick<Finding, "path" | "operation"> & { readonly held: Held }): string {
  const what = path === "" ? printable(held.name, 160) : `${OPERATION[operation]} of ${printable(path, 160)}`;
  const more = held.more === undefined ? "" : `; and ${held.more} more`;
  return `${what}: held by ${BY[held.by]}; ${witness(held)}${more}`;
}

function witness({ told, error }: Held): string {
  const reported = told.includes("program") ? `the program reported${error === undefined ? " it" : ` ${printable(error, 40)}`}` : null;
  if (!told.includes("text")) return `only ${reported ?? "nobody"}`;
  return reported === null ? "the text of the call says so" : `the text of the call says so and ${reported}`;
}
