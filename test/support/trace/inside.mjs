// Runs inside a throwaway container: each line of standard input is one command, run by bash under strace in namespaces of its own
// (processes, mounts), on a fresh copy of a small project. What was done to files, programs and the network comes back as one JSON
// line. Nothing of a line outlives it: its mounts go with it, and every process is killed.

import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { parseTrace } from "./strace.mjs";

const TRACED = "execve,execveat,open,openat,openat2,creat,unlink,unlinkat,rmdir,mkdir,mkdirat,mknod,mknodat,rename,renameat,renameat2,link,linkat,symlink,symlinkat,chmod,fchmod,fchmodat,chown,fchown,lchown,fchownat,truncate,utime,utimes,utimensat,futimesat,setxattr,lsetxattr,removexattr,chdir,fchdir,connect,bind,sendto,sendmsg,sendmmsg,socket,clone,clone3,fork,vfork";
const SYSTEM = /^\/(?:usr|lib|lib64|lib32|bin|sbin|etc|opt|proc|sys|dev|run|var)(?:\/|$)/;
const MAX_TRACE = 60 * 1024 * 1024;
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
exec timeout $([ -t 0 ] && echo --foreground) -s KILL "$3" strace -f --seccomp-bpf --pidns-translation -qq -y -s 8192 -o "/out/$1.trace" -e trace=${TRACED} -e signal=none unshare --pid --fork --kill-child=SIGKILL setpriv $4 -- env -i "${"$"}{@:5}"
`;

/**
 * A network for a line that is to find one: a card, a router, and a resolver that gives every name an address. Every IPv4 address is this
 * machine's own, so a connection is really tried, pings are answered, and nothing leaves the namespace.
 */
const NETWORK = String.raw`
ip link set lo up
ip link add eth0 type veth peer name eth0p
ip addr add 10.0.2.15/24 dev eth0
ip addr add 10.0.2.3/32 dev lo
ip link set eth0 up; ip link set eth0p up
ip route add default via 10.0.2.2 dev eth0
ip route add local 0.0.0.0/0 dev lo
mount -t sysfs -o ro sysfs /mnt/all/sys
mkdir -p /mnt/all/etc
rm -f /mnt/all/etc/resolv.conf /mnt/all/etc/hosts
printf 'nameserver 10.0.2.3\n' > /mnt/all/etc/resolv.conf
printf '127.0.0.1 localhost\n10.0.2.15 %s\n' "$(hostname)" > /mnt/all/etc/hosts
node /out/resolver.mjs "/out/$1.resolver" > /dev/null 2>&1 &
for _ in 1 2 3 4 5 6 7 8 9 10; do [ -e "/out/$1.resolver" ] && break; sleep 0.05; done
`;

/** Answers each question for an IPv4 address with one of the addresses kept for documents, and any other with nothing. */
const RESOLVER = String.raw`
import { createSocket } from "node:dgram";
import { writeFileSync } from "node:fs";
const socket = createSocket("udp4");
socket.on("message", (question, from) => {
  let end = 12;
  while (end < question.length && question[end] !== 0) end += question[end] + 1;
  const asked = question.subarray(12, end + 5);
  const isAddress = question.readUInt16BE(end + 1) === 1;
  const head = Buffer.from(question.subarray(0, 12));
  head.writeUInt16BE(0x8180, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(isAddress ? 1 : 0, 6);
  head.writeUInt32BE(0, 8);
  const answer = isAddress ? Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 198, 51, 100, 7]) : Buffer.alloc(0);
  socket.send(Buffer.concat([head, asked, answer]), from.port, from.address);
});
socket.on("error", () => undefined);
socket.bind(53, "10.0.2.3", () => writeFileSync(process.argv[2], ""));
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
if [ -e "/out/$1.network" ]; then . /out/network.sh; fi
status=0
chroot /mnt/all bash /out/setup2.sh "$@" || status=$?
cp "/mnt/all/out/$1.trace" "/out/$1.trace" 2>/dev/null || :
exit $status
`;

const out = "/out";
mkdirSync(out, { recursive: true });
writeFileSync(`${out}/setup.sh`, SETUP);
writeFileSync(`${out}/whole.sh`, WHOLE);
writeFileSync(`${out}/network.sh`, NETWORK);
writeFileSync(`${out}/resolver.mjs`, RESOLVER);
writeFileSync(`${out}/setup2.sh`, SETUP.replace("mount -t proc -o ro proc /proc\n", "").replace("exec timeout", "timeout").replace("for place in /workspace /home/agent /tmp /var/tmp; do mount -t tmpfs -o size=64m,mode=1777 tmpfs $place; done\n", ""));
const made = spawnSync("bash", ["-c", SCENE], { encoding: "utf8" });
if (made.status !== 0) throw new Error(`the scene could not be made: ${made.stderr}`);

const AS_AGENT = "--reuid=1000 --regid=1000 --clear-groups --bounding-set=-all --inh-caps=-all";
const AS_ROOT = "--bounding-set=-sys_admin,-sys_ptrace --inh-caps=-all";

/** Looking into folders of the system, and for files that are not there, says nothing of a line; there are thousands. */
function isNoise(event) {
  if (event.kind !== "file" || event.operation !== "read") return false;
  return SYSTEM.test(event.path) && (event.folder === true || event.error === "ENOENT");
}

/** What is read is left out first. */
function fewer(events) {
  if (events.length <= MAX_EVENTS) return events;
  const isRead = (event) => event.kind === "file" && event.operation === "read";
  return [...events.filter((event) => !isRead(event)), ...events.filter(isRead)].slice(0, MAX_EVENTS);
}

/** Words as one line of shell. @param {readonly string[]} words */
function quoted(words) {
  return words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
}

/** @param {{id: string, text: string, cwd: string, root: boolean, seconds: number, environment: Record<string, string>, seed: string, network?: boolean, answers?: boolean, quiet?: boolean}} order */
function runLine(order) {
  const name = `l${process.pid}`;
  writeFileSync(`${out}/${name}.seed`, order.seed);
  for (const kind of ["trace", "network", "resolver", "terminal"]) rmSync(`${out}/${name}.${kind}`, { force: true });
  if (order.network === true) writeFileSync(`${out}/${name}.network`, "");
  const variables = Object.entries(order.environment).map(([key, value]) => `${key}=${value}`);
  const words = ["--mount", ...(order.network === true ? ["--net"] : []), "--pid", "--fork", "--kill-child=SIGKILL", "bash", order.root ? `${out}/whole.sh` : `${out}/setup.sh`, name, order.cwd, String(order.seconds), order.root ? AS_ROOT : AS_AGENT, ...variables, "bash", "--noprofile", "--norc", "-c", order.text];
  return new Promise((resolve) => {
    // Answers are given on a terminal: many programs ask nobody else.
    if (order.answers === true) writeFileSync(`${out}/${name}.terminal`, `exec unshare ${quoted(words)}\n`);
    const child = order.answers === true ? spawn("script", ["-qefc", `bash ${out}/${name}.terminal`, "/dev/null"], { stdio: ["pipe", "pipe", "pipe"], detached: true }) : spawn("unshare", words, { stdio: ["ignore", "pipe", "pipe"], detached: true });
    child.stdin?.on("error", () => undefined).end(`${"y\n".repeat(200)}${order.text}\n${order.text.replaceAll("\\", "")}\n\u0004`);
    let stderr = "";
    if (order.answers === true) child.stdout.setEncoding("utf8").on("data", (text) => (stderr = (stderr + text).replace(/^y\r?\n/gm, "").slice(-600)));
    else child.stdout.resume();
    child.stderr.setEncoding("utf8").on("data", (text) => (stderr = (stderr + text).slice(-600)));
    const timer = setTimeout(() => {
      try {
        process.kill(-child.pid, "SIGKILL");
      } catch {
        // gone
      }
    }, (order.seconds + 4) * 1000);
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      let trace = "";
      try {
        trace = readFileSync(`${out}/${name}.trace`).subarray(0, MAX_TRACE).toString("utf8");
      } catch {
        // strace never started: told by `started`.
      }
      const parsed = parseTrace(trace, order.cwd);
      const { started } = parsed;
      const events = order.quiet === true ? parsed.events.filter((event) => !isNoise(event)) : parsed.events;
      resolve({ id: order.id, code, timedOut: signal !== null || code === 137, started, stderr, truncated: events.length > MAX_EVENTS, events: fewer(events), ...(process.env.RAW ? { raw: trace.slice(0, 20000) } : {}) });
    });
  });
}

/** Texts of the project's files, by path: what the guard could read before a line runs. */
function sceneTexts() {
  const out = {};
  for (const entry of readdirSync("/scene", { recursive: true, withFileTypes: true })) {
    const path = `${entry.parentPath ?? entry.path}/${entry.name}`;
    if (entry.isFile() && !path.startsWith("/scene/.git/")) out[path.replace("/scene", "/workspace")] = readFileSync(path).toString("utf8");
  }
  return out;
}

process.stdout.write(`${JSON.stringify({ ready: true, scene: sceneTexts() })}\n`);
for await (const line of createInterface({ input: process.stdin })) {
  if (line.trim() === "") continue;
  process.stdout.write(`${JSON.stringify(await runLine(JSON.parse(line)))}\n`);
}
