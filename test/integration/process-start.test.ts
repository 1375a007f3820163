// Who began when, seen from where another clock is shown: a living owner stays a living owner.

import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { describe, expect, it } from "vitest";
import { currentLease, leaseState } from "../../src/adapters/system/lease.js";
import { processStart } from "../../src/adapters/system/process-start.js";

const ELSEWHEN = ["--time", "--monotonic", "100000", "--boottime", "100000"];
const cannot = spawnSync("unshare", [...ELSEWHEN, "true"]).status === 0 ? "" : " (skipped: no time namespaces here)";

describe("the start of a process", () => {
  it("is told of a living one only", () => {
    expect(processStart(process.pid)).toMatch(/^[0-9]+$/u);
    expect(processStart(2 ** 30)).toBe(null);
  });

  it.skipIf(cannot !== "")(`is the same for a reader in another time namespace, so that it takes no living owner for dead${cannot}`, async () => {
    const folder = mkdtempSync(join(tmpdir(), "ringfence-start-"));
    try {
      const program = join(folder, "lease.mjs");
      await build({ entryPoints: [fileURLToPath(new URL("../../src/adapters/system/lease.ts", import.meta.url))], bundle: true, platform: "node", format: "esm", outfile: program, logLevel: "error" });
      const lease = currentLease();
      const ask = `import(${JSON.stringify(program)}).then(({ leaseState, currentLease }) => console.log(leaseState(process.argv[1]), currentLease(), process.hrtime.bigint() > 100000n * 10n ** 9n))`;
      const [state, theirs, isElsewhen] = execFileSync("unshare", [...ELSEWHEN, process.execPath, "-e", ask, lease], { encoding: "utf8" }).trim().split(" ");
      expect([state, isElsewhen]).toEqual(["alive", "true"]);
      expect(leaseState(theirs ?? "")).toBe("dead");
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
