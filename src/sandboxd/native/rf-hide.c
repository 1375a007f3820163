// rf-hide PID ROOT BLANK_FILE BLANK_FOLDER: lays an empty, read-only file or folder over names of a running sandbox, for names
// that came to be in the user's folder after it was mounted. Runs on the host as root; PID is a process of the container, ROOT
// the workspace inside, the blanks are ours, on the host. Reads names relative to ROOT from standard input, each ended by a NUL
// byte. Answers each with one byte: 'y' hidden, 'a' there is no such name inside, '?' neither. Runs no program, follows no link.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define INPUT_LIMIT (256 * 1024)
#define MOST_NAMES 256

// A detached read-only copy of one of our blanks; -1 where the kernel cannot.
static int blank(const char *path) {
  const int tree = (int)syscall(SYS_open_tree, AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW);
  if (tree < 0) return -1;
  struct mount_attr attributes;
  memset(&attributes, 0, sizeof attributes);
  attributes.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
  if (syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH, &attributes, sizeof attributes) == 0) return tree;
  close(tree);
  return -1;
}

static int enter(const char *pid) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%.20s/ns/mnt", pid);
  const int space = open(path, O_RDONLY | O_CLOEXEC);
  if (space < 0) return -1;
  const int entered = setns(space, CLONE_NEWNS);
  close(space);
  return entered;
}

static int find(int root, const char *name) {
  struct open_how how;
  memset(&how, 0, sizeof how);
  how.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  return (int)syscall(SYS_openat2, root, name, &how, sizeof how);
}

static char hide(int root, const char *name, int file, int folder) {
  const int target = find(root, name);
  if (target < 0) return errno == ENOENT || errno == ENOTDIR ? 'a' : '?';
  struct stat before, cover, after;
  char answer = '?';
  if (fstat(target, &before) == 0 && (S_ISREG(before.st_mode) || S_ISDIR(before.st_mode))) {
    const int source = S_ISDIR(before.st_mode) ? folder : file;
    if (source >= 0 && fstat(source, &cover) == 0 && syscall(SYS_move_mount, source, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) == 0) {
      // What the name leads to now is what counts.
      const int seen = find(root, name);
      if (seen >= 0 && fstat(seen, &after) == 0 && after.st_ino == cover.st_ino && after.st_dev == cover.st_dev) answer = 'y';
      if (seen >= 0) close(seen);
    }
  }
  close(target);
  return answer;
}

int main(int argc, char **argv) {
  static char input[INPUT_LIMIT];
  static const char *names[MOST_NAMES];
  static int files[MOST_NAMES], folders[MOST_NAMES];
  size_t length = 0, count = 0;
  if (argc != 5) return 2;
  for (;;) {
    const ssize_t got = read(STDIN_FILENO, input + length, sizeof input - length);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 || length + (size_t)got == sizeof input) return 4;
    if (got == 0) break;
    length += (size_t)got;
  }
  if (length == 0 || input[length - 1] != '\0') return 4;
  for (size_t at = 0; at < length; at += strlen(input + at) + 1) {
    if (count == MOST_NAMES) return 4;
    names[count++] = input + at;
  }
  // A mount can be laid once: one of each for every name, taken while we still see the host.
  for (size_t i = 0; i < count; i++) {
    files[i] = blank(argv[3]);
    folders[i] = blank(argv[4]);
  }
  if (enter(argv[1]) != 0) return 5;
  const int root = open(argv[2], O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (root < 0) return 5;
  for (size_t i = 0; i < count; i++) {
    const char answer = hide(root, names[i], files[i], folders[i]);
    if (write(STDOUT_FILENO, &answer, 1) != 1) return 4;
  }
  return 0;
}
