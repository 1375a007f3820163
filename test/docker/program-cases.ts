// What holds of the programs of a call, whichever way the guard learns of them: it hears of each where it starts, or follows every process.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { RunRequest, StartedProgram } from "../../src/ports/sandbox.js";
import type { StartedRig } from "./sandbox-rig.js";

/** Refuses what has a word in its arguments. */
function refusing(word: string, asked: StartedProgram[] = []): RunRequest["judge"] {
  return { key: word, allows: (program) => (asked.push(program), !program.argv.includes(word)) };
}

/** A program of a call is held until it may begin. @param rig the sandbox, once it is open */
export function heldPrograms(rig: () => StartedRig): void {
  const run = (text: string) => rig().run(text);

  it("stand before the first instruction until they may begin, and never run where that fails", async () => {
    const after = (work: () => Promise<void>): Partial<RunRequest> => ({ beforeStart: () => new Promise<void>((resolve) => setTimeout(resolve, 300)).then(work) });
    let begun = 0;
    const ran = await rig().run("echo $EPOCHREALTIME", { ...after(async () => void (begun = Date.now())), timeoutMs: 250 });
    expect(ran).toMatchObject({ ended: "exit", exitCode: 0, quiescent: true });
    expect(Number(ran.stdout) * 1000).toBeGreaterThanOrEqual(begun);
    expect(ran.durationMs).toBeLessThan(250);
    expect(ran.programs?.programs).toMatchObject([{ argv: ["bash", "--noprofile", "--norc", "-c", "echo $EPOCHREALTIME"], atMs: 0, end: { exitCode: 0 } }]);
    await expect(rig().run("touch /tmp/ran", after(() => Promise.reject(new Error("no record"))))).rejects.toThrow("no record");
    const stop = new AbortController();
    expect(await rig().run("touch /tmp/ran", after(async () => stop.abort()), stop.signal)).toMatchObject({ ended: "cancelled", exitCode: null });
    expect(await rig().run("exec no-such-program", after(async () => undefined))).toMatchObject({ exitCode: 127 });
    expect(await rig().run("pwd", { cwd: "/no-such-folder", ...after(async () => undefined) })).toMatchObject({ exitCode: 126, stdout: "" });
    expect(await run("ls /tmp/ran; sleep 0.1; exit 0")).toMatchObject({ exitCode: 0, stdout: "" });
  });
}

/** @param rig the sandbox, once it is open */
export function programsOfACall(rig: () => StartedRig): void {
  const run = (text: string, judge?: RunRequest["judge"]) => rig().run(text, judge === undefined ? {} : { judge });
  const images = (ran: Awaited<ReturnType<typeof run>>) => ran.programs?.programs.map(({ image }) => image.slice(image.lastIndexOf("/") + 1));

  heldPrograms(rig);

  it("are told with arguments, folder, parent, end and duration", async () => {
    const ran = await run("cd / && /bin/ls -d /tmp | wc -l; sh -c 'exit 3'; exec cat /etc/hostname");
    expect(ran.programs).toMatchObject({ record: "exec", writes: [], dropped: { programs: 0, writes: 0 } });
    const [bash, ...rest] = ran.programs?.programs ?? [];
    expect(bash).toMatchObject({ number: 1, parent: 0, image: "/usr/bin/bash", cwd: "/workspace", end: { replaced: true } });
    expect(rest.map(({ parent, argv, cwd, replaced }) => ({ parent, argv, cwd, replaced })).sort((a, b) => (a.argv.join() < b.argv.join() ? -1 : 1))).toEqual([
      { parent: 1, argv: ["/bin/ls", "-d", "/tmp"], cwd: "/", replaced: false },
      { parent: 1, argv: ["cat", "/etc/hostname"], cwd: "/", replaced: true },
      { parent: 1, argv: ["sh", "-c", "exit 3"], cwd: "/", replaced: false },
      { parent: 1, argv: ["wc", "-l"], cwd: "/", replaced: false },
    ]);
    expect(rest.find(({ argv }) => argv[0] === "sh")?.end).toMatchObject({ exitCode: 3, signal: null });
    for (const { atMs, end } of rest) expect(end?.atMs).toBeGreaterThanOrEqual(atMs);
  });

  it("are the true ones: behind a link, a false name, a script's first line, the loader, a file in memory", async () => {
    const ran = await run(
      `cd /tmp && ln -s /bin/true link && ./link && (exec -a ls true) && printf '#!/bin/cat -u\\nx\\n' > s && chmod +x s && ./s >/dev/null
       /lib64/ld-linux-x86-64.so.2 /bin/true
       python3 -c 'import os; fd=os.memfd_create("m"); os.write(fd, open("/bin/true","rb").read()); os.execve(fd, ["inmemory"], {})'`,
    );
    expect(images(ran)).toEqual(expect.arrayContaining(["true", "cat"]));
    const told = ran.programs?.programs.map(({ image, argv }) => [image, ...argv].join(" "));
    expect(told).toEqual(expect.arrayContaining(["/usr/bin/true ./link", "/usr/bin/true ls", "/usr/bin/cat /bin/cat -u ./s"]));
    expect(told?.some((line) => /\/ld-linux-x86-64\.so\.2 \S+ \/bin\/true$/u.test(line))).toBe(true);
    expect(told?.some((line) => line.startsWith("/memfd:m (deleted) inmemory"))).toBe(true);
  });

  it("are told of a thread that executes, of vfork and of daemons that leave their parents", async () => {
    const ran = await run(
      `python3 -c 'import os,threading,time; t=threading.Thread(target=lambda: os.execv("/bin/echo", ["echo","thread"])); t.start(); time.sleep(5)'
       python3 -c 'import os; os.posix_spawn("/bin/true", ["true","spawned"], {})'
       python3 -c 'import os,sys
if os.fork() == 0:
  os.setsid()
  if os.fork() == 0: os.execv("/bin/sleep", ["sleep","77"])
  os._exit(0)
os.wait()'; sleep 0.2`,
    );
    const told = ran.programs?.programs.map(({ argv }) => argv.join(" "));
    expect(told).toEqual(expect.arrayContaining(["echo thread", "true spawned", "sleep 77"]));
    const daemon = ran.programs?.programs.find(({ argv }) => argv[1] === "77");
    const parent = ran.programs?.programs.find(({ number }) => number === daemon?.parent);
    expect(parent?.argv[2]).toContain("setsid");
    expect(daemon?.end).toMatchObject({ signal: "SIGKILL" });
    expect(ran.quiescent).toBe(true);
  });

  it("are ended before the first instruction where they are refused, and the call with them", async () => {
    const asked: StartedProgram[] = [];
    const ran = await run("touch before; sh -c 'touch forbidden-word-follows; /bin/echo forbidden > ran'; touch after", refusing("forbidden", asked));
    expect(ran).toMatchObject({ ended: "refused", quiescent: true });
    const upper = join(rig().rig.folder, "upper");
    expect(existsSync(join(upper, "before"))).toBe(true);
    expect(existsSync(join(upper, "after"))).toBe(false);
    expect(ran.stdout).toBe("");
    // What the rest of the call asks for until it is dead does not begin either.
    const [refused, ...more] = (ran.programs?.programs ?? []).slice(4);
    expect(refused).toMatchObject({ image: "/usr/bin/echo", end: { signal: "SIGKILL" } });
    for (const { end } of more) expect(end).toMatchObject({ signal: "SIGKILL" });
    expect(asked.slice(0, 4).map(({ argv }) => argv[0])).toEqual(["touch", "sh", "touch", "/bin/echo"]);
  });

  it("are refused also as the first act of a file in memory, a thread or a child of a child", async () => {
    const ways = [
      `python3 -c 'import os; fd=os.memfd_create("m"); os.write(fd, open("/bin/echo","rb").read()); os.execve(fd, ["x","forbidden"], {})'`,
      `python3 -c 'import os,threading,time; threading.Thread(target=lambda: os.execv("/bin/echo", ["echo","forbidden"])).start(); time.sleep(5)'`,
      `(setsid sh -c '(exec echo forbidden) & wait' &) ; sleep 5`,
    ];
    for (const way of ways) expect(await run(way, refusing("forbidden"))).toMatchObject({ ended: "refused", stdout: "" });
  });

  it("are asked about once a program, arguments and folder, as long as the judge is the same", async () => {
    const asked: StartedProgram[] = [];
    const judge = refusing("nothing", asked);
    await run("for i in 1 2 3 4 5; do /bin/true; done; cd /; /bin/true", judge);
    expect(asked).toHaveLength(2);
    await run("/bin/true; exit 0", judge);
    expect(asked).toHaveLength(2);
    await run("/bin/true; exit 0", { key: "another", allows: (program) => (asked.push(program), false) });
    expect(asked).toHaveLength(3);
  });

  it("stop and go on as ever: job control, signals, a child that is stopped and continued", async () => {
    const ran = await run("sleep 50 & p=$!; kill -STOP $p; sleep 0.1; ps -o stat= -p $p 2>/dev/null || sed -n 's/^State:.//p' /proc/$p/status; kill -CONT $p; kill $p; wait $p; echo $?; trap 'echo usr' USR1; kill -USR1 $$");
    expect(ran.stdout).toMatch(/^[tT].*\n143\nusr\n$/u);
  });

  it("are all told of a process that executes again and again, and of many at once, and counted past the limit", async () => {
    const many = await run("for i in $(seq 300); do /bin/true $i; done", refusing("nothing"));
    expect(many.programs?.programs.filter(({ image }) => image === "/usr/bin/true")).toHaveLength(300);
    const chain = await run(`cat > /tmp/c.sh <<'X'
#!/bin/sh
[ $1 -gt 0 ] && exec /tmp/c.sh $(($1 - 1))
echo end
X
chmod +x /tmp/c.sh; /tmp/c.sh 400`);
    expect(chain.stdout).toBe("end\n");
    expect(chain.programs?.programs.filter(({ replaced }) => replaced)).toHaveLength(401);
    const flood = await run("for i in $(seq 40); do (for j in $(seq 60); do /bin/true; done) & done; wait");
    const { programs = [], dropped } = flood.programs ?? {};
    expect(programs.length + (dropped?.programs ?? 0)).toBe(1 + 1 + 40 + 40 * 60);
    expect(dropped?.programs).toBeGreaterThan(0);
  });

  it("are let run to their end with arguments as long as the kernel takes them, cut in the record", async () => {
    const asked: StartedProgram[] = [];
    const ran = await run("/bin/echo $(seq 100000) | wc -w", refusing("nothing", asked));
    expect(ran.stdout.trim()).toBe("100000");
    expect(ran.programs?.programs.find(({ image }) => image === "/usr/bin/echo")).toMatchObject({ cut: true });
  });
}
