// Gives up every right of the guard for good. Each step is checked: a step that fails must end the process.
#include "guard.h"
#include "drop.h"

#include <grp.h>
#include <linux/close_range.h>
#include <linux/securebits.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define LOCKED_BITS                                                                                              \
  (SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP | SECBIT_NO_SETUID_FIXUP_LOCKED |               \
   SECBIT_KEEP_CAPS_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED)

#define MOST_FILES 65536
#define MOST_LOCKED (8u * 1024 * 1024)

static void default_signals(void) {
  struct sigaction plain;
  memset(&plain, 0, sizeof plain);
  plain.sa_handler = SIG_DFL;
  for (int signal_number = 1; signal_number < 65; signal_number++) sigaction(signal_number, &plain, NULL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
}

// Everything above standard error is closed by exec. Old kernels and filters lack the call; all our files are opened
// close-on-exec anyway, this is the second line.
static void close_rest(void) {
  if (syscall(SYS_close_range, 3u, ~0u, CLOSE_RANGE_CLOEXEC) == 0) return;
  for (int fd = 3; fd < 1024; fd++) fcntl(fd, F_SETFD, FD_CLOEXEC);
}

// Lowers a limit, hard and soft; never raises one. 0 is done.
static int lower(__rlimit_resource_t resource, rlim_t most) {
  struct rlimit limit;
  if (getrlimit(resource, &limit) != 0) return -1;
  if (limit.rlim_max > most) limit.rlim_max = most;
  limit.rlim_cur = limit.rlim_max;
  return setrlimit(resource, &limit);
}

const char *rf_drop(unsigned uid, unsigned gid, const struct rf_limits *limits) {
  default_signals();
  // Raising the score needs no right, but the file belongs to the guard until the user changes.
  if (rf_write_file("/proc/self/oom_score_adj", "1000") != 0) return "oom score";
  if (lower(RLIMIT_CORE, 0) != 0) return "core limit";
  if (lower(RLIMIT_MEMLOCK, MOST_LOCKED) != 0) return "locked memory limit";
  if (limits->file_mib != 0 && lower(RLIMIT_FSIZE, (rlim_t)limits->file_mib * 1024 * 1024) != 0) return "file size limit";
  // Engines hand on anything up to a thousand million open files, and programs that close them all one by one take minutes.
  if (lower(RLIMIT_NOFILE, MOST_FILES) != 0) return "file limit";
  for (int cap = 0; cap < 64; cap++) {
    if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == 0) continue;
    if (errno == EINVAL) break;
    return "bounding set";
  }
  if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0) return "ambient set";
  if (prctl(PR_SET_SECUREBITS, LOCKED_BITS, 0, 0, 0) != 0) return "securebits";
  if (setgroups(0, NULL) != 0) return "groups";
  if (setresgid(gid, gid, gid) != 0) return "group";
  if (setresuid(uid, uid, uid) != 0) return "user";
  if (rf_capset(0) != 0) return "capability sets";
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return "no new privileges";
  setsid();
  umask(022);
  close_rest();
  return NULL;
}
