// After the tests: removes the containers and volumes of Ringfence that this run left behind, and no others. What was there
// before stays, and so does what a living process outside this run owns.

import { execFileSync } from "node:child_process";
import { readText } from "../setup/hash.mjs";
import { bootId, parseStart } from "../setup/processes.mjs";

const LIMIT_MS = 60_000;
const OWNER_LABEL = "dev.ringfence.owner";
const MAX_ANCESTORS = 64;

/** @typedef {{readonly kind: "container" | "volume", readonly id: string, readonly owner: string}} Left */

/** vitest calls this before the tests and what it returns after them. */
export function setup() {
  process.env["TESTCONTAINERS_RYUK_DISABLED"] = "true";
  const before = new Set(labelled().map(({ id }) => id));
  return () => {
    const left = labelled().filter(({ id, owner }) => !before.has(id) && isOurs(owner, ownerState));
    // Containers first: a volume in use cannot be removed.
    for (const kind of /** @type {const} */ (["container", "volume"])) {
      const ids = left.filter((entry) => entry.kind === kind).map(({ id }) => id);
      if (ids.length > 0) docker(kind === "container" ? ["rm", "--force", "--volumes", ...ids] : ["volume", "rm", "--force", ...ids]);
    }
    if (left.length > 0) process.stderr.write(`removed what tests left behind on the engine: ${left.map(({ kind, id }) => `${kind} ${id.slice(0, 40)}`).join(", ")}\n`);
  };
}

/**
 * Whether something made since the run began is this run's: its owner is dead, or is a process of this run.
 * A text that is no lease is nobody we know.
 * @param {string} lease `v1.PID.START.BOOT.SPACE`
 * @param {(pid: number, start: string) => "dead" | "within" | "outside"} stateOf
 */
export function isOurs(lease, stateOf) {
  const match = /^v1\.(\d{1,10})\.(\d{1,20})\.([0-9a-f-]{36})\.\d{1,20}$/.exec(lease);
  if (match === null) return false;
  const [, pid = "", start = "", boot = ""] = match;
  return boot !== bootId() || stateOf(Number(pid), start) !== "outside";
}

/** @param {number} pid @param {string} start */
function ownerState(pid, start) {
  const stat = readText(`/proc/${pid}/stat`);
  if (stat === null || String(parseStart(stat)) !== start) return "dead";
  let current = pid;
  for (let depth = 0; depth < MAX_ANCESTORS && current > 1; depth += 1) {
    if (current === process.pid) return "within";
    const text = readText(`/proc/${current}/stat`) ?? "";
    current = Number(text.slice(text.lastIndexOf(")") + 2).split(" ")[1] ?? 0);
  }
  return "outside";
}

/** @returns {readonly Left[]} */
function labelled() {
  const filter = ["--filter", `label=${OWNER_LABEL}`];
  const read = (/** @type {Left["kind"]} */ kind, /** @type {string} */ field, /** @type {readonly string[]} */ words) =>
    docker([...words, ...filter, "--format", `{{.${field}}} {{.Label "${OWNER_LABEL}"}}`])
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => ({ kind, id: line.split(" ")[0] ?? "", owner: line.split(" ")[1] ?? "" }));
  return [...read("container", "ID", ["ps", "--all", "--no-trunc"]), ...read("volume", "Name", ["volume", "ls"])];
}

/** Without an engine or a client there is nothing to sweep. @param {readonly string[]} words */
function docker(words) {
  try {
    return execFileSync("docker", words, { encoding: "utf8", timeout: LIMIT_MS, stdio: ["ignore", "pipe", "ignore"] });
  } catch {
    return "";
  }
}
