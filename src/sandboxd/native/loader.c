// What a loader asks for: see loader.h.
#include "loader.h"

#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>

static uint64_t root_mount;

static int mount_of(const char *path, uint64_t *mount) {
  struct statx info;
  if (statx(AT_FDCWD, path, AT_STATX_SYNC_AS_STAT, STATX_MNT_ID, &info) != 0) return -1;
  if ((info.stx_mask & STATX_MNT_ID) == 0) {
    errno = ENOSYS;
    return -1;
  }
  *mount = info.stx_mnt_id;
  return 0;
}

int rf_loader_open(void) {
  struct statvfs system;
  return mount_of("/", &root_mount) == 0 && statvfs("/", &system) == 0 && (system.f_flag & ST_RDONLY) != 0;
}

int rf_loader_is_root(const char *path) {
  char part[4096];
  uint64_t mount;
  struct stat link;
  if (path[0] != '/' || snprintf(part, sizeof part, "%s", path) >= (int)sizeof part) return 0;
  for (;;) {
    if (mount_of(part, &mount) == 0) return mount == root_mount;
    if (errno != ENOENT && errno != ENOTDIR) return 0;
    // A link to what is not there yet may lead anywhere.
    if (lstat(part, &link) == 0) return 0;
    char *slash = strrchr(part, '/');
    if (slash == NULL || part[1] == 0) return 0;
    slash[slash == part ? 1 : 0] = 0;
  }
}

// A name in the memory of the process: one that is whole, and lies on the root.
static int is_name_on_root(int memory, uint64_t at) {
  char path[4096];
  const ssize_t got = pread(memory, path, sizeof path, (off_t)at);
  return got > 0 && memchr(path, 0, (size_t)got) != NULL && rf_loader_is_root(path);
}

static int is_empty_name(int memory, uint64_t at) {
  char first = 'x';
  return pread(memory, &first, 1, (off_t)at) == 1 && first == 0;
}

int rf_loader_may(pid_t pid, int memory) {
  struct __ptrace_syscall_info info;
  memset(&info, 0, sizeof info);
  if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info) <= 0) return 0;
  if (info.op == PTRACE_SYSCALL_INFO_EXIT) return 1;
  if (info.op != PTRACE_SYSCALL_INFO_ENTRY) return 0;
  const uint64_t *arguments = info.entry.args;
  switch (info.entry.nr) {
    case SYS_brk:
    case SYS_mmap:
    case SYS_mprotect:
    case SYS_munmap:
    case SYS_read:
    case SYS_pread64:
    case SYS_fstat:
    case SYS_close:
    case SYS_set_tid_address:
    case SYS_set_robust_list:
    case SYS_rseq:
    case SYS_prlimit64:
    case SYS_getrandom:
#ifdef __x86_64__
    case SYS_arch_prctl:
#endif
      return 1;
    case SYS_openat:
      return (arguments[2] & (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC)) == 0 && is_name_on_root(memory, arguments[1]);
    case SYS_faccessat:
    case SYS_readlinkat:
      return is_name_on_root(memory, arguments[1]);
    case SYS_newfstatat:
      return is_empty_name(memory, arguments[1]) || is_name_on_root(memory, arguments[1]);
#ifdef __x86_64__
    case SYS_open:
      return (arguments[1] & (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC)) == 0 && is_name_on_root(memory, arguments[0]);
    case SYS_access:
    case SYS_stat:
    case SYS_readlink:
      return is_name_on_root(memory, arguments[0]);
#endif
    default:
      return 0;
  }
}
