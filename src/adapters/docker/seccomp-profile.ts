// The system calls a sandbox may make: an allow list of our own, handed to the engine with every container.
// What is not named is refused. Pure: the same profile for every session of an architecture.

import { GuardError, printable } from "../../core/shared/index.js";
import type { RecordSetting } from "../../ports/sandbox.js";

/** One argument of a call compared: `masked` compares `value` with the argument's bits under `mask`. */
interface Comparison {
  readonly index: number;
  readonly value: number;
  readonly valueTwo?: number;
  readonly op: "SCMP_CMP_EQ" | "SCMP_CMP_MASKED_EQ";
}

interface Rule {
  readonly names: readonly string[];
  readonly action: "SCMP_ACT_ALLOW" | "SCMP_ACT_ERRNO";
  readonly errnoRet?: number;
  readonly args?: readonly Comparison[];
}

export interface SeccompProfile {
  readonly defaultAction: "SCMP_ACT_ERRNO";
  readonly archMap: readonly { readonly architecture: string; readonly subArchitectures: readonly string[] }[];
  readonly syscalls: readonly Rule[];
}

const ENOSYS = 38;

/** Native architectures only, by the engine's name for them: a filter of one table must not be got round through another. */
const ARCHITECTURES = new Map([
  ["amd64", "SCMP_ARCH_X86_64"],
  ["arm64", "SCMP_ARCH_AARCH64"],
]);

/** Calls without a condition, by what they are for. The engine passes over names its architecture does not have. */
const ALLOWED: Readonly<Record<string, string>> = {
  "files by descriptor":
    "read readv pread64 preadv preadv2 write writev pwrite64 pwritev pwritev2 close close_range lseek dup dup2 dup3 fcntl flock fsync fdatasync sync sync_file_range syncfs " +
    "ftruncate fallocate fadvise64 readahead sendfile copy_file_range splice tee getdents getdents64",
  "files by name":
    "open openat creat access faccessat faccessat2 stat fstat lstat newfstatat fstatat64 statx statfs fstatfs truncate mkdir mkdirat rmdir link linkat symlink symlinkat unlink unlinkat " +
    "rename renameat renameat2 readlink readlinkat chmod fchmod fchmodat fchmodat2 chown fchown lchown fchownat utime utimes utimensat futimesat umask chdir fchdir getcwd " +
    "getxattr lgetxattr fgetxattr setxattr lsetxattr fsetxattr listxattr llistxattr flistxattr removexattr lremovexattr fremovexattr inotify_init inotify_init1 inotify_add_watch inotify_rm_watch",
  "memory":
    "brk mmap munmap mremap mprotect madvise msync mincore mlock mlock2 mlockall munlock munlockall memfd_create membarrier mseal pkey_alloc pkey_free pkey_mprotect map_shadow_stack cachestat",
  "processes":
    "fork vfork execve execveat exit exit_group wait4 waitid kill tkill tgkill getpid getppid gettid getpgid getpgrp setpgid getsid setsid set_tid_address arch_prctl prctl " +
    "pidfd_open pidfd_send_signal rseq set_robust_list get_robust_list futex futex_waitv futex_wake futex_wait futex_requeue restart_syscall uretprobe",
  // The guard changes users and empties its sets with these; to the agent, without capabilities, they give nothing.
  "users and rights":
    "getuid geteuid getgid getegid getgroups getresuid getresgid setuid setgid setreuid setregid setresuid setresgid setgroups setfsuid setfsgid capget capset seccomp " +
    "landlock_create_ruleset landlock_add_rule landlock_restrict_self",
  "signals":
    "rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_tgsigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait sigaltstack signalfd signalfd4 pause alarm",
  "time":
    "time gettimeofday clock_gettime clock_getres nanosleep clock_nanosleep getitimer setitimer timer_create timer_delete timer_gettime timer_settime timer_getoverrun timerfd_create timerfd_gettime timerfd_settime times",
  "waiting":
    "poll ppoll select pselect6 epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2 eventfd eventfd2 pipe pipe2 io_setup io_submit io_getevents io_pgetevents io_cancel io_destroy",
  "sockets":
    "bind connect listen accept accept4 getsockname getpeername getsockopt setsockopt shutdown sendto recvfrom sendmsg recvmsg sendmmsg recvmmsg",
  "limits and scheduling":
    "getrlimit setrlimit prlimit64 getrusage getpriority setpriority ioprio_get ioprio_set sched_yield sched_getaffinity sched_setaffinity sched_getparam sched_setparam sched_getscheduler sched_setscheduler " +
    "sched_getattr sched_setattr sched_get_priority_max sched_get_priority_min sched_rr_get_interval getcpu",
  "what the system is": "uname sysinfo getrandom",
  "messages between processes":
    "shmget shmat shmdt shmctl semget semop semtimedop semctl msgget msgsnd msgrcv msgctl mq_open mq_unlink mq_timedsend mq_timedreceive mq_notify mq_getsetattr",
};

/**
 * Answered as if the kernel did not have them, so that programs take their older way: clone3 and openat2 keep what matters
 * in memory that no filter can see, io_uring opens files and sockets past every filter, the others are newer than libraries rely on.
 */
const ABSENT = "clone3 openat2 io_uring_setup io_uring_enter io_uring_register setxattrat getxattrat listxattrat removexattrat file_getattr file_setattr memfd_secret";

/** Address families: local, IPv4, IPv6. */
const FAMILIES = [1, 2, 10];
/** Namespaces of every kind, and CLONE_UNTRACED, by which a child leaves its tracer. */
const CLONE_REFUSED = 0x0002_0000 + 0x0200_0000 + 0x0400_0000 + 0x0800_0000 + 0x1000_0000 + 0x2000_0000 + 0x4000_0000 + 0x0080_0000;
/** The usual personality, one that only changes a name, and the question which is set. */
const PERSONALITIES = [0x0, 0x8, 0xffff_ffff];
/**
 * What sandboxd asks of ptrace to follow the agent's programs: CONT, DETACH, SYSCALL, GETEVENTMSG, SEIZE, INTERRUPT, LISTEN, GET_SYSCALL_INFO; and to have a shell stand
 * ready before its first instruction: PEEKTEXT, POKETEXT, GETREGSET, SETREGSET. With `full` also `pidfd_getfd`, to see what a descriptor really leads
 * to. The agent's own processes carry a filter that refuses all of it (sandboxd/native/filter.c).
 */
const TRACE_REQUESTS = [1, 4, 7, 17, 24, 0x4201, 0x4204, 0x4205, 0x4206, 0x4207, 0x4208, 0x420e];
/** Types of node: regular (also as 0), pipe, socket. Devices are none of an agent's. */
const NODE_TYPES = [0o000000, 0o100000, 0o010000, 0o140000];
const NODE_TYPE_MASK = 0o170000;
/** Terminal requests that type for, or paste to, whoever reads the terminal. */
const TERMINAL_INPUT = [0x5412, 0x541c];

/** The profile as the engine takes it, for what is recorded. Throws ENGINE_UNSUPPORTED for an architecture it was not made for. */
export function seccompProfile(engineArch: string, record: RecordSetting = "off"): SeccompProfile {
  const architecture = ARCHITECTURES.get(engineArch);
  if (architecture === undefined) throw new GuardError("ENGINE_UNSUPPORTED", `there is no system call filter for the engine's architecture \`${printable(engineArch)}\``);
  return {
    defaultAction: "SCMP_ACT_ERRNO",
    archMap: [{ architecture, subArchitectures: [] }],
    syscalls: [
      ...Object.values(ALLOWED).map((names): Rule => ({ names: names.split(" "), action: "SCMP_ACT_ALLOW" })),
      { names: ABSENT.split(" "), action: "SCMP_ACT_ERRNO", errnoRet: ENOSYS },
      ...FAMILIES.map((family) => allowed("socket", equal(0, family))),
      allowed("socketpair", equal(0, 1)),
      // All other bits of the flags are free; what the kernel drops above 32 bits is outside the mask.
      allowed("clone", masked(0, CLONE_REFUSED, 0)),
      ...TRACE_REQUESTS.map((request) => allowed("ptrace", equal(0, request))),
      ...(record === "full" ? [{ names: ["pidfd_getfd"], action: "SCMP_ACT_ALLOW" as const }] : []),
      ...PERSONALITIES.map((persona) => allowed("personality", equal(0, persona))),
      ...NODE_TYPES.flatMap((type) => [allowed("mknod", masked(1, NODE_TYPE_MASK, type)), allowed("mknodat", masked(2, NODE_TYPE_MASK, type))]),
      ...requestsBut(TERMINAL_INPUT).map((comparison) => allowed("ioctl", comparison)),
    ],
  };
}

function allowed(name: string, comparison: Comparison): Rule {
  return { names: [name], action: "SCMP_ACT_ALLOW", args: [comparison] };
}

function equal(index: number, value: number): Comparison {
  return { index, value, op: "SCMP_CMP_EQ" };
}

function masked(index: number, mask: number, value: number): Comparison {
  return { index, value: mask, valueTwo: value, op: "SCMP_CMP_MASKED_EQ" };
}

/**
 * Comparisons of which one holds for every 32-bit request but the given ones, which share all bits above the lowest four.
 * "Not equal" would compare 64 bits where the kernel takes 32: a set bit above would pass the filter and be dropped after it.
 */
function requestsBut(refused: readonly number[]): readonly Comparison[] {
  const [first = 0] = refused;
  const high = Array.from({ length: 28 }, (_unused, index) => 2 ** (index + 4)).map((bit) => masked(1, bit, Math.floor(first / bit) % 2 === 1 ? 0 : bit));
  const base = first - (first % 16);
  const low = Array.from({ length: 16 }, (_unused, digit) => base + digit).filter((request) => !refused.includes(request));
  return [...high, ...low.map((request) => masked(1, 0xffff_ffff, request))];
}
