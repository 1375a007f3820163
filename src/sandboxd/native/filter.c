// The filter of a traced process: see filter.h.
#include "guard.h"
#include "filter.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#if defined(__x86_64__)
#define OWN_TABLE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define OWN_TABLE AUDIT_ARCH_AARCH64
#else
#error "no filter for this architecture"
#endif

// Numbers that the C library of the build may not name yet.
#define NR_IO_URING_SETUP 425
#define NR_CLONE3 435
#define NR_OPENAT2 437
#define NR_PIDFD_GETFD 438
#define X32 0x40000000u

#define WRITES (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC)

#define MOST 96

static struct sock_filter program[MOST];
static unsigned short length;

static void put(unsigned short code, unsigned char yes, unsigned char no, unsigned value) {
  program[length++] = (struct sock_filter){code, yes, no, value};
}

static void load(size_t offset) { put(BPF_LD | BPF_W | BPF_ABS, 0, 0, (unsigned)offset); }
static void answer(unsigned action) { put(BPF_RET | BPF_K, 0, 0, action); }

// The low half of an argument: both architectures put it first.
static void load_argument(int which) { load(offsetof(struct seccomp_data, args) + 8 * (size_t)which); }

static void refuse(unsigned number, unsigned error) {
  put(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, number);
  answer(SECCOMP_RET_ERRNO | error);
}

// The call whose argument, of 32 bits, passes a test. What is loaded afterwards is the number again.
static void on_argument(unsigned number, int which, unsigned test, unsigned value, unsigned action) {
  put(BPF_JMP | BPF_JEQ | BPF_K, 0, 4, number);
  load_argument(which);
  put(BPF_JMP | test | BPF_K, 0, 1, value);
  answer(action);
  load(offsetof(struct seccomp_data, nr));
}

// The call with this value in an argument.
static void on_value(unsigned number, int which, unsigned value, unsigned action) { on_argument(number, which, BPF_JEQ, value, action); }

// The call whose argument has exactly these of some bits.
static void on_some(unsigned number, int which, unsigned bits, unsigned value, unsigned action) {
  put(BPF_JMP | BPF_JEQ | BPF_K, 0, 5, number);
  load_argument(which);
  put(BPF_ALU | BPF_AND | BPF_K, 0, 0, bits);
  put(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, value);
  answer(action);
  load(offsetof(struct seccomp_data, nr));
}

// The call with any of `bits` in an argument.
static void on_bits(unsigned number, int which, unsigned bits, unsigned action) { on_argument(number, which, BPF_JSET, bits, action); }

int rf_filter_install(int writes, int programs, int root) {
  length = 0;
  load(offsetof(struct seccomp_data, arch));
  put(BPF_JMP | BPF_JEQ | BPF_K, 1, 0, OWN_TABLE);
  answer(SECCOMP_RET_KILL_PROCESS);
  load(offsetof(struct seccomp_data, nr));
#ifdef __x86_64__
  put(BPF_JMP | BPF_JGE | BPF_K, 0, 1, X32);
  answer(SECCOMP_RET_KILL_PROCESS);
#endif
  refuse(SYS_ptrace, EPERM);
  refuse(NR_PIDFD_GETFD, EPERM);
  refuse(NR_CLONE3, ENOSYS);
  refuse(NR_OPENAT2, ENOSYS);
  refuse(NR_IO_URING_SETUP, ENOSYS);
  on_bits(SYS_clone, 0, CLONE_UNTRACED, SECCOMP_RET_ERRNO | EPERM);
  // Processes that share their folder: one could move the other's between the look at it and the first instruction. Threads end with an exec.
  on_some(SYS_clone, 0, CLONE_FS | CLONE_THREAD, CLONE_FS, SECCOMP_RET_ERRNO | EPERM);
  // Whoever listens may let a call go on, and the tracer would not hear of it.
  on_bits(SYS_seccomp, 1, SECCOMP_FILTER_FLAG_NEW_LISTENER, SECCOMP_RET_ERRNO | EPERM);
  // Where an image lies says which program a process runs: nobody moves its marks.
  on_value(SYS_prctl, 0, PR_SET_MM, SECCOMP_RET_ERRNO | EPERM);
  // A file signals whom its owner names. From root the kernel lets any signal reach anyone, without any right of root's: the guard could be stopped.
  if (root) {
    on_value(SYS_fcntl, 1, F_SETOWN, SECCOMP_RET_ERRNO | EPERM);
    on_value(SYS_fcntl, 1, F_SETOWN_EX, SECCOMP_RET_ERRNO | EPERM);
    on_value(SYS_ioctl, 1, FIOSETOWN, SECCOMP_RET_ERRNO | EPERM);
    on_value(SYS_ioctl, 1, SIOCSPGRP, SECCOMP_RET_ERRNO | EPERM);
  }
  if (programs) {
    put(BPF_JMP | BPF_JEQ | BPF_K, 1, 0, SYS_execve);
    put(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, SYS_execveat);
    answer(SECCOMP_RET_USER_NOTIF);
  }
  if (writes) {
    on_bits(SYS_openat, 2, WRITES, SECCOMP_RET_TRACE);
#ifdef __x86_64__
    on_bits(SYS_open, 1, WRITES, SECCOMP_RET_TRACE);
    put(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, SYS_creat);
    answer(SECCOMP_RET_TRACE);
#endif
  }
  answer(SECCOMP_RET_ALLOW);
  const struct sock_fprog whole = {length, program};
  // A signal, and a freezer, call a thread away from its question: it asks anew afterwards. To wait for nothing but death would keep a
  // container from being frozen.
  return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, programs ? SECCOMP_FILTER_FLAG_NEW_LISTENER : 0UL, &whole);
}
