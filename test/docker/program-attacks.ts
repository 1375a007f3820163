// Ways past whoever learns of programs, each tried: races for the words of an exec, for the thread that makes it and for its signals; filters of
// one's own; nothing open and nobody who waits. What is refused never runs, what runs is told.

import { expect, it } from "vitest";
import type { RunRequest } from "../../src/ports/sandbox.js";
import type { StartedRig } from "./sandbox-rig.js";

const refusing: RunRequest["judge"] = { key: "forbidden", allows: (program) => !program.argv.includes("forbidden") };

/** Python with the C library at hand. */
const python = (text: string): string => `cat > /tmp/attack.py <<'PYTHON'
import ctypes, mmap, os, signal, struct, sys, threading, time
libc = ctypes.CDLL(None, use_errno=True)
${text}
PYTHON
python3 /tmp/attack.py`;

/** @param rig the sandbox, once it is open */
export function attacksOnPrograms(rig: () => StartedRig): void {
  const run = (text: string, judge?: RunRequest["judge"]) => rig().run(text, judge === undefined ? {} : { judge });
  const told = (ran: Awaited<ReturnType<typeof run>>) => ran.programs?.programs.map(({ argv }) => argv.join(" ")) ?? [];

  it("the words of an exec changed by a thread while it is under way: what runs is what is judged", async () => {
    // One thread writes the path and the argument to and fro, children of the other execute whatever stands there.
    const ran = await run(
      python(`shared = mmap.mmap(-1, 4096); at = ctypes.addressof(ctypes.c_char.from_buffer(shared))
path = ctypes.c_void_p(at); word = ctypes.c_void_p(at + 64); argv = (ctypes.c_void_p * 3)(at + 128, at + 64, None)
ctypes.memmove(path, b"/bin/true\\0", 10); ctypes.memmove(word, b"allowed\\0", 8); ctypes.memmove(at + 128, b"x\\0", 2)
stop = []
def flip():
    while not stop:
        ctypes.memmove(path, b"/bin/echo", 9); ctypes.memmove(word, b"forbidden", 9)
        ctypes.memmove(path, b"/bin/true", 9); ctypes.memmove(word, b"allowed\\0\\0", 9)
threading.Thread(target=flip, daemon=True).start()
for i in range(150):
    pid = os.fork()
    if pid == 0:
        libc.execve(path, argv, None); os._exit(9)
    os.waitpid(pid, 0)
stop.append(1)`),
      refusing,
    );
    expect(ran.stdout).not.toContain("forbidden");
    expect(told(ran).filter((line) => line.startsWith("x ")).length).toBeGreaterThan(0);
  });

  it("many threads of one process that all execute at once: one of them wins, and is told", async () => {
    const ran = await run(
      python(`for round in range(25):
    pid = os.fork()
    if pid == 0:
        gate = threading.Barrier(8)
        def go(n):
            gate.wait(); os.execv("/bin/echo", ["echo", "r%d" % round, str(n)])
        for n in range(8): threading.Thread(target=go, args=(n,)).start()
        signal.pause(); os._exit(1)
    os.waitpid(pid, 0)`),
    );
    const lines = ran.stdout.trim().split("\n");
    expect(lines).toHaveLength(25);
    for (const line of lines) expect(told(ran)).toContain(`echo ${line}`);
    expect(told(ran).filter((line) => line.startsWith("echo r"))).toHaveLength(25);
    const refused = await run(
      python(`gate = threading.Barrier(8)
def go(n):
    gate.wait(); os.execv("/bin/echo", ["echo", "forbidden" if n % 2 else "fine"])
for n in range(8): threading.Thread(target=go, args=(n,)).start()
time.sleep(5)`),
      refusing,
    );
    expect(refused.stdout === "fine\n" || refused.ended === "refused").toBe(true);
    expect(refused.stdout).not.toContain("forbidden");
  });

  it("threads whose execs fail again and again, beside one that succeeds: the guard waits for none of them", async () => {
    const ran = await run(
      python(`for round in range(20):
    pid = os.fork()
    if pid == 0:
        def fail():
            while True: libc.execve(b"/nowhere", None, None)
        for n in range(6): threading.Thread(target=fail, daemon=True).start()
        time.sleep(0.005)
        os.execv("/bin/echo", ["echo", "s%d" % round])
    os.waitpid(pid, 0)`),
    );
    expect(ran.stdout).toBe(Array.from({ length: 20 }, (_unused, i) => `s${i}\n`).join(""));
    expect(told(ran).filter((line) => line.startsWith("echo s"))).toHaveLength(20);
  });

  it("a thread that ended after its asking failed holds up no other: its process executes as ever", async () => {
    const ran = await run(
      python(`def sibling(word, wait):
    time.sleep(wait); os.execv("/bin/echo", ["echo", word])
def fails(): libc.execve(b"/nowhere", None, None)
def one():
    asked = threading.Thread(target=fails); asked.start(); asked.join()
    threading.Thread(target=sibling, args=("one", 0)).start(); time.sleep(9)
def first():
    threading.Thread(target=sibling, args=("first", 0.1)).start()
    fails(); libc.syscall(60, 0)
for body in (one, first):
    pid = os.fork()
    if pid == 0: body()
    os.waitpid(pid, 0)`),
    );
    expect(ran.stdout).toBe("one\nfirst\n");
    expect(ran.durationMs).toBeLessThan(5000);
    expect(told(ran).filter((line) => line.startsWith("echo "))).toEqual(["echo one", "echo first"]);
  });

  it("a program nobody may read, one without any arguments and a child that is made the guard's own are told as others are", async () => {
    const ran = await run(
      python(`import shutil
def child(body):
    pid = os.fork()
    if pid == 0:
        try: body()
        finally: os._exit(9)
    os.waitpid(pid, 0)
shutil.copy("/bin/echo", "/workspace/shut"); os.chmod("/workspace/shut", 0o111)
child(lambda: os.execv("/workspace/shut", ["shut", "x"]))
child(lambda: libc.execve(b"/bin/true", (ctypes.c_char_p * 1)(None), None))
def beside():
    # CLONE_PARENT, and a signal at its end that would kill whoever is its parent.
    if libc.syscall(56, 0x8000 | signal.SIGKILL, 0, 0, 0, 0) == 0: os.execv("/bin/echo", ["echo", "beside"])
child(lambda: os.execv("/bin/sh", ["sh", "-c", "exit 3"]))
beside(); time.sleep(0.1); os.unlink("/workspace/shut")`),
    );
    expect(ran.stdout).toBe("x\nbeside\n");
    const ends = ran.programs?.programs.slice(3).map(({ image, argv, end }) => [image, argv.join(" "), end?.exitCode]);
    expect(ends).toEqual([
      ["/workspace/shut", "shut x", 0],
      ["/usr/bin/true", "", 0],
      ["/usr/bin/bash", "sh -c exit 3", 3],
      ["/usr/bin/echo", "echo beside", 0],
    ]);
  });

  it("no process shares its folder with another, which could move it after the program was looked at", async () => {
    const ran = await run(
      python(`os.chdir("/workspace")
made = libc.syscall(56, 0x200 | signal.SIGCHLD, 0, 0, 0, 0)
if made == 0: os.execv("/bin/sh", ["sh", "-c", "sleep 0.2; readlink /proc/$$/cwd"])
time.sleep(0.1); os.chdir("/tmp")
if made > 0: os.waitpid(made, 0)
threading.Thread(target=lambda: print(os.getcwd(), flush=True)).start()`),
    );
    expect(ran.stdout).toBe("/tmp\n");
    expect(told(ran).filter((line) => line.startsWith("sh "))).toEqual([]);
  });

  it("filters of the agent's own cannot let an exec past the guard's", async () => {
    // Load the number; on execve or execveat the given answer, else go on.
    const ran = await run(
      python(`def under(action):
    code = struct.pack("HBBI" * 5, 0x20, 0, 0, 0, 0x15, 1, 0, 59, 0x15, 0, 1, 322, 0x06, 0, 0, action, 0x06, 0, 0, 0x7fff0000)
    text = ctypes.create_string_buffer(code, len(code)); program = struct.pack("HxxxxxxP", 5, ctypes.addressof(text))
    return libc.syscall(317, 1, 0, program)
for name, action in (("allow", 0x7fff0000), ("log", 0x7ffc0000), ("trace", 0x7ff00000), ("notify", 0x7fc00000), ("errno", 0x0005000d), ("kill", 0x80000000)):
    pid = os.fork()
    if pid == 0:
        if under(action) != 0: os._exit(8)
        try: os.execv("/bin/echo", ["echo", name])
        except OSError as e: os.write(1, ("%s %d\\n" % (name, e.errno)).encode()); os._exit(7)
    os.waitpid(pid, 0)`),
    );
    // Where the guard listens its question is stricter than one to a tracer, and goes before; where it follows, it takes no such question.
    expect(ran.stdout).toMatch(/^allow\nlog\ntrace(?: 38)?\nnotify 38\nerrno 13\n$/u);
    const began = ran.stdout.trim().split("\n").filter((line) => !/\d/u.test(line));
    expect(told(ran).filter((line) => line.startsWith("echo "))).toEqual(began.map((line) => `echo ${line}`));
  });

  it("stops, continuations and signals at every moment of an exec: each program is told, and none is lost or hangs", async () => {
    const ran = await run(
      python(`signal.signal(signal.SIGUSR1, lambda *a: None)
for i in range(60):
    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
        for missing in ("/nowhere/a", "/nowhere/b"):
            try: os.execv(missing, ["x"])
            except OSError: pass
        os.execv("/bin/echo", ["echo", "n%d" % i])
    for s in (signal.SIGSTOP, signal.SIGCONT, signal.SIGUSR1, signal.SIGSTOP, signal.SIGCONT): os.kill(pid, s)
    os.waitpid(pid, 0)`),
    );
    expect(ran.stdout.trim().split("\n").sort()).toEqual(Array.from({ length: 60 }, (_unused, i) => `n${i}`).sort());
    expect(told(ran).filter((line) => line.startsWith("echo n"))).toHaveLength(60);
    expect(ran.programs?.programs.filter(({ argv }) => argv[0] === "echo").every(({ end }) => end?.exitCode === 0)).toBe(true);
  });

  it("an asking that failed leaves no trace: signals, children and the next program are as ever", async () => {
    const ran = await run(
      python(`got = []
signal.signal(signal.SIGUSR1, lambda *a: got.append(1))
try: os.execv("/nowhere", ["x"])
except FileNotFoundError: pass
for i in range(3): os.kill(os.getpid(), signal.SIGUSR1)
pid = os.fork()
if pid == 0: os.execv("/bin/sh", ["sh", "-c", "exit 4"])
print(len(got) > 0, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
threading.Thread(target=lambda: os.execv("/bin/echo", ["echo", "last"])).start()
time.sleep(5)`),
    );
    expect(ran.stdout).toBe("True 4\nlast\n");
    expect(told(ran).slice(-2)).toEqual(["sh -c exit 4", "echo last"]);
  });

  it("with nothing open, by a descriptor, relative to a folder and from a child that shares all memory", async () => {
    const ran = await run(
      python(`def child(body):
    pid = os.fork()
    if pid == 0:
        try: body()
        finally: os._exit(9)
    os.waitpid(pid, 0)
def closed(): os.closerange(0, 4096); os.execv("/bin/true", ["true", "closed"])
def at(): libc.syscall(322, os.open("/bin", os.O_RDONLY), b"true", (ctypes.c_char_p * 3)(b"true", b"at"), None, 0)
def empty(): libc.syscall(322, os.open("/bin/true", os.O_RDONLY), b"", (ctypes.c_char_p * 3)(b"true", b"empty"), None, 0x1000)
for body in (closed, at, empty): child(body)
os.posix_spawn("/bin/true", ["true", "spawned"], {}); os.wait()
print(sorted(os.listdir("/proc/self/fd")))`),
    );
    expect(told(ran).filter((line) => line.startsWith("true "))).toEqual(["true closed", "true at", "true empty", "true spawned"]);
    // The folder that is listed is the fourth: nothing of the guard's came along.
    expect(ran.stdout).toBe("['0', '1', '2', '3']\n");
  });

  it("ends are told as they were, also of those whom nobody waits for and whose parents are gone", async () => {
    const ran = await run(
      python(`if os.fork() == 0:
    if os.fork() == 0: os.execv("/bin/sh", ["sh", "-c", "sleep 0.2; exit 5"])
    os._exit(0)
if os.fork() == 0: os.execv("/bin/sh", ["sh", "-c", "kill -SEGV $$"])
if os.fork() == 0: os.execv("/bin/sh", ["sh", "-c", "exit 6"])
time.sleep(0.5)`),
    );
    const ends = Object.fromEntries((ran.programs?.programs ?? []).map(({ argv, end, parent }) => [argv.at(-1) ?? "", { code: end?.exitCode ?? null, signal: end?.signal ?? null, parent }]));
    const attack = ran.programs?.programs.find(({ argv }) => argv.at(-1) === "/tmp/attack.py")?.number;
    expect(ends["sleep 0.2; exit 5"]).toEqual({ code: 5, signal: null, parent: attack });
    expect(ends["kill -SEGV $$"]).toEqual({ code: null, signal: "SIGSEGV", parent: attack });
    expect(ends["exit 6"]).toEqual({ code: 6, signal: null, parent: attack });
    const slept = ran.programs?.programs.find(({ argv }) => argv[0] === "sleep");
    expect((slept?.end?.atMs ?? 0) - (slept?.atMs ?? 0)).toBeGreaterThanOrEqual(190);
  });
}
