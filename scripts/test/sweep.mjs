// Before the tests: gives the run a name. After them: removes the containers and volumes that carry it, and no others.
// A container of ours says its session's state folder and run by label; see `RINGFENCE_TEST_RUN`.

import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";

const LIMIT_MS = 60_000;

/** The label that says which test run made a container or volume. */
export const RUN_LABEL = "dev.ringfence.test-run";

export function setup() {
  process.env["RINGFENCE_TEST_RUN"] ??= randomBytes(8).toString("hex");
  process.env["TESTCONTAINERS_RYUK_DISABLED"] = "true";
}

export function teardown() {
  const run = process.env["RINGFENCE_TEST_RUN"];
  if (run === undefined) return;
  const filter = ["--filter", `label=${RUN_LABEL}=${run}`];
  const containers = list(["ps", "--all", "--quiet", ...filter]);
  if (containers.length > 0) docker(["rm", "--force", "--volumes", ...containers]);
  const volumes = list(["volume", "ls", "--quiet", ...filter]);
  if (volumes.length > 0) docker(["volume", "rm", "--force", ...volumes]);
  if (containers.length + volumes.length > 0) process.stderr.write(`removed ${containers.length} containers and ${volumes.length} volumes that tests left behind\n`);
}

/** @param {readonly string[]} words @returns {readonly string[]} */
function list(words) {
  return docker(words).split("\n").filter((line) => line !== "");
}

/** Without an engine or a client there is nothing to sweep. @param {readonly string[]} words */
function docker(words) {
  try {
    return execFileSync("docker", words, { encoding: "utf8", timeout: LIMIT_MS, stdio: ["ignore", "pipe", "ignore"] });
  } catch {
    return "";
  }
}
