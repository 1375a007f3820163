// Runs inside a throwaway container: each line of standard input is one command, run by bash under strace in namespaces of its own
// (processes, mounts), on a fresh copy of a small project. What was done to files, programs and the network comes back as one JSON
// line. Nothing of a line outlives it: its mounts go with it, and every process is killed.

import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { parseTrace } from "./strace.mjs";

const TRACED = "execve,execveat,open,openat,openat2,creat,unlink,unlinkat,rmdir,mkdir,mkdirat,mknod,mknodat,rename,renameat,renameat2,link,linkat,symlink,symlinkat,chmod,fchmod,fchmodat,chown,fchown,lchown,fchownat,truncate,utime,utimes,utimensat,futimesat,setxattr,lsetxattr,removexattr,chdir,fchdir,connect,bind,sendto,sendmsg,sendmmsg,socket,clone,clone3,fork,vfork";
const MAX_TRACE = 24 * 1024 * 1024;
const MAX_EVENTS = 4_000;

/** A project with a history, files of the usual kinds, and names that globs meet. */
const SCENE = String.raw`
set -e
mkdir -p /scene/src/lib /scene/test /scene/docs /scene/dir/sub /scene/build /scene/logs
cd /scene
echo '# project' > README.md; echo one > a; echo two > b; echo 'b.txt' > c
printf 'alpha\nbeta\ngamma\n' > file.txt; cp file.txt file1.txt; cp file.txt file2.txt; cp file.txt input.txt; cp file.txt data.csv
printf '1 2 3\n4 5 6\n' > numbers.dat; echo x > .dot; echo 'd e' > 'd e'; echo log > logs/app.log; echo log > error.log
printf 'def f():\n    return 1\n' > src/a.py; printf 'const a = 1;\n' > src/index.js; printf '#include <stdio.h>\nint main(void){return 0;}\n' > src/main.c
cp src/main.c src/lib/util.c; echo h > src/lib/util.h; printf 'from src.a import f\n' > test/test_a.py; echo d > docs/index.md; echo s > dir/sub/x.txt; echo t > dir/y.tmp
printf '{"name":"p","version":"1.0.0","scripts":{"test":"true"}}\n' > package.json; printf 'all:\n\t@true\n' > Makefile
printf '#!/bin/sh\necho hi > made.txt\n' > run.sh; chmod +x run.sh; tar cf archive.tar file1.txt file2.txt; gzip -k archive.tar; ln -s file.txt link
export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@a.invalid GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@a.invalid
git init -q -b main . && git add -A && git commit -q -m one && git branch feature && git remote add origin https://example.invalid/p.git && echo change >> file.txt
chown -R 1000:1000 /scene
`;

/**
 * Mounts of a line: project, home and temporary folders are new and its own; the rest of the container is read-only. strace runs
 * beside a /proc of its own, so that it can name descriptors; the line's processes cannot reach it, nor change /proc.
 */
const SETUP = String.raw`
set -e
mount -t proc -o ro proc /proc
for place in /workspace /home/agent /tmp /var/tmp; do mount -t tmpfs -o size=64m,mode=1777 tmpfs $place; done
chown 1000:1000 /workspace /home/agent; chmod 755 /workspace /home/agent
cp -a /scene/. /workspace/
if [ -s "/out/$1.seed" ]; then (set +e; . "/out/$1.seed") > /dev/null 2>&1 || :; fi
cd "$2"
ulimit -f 65536 -v 4000000 -c 0
exec timeout -s KILL "$3" strace -f --seccomp-bpf --pidns-translation -qq -y -s 8192 -o "/out/$1.trace" -e trace=${TRACED} -e signal=none unshare --pid --fork --kill-child=SIGKILL setpriv $4 -- env -i "${"$"}{@:5}"
`;

/** The same on a writable copy of the whole system: what a line does to it is really done, and gone with the mounts. */
const WHOLE = String.raw`
set -e
mount -t tmpfs -o size=512m tmpfs /mnt
mkdir /mnt/up /mnt/work /mnt/all
mount -t overlay -o lowerdir=/,upperdir=/mnt/up,workdir=/mnt/work overlay /mnt/all
mount -t proc -o ro proc /mnt/all/proc
mount --rbind /dev /mnt/all/dev
mount -t tmpfs tmpfs /mnt/all/out; cp /out/setup2.sh /out/"$1".seed /mnt/all/out/
mkdir -p /mnt/all/scene; cp -a /scene/. /mnt/all/scene/
status=0
chroot /mnt/all bash /out/setup2.sh "$@" || status=$?
cp "/mnt/all/out/$1.trace" "/out/$1.trace" 2>/dev/null || :
exit $status
`;

const out = "/out";
mkdirSync(out, { recursive: true });
writeFileSync(`${out}/setup.sh`, SETUP);
writeFileSync(`${out}/whole.sh`, WHOLE);
writeFileSync(`${out}/setup2.sh`, SETUP.replace("mount -t proc -o ro proc /proc\n", "").replace("exec timeout", "timeout").replace("for place in /workspace /home/agent /tmp /var/tmp; do mount -t tmpfs -o size=64m,mode=1777 tmpfs $place; done\n", ""));
const made = spawnSync("bash", ["-c", SCENE], { encoding: "utf8" });
if (made.status !== 0) throw new Error(`the scene could not be made: ${made.stderr}`);

const AS_AGENT = "--reuid=1000 --regid=1000 --clear-groups --bounding-set=-all --inh-caps=-all";
const AS_ROOT = "--bounding-set=-sys_admin,-sys_ptrace --inh-caps=-all";

/** @param {{id: string, text: string, cwd: string, root: boolean, seconds: number, environment: Record<string, string>, seed: string}} order */
function runLine(order) {
  const name = `l${process.pid}`;
  writeFileSync(`${out}/${name}.seed`, order.seed);
  rmSync(`${out}/${name}.trace`, { force: true });
  const variables = Object.entries(order.environment).map(([key, value]) => `${key}=${value}`);
  const words = ["--mount", "--pid", "--fork", "--kill-child=SIGKILL", "bash", order.root ? `${out}/whole.sh` : `${out}/setup.sh`, name, order.cwd, String(order.seconds), order.root ? AS_ROOT : AS_AGENT, ...variables, "bash", "--noprofile", "--norc", "-c", order.text];
  return new Promise((resolve) => {
    const child = spawn("unshare", words, { stdio: ["ignore", "pipe", "pipe"], detached: true });
    let stderr = "";
    child.stdout.resume();
    child.stderr.setEncoding("utf8").on("data", (text) => (stderr = (stderr + text).slice(-600)));
    const timer = setTimeout(() => child.kill("SIGKILL"), (order.seconds + 4) * 1000);
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      let trace = "";
      try {
        trace = readFileSync(`${out}/${name}.trace`).subarray(0, MAX_TRACE).toString("utf8");
      } catch {
        // strace never started: told by `started`.
      }
      const { events, started } = parseTrace(trace, order.cwd);
      resolve({ id: order.id, code, timedOut: signal !== null || code === 137, started, stderr, truncated: events.length > MAX_EVENTS, events: events.slice(0, MAX_EVENTS), ...(process.env.RAW ? { raw: trace.slice(0, 20000) } : {}) });
    });
  });
}

process.stdout.write(`${JSON.stringify({ ready: true })}\n`);
for await (const line of createInterface({ input: process.stdin })) {
  if (line.trim() === "") continue;
  process.stdout.write(`${JSON.stringify(await runLine(JSON.parse(line)))}\n`);
}
