// The system call filter as data: what it lets through, and that no argument slips past a comparison.

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { seccompProfile, type SeccompProfile } from "../../src/adapters/docker/seccomp-profile.js";

const profile = seccompProfile("amd64");

/** What the filter answers, as the kernel would work it out: 64-bit arguments, the first matching rule of the call. */
function answer(name: string, args: readonly bigint[] = [], rules: SeccompProfile = profile): "allow" | number {
  const holds = ({ index, value, valueTwo = 0, op }: { index: number; value: number; valueTwo?: number; op: string }): boolean => {
    const given = args[index] ?? 0n;
    return op === "SCMP_CMP_EQ" ? given === BigInt(value) : (given & BigInt(value)) === BigInt(valueTwo);
  };
  for (const rule of rules.syscalls) {
    if (!rule.names.includes(name) || !(rule.args ?? []).every(holds)) continue;
    return rule.action === "SCMP_ACT_ALLOW" ? "allow" : (rule.errnoRet ?? 1);
  }
  return 1;
}

const REFUSED =
  "unshare setns mount umount2 pivot_root move_mount open_tree fsopen fsmount fsconfig fspick mount_setattr ptrace process_vm_readv process_vm_writev process_madvise pidfd_getfd kcmp bpf perf_event_open " +
  "userfaultfd keyctl add_key request_key open_by_handle_at name_to_handle_at kexec_load kexec_file_load init_module finit_module delete_module reboot swapon swapoff settimeofday clock_settime clock_adjtime adjtimex " +
  "acct quotactl syslog chroot sethostname setdomainname fanotify_init iopl ioperm modify_ldt lookup_dcookie nfsservctl vhangup uselib ustat sysfs _sysctl move_pages migrate_pages mbind set_mempolicy vmsplice " +
  "remap_file_pages socketcall ipc vm86 clock_settime64 open_tree_attr statmount";

describe("the system call filter", () => {
  it("refuses what no agent needs and an escape does", () => {
    expect(REFUSED.split(" ").filter((name) => answer(name) !== 1)).toEqual([]);
  });

  it("hides clone3, openat2 and io_uring, so that programs take their older way", () => {
    expect(["clone3", "openat2", "io_uring_setup", "io_uring_enter", "io_uring_register"].map((name) => answer(name))).toEqual([38, 38, 38, 38, 38]);
  });

  it("names each call once, but for those it compares arguments of", () => {
    const plain = profile.syscalls.filter((rule) => rule.args === undefined).flatMap((rule) => rule.names);
    expect(plain.filter((name, index) => plain.indexOf(name) !== index)).toEqual([]);
    const compared = new Set(profile.syscalls.filter((rule) => rule.args !== undefined).flatMap((rule) => rule.names));
    // A rule without a condition would make the conditions void.
    expect(plain.filter((name) => compared.has(name))).toEqual([]);
  });

  it("knows the native table of calls only", () => {
    expect([seccompProfile("amd64").archMap, seccompProfile("arm64").archMap]).toEqual([
      [{ architecture: "SCMP_ARCH_X86_64", subArchitectures: [] }],
      [{ architecture: "SCMP_ARCH_AARCH64", subArchitectures: [] }],
    ]);
    expect(() => seccompProfile("riscv64")).toThrow(expect.objectContaining({ code: "ENGINE_UNSUPPORTED" }));
  });

  it("makes sockets of three families, whatever bits the kernel drops", () => {
    const made = Array.from({ length: 64 }, (_unused, family) => family).filter((family) => answer("socket", [BigInt(family)]) === "allow");
    expect(made).toEqual([1, 2, 10]);
    expect(answer("socket", [(1n << 32n) + 38n])).toBe(1);
    expect(answer("socketpair", [1n])).toBe("allow");
    expect(answer("socketpair", [30n])).toBe(1);
  });

  it("lets clone make no namespace and no untraced child, whatever else is set", () => {
    const refused = [0x20000n, 0x2000000n, 0x4000000n, 0x8000000n, 0x10000000n, 0x20000000n, 0x40000000n, 0x800000n];
    fc.assert(fc.property(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), (flags) => answer("clone", [flags]) === (refused.some((bit) => (flags & bit) !== 0n) ? 1 : "allow")));
    for (const bit of refused) expect(answer("clone", [bit | 17n])).toBe(1);
    // A thread of the C library, and a plain fork.
    expect(answer("clone", [0x3d0f00n])).toBe("allow");
    expect(answer("clone", [0x1200011n])).toBe("allow");
  });

  it("refuses the two terminal requests with any upper half, and no other request", () => {
    for (const request of [0x5412n, 0x541cn]) {
      fc.assert(fc.property(fc.bigInt({ min: 0n, max: 0xffff_ffffn }), (upper) => answer("ioctl", [3n, (upper << 32n) | request]) === 1));
    }
    fc.assert(fc.property(fc.bigInt({ min: 0n, max: 0xffff_ffffn }), (request) => answer("ioctl", [3n, request]) === (request === 0x5412n || request === 0x541cn ? 1 : "allow")));
    for (let request = 0x5000n; request < 0x6000n; request += 1n) expect(answer("ioctl", [0n, request])).toBe(request === 0x5412n || request === 0x541cn ? 1 : "allow");
  });

  it("makes no device nodes, whatever bits the kernel drops", () => {
    const types = { regular: 0o100644n, none: 0o644n, pipe: 0o010644n, socket: 0o140644n, character: 0o020644n, block: 0o060644n, folder: 0o040755n };
    const made = (upper: bigint): readonly string[] => Object.entries(types).filter(([, mode]) => answer("mknodat", [0n, 0n, mode | (upper << 16n)]) === "allow" && answer("mknod", [0n, mode | (upper << 16n)]) === "allow").map(([name]) => name);
    expect(made(0n)).toEqual(["regular", "none", "pipe", "socket"]);
    expect(made(0xffffn)).toEqual(["regular", "none", "pipe", "socket"]);
  });

  it("keeps what git, Node, Python and the guard's own programs call", () => {
    const used = "read write openat newfstatat execve vfork clone wait4 pipe2 dup3 fcntl mmap mprotect futex rseq epoll_pwait eventfd2 statx getrandom setresuid setresgid setgroups setfsuid capset prctl kill socketpair signalfd4 close_range sched_getaffinity getdents64 renameat2 copy_file_range inotify_add_watch memfd_create";
    expect(used.split(" ").filter((name) => answer(name, [1n, 1n]) !== "allow")).toEqual([]);
  });
});
