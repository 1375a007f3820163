// Which refused system calls get through: see syscalls.h. The arguments are such that a kernel that does look at them
// answers with another error than a filter does, and changes nothing.
#include "guard.h"
#include "syscalls.h"

#include <linux/sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

// Numbers that the C library of the build may not name yet.
#define NR_IO_URING_SETUP 425
#define NR_IO_URING_ENTER 426
#define NR_OPEN_TREE 428
#define NR_FSOPEN 430
#define NR_CLONE3 435
#define NR_PIDFD_GETFD 438

struct attempt {
  const char *name;
  long number;
  long arguments[5];
};

static const struct attempt attempts[] = {
    {"io_uring_setup", NR_IO_URING_SETUP, {1, 0}},
    {"io_uring_enter", NR_IO_URING_ENTER, {-1}},
    {"clone3", NR_CLONE3, {0, 0}},
    {"open_tree", NR_OPEN_TREE, {-100, 0, 1}},
    {"fsopen", NR_FSOPEN, {0, 0}},
    {"mount", SYS_mount, {0, 0, 0, 0, 0}},
    {"umount2", SYS_umount2, {0, 0}},
    {"pivot_root", SYS_pivot_root, {0, 0}},
    {"chroot", SYS_chroot, {0}},
    {"setns", SYS_setns, {-1, 0}},
    {"unshare", SYS_unshare, {CLONE_NEWUSER}},
    {"ptrace", SYS_ptrace, {0, 0, 0, 0}},
    {"process_vm_readv", SYS_process_vm_readv, {-1, 0, 0, 0, 0}},
    {"pidfd_getfd", NR_PIDFD_GETFD, {-1, 0, 0}},
    {"kcmp", SYS_kcmp, {0, 0, 0, 0, 0}},
    {"bpf", SYS_bpf, {0, 0, 0}},
    {"perf_event_open", SYS_perf_event_open, {0, 0, -1, -1, 0}},
    {"userfaultfd", SYS_userfaultfd, {1}},
    {"keyctl", SYS_keyctl, {0, -3, 0}},
    {"add_key", SYS_add_key, {0, 0, 0, 0, -3}},
    {"personality", SYS_personality, {0x0040000}},
    {"socket-alg", SYS_socket, {38, 5, 0}},
    {"socket-packet", SYS_socket, {17, 3, 0}},
    {"socket-netlink", SYS_socket, {16, 3, 0}},
    {"socket-vsock", SYS_socket, {40, 1, 0}},
    // Bits above 32 are dropped by the kernel: a filter that compares 64 of them would not see this one.
    {"ioctl-tiocsti", SYS_ioctl, {-1, 0x100005412L, 0}},
};

// 1 when the call got past the filter. A filter says EPERM or ENOSYS; that alone is no proof of one, but a kernel that
// would have looked at these arguments says something else.
static int gets_through(const struct attempt *attempt) {
  const long *a = attempt->arguments;
  errno = 0;
  const long got = syscall(attempt->number, a[0], a[1], a[2], a[3], a[4]);
  return got >= 0 || (errno != EPERM && errno != ENOSYS);
}

static int clone_gets_through(unsigned long flags) {
  const long got = syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);
  if (got == 0) _exit(0);
  return got > 0 || (errno != EPERM && errno != ENOSYS);
}

#ifdef __x86_64__
// The 32-bit table of calls: getpid there, write here.
static int foreign_gets_through(void) {
  long got = 20;
  __asm__ volatile("int $0x80" : "+a"(got) : : "memory", "r8", "r9", "r10", "r11");
  return got > 0;
}
static int x32_gets_through(void) { return syscall(0x40000000L + SYS_getpid) > 0; }
#endif

// Runs one try in a process of its own. Being killed by the filter is being refused.
static void in_child(const char *name, int (*body)(const void *), const void *with) {
  fflush(stdout);
  const pid_t pid = fork();
  if (pid == 0) _exit(body(with) ? 1 : 0);
  int status = 0;
  if (pid < 0 || waitpid(pid, &status, 0) != pid) {
    printf(" unknown-%s", name);
    return;
  }
  const int refused = (WIFEXITED(status) && WEXITSTATUS(status) == 0) || (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
  if (!refused) printf(" %s", name);
}

static int run_attempt(const void *with) { return gets_through(with); }
static int run_clone(const void *with) { return clone_gets_through(*(const unsigned long *)with); }
#ifdef __x86_64__
static int run_foreign(const void *with) { return with == NULL && foreign_gets_through(); }
static int run_x32(const void *with) { return with == NULL && x32_gets_through(); }
#endif

void rf_try_syscalls(void) {
  static const unsigned long namespaces = CLONE_NEWUSER, untraced = CLONE_UNTRACED;
  printf("syscalls-open");
  for (size_t i = 0; i < sizeof attempts / sizeof *attempts; i++) in_child(attempts[i].name, run_attempt, &attempts[i]);
  in_child("clone-namespace", run_clone, &namespaces);
  in_child("clone-untraced", run_clone, &untraced);
#ifdef __x86_64__
  in_child("foreign-abi", run_foreign, NULL);
  in_child("x32", run_x32, NULL);
#endif
  printf(" .\n");
}
