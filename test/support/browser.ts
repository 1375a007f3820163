// A real browser, where there is one: what a page became after its scripts ran, and what its policy refused. No network is asked for.

import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const NAMES = ["chromium", "chromium-browser", "google-chrome"];

/** The browser's program; null where there is none (Debian: `apt-get install chromium`). */
export function browserProgram(): string | null {
  for (const name of NAMES) {
    try {
      return execFileSync("/bin/sh", ["-c", `command -v ${name}`], { encoding: "utf8" }).trim();
    } catch {
      continue; // not this one
    }
  }
  return null;
}

export interface Loaded {
  /** The document after it was loaded. */
  readonly dom: string;
  /** Lines in which the browser says that the page's policy refused something. */
  readonly refused: readonly string[];
}

/** Loads a file in a browser without a network. */
export function loadPage(program: string, path: string): Loaded {
  const profile = mkdtempSync(join(tmpdir(), "ringfence-browser-"));
  try {
    const args = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-extensions", "--no-first-run", "--host-resolver-rules=MAP * ~NOTFOUND", `--user-data-dir=${profile}`, "--enable-logging=stderr", "--virtual-time-budget=3000", "--dump-dom", pathToFileURL(path).href];
    const { stdout, stderr, status } = spawnSync(program, args, { encoding: "utf8", timeout: 60_000, maxBuffer: 256 * 1024 * 1024 });
    if (status !== 0) throw new Error(`the browser ended with ${String(status)}: ${stderr.slice(-500)}`);
    return { dom: stdout, refused: stderr.split("\n").filter((line) => /Content Security Policy|violates the following|Trusted Type/iu.test(line)) };
  } finally {
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}
