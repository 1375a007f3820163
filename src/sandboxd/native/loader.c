// What a loader asks for: see loader.h.
#include "loader.h"

#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>

static uint64_t root_mount;

// Links of one name, at most: as many as the kernel takes.
#define MOST_LINKS 40

// What lies at a name: its mount and its type. With AT_SYMLINK_NOFOLLOW of a link itself.
static int look_at(const char *path, int flags, struct statx *info) {
  if (statx(AT_FDCWD, path, AT_STATX_SYNC_AS_STAT | flags, STATX_MNT_ID | STATX_TYPE, info) != 0) return -1;
  if ((info->stx_mask & STATX_MNT_ID) != 0) return 0;
  errno = ENOSYS;
  return -1;
}

int rf_loader_open(void) {
  struct statvfs system;
  struct statx info;
  if (look_at("/", 0, &info) != 0) return 0;
  root_mount = info.stx_mnt_id;
  return statvfs("/", &system) == 0 && (system.f_flag & ST_RDONLY) != 0;
}

int rf_loader_is_on_root(const char *link) {
  struct statx info;
  return look_at(link, 0, &info) == 0 && info.stx_mnt_id == root_mount;
}

// Goes on where a link leads: what it says, then what is left. 0 is done.
static int follow(const char *link, const char *rest, char left[4096], size_t *length) {
  char target[4096], whole[4096];
  const ssize_t size = readlink(link, target, sizeof target - 1);
  if (size <= 0) return -1;
  target[size] = 0;
  if (snprintf(whole, sizeof whole, "%s/%s", target, rest) >= (int)sizeof whole) return -1;
  memcpy(left, whole, strlen(whole) + 1);
  if (target[0] == '/') *length = 0;
  return 0;
}

// Step by step, for a way that leaves the root and comes back is one that somebody may lead elsewhere.
int rf_loader_is_root(const char *path) {
  char left[4096], there[4096] = "";
  size_t length = 0;
  int links = 0;
  if (path[0] != '/' || snprintf(left, sizeof left, "%s", path) >= (int)sizeof left) return 0;
  for (char *at = left; *at != 0;) {
    char *name = at;
    at += strcspn(at, "/");
    if (*at != 0) *at++ = 0;
    if (name[0] == 0 || strcmp(name, ".") == 0) continue;
    const size_t above = length;
    if (strcmp(name, "..") == 0) {
      while (length > 0 && there[--length] != '/') continue;
      continue;
    }
    if (snprintf(there + above, sizeof there - above, "/%s", name) >= (int)(sizeof there - above)) return 0;
    length += strlen(name) + 1;
    struct statx info;
    // Where nothing is nothing can come to be.
    if (look_at(there, AT_SYMLINK_NOFOLLOW, &info) != 0) return errno == ENOENT || errno == ENOTDIR;
    if (info.stx_mnt_id != root_mount) return 0;
    if (!S_ISLNK(info.stx_mode)) continue;
    length = above;
    if (++links > MOST_LINKS || follow(there, at, left, &length) != 0) return 0;
    at = left;
  }
  return 1;
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
