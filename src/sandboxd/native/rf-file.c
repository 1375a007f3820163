// File operations below the workspace root, done as the agent: no link is followed in any component, nothing but regular
// files is opened. Run only while no other process of the agent lives. Names are bytes.
// Usage: rf-file ROOT   with orders on standard input, one answer each on standard output.
// Order:  op u8, mode u32, limit u32, path length u32, data length u32, path, data   (numbers big-endian)
// Answer: code u8 (see below), mode u32, length u32, bytes (content, or the reason in words)
#include "guard.h"
#include "tree.h"

#include <limits.h>
#include <sys/stat.h>

enum { OP_READ = 1, OP_WRITE = 2, OP_MKDIR = 3, OP_SYMLINK = 4, OP_CHMOD = 5, OP_REMOVE = 6 };
enum { DONE = 0, MISSING = 1, LINK = 2, NOT_A_FILE = 3, TOO_LARGE = 4, REFUSED = 5 };

#define MAX_PATH 65536u

static void answer(uint8_t code, uint32_t mode, const void *bytes, uint32_t size) {
  uint8_t head[9];
  head[0] = code;
  rf_put32(head + 1, mode);
  rf_put32(head + 5, size);
  if (rf_write_all(1, head, sizeof head) != 0 || rf_write_all(1, bytes, size) != 0) _exit(1);
}

static void refuse(uint8_t code, const char *why) { answer(code, 0, why, (uint32_t)strlen(why)); }

static void refuse_errno(void) {
  const int error = errno;
  refuse(error == ENOENT ? MISSING : error == ELOOP ? LINK : REFUSED, strerror(error));
}

static void read_file(struct rf_place place, uint32_t limit) {
  // Without blocking, so that a FIFO or a device behind the name is found out and not waited for.
  const int fd = openat(place.dir, place.name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  struct stat info;
  if (fd < 0) {
    const int error = errno;
    if (fstatat(place.dir, place.name, &info, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISREG(info.st_mode)) {
      refuse(S_ISLNK(info.st_mode) ? LINK : NOT_A_FILE, S_ISLNK(info.st_mode) ? "is a link" : "is not a regular file");
      return;
    }
    errno = error;
    refuse_errno();
    return;
  }
  uint8_t *bytes = NULL;
  if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    refuse(NOT_A_FILE, "is not a regular file");
  } else if (info.st_size > (off_t)limit) {
    refuse(TOO_LARGE, "is larger than the limit");
  } else if ((bytes = malloc((size_t)info.st_size + 1)) == NULL) {
    refuse(REFUSED, "no memory");
  } else if (rf_read_all(fd, bytes, (size_t)info.st_size) != 0) {
    refuse(REFUSED, "could not be read whole");
  } else {
    answer(DONE, info.st_mode & 07777, bytes, (uint32_t)info.st_size);
  }
  free(bytes);
  close(fd);
}

// Writes beside the target and renames over it, so that no half file is ever seen and a link at the name is replaced.
static void write_file(struct rf_place place, uint32_t mode, const uint8_t *bytes, uint32_t size) {
  struct stat info;
  if (fstatat(place.dir, place.name, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(info.st_mode)) {
    refuse(NOT_A_FILE, "is a folder");
    return;
  }
  char name[64];
  static unsigned count;
  snprintf(name, sizeof name, ".ringfence-write-%d-%u", (int)getpid(), count++);
  const int fd = openat(place.dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) {
    refuse_errno();
    return;
  }
  const int bad = rf_write_all(fd, bytes, size) != 0 || fchmod(fd, mode & 0777) != 0 ||
                  renameat(place.dir, name, place.dir, place.name) != 0;
  if (bad) {
    const int error = errno;
    unlinkat(place.dir, name, 0);
    errno = error;
    refuse_errno();
  } else {
    answer(DONE, 0, "", 0);
  }
  close(fd);
}

static void make_dir(struct rf_place place, uint32_t mode) {
  if (mkdirat(place.dir, place.name, 0700) != 0 && errno != EEXIST) {
    refuse_errno();
    return;
  }
  // An existing name must be a folder; its mode becomes the one asked for.
  const int fd = openat(place.dir, place.name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) {
    refuse(NOT_A_FILE, "exists and is not a folder");
    return;
  }
  if (fchmod(fd, mode & 0777) != 0) refuse_errno();
  else answer(DONE, 0, "", 0);
  close(fd);
}

static void make_link(struct rf_place place, const char *target) {
  struct stat info;
  if (fstatat(place.dir, place.name, &info, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISDIR(info.st_mode)) unlinkat(place.dir, place.name, 0);
  if (symlinkat(target, place.dir, place.name) != 0) refuse_errno();
  else answer(DONE, 0, "", 0);
}

static void change_mode(struct rf_place place, uint32_t mode) {
  struct stat info;
  if (fstatat(place.dir, place.name, &info, AT_SYMLINK_NOFOLLOW) != 0) refuse_errno();
  else if (S_ISLNK(info.st_mode)) refuse(LINK, "is a link");
  else if (fchmodat(place.dir, place.name, mode & 0777, 0) != 0) refuse_errno();
  else answer(DONE, 0, "", 0);
}

static void remove_it(struct rf_place place) {
  if (rf_remove_tree(place.dir, place.name) != 0) refuse_errno();
  else answer(DONE, 0, "", 0);
}

static void carry_out(int root, uint8_t op, uint32_t mode, uint32_t limit, char *path, const uint8_t *data, uint32_t size) {
  struct rf_place place;
  const int makes = op == OP_WRITE || op == OP_MKDIR || op == OP_SYMLINK;
  if (rf_find_place(root, path, makes, &place) != 0) {
    if (op == OP_REMOVE && errno == ENOENT) answer(DONE, 0, "", 0);
    else if (errno == ENOTDIR) refuse(REFUSED, "a folder of the path is not a folder");
    else refuse_errno();
    return;
  }
  switch (op) {
    case OP_READ: read_file(place, limit); break;
    case OP_WRITE: write_file(place, mode, data, size); break;
    case OP_MKDIR: make_dir(place, mode); break;
    case OP_SYMLINK: make_link(place, (const char *)data); break;
    case OP_CHMOD: change_mode(place, mode); break;
    case OP_REMOVE: remove_it(place); break;
    default: refuse(REFUSED, "unknown operation");
  }
  close(place.dir);
}

int main(int argc, char *argv[]) {
  if (argc != 2) return 2;
  const int root = open(argv[1], O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (root < 0) rf_die("workspace root");
  uint8_t head[17];
  while (rf_read_all(0, head, sizeof head) == 0) {
    const uint32_t path_size = rf_get32(head + 9), data_size = rf_get32(head + 13);
    if (path_size > MAX_PATH || data_size > INT_MAX) return 3;
    char *path = malloc((size_t)path_size + 1);
    uint8_t *data = malloc((size_t)data_size + 1);
    if (path == NULL || data == NULL) return 4;
    if (rf_read_all(0, path, path_size) != 0 || rf_read_all(0, data, data_size) != 0) return 3;
    path[path_size] = 0;
    data[data_size] = 0;
    if (memchr(path, 0, path_size) != NULL) refuse(REFUSED, "has a zero byte in its name");
    else carry_out(root, head[0], rf_get32(head + 1), rf_get32(head + 5), path, data, data_size);
    free(path);
    free(data);
  }
  return 0;
}
