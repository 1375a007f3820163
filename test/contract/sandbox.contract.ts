// What every sandbox must do, whichever way it is made. Run on the in-memory twin always, on a real engine where there is one.

import { afterAll, afterEach, describe, expect, it } from "vitest";
import type { RunRequest, RunResult, Sandbox, SandboxProvider, SandboxSpec } from "../../src/ports/sandbox.js";

export interface SandboxRig {
  readonly provider: SandboxProvider;
  readonly spec: SandboxSpec;
  /** Makes a name in the workspace as the agent would. */
  readonly plant: (sandbox: Sandbox, what: "folder" | "link" | "fifo", path: string) => Promise<void>;
  readonly clean: () => Promise<void>;
}

export interface Ran extends RunResult {
  readonly stdout: string;
  readonly stderr: string;
}

/** Programs of the contract by shell text; the twin's script answers to the same texts. */
export const PROGRAMS = {
  nothing: "true",
  exits3: "exit 3",
  bothStreams: "echo out; echo err >&2",
  allBytes: "for i in 0 1 2 3 4 5 6 7 8 9 a b c d e f; do for j in 0 1 2 3 4 5 6 7 8 9 a b c d e f; do printf \"\\\\x$i$j\"; done; done",
  thousand: "printf %01000d 7",
  echoes: "cat",
  printsThenWaits: "echo begun; sleep 1000",
  diesBySignal: "kill -TERM $$",
  environment: "echo \"$FIRST|$SECOND|${HOME-none}|${LD_PRELOAD-none}\"",
} as const;

const never = new AbortController().signal;

/** A request for `bash -c text` with usual settings. */
export function bash(spec: SandboxSpec, text: string, rest: Partial<RunRequest> = {}): RunRequest {
  return {
    argv: ["bash", "--noprofile", "--norc", "-c", text],
    cwd: spec.root,
    environment: { PATH: "/usr/local/bin:/usr/bin:/bin", HOME: "/home/agent", LANG: "C.UTF-8" },
    stdin: null,
    timeoutMs: 30_000,
    outputBytes: 1024 * 1024,
    ...rest,
  };
}

/** Runs a request and collects its output, one character a byte. */
export async function collect(sandbox: Sandbox, request: RunRequest, signal: AbortSignal = never): Promise<Ran> {
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  const result = await sandbox.run(request, { stdout: (chunk) => out.push(Buffer.from(chunk)), stderr: (chunk) => err.push(Buffer.from(chunk)) }, signal);
  return { ...result, stdout: Buffer.concat(out).toString("latin1"), stderr: Buffer.concat(err).toString("latin1") };
}

/** A result with everything but time as expected of a program that just ends. */
export function ended(rest: Partial<Ran>): object {
  const stdout = rest.stdout ?? "";
  const stderr = rest.stderr ?? "";
  return {
    exitCode: 0,
    signal: null,
    ended: "exit",
    durationMs: expect.any(Number),
    stdoutBytes: stdout.length,
    stderrBytes: stderr.length,
    stdoutDropped: 0,
    stderrDropped: 0,
    killed: 0,
    quiescent: true,
    ...rest,
    stdout,
    stderr,
  };
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

interface Started {
  readonly rig: SandboxRig;
  readonly sandbox: Sandbox;
  readonly run: (program: string, rest?: Partial<RunRequest>, signal?: AbortSignal) => Promise<Ran>;
}

/** Declares the contract's tests. All but those that close it use one sandbox, each name in it once: what a call left must not matter to the next. */
export function sandboxContract(name: string, makeRig: () => Promise<SandboxRig>): void {
  describe(`sandbox contract: ${name}`, () => {
    const rigs: SandboxRig[] = [];
    const shared: Started[] = [];
    const open = async (rig: SandboxRig): Promise<Started> => {
      const sandbox = await rig.provider.open(rig.spec, never);
      return { rig, sandbox, run: (program, rest, signal) => collect(sandbox, bash(rig.spec, program, rest), signal) };
    };
    const startOwn = async (): Promise<Started> => {
      const rig = await makeRig();
      rigs.push(rig);
      return open(rig);
    };
    const start = async (): Promise<Started> => {
      const [there] = shared;
      if (there !== undefined) return there;
      const started = await open(await makeRig());
      shared.push(started);
      return started;
    };
    afterEach(async () => {
      for (const rig of rigs.splice(0)) await rig.clean();
    });
    afterAll(async () => {
      for (const { rig } of shared) await rig.clean();
    });

    it("passes on exit codes, keeps the two outputs apart, and says that none is left", async () => {
      const { run } = await start();
      expect(await run(PROGRAMS.nothing)).toEqual(ended({}));
      expect(await run(PROGRAMS.exits3)).toEqual(ended({ exitCode: 3 }));
      expect(await run(PROGRAMS.bothStreams)).toEqual(ended({ stdout: "out\n", stderr: "err\n" }));
    });

    it("carries every byte value unchanged", async () => {
      const { run } = await start();
      const all = String.fromCharCode(...Array.from({ length: 256 }, (_unused, byte) => byte));
      expect(await run(PROGRAMS.allBytes)).toEqual(ended({ stdout: all }));
    });

    it("delivers output up to the limit, counts and drops the rest", async () => {
      const { run } = await start();
      const result = await run(PROGRAMS.thousand, { outputBytes: 10 });
      expect(result).toEqual(ended({ stdout: "0000000000", stdoutBytes: 1000, stdoutDropped: 990 }));
    });

    it("gives input to the program, and an end of it", async () => {
      const { run } = await start();
      expect(await run(PROGRAMS.echoes, { stdin: text("first\nsecond\0third") })).toEqual(ended({ stdout: "first\nsecond\0third" }));
      expect(await run(PROGRAMS.echoes, { stdin: new Uint8Array(0) })).toEqual(ended({}));
      expect(await run(PROGRAMS.echoes, { stdin: null })).toEqual(ended({}));
    });

    it("passes the environment exactly and nothing else", async () => {
      const { run } = await start();
      expect(await run(PROGRAMS.environment, { environment: { PATH: "/usr/bin:/bin", FIRST: "a b", SECOND: "ü=\"'$x" } })).toEqual(
        ended({ stdout: Buffer.from("a b|ü=\"'$x|none|none\n").toString("latin1") }),
      );
    });

    it("answers 127 for a program that is not there", async () => {
      const { rig, sandbox } = await start();
      const request = { ...bash(rig.spec, ""), argv: ["no-such-program", "x"] };
      expect(await collect(sandbox, request)).toEqual(ended({ exitCode: 127, stderr: "no-such-program: command not found\n" }));
    });

    it("tells death by a signal from an exit code", async () => {
      const { run } = await start();
      expect(await run(PROGRAMS.diesBySignal)).toEqual(ended({ exitCode: null, signal: "SIGTERM" }));
    });

    it("ends a call at its deadline, keeps what was printed, and goes on", async () => {
      const { run } = await start();
      const result = await run(PROGRAMS.printsThenWaits, { timeoutMs: 300 });
      expect(result).toEqual(ended({ stdout: "begun\n", exitCode: null, signal: "SIGKILL", ended: "timeout", killed: expect.any(Number) as number }));
      expect(result.killed).toBeGreaterThan(0);
      expect(await run(PROGRAMS.nothing)).toEqual(ended({}));
    });

    it("runs nothing before what it waits for has come, and never where that fails or the call is cancelled", async () => {
      const { rig, sandbox, run } = await start();
      const seen: string[] = [];
      const waits = (work: () => Promise<void>): Partial<RunRequest> => ({
        beforeStart: async () => {
          await new Promise((resolve) => setTimeout(resolve, 400));
          await work();
          seen.push("begun");
        },
      });
      const watched = (rest: Partial<RunRequest>, signal: AbortSignal): Promise<RunResult> => sandbox.run(bash(rig.spec, PROGRAMS.bothStreams, rest), { stdout: () => seen.push("out"), stderr: () => undefined }, signal);
      // The time it waits is none of its own.
      const result = await watched({ ...waits(async () => undefined), timeoutMs: 350 }, never);
      expect(result).toMatchObject({ ended: "exit", exitCode: 0, quiescent: true });
      expect(result.durationMs).toBeLessThan(350);
      expect(seen.splice(0)).toEqual(["begun", "out"]);
      await expect(watched(waits(() => Promise.reject(new Error("no record"))), never)).rejects.toThrow("no record");
      const controller = new AbortController();
      const cancelled = watched(waits(async () => controller.abort()), controller.signal);
      expect(await cancelled).toMatchObject({ ended: "cancelled", exitCode: null });
      expect(seen.splice(0)).toEqual(["begun"]);
      expect(await collect(sandbox, { ...bash(rig.spec, ""), argv: ["no-such-program"], ...waits(async () => undefined) })).toEqual(ended({ exitCode: 127, stderr: "no-such-program: command not found\n" }));
      expect(seen.splice(0)).toEqual(["begun"]);
      expect(await run(PROGRAMS.bothStreams)).toEqual(ended({ stdout: "out\n", stderr: "err\n" }));
    });

    it("ends a call when it is cancelled, and goes on", async () => {
      const { run } = await start();
      const controller = new AbortController();
      const running = run(PROGRAMS.printsThenWaits, {}, controller.signal);
      setTimeout(() => controller.abort(), 100);
      expect(await running).toMatchObject({ exitCode: null, ended: "cancelled", quiescent: true });
      expect(await run(PROGRAMS.nothing)).toEqual(ended({}));
    });

    it("runs nothing for a call that is cancelled already", async () => {
      const { run } = await start();
      expect(await run(PROGRAMS.bothStreams, {}, AbortSignal.abort())).toMatchObject({ ended: "cancelled", stdout: "", stderr: "", exitCode: null, quiescent: true });
    });

    it("refuses a second call while one is running, and lets the first one finish", async () => {
      const { run } = await start();
      const first = run(PROGRAMS.bothStreams);
      await expect(run(PROGRAMS.nothing)).rejects.toMatchObject({ code: "INTERNAL_BUG" });
      expect(await first).toEqual(ended({ stdout: "out\n", stderr: "err\n" }));
    });

    it("writes and reads files, makes their folders, and replaces what was there", async () => {
      const { sandbox } = await start();
      expect(await sandbox.apply([{ op: "write", path: "a/b/c.txt", content: text("one"), mode: 0o640 }], never)).toEqual([null]);
      expect(await sandbox.readFile("a/b/c.txt", 100, never)).toEqual({ ok: true, content: text("one"), mode: 0o640 });
      expect(await sandbox.apply([{ op: "write", path: "a/b/c.txt", content: text(""), mode: 0o755 }, { op: "chmod", path: "a/b/c.txt", mode: 0o4600 }], never)).toEqual([null, null]);
      expect(await sandbox.readFile("a/b/c.txt", 100, never)).toEqual({ ok: true, content: new Uint8Array(0), mode: 0o600 });
    });

    it("says why a file cannot be read", async () => {
      const { rig, sandbox } = await start();
      await sandbox.apply([{ op: "write", path: "big", content: text("12345"), mode: 0o644 }], never);
      await rig.plant(sandbox, "folder", "folder");
      await rig.plant(sandbox, "link", "link");
      await rig.plant(sandbox, "fifo", "fifo");
      const reason = async (path: string): Promise<string> => {
        const read = await sandbox.readFile(path, 4, never);
        return read.ok ? "read" : read.reason;
      };
      expect(await reason("big")).toBe("too-large");
      expect(await reason("absent")).toBe("missing");
      expect(await reason("folder")).toBe("not-a-file");
      expect(await reason("fifo")).toBe("not-a-file");
      expect(await reason("link")).toBe("link");
      expect(await reason("link/passwd")).toBe("link");
      expect(await reason("../outside")).toBe("refused");
      expect(await reason("/etc/passwd")).toBe("refused");
    });

    it("follows no link in any component, and replaces a link rather than what it points to", async () => {
      const { rig, sandbox } = await start();
      await sandbox.apply([{ op: "write", path: "target", content: text("safe"), mode: 0o644 }], never);
      await rig.plant(sandbox, "link", "out");
      const results = await sandbox.apply(
        [
          { op: "write", path: "out/x", content: text("bad"), mode: 0o644 },
          { op: "mkdir", path: "out/y", mode: 0o755 },
          { op: "remove", path: "out/passwd" },
          { op: "chmod", path: "out", mode: 0o777 },
          { op: "symlink", path: "here", target: "target" },
          { op: "write", path: "here", content: text("new"), mode: 0o644 },
        ],
        never,
      );
      expect(results).toEqual(["Too many levels of symbolic links", "Too many levels of symbolic links", "Too many levels of symbolic links", "is a link", null, null]);
      expect(await sandbox.readFile("target", 100, never)).toMatchObject({ ok: true, content: text("safe") });
      expect(await sandbox.readFile("here", 100, never)).toMatchObject({ ok: true, content: text("new") });
    });

    it("removes trees and links, and calls a missing name removed", async () => {
      const { rig, sandbox } = await start();
      await sandbox.apply(["t/a", "t/b/c", "t/b/d/e"].map((path) => ({ op: "write", path, content: text("x"), mode: 0o600 })), never);
      await rig.plant(sandbox, "link", "t/b/link");
      expect(await sandbox.apply([{ op: "remove", path: "t" }, { op: "remove", path: "t" }, { op: "remove", path: "absent/deeper" }], never)).toEqual([null, null, null]);
      expect(await sandbox.readFile("t/a", 100, never)).toMatchObject({ ok: false, reason: "missing" });
    });

    it("takes names with line feeds, colons and bytes that are no text", async () => {
      const { sandbox } = await start();
      const names = ["line\nfeed:colon", "-rf", " ", "\\xff\\xfe", "ü"];
      expect(await sandbox.apply(names.map((path) => ({ op: "write", path, content: text(path), mode: 0o644 })), never)).toEqual(names.map(() => null));
      for (const path of names) expect(await sandbox.readFile(path, 100, never)).toMatchObject({ ok: true, content: text(path) });
    });

    it("closes more than once, and refuses every call after that", async () => {
      const { sandbox, run } = await startOwn();
      await Promise.all([sandbox.close(), sandbox.close()]);
      await sandbox.close();
      expect(await sandbox.ended).toEqual({ reason: "closed" });
      await expect(run(PROGRAMS.nothing)).rejects.toMatchObject({ code: "SANDBOX_BROKEN" });
      await expect(sandbox.readFile("x", 1, never)).rejects.toMatchObject({ code: "SANDBOX_BROKEN" });
      await expect(sandbox.apply([{ op: "remove", path: "x" }], never)).rejects.toMatchObject({ code: "SANDBOX_BROKEN" });
    });

    it("rejects a call that is running when it is closed", async () => {
      const { sandbox, run } = await startOwn();
      const running = run(PROGRAMS.printsThenWaits);
      const outcome = running.then(
        () => "resolved",
        (error: { readonly code: string }) => error.code,
      );
      await sandbox.close();
      expect(await outcome).toBe("SANDBOX_BROKEN");
    });

    it("opens nothing for a caller that has given up", async () => {
      const rig = await makeRig();
      rigs.push(rig);
      await expect(rig.provider.open(rig.spec, AbortSignal.abort())).rejects.toMatchObject({ code: "CANCELLED" });
    });
  });
}
