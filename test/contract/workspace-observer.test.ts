// Hints while files change: misses are allowed, inventions are not, and nothing is held after the end.

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createHints } from "../../src/adapters/watch/hints.js";
import type { SandboxMount } from "../../src/ports/sandbox.js";
import { silent } from "../support/overlay-rig.js";

let scratch = "";
let mount: SandboxMount;

beforeEach(() => {
  scratch = realpathSync(mkdtempSync(join(tmpdir(), "rf-watch-")));
  mount = { kind: "overlay", lower: [join(scratch, "l")], upper: join(scratch, "u"), work: join(scratch, "w") };
  mkdirSync(join(scratch, "u/dir"), { recursive: true });
  mkdirSync(join(scratch, "out"));
  writeFileSync(join(scratch, "u/old"), "old");
  writeFileSync(join(scratch, "u/gone"), "gone");
});

afterEach(() => rmSync(scratch, { recursive: true, force: true }));

/** Watches until each wanted hint has come; the test's own time limit is the only clock. */
async function watching(work: (seen: readonly string[], until: (wanted: readonly string[]) => Promise<void>) => Promise<void>): Promise<void> {
  const seen: string[] = [];
  let check: () => void = () => undefined;
  const handle = await createHints(silent).start(mount, (path, event) => {
    seen.push(`${event} ${path}`);
    check();
  });
  const until = (wanted: readonly string[]): Promise<void> =>
    new Promise((resolve) => {
      check = () => {
        if (wanted.every((each) => seen.includes(each))) resolve();
      };
      check();
    });
  try {
    await work(seen, until);
  } finally {
    await handle.stop();
  }
}

describe("hints", () => {
  it("tell what is created, changed and deleted, and nothing else", async () => {
    await watching(async (seen, until) => {
      writeFileSync(join(mount.upper, "old"), "new content");
      writeFileSync(join(mount.upper, "dir/fresh"), "x");
      rmSync(join(mount.upper, "gone"));
      await until(["modify old", "create dir/fresh", "delete gone"]);
      expect([...new Set(seen)].sort()).toEqual(["create dir/fresh", "delete gone", "modify old"]);
    });
  });

  it.skipIf(process.getuid?.() !== 0)("show a whiteout as a deletion", async () => {
    await watching(async (seen, until) => {
      execFileSync("mknod", [join(mount.upper, "dir/w"), "c", "0", "0"]);
      await until(["delete dir/w"]);
      expect(seen).toEqual(["delete dir/w"]);
    });
  });

  it("stay inside: what happens behind a link is not seen", async () => {
    symlinkSync(join(scratch, "out"), join(mount.upper, "link"));
    await watching(async (seen, until) => {
      writeFileSync(join(scratch, "out/secret"), "x");
      writeFileSync(join(mount.upper, "mark"), "x");
      await until(["create mark"]);
      expect(seen).toEqual(["create mark"]);
    });
  });

  it("end with stop, also when stopped twice, and survive a listener that throws", async () => {
    const seen: string[] = [];
    const handle = await createHints(silent).start(mount, (path) => {
      seen.push(path);
      throw new Error("listener");
    });
    writeFileSync(join(mount.upper, "x"), "x");
    await handle.stop();
    await handle.stop();
    const count = seen.length;
    writeFileSync(join(mount.upper, "y"), "y");
    await new Promise((resolve) => setImmediate(resolve));
    expect(seen.length).toBe(count);
  });

  it("of a folder that is not there are none", async () => {
    const handle = await createHints(silent).start({ ...mount, upper: join(scratch, "missing") }, () => undefined);
    await handle.stop();
    expect(true).toBe(true);
  });
});
