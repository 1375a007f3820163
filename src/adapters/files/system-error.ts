// The code of a failed system call, and its words for a message.

/** `ENOENT` and the like; the empty string when the value is no system error. */
export function errorCode(error: unknown): string {
  if (typeof error !== "object" || error === null || !("code" in error)) return "";
  return typeof error.code === "string" ? error.code : "";
}

/** Tells whether a name is simply not there, or lies below something that is no folder. */
export function isMissing(error: unknown): boolean {
  const code = errorCode(error);
  return code === "ENOENT" || code === "ENOTDIR" || code === "ELOOP";
}
