// What an agent inside tries against the guard, as user 1000 and as user 0. Each attempt prints THROUGH when it got anywhere.

import { afterEach, describe, expect, it } from "vitest";
import { ended } from "../contract/sandbox.contract.js";
import { processesOf } from "../support/container-processes.js";
import { containerOf, startedRig, whyNoEngine, type DockerRig, type StartedRig } from "./sandbox-rig.js";

const missing = await whyNoEngine();
const note = missing === null ? "" : ` (skipped: ${missing})`;
const rigs: DockerRig[] = [];

afterEach(async () => {
  for (const rig of rigs.splice(0)) await rig.clean();
});

/** Processes that are not of this call: the guard's. */
const GUARDS =
  "guards=; for p in /proc/[0-9]*; do first=; read -r -d '' first 2>/dev/null < $p/cmdline; case $first in /.ringfence/*) guards=\"$guards ${p#/proc/}\";; esac; done; [ $(echo $guards | wc -w) = 4 ] || echo THROUGH wrong-guards $guards";

/** For each process of the guard: `$g`. */
const each = (attempt: string): string => `${GUARDS}; for g in $guards; do ${attempt}; done`;
const works = (command: string): string => `if ${command} >/dev/null 2>&1; then echo THROUGH; fi`;

const ATTACKS: Readonly<Record<string, string>> = {
  "kill with every usual signal": each("for s in TERM KILL STOP INT HUP QUIT USR1 SEGV CONT 0; do kill -$s $g 2>/dev/null && echo THROUGH $g $s; done"),
  "have a file signal it": `${GUARDS}; cat > /tmp/owner.py <<'X'
import fcntl, os, signal, socket, struct, sys, time
def stopped(pid): return any(line.startswith("State:\\tT") for line in open(f"/proc/{pid}/status"))
own = {"F_SETOWN": lambda f, pid: fcntl.fcntl(f, 8, pid), "F_SETOWN_EX": lambda f, pid: fcntl.fcntl(f, 15, struct.pack("ii", 1, pid)), "F_SETOWN_EX of a thread": lambda f, pid: fcntl.fcntl(f, 15, struct.pack("ii", 0, pid)),
       "FIOSETOWN": lambda f, pid: fcntl.ioctl(f, 0x8901, struct.pack("i", pid)), "SIOCSPGRP": lambda f, pid: fcntl.ioctl(f, 0x8902, struct.pack("i", pid))}
for pid in map(int, sys.argv[1:]):
    for name, make in own.items():
        one, other = socket.socketpair()
        for sign in (signal.SIGSTOP, signal.SIGCONT):
            try:
                fcntl.fcntl(one, 10, sign)
                make(one, pid)
                fcntl.fcntl(one, fcntl.F_SETFL, os.O_ASYNC)
                other.send(b"x")
            except OSError: break
            time.sleep(0.01)
            if sign == signal.SIGSTOP and stopped(pid): print("THROUGH", name, pid, flush=True)
X
python3 /tmp/owner.py $guards`,
  "read the environment": each(works("head -c 1 /proc/$g/environ | grep -q .")),
  "read memory": each(works("head -c 1 /proc/$g/mem | grep -q .")),
  "read the memory map": each(works("head -c 1 /proc/$g/maps | grep -q .")),
  "list open files": each(works("ls /proc/$g/fd/ | grep -q .")),
  "write to the channel": each("for f in 0 1 2 3 4; do { echo x > /proc/$g/fd/$f; } 2>/dev/null && echo THROUGH $g $f; done"),
  "look at the executable": each(works("readlink /proc/$g/exe")),
  "go to its working directory": each(works("cd /proc/$g/cwd")),
  "go to its root": each(works("ls /proc/$g/root/")),
  "read its stack": each(works("head -c 1 /proc/$g/stack | grep -q .")),
  "rename it": each("{ echo evil > /proc/$g/comm; } 2>/dev/null && echo THROUGH"),
  "raise its out-of-memory score": each("{ echo 1000 > /proc/$g/oom_score_adj; } 2>/dev/null && echo THROUGH"),
  "change what it may dump": each("{ echo 0xff > /proc/$g/coredump_filter; } 2>/dev/null && echo THROUGH"),
  "clear its page references": each("{ echo 1 > /proc/$g/clear_refs; } 2>/dev/null && echo THROUGH"),
  "slow its group": each("{ echo 19 > /proc/$g/autogroup; } 2>/dev/null && echo THROUGH"),
  "renice it": each(works("renice -n 19 -p $g")),
  "starve its disk access": each(works("ionice -c 3 -p $g")),
  "make it idle": each(works("chrt --idle -p 0 $g")),
  "pin it to no processor": each(works("taskset -p 1 $g")),
  "limit its files": each(works("prlimit --pid $g --nofile=1:1")),
  "enter its namespaces": each(works("nsenter -t $g -m -p true")),
  "become the guard by the runtime's own programs": "for p in sandboxd rf-kill rf-enter; do timeout 2 /.ringfence/bin/$p 1000 1000 /workspace x < /dev/null 2>&1 | grep -q '^Uid.*64000' && echo THROUGH $p; done",
  "get a capability through the runtime's launcher": "/.ringfence/bin/rf-enter 1000 1000 / x; grep -E '^Cap(Inh|Prm|Eff|Bnd|Amb):' /proc/self/status | grep -v -E '0{16}' && echo THROUGH",
  "run a set-uid copy": "cp /bin/id ./id; chmod 6755 ./id; ./id | grep -q -E 'euid|64000' && echo THROUGH",
  "become another user": works("setpriv --reuid 64000 --clear-groups true"),
  "become root by su": works("timeout 2 su -c true < /dev/null"),
  "make a user namespace": works("unshare -U true"),
  "make a mount namespace": works("unshare -m true"),
  "make a network namespace": works("unshare -n true"),
  "mount a file system": works("mount -t tmpfs none /mnt"),
  "remount the root": works("mount -o remount,rw /"),
  "unmount the workspace": works("umount -l /workspace"),
  "unmount the runtime": works("umount -l /.ringfence"),
  "write into the root": "for d in / /etc /usr/bin /lib /var/lib /opt /.ringfence /.ringfence/bin; do { echo x > $d/.evil; } 2>/dev/null && echo THROUGH $d; done",
  "change a program of the image": "{ echo x >> /bin/bash; } 2>/dev/null && echo THROUGH",
  "write kernel settings": "for f in /proc/sys/kernel/core_pattern /proc/sys/vm/overcommit_memory /proc/sysrq-trigger /proc/sys/kernel/hostname; do { echo 1 > $f; } 2>/dev/null && echo THROUGH $f; done",
  "loosen the limits": "for f in $(find /sys/fs/cgroup -name 'pids.max' -o -name 'memory.limit_in_bytes' -o -name memory.max -o -name cgroup.procs -o -name cgroup.kill 2>/dev/null); do { echo 1 > $f; } 2>/dev/null && echo THROUGH $f; done",
  "make a device": works("mknod ./disk b 254 0"),
  "chroot": works("chroot / true"),
  "change the host name": works("hostname evil"),
  "set the clock": works("date -s '2001-01-01'"),
  "reach the network": "for a in 127.0.0.1/2375 172.17.0.1/22 1.1.1.1/53 169.254.169.254/80; do timeout 1 bash -c \"exec 3<>/dev/tcp/$a\" 2>/dev/null && echo THROUGH $a; done",
  "find an interface": "grep -v -E 'Inter-|face|lo:' /proc/net/dev | grep -q . && echo THROUGH; cat /proc/net/route | tail -n +2 | grep -q . && echo THROUGH route",
  "take the guard's line": "python3 -c 'import socket,os\nfor p in [\"/.ringfence-line/s\"]:\n  s=socket.socket(socket.AF_UNIX)\n  try: s.connect(p)\n  except OSError: continue\n  print(\"THROUGH\")\ntry: s.bind(\"/.ringfence-line/s\"); print(\"THROUGH\")\nexcept OSError: pass'; ls -A /.ringfence-line | grep . && echo THROUGH",
  "find an engine socket": "ls /var/run/docker.sock /run/docker.sock /run/containerd 2>/dev/null && echo THROUGH",
  "lower its own out-of-memory score": "{ echo -1000 > /proc/self/oom_score_adj; } 2>/dev/null && echo THROUGH",
  "raise a hard limit": works("prlimit --pid $$ --core=unlimited:unlimited"),
  "name a new program as its child's death": "kill -9 -1; echo unreachable",
};

describe.skipIf(missing !== null)(`attacks from inside${note}`, { timeout: 180_000 }, () => {
  for (const uid of [1000, 0]) {
    it(`get nowhere as user ${uid}`, async () => {
      const started: StartedRig = await startedRig({ uid });
      rigs.push(started.rig);
      // The process that waits for the next call is the agent's, and another one after each call.
      const guardsOutside = (): readonly string[] => processesOf(containerOf(started.rig.spec.sessionId)).filter(({ uid: whose }) => whose === 64_000).map(({ pid, nice, args }) => `${pid} ${nice} ${args.join(" ")}`);
      const before = guardsOutside();
      const through: Record<string, string> = {};
      for (const [name, attempt] of Object.entries(ATTACKS)) {
        const result = await started.run(attempt, { timeoutMs: 20_000 });
        if (result.stdout.includes("THROUGH") || !result.quiescent || result.ended !== "exit") through[name] = `${result.ended}: ${result.stdout}`;
      }
      expect(through).toEqual({});
      expect(guardsOutside()).toEqual(before);
      expect(before).toHaveLength(4);
      expect(await started.run("echo still here")).toEqual(ended({ stdout: "still here\n" }));
    });

    it(`find every control of user ${uid} attested by a test inside`, async () => {
      const started = await startedRig({ uid });
      rigs.push(started.rig);
      expect(started.sandbox.controls.map(({ id, state }) => `${id} ${state}`)).toEqual(
        [
          ...["caps-empty", "no-new-privs", "seccomp", "rootfs-read-only", "no-network", "guard-unreachable", "processes-limited", "memory-limited", "workspace-copy"].map((id) => `${id} attested`),
          // The workspace lies on the host's disk, and nothing of this engine limits it there.
          "disk-limited configured",
        ],
      );
      const status = await started.run("grep -E '^(Uid|Gid|Groups|Cap|NoNewPrivs|Seccomp:)' /proc/self/status | tr -d ' \\t'");
      const zero = "0".repeat(16);
      const four = `${uid}`.repeat(4);
      expect(status.stdout.trim().split("\n")).toEqual([`Uid:${four}`, `Gid:${four}`, "Groups:", `CapInh:${zero}`, `CapPrm:${zero}`, `CapEff:${zero}`, `CapBnd:${zero}`, `CapAmb:${zero}`, "NoNewPrivs:1", "Seccomp:2"]);
    });
  }

  it("leave every guard without more rights than it needs; process 1 and the process that waits for the next call have none", async () => {
    const started = await startedRig();
    rigs.push(started.rig);
    const { readFileSync } = await import("node:fs");
    const rights = processesOf(containerOf(started.rig.spec.sessionId)).map(({ pid, args: [program = ""] }) => {
      const status = readFileSync(`/proc/${pid}/status`, "latin1");
      return `${program.split("/").at(-1)} uid ${/^Uid:\s+(\d+)/m.exec(status)?.[1]} caps ${/^CapEff:\s+0*([0-9a-f]+)/m.exec(status)?.[1]}`;
    });
    expect(rights.sort()).toEqual(["rf-enter uid 64000 caps 0", "rf-kill uid 64000 caps 1e0", "rf-kill uid 64000 caps 1e0", "sandboxd uid 1000 caps 0", "sandboxd uid 64000 caps 801e0"]);
  });
});
