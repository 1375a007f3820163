// A real browser, where there is one: what a page became after its scripts ran, and what its policy refused. No network is asked for.

import { execFile, execFileSync } from "node:child_process";
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

/**
 * Loads a file in a browser without a network.
 * @param port of a server on this machine to which every address that the page asks for is led; left out: none resolves
 */
export async function loadPage(program: string, path: string, port?: number): Promise<Loaded> {
  const profile = mkdtempSync(join(tmpdir(), "ringfence-browser-"));
  try {
    const resolver = port === undefined ? "MAP * ~NOTFOUND" : `MAP * 127.0.0.1:${String(port)}`;
    const args = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-extensions", "--disable-background-networking", "--no-first-run", `--host-resolver-rules=${resolver}`, `--user-data-dir=${profile}`, "--enable-logging=stderr", "--virtual-time-budget=3000", "--dump-dom", pathToFileURL(path).href];
    const { stdout, stderr } = await new Promise<{ readonly stdout: string; readonly stderr: string }>((resolve, reject) => {
      execFile(program, args, { encoding: "utf8", timeout: 60_000, maxBuffer: 256 * 1024 * 1024 }, (error, out, err) => (error === null ? resolve({ stdout: out, stderr: err }) : reject(new Error(`the browser ended: ${error.message.slice(0, 300)} ${err.slice(-500)}`))));
    });
    return { dom: stdout, refused: stderr.split("\n").filter((line) => /Content Security Policy|violates the following|Trusted Type/iu.test(line)) };
  } finally {
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}
