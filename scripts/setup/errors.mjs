// The one kind of failure set-up reports, and what the text of a failed program means to a person.

/** A failure with a one-line message, a hint of what to do, and the exit code of the script (75: engine or sandbox not available). */
export class SetupError extends Error {
  /**
   * @param {string} message one line, lower case start, no final period
   * @param {{readonly hint?: string, readonly exit?: number, readonly detail?: string, readonly cause?: unknown}} [options]
   */
  constructor(message, { hint = "", exit = 75, detail = "", cause } = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "SetupError";
    this.hint = hint;
    this.exit = exit;
    this.detail = detail;
  }
}

/** @type {readonly (readonly [RegExp, string, string])[]} */
const MEANINGS = [
  [/no space left on device|ENOSPC|not enough free space|disk quota exceeded/i, "the disk is full", "free some space (`df -h`; `docker system df` shows what the engine holds) and run set-up again"],
  [/dpkg was interrupted/i, "an earlier package installation was interrupted", "run `dpkg --configure -a`, then set-up again"],
  [/could not get lock|unable to acquire the dpkg|is held by process/i, "another package installation is running", "wait until it has ended and run set-up again"],
  [/unable to locate package|has no installation candidate/i, "the package is not in this machine's apt sources", "add the distribution's main (Ubuntu: universe) section to the apt sources"],
  [/EACCES|permission denied while trying to connect/i, "permission denied", "run as a user who may write there or use the engine (`docker` group)"],
  [
    /temporary failure (in name resolution|resolving)|could not resolve host|ENOTFOUND|EAI_AGAIN|no such host|network is unreachable|ENETUNREACH|ECONNREFUSED|ETIMEDOUT|ECONNRESET|connection timed out|i\/o timeout|failed to fetch|unable to connect to/i,
    "the network did not answer",
    "set-up needs it the first time (Debian packages and the npm registry); check the connection or the proxy settings",
  ],
  [/package-lock\.json .* are in sync/i, "package-lock.json does not fit package.json", "run `npm install`, or take the lockfile of the repository back"],
  [/EINTEGRITY|hash sum mismatch/i, "what was downloaded is not what was expected", "run set-up again; if it stays, a proxy or mirror changes files"],
  [/no match for platform|exec format error/i, "the architecture does not fit", "the engine and this machine must be of one architecture"],
];

/**
 * What a failed program's output means, if it is one of the known troubles.
 * @param {string} output
 * @returns {{readonly meaning: string, readonly hint: string} | null}
 */
export function explainFailure(output) {
  for (const [pattern, meaning, hint] of MEANINGS) {
    if (pattern.test(output)) return { meaning, hint };
  }
  return null;
}
