// What set-up says about failures, paths and counts.

import { describe, expect, it } from "vitest";
import { explainFailure } from "../../../scripts/setup/errors.mjs";
import { requireNode } from "../../../scripts/setup/main.mjs";
import { distributionOf } from "../../../scripts/setup/machine.mjs";
import { stateFolder } from "../../../scripts/setup/paths.mjs";
import { processStart } from "../../../scripts/setup/processes.mjs";
import { run } from "../../../scripts/setup/run.mjs";
import { isSet } from "../../../scripts/setup/ui.mjs";
import { countsOf, skippedOf } from "../../../scripts/test/counts.mjs";
import { isOurs } from "../../../scripts/test/sweep.mjs";

describe("a failed program", () => {
  it.each([
    ["npm error code ENOSPC", "the disk is full"],
    ["write /var/lib/docker/x: no space left on device", "the disk is full"],
    ["Err:1 http://deb.debian.org/debian bookworm InRelease  Temporary failure resolving 'deb.debian.org'", "the network did not answer"],
    ["npm error code EAI_AGAIN", "the network did not answer"],
    ["E: Unable to locate package docker.io", "the package is not in this machine's apt sources"],
    ["E: dpkg was interrupted, you must manually run 'dpkg --configure -a'", "an earlier package installation was interrupted"],
    ["`npm ci` can only install packages when your package.json and package-lock.json or npm-shrinkwrap.json are in sync.", "package-lock.json does not fit package.json"],
  ])("is explained from what it printed: %s", (output, meaning) => {
    expect(explainFailure(output)?.meaning).toBe(meaning);
  });

  it("is not explained by guessing", () => {
    expect(explainFailure('ERROR: Could not resolve "./handlers/git.js"')).toBe(null);
  });
});

describe("a program that set-up runs", () => {
  it("is ended with everything it started when its time is up", async () => {
    const result = await run(["sh", "-c", "sleep 300 & echo $!; wait"], { limitMs: 500 });
    const grandchild = Number(result.stdout.trim());
    expect({ timedOut: result.timedOut, code: result.code }).toEqual({ timedOut: true, code: null });
    expect(grandchild).toBeGreaterThan(1);
    expect(processStart(grandchild)).toBe(null);
  });

  it("is ended when it does not begin in time", async () => {
    const result = await run(["sh", "-c", "echo waiting; sleep 300"], { limitMs: 60_000, firstLine: { pattern: /pulling from/i, withinMs: 300 } });
    expect(result.timedOut).toBe(true);
  });

  it("is ended when set-up is interrupted", async () => {
    const controller = new AbortController();
    const running = run(["sleep", "300"], { limitMs: 60_000, signal: controller.signal });
    controller.abort();
    expect(await running).toMatchObject({ code: null, timedOut: false });
  });

  it("is told apart when it does not exist", async () => {
    expect(await run(["ringfence-no-such-program"], { limitMs: 5_000 })).toMatchObject({ code: null, missing: true });
  });
});

describe("the machine", () => {
  it.each([
    ['ID=debian\nVERSION_ID="12"\n', "debian", true],
    ["ID=ubuntu\nID_LIKE=debian\n", "ubuntu", true],
    ['ID=linuxmint\nID_LIKE="ubuntu debian"\n', "linuxmint", true],
    ['ID="fedora"\n', "fedora", false],
    ["", "", false],
  ])("is known from os-release: %j", (text, distribution, hasApt) => {
    expect(distributionOf(text)).toEqual({ distribution, hasApt });
  });

  it("needs Node 20.20 or newer", () => {
    expect(() => requireNode("20.19.9")).toThrow(/too old/);
    expect(() => requireNode("18.20.0")).toThrow(/too old/);
    expect([requireNode("20.20.0"), requireNode("22.0.0")]).toEqual([undefined, undefined]);
  });
});

describe("the state folder", () => {
  it.each([
    [{ RINGFENCE_HOME: "/a/b" }, "/a/b"],
    [{ XDG_STATE_HOME: "/s" }, "/s/ringfence"],
    [{ RINGFENCE_HOME: "relative", XDG_STATE_HOME: "" }, "/home/x/.local/state/ringfence"],
    [{}, "/home/x/.local/state/ringfence"],
  ])("is chosen from %j", (env, expected) => {
    expect(stateFolder(env, "/home/x")).toBe(expected);
  });
});

describe("an environment switch", () => {
  it("counts unless it is missing, empty or a no", () => {
    expect([undefined, "", "0", "false", "No", "1", "true", "yes"].map(isSet)).toEqual([false, false, false, false, false, true, true, true]);
  });
});

describe("the counts", () => {
  it("are vitest's own", () => {
    expect(countsOf({ success: true, numPassedTests: 12, numFailedTests: 0, numPendingTests: 2, numTodoTests: 1, testResults: [{ status: "passed", assertionResults: [] }] })).toEqual({ passed: 12, failed: 0, skipped: 3 });
  });

  it("count a file that could not be loaded as a failure", () => {
    const testResults = [{ status: "failed", assertionResults: [] }, { status: "failed", assertionResults: [{ status: "failed" }] }];
    expect(countsOf({ success: false, numPassedTests: 3, numFailedTests: 1, testResults })).toEqual({ passed: 3, failed: 2, skipped: 0 });
  });

  it("name what was skipped", () => {
    const testResults = [{ status: "passed", assertionResults: [{ status: "passed", fullName: "a" }, { status: "skipped", fullName: "b c (absent)" }] }, { status: "passed", assertionResults: [{ status: "pending", fullName: "d" }, {}] }];
    expect(skippedOf({ success: true, testResults })).toEqual(["b c (absent)", "d"]);
    expect([skippedOf(null), skippedOf({ testResults: "x" })]).toEqual([[], []]);
  });

  it("are a failure without a report", () => {
    expect(countsOf(null)).toEqual({ passed: 0, failed: 1, skipped: 0 });
  });
});

describe("what tests leave behind", () => {
  const lease = "v1.42.100.00000000-0000-0000-0000-000000000000.1";

  it("is swept when its owner is of an earlier boot", () => {
    expect(isOurs(lease, () => "outside")).toBe(true);
  });

  it("stays when it carries no lease", () => {
    expect(["", "someone", "v1.x.1.00000000-0000-0000-0000-000000000000.1"].map((text) => isOurs(text, () => "dead"))).toEqual([false, false, false]);
  });
});
