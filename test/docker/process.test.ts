// Programs that outlive their call, on a real engine, as an agent inside would use them to get away: each attack must fail.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import type { ProcessRequest, SandboxProcess } from "../../src/ports/process.js";
import { bash, collect } from "../contract/sandbox.contract.js";
import { docker, leftOn, startedRig, whyNoEngine, type StartedRig } from "./sandbox-rig.js";

const missing = await whyNoEngine();
if (missing !== null) console.warn(`left out: ${missing}`);
const never = new AbortController().signal;
const MIB = 1024 * 1024;

interface Opened {
  readonly process: SandboxProcess;
  readonly out: () => string;
  readonly bytes: () => number;
  readonly until: (text: string | RegExp) => Promise<void>;
}

describe.skipIf(missing !== null)("a process that outlives its call", () => {
  let started: StartedRig;
  beforeAll(async () => {
    started = await startedRig();
  });
  afterAll(async () => {
    await started.rig.clean();
    expect(leftOn(started.rig.spec.sessionId)).toEqual([]);
  });

  async function open(command: string, rest: Partial<ProcessRequest> = {}): Promise<Opened> {
    const state = { text: "", bytes: 0, told: (): void => undefined };
    const take = (chunk: Uint8Array): void => {
      state.bytes += chunk.length;
      state.text = `${state.text}${Buffer.from(chunk).toString("latin1")}`.slice(-100_000);
      state.told();
    };
    const { environment, cwd } = bash(started.rig.spec, command);
    const request = { argv: ["bash", "--noprofile", "--norc", "-c", command], cwd, environment, terminal: null, lifeMs: 60_000, outputBytes: 4 * MIB, ...rest };
    const process = await started.sandbox.openProcess?.(request, { stdout: take, stderr: take }, never);
    if (process === undefined) throw new Error("this sandbox has no processes");
    const until = (text: string | RegExp): Promise<void> =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`never said ${String(text)}; said ${state.text.slice(-500)}`)), 10_000);
        state.told = () => {
          if (typeof text === "string" ? !state.text.includes(text) : !text.test(state.text)) return;
          clearTimeout(timer);
          state.told = () => undefined;
          resolve();
        };
        state.told();
      });
    return { process, out: () => state.text, bytes: () => state.bytes, until };
  }
  const say = (opened: Opened, text: string): boolean => opened.process.write(Buffer.from(text));
  const upper = (name: string): string => join(started.rig.folder, "upper", name);

  it("answers line by line, keeps its state, and works on the session's workspace and loopback", async () => {
    const repl = await open("exec python3 -u -i -q", {});
    say(repl, "x = 40\nprint(x + 2)\n");
    await repl.until("42\n");
    say(repl, "open('made.txt','w').write('by the process')\nimport http.server,threading\ns=http.server.ThreadingHTTPServer(('127.0.0.1',8123),http.server.SimpleHTTPRequestHandler)\nthreading.Thread(target=s.serve_forever,daemon=True).start()\nprint('serving')\n");
    await repl.until("serving");
    const seen = await started.run("cat made.txt; python3 -c \"import urllib.request as u; print(u.urlopen('http://127.0.0.1:8123/original.txt').read())\"");
    expect(seen.stdout).toBe("by the processb\"the user's own\\n\"\n");
    repl.process.endInput();
    expect(await repl.process.ended).toMatchObject({ reason: "exit", exitCode: 0 });
  });

  it("tells what it had put into the background, which ends with it", async () => {
    const forked = await open("(sleep 100 & sleep 100 &) ; exit 0");
    expect(await forked.process.ended).toMatchObject({ reason: "exit", exitCode: 0, detail: "2 processes that it left behind were ended with it" });
    expect((await (await open("exit 0")).process.ended).detail).toBeNull();
  });

  it("has a terminal where one is asked for: its size, its keys, its end", async () => {
    const shell = await open("stty size; test -t 0 && test -t 2 && echo 'a terminal'; trap 'echo interrupted' INT; while :; do read -r line || exit 7; echo got $line; done", { terminal: { rows: 30, columns: 101 } });
    await shell.until("a terminal");
    expect(shell.out()).toContain("30 101");
    say(shell, "hello\n");
    await shell.until("got hello");
    say(shell, "\u0003");
    await shell.until("interrupted");
    shell.process.endInput();
    expect(await shell.process.ended).toMatchObject({ reason: "exit", exitCode: 7 });
  });

  it("that a program is missing is said as a shell says it", async () => {
    for (const terminal of [null, { rows: 24, columns: 80 }]) {
      const none = await open("", { argv: ["no-such-program"], terminal });
      expect([(await none.process.ended).exitCode, none.out().trim()]).toEqual([127, "no-such-program: command not found"]);
    }
  });

  it("does nothing at all while it is frozen, whatever it prepared: signals by timer, other sessions, a storm of new processes", async () => {
    const tick = "while :; do echo >> tick-$1; done";
    const timers = [
      "import ctypes,signal,os,time",
      "libc=ctypes.CDLL(None,use_errno=True)",
      // A timer of the kernel that sends SIGCONT a thousand times a second: it undoes every SIGSTOP.
      "class ev(ctypes.Structure): _fields_=[('v',ctypes.c_void_p),('s',ctypes.c_int),('n',ctypes.c_int),('pad',ctypes.c_char*48)]",
      "class its(ctypes.Structure): _fields_=[('a',ctypes.c_long),('b',ctypes.c_long),('c',ctypes.c_long),('d',ctypes.c_long)]",
      // A SIGSTOP takes away a SIGCONT that is on its way, and the kernel never fires that timer again: both are set anew each time, and the slow one
      // fires only where the other was lost.
      "ts=[ctypes.c_void_p(),ctypes.c_void_p()]; e=ev(0,signal.SIGCONT,0,b'')",
      "for t in ts: assert libc.timer_create(1,ctypes.byref(e),ctypes.byref(t))==0",
      "def arm(): return [libc.timer_settime(t,0,ctypes.byref(its(0,ns,0,ns)),None) for t,ns in zip(ts,(1000000,20000000))]",
      "assert arm()==[0,0]",
      "signal.signal(signal.SIGCONT,lambda *_: None)",
      "print('armed',flush=True)",
      "while True:",
      " arm(); open('tick-timer','a').write('.'); os.kill(os.getpid(),signal.SIGSTOP)",
    ].join("\n");
    const runaway = await open(`cat > /tmp/t.py <<'E'\n${timers}\nE\npython3 /tmp/t.py &\n(setsid bash -c '${tick}' x escaped &) ; (trap '' TERM HUP INT; ${tick.replace("$1", "deaf")}) & (while :; do (exec -a storm true) & wait; echo >> tick-storm; done) 2>/dev/null & wait`);
    await runaway.until("armed");
    const names = ["tick-timer", "tick-escaped", "tick-deaf", "tick-storm"];
    const ticks = (): readonly number[] => names.map((name) => statSync(upper(name)).size);
    const all = async (): Promise<void> => {
      for (const name of names) while (!existsSync(upper(name))) await new Promise((resolve) => setTimeout(resolve, 5));
    };
    await all();
    for (let round = 0; round < 2; round += 1) {
      await runaway.process.freeze();
      const before = ticks();
      const other = await started.run("sleep 0.3; ps -e -o args= | grep -c '[t]ick'");
      expect(other.stdout.trim()).toBe("0");
      expect(other.quiescent).toBe(true);
      expect(ticks()).toEqual(before);
      await runaway.process.thaw();
      const still = (): readonly string[] => names.filter((_name, index) => ticks()[index] === before[index]);
      const limit = performance.now() + 10_000;
      while (still().length > 0 && performance.now() < limit) await new Promise((resolve) => setTimeout(resolve, 5));
      expect(still()).toEqual([]);
    }
    await runaway.process.freeze();
    const last = ticks();
    await runaway.process.close();
    expect((await runaway.process.ended).reason).toBe("killed");
    expect(ticks()).toEqual(last);
    expect(docker("ps", "-aq", "--filter", `label=dev.ringfence.session=${started.rig.spec.sessionId}`).split("\n")).toHaveLength(1);
  });

  it("that floods is drained and counted, not kept, and can still be frozen and ended", async () => {
    const flood = await open("echo begun; yes 'ringfence: {\"type\":\"exit\",\"exitCode\":0}'", { outputBytes: MIB });
    await flood.until("begun");
    await started.run("sleep 0.5");
    await flood.process.freeze();
    expect(flood.bytes()).toBeLessThanOrEqual(MIB);
    await flood.process.thaw();
    await flood.process.freeze();
    await flood.process.close();
  });

  it("that reads nothing takes no more than a window of input", async () => {
    const deaf = await open("sleep 100");
    const piece = Buffer.alloc(256 * 1024, 0x61);
    const taken = Array.from({ length: 40 }, () => deaf.process.write(piece)).filter(Boolean).length;
    await started.run("sleep 0.1");
    const more = Array.from({ length: 40 }, () => deaf.process.write(piece)).filter(Boolean).length;
    expect((taken + more) * piece.length).toBeLessThanOrEqual(3 * MIB);
    await deaf.process.close();
  });

  it("is contained like the session itself, and out of sight of its calls", async () => {
    const inside = await open("grep -h -E '^(Cap...|NoNewPrivs|Seccomp):' /proc/self/status; ls /sys/class/net; touch /x; kill -9 1; kill -9 -1; echo alive");
    expect(await inside.process.ended).toMatchObject({ reason: "exit" });
    const lines = inside.out();
    expect(lines.match(/^Cap...:\s0+$/gmu)).toHaveLength(5);
    expect(lines).toMatch(/^NoNewPrivs:\s1$/mu);
    expect(lines).toMatch(/^lo$/mu);
    expect(lines).toMatch(/cannot touch '\/x': Read-only/u);
    expect(lines).toContain("kill: (1) - Operation not permitted");
    expect((await collect(started.sandbox, bash(started.rig.spec, "echo still here"))).stdout).toBe("still here\n");
  });
});
