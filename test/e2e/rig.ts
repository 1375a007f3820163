// The built command line as a person starts it, for tests: a state folder and a home of its own, the engine of this machine,
// a deadline on everything, and a look at what is left behind. Never uses the state or the settings of whoever runs the tests.

import { execFileSync, spawn, type ChildProcessByStdio } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";

/** The program under test. */
export const CLI = process.env["RINGFENCE_TEST_CLI"] ?? fileURLToPath(new URL("../../bin/ringfence.mjs", import.meta.url));
const RUN_MS = 90_000;
const LEFT_MS = 20_000;
const LABEL = "dev.ringfence.session";

export interface Result {
  /** As a shell would tell it: 128 and the number for a signal. */
  readonly code: number;
  readonly stdout: Buffer;
  readonly out: string;
  readonly err: string;
}

export interface Running {
  readonly pid: number;
  readonly stdin: Writable;
  /** What came so far. */
  readonly out: () => string;
  readonly err: () => string;
  readonly kill: (signal: NodeJS.Signals) => void;
  /** Settles when the process has ended and its output is complete. */
  readonly ended: Promise<Result>;
  /** Waits until `found` says so. Fails when the process ends before. */
  readonly until: (what: string, found: () => boolean) => Promise<void>;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: "ignore" | "pipe";
  /** Words of a program that starts the command line in its own way. */
  readonly through?: readonly string[];
}

export interface Rig {
  /** Everything of this rig; nothing else is written. */
  readonly scratch: string;
  /** The state folder. */
  readonly state: string;
  readonly home: string;
  readonly env: Readonly<Record<string, string>>;
  /** A new workspace with these files, below a folder of its own. */
  workspace(files: Readonly<Record<string, string>>, name?: string): string;
  run(args: readonly string[], options?: RunOptions): Promise<Result>;
  start(args: readonly string[], options?: RunOptions): Running;
  /** Runs on a terminal of its own; what is written to `stdin` are key strokes. */
  startOnTerminal(args: readonly string[], options?: RunOptions): Running;
  /** Ids of the sessions on record, newest first. */
  sessions(): Promise<readonly { readonly id: string; readonly status: string }[]>;
  ledger(session: string): string;
  /** Docker's client, on the engine that the command line finds. */
  docker(...args: readonly string[]): string;
  remove(): void;
}

/** Why these tests cannot run here; null when they can. Where an engine is required its absence is a failure. */
export function whyNotHere(): string | null {
  const reason = look();
  if (reason !== null && [process.env["RINGFENCE_REQUIRE_ENGINE"], process.env["REQUIRE_DOCKER"]].includes("1")) throw new Error(`an engine is required, but ${reason}`);
  return reason;
}

function look(): string | null {
  if (!existsSync(join(dirname(CLI), "..", "dist", "cli", "ringfence.mjs"))) return "the command line is not built: run `npm run build`";
  try {
    docker("image", "inspect", "ringfence/kimi-dev:latest");
    return null;
  } catch {
    return "no engine with the sandbox image answers: run `npm run setup`";
  }
}

/** @param extra variables besides, for instance an engine of the test's own or another state folder */
export function createRig(extra: Readonly<Record<string, string>> = {}): Rig {
  const scratch = realpathSync(mkdtempSync(join(tmpdir(), "ringfence-e2e-")));
  const state = extra["RINGFENCE_HOME"] ?? join(scratch, "state");
  const home = join(scratch, "home");
  mkdirSync(home, { mode: 0o700 });
  const env: Record<string, string> = {
    PATH: process.env["PATH"] ?? "/usr/bin:/bin",
    HOME: home,
    TMPDIR: tmpdir(),
    LANG: "C.UTF-8",
    RINGFENCE_HOME: state,
    DOCKER_CONFIG: process.env["DOCKER_CONFIG"] ?? join(homedir(), ".docker"),
    ...(process.env["DOCKER_HOST"] === undefined ? {} : { DOCKER_HOST: process.env["DOCKER_HOST"] }),
    ...extra,
  };
  const running = new Set<Running>();
  let count = 0;
  const start = (file: string, args: readonly string[], options: RunOptions): Running => {
    const process = launch(file, args, { cwd: options.cwd ?? scratch, env: { ...env, ...options.env }, stdin: options.stdin ?? "ignore" });
    running.add(process);
    return process;
  };
  const rig: Rig = {
    scratch,
    state,
    home,
    env,
    workspace: (files, name = "project") => {
      count += 1;
      const folder = join(scratch, `w${count}`, name);
      mkdirSync(folder, { recursive: true });
      for (const [path, content] of Object.entries(files)) {
        mkdirSync(dirname(join(folder, path)), { recursive: true });
        writeFileSync(join(folder, path), content);
      }
      return folder;
    },
    run: (args, options = {}) => rig.start(args, options).ended,
    start: (args, options = {}) => {
      const [file = "", ...words] = [...(options.through ?? []), process.execPath, CLI, ...args];
      return start(file, words, options);
    },
    startOnTerminal: (args, options = {}) => start("script", ["--quiet", "--flush", "--return", "--command", `exec ${[process.execPath, CLI, ...args].map(quote).join(" ")}`, "/dev/null"], { ...options, stdin: "pipe" }),
    sessions: async () => {
      const { code, out, err } = await rig.run(["sessions", "--json", "-n", "1000"]);
      if (code !== 0) throw new Error(err);
      return lines(out).map((line) => JSON.parse(line) as { readonly id: string; readonly status: string });
    },
    ledger: (session) => join(state, "sessions", session, "ledger.jsonl"),
    docker: (...args) => execFileSync("docker", args, { encoding: "utf8", timeout: 60_000, env, stdio: ["ignore", "pipe", "ignore"] }).trim(),
    remove: () => {
      for (const process of running) process.kill("SIGKILL");
      rmSync(scratch, { recursive: true, force: true });
    },
  };
  return rig;
}

function launch(file: string, args: readonly string[], options: { readonly cwd: string; readonly env: Readonly<Record<string, string>>; readonly stdin: "ignore" | "pipe" }): Running {
  const child = spawn(file, args, { cwd: options.cwd, env: options.env, stdio: [options.stdin, "pipe", "pipe"] }) as ChildProcessByStdio<Writable | null, Readable, Readable>;
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
  let over = false;
  const text = (chunks: readonly Buffer[]): string => Buffer.concat(chunks).toString("utf8");
  const ended = new Promise<Result>((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      reject(new Error(`\`${args.join(" ")}\` did not end within ${RUN_MS} ms\n${text(out).slice(-2000)}\n${text(err)}`));
    }, RUN_MS);
    child.once("error", reject);
    child.once("close", (code, signal) => {
      clearTimeout(timer);
      over = true;
      resolve({ code: code ?? 128 + (signal === "SIGKILL" ? 9 : signal === "SIGINT" ? 2 : 15), stdout: Buffer.concat(out), out: text(out), err: text(err) });
    });
  });
  ended.catch(() => undefined);
  return {
    pid: child.pid ?? 0,
    stdin: child.stdin as Writable,
    out: () => text(out),
    err: () => text(err),
    kill: (signal) => void child.kill(signal),
    ended,
    until: (what, found) =>
      eventually(what, () => {
        if (found()) return true;
        if (over) throw new Error(`the process ended before ${what}\n${text(out)}\n${text(err)}`);
        return false;
      }),
  };
}

/** Waits for a condition, looking every few milliseconds, at most `ms`. */
export async function eventually(what: string, found: () => boolean, ms: number = RUN_MS): Promise<void> {
  const until = performance.now() + ms;
  while (!found()) {
    if (performance.now() > until) throw new Error(`not seen within ${ms} ms: ${what}`);
    await pause(10);
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** A word for `sh`. */
export function quote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

export function lines(text: string): readonly string[] {
  return text.split("\n").filter((line) => line !== "");
}

/** The id in the last line of an `exec`. */
export function sessionOf({ err }: Pick<Result, "err">): string {
  const id = /session (ses_[a-z0-9]+):/u.exec(err)?.[1];
  if (id === undefined) throw new Error(`no session in: ${err}`);
  return id;
}

/** Docker's client, for looking at the engine from outside. */
export function docker(...args: readonly string[]): string {
  return execFileSync("docker", args, { encoding: "utf8", timeout: 60_000, stdio: ["ignore", "pipe", "ignore"] }).trim();
}

/** What the engine and the machine hold of the given sessions: containers, volumes, networks, mounts, loop devices. */
export function leftOf(sessions: readonly string[], state: string, ask: Rig["docker"] = docker): readonly string[] {
  const filter = ["--filter", `label=${LABEL}`];
  const format = ["--format", `{{.ID}}{{.Name}} {{.Label "${LABEL}"}}`];
  const containers = lines(ask("ps", "--all", ...filter, "--format", `container {{.Names}} {{.Label "${LABEL}"}}`));
  const volumes = lines(ask("volume", "ls", ...filter, "--format", `volume {{.Name}} {{.Label "${LABEL}"}}`));
  const networks = lines(ask("network", "ls", ...filter, ...format));
  const mounts = lines(readFileSync("/proc/mounts", "utf8")).filter((line) => line.includes(`${state}/`));
  const loops = lines(loopDevices()).filter((line) => line.includes(state));
  const ours = (line: string): boolean => sessions.some((session) => line.includes(session));
  return [...containers.filter(ours), ...volumes.filter(ours), ...networks.filter(ours), ...mounts, ...loops];
}

/** A file of calls for `run --trajectory`, in the rig's own folder. */
export function trajectory({ scratch }: Pick<Rig, "scratch">, name: string, calls: readonly { readonly tool: string; readonly arguments: object }[]): string {
  const file = join(scratch, name);
  writeFileSync(file, calls.map((call, at) => `${JSON.stringify({ id: String(at + 1), role: null, ...call })}\n`).join(""));
  return file;
}

/** As `leftOf`, after the engine had time to end what is dying. */
export async function leftInTheEnd(sessions: readonly string[], state: string, ask: Rig["docker"] = docker): Promise<readonly string[]> {
  const until = performance.now() + LEFT_MS;
  for (;;) {
    const left = leftOf(sessions, state, ask);
    if (left.length === 0 || performance.now() > until) return left;
    await pause(100);
  }
}

function loopDevices(): string {
  try {
    return execFileSync("losetup", ["--all", "--noheadings", "--output", "NAME,BACK-FILE"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  } catch {
    return "";
  }
}

/** Every session a state folder knows of, from its folders alone. */
export function sessionFolders(state: string): readonly string[] {
  const folder = join(state, "sessions");
  return existsSync(folder) && statSync(folder).isDirectory() ? execFileSync("ls", [folder], { encoding: "utf8" }).split("\n").filter((name) => name.startsWith("ses_")) : [];
}
