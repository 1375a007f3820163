// File operations below the workspace root, done as the agent: no link is followed in any component, nothing but regular
// files is opened. Run only while no other process of the agent lives. Names are bytes.
// Usage: rf-file ROOT   with orders on standard input, one answer each on standard output.
// Order:  op u8, mode u32, limit u32, path length u32, data length u32, path, data   (numbers big-endian)
// Answer of a list: one record a name below the folder: kind u8 (dflo: folder, file, link, other), mode u32, size u64,
//         inode u64, change time in ns u64, path length u32, path; at most `limit` names, else the code is TOO_LARGE.
// Answer: code u8 (see below), mode u32, length u32, bytes (content, or the reason in words)
#include "guard.h"
#include "tree.h"

#include <dirent.h>
#include <limits.h>
#include <sys/stat.h>

enum { OP_READ = 1, OP_WRITE = 2, OP_MKDIR = 3, OP_SYMLINK = 4, OP_CHMOD = 5, OP_REMOVE = 6, OP_LIST = 7 };
enum { DONE = 0, MISSING = 1, LINK = 2, NOT_A_FILE = 3, TOO_LARGE = 4, REFUSED = 5 };

#define MAX_PATH 65536u
// Deeper folders are not listed but refused: the guard then takes the whole for unknown.
#define MAX_LIST_DEPTH 64

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

struct listing {
  uint8_t *bytes;
  size_t used, room;
  uint32_t left;
  char path[MAX_LIST_DEPTH * (NAME_MAX + 1)];
};

static void put64(uint8_t *to, uint64_t value) {
  rf_put32(to, (uint32_t)(value >> 32));
  rf_put32(to + 4, (uint32_t)value);
}

static int add_name(struct listing *list, const struct stat *info, size_t length) {
  const size_t size = 33 + length;
  if (list->left == 0) {
    errno = EFBIG;
    return -1;
  }
  list->left--;
  if (list->room - list->used < size) {
    const size_t room = list->room * 2 + size;
    uint8_t *bytes = realloc(list->bytes, room);
    if (bytes == NULL) return -1;
    list->bytes = bytes;
    list->room = room;
  }
  uint8_t *to = list->bytes + list->used;
  to[0] = S_ISDIR(info->st_mode) ? 'd' : S_ISREG(info->st_mode) ? 'f' : S_ISLNK(info->st_mode) ? 'l' : 'o';
  rf_put32(to + 1, info->st_mode & 07777);
  put64(to + 5, (uint64_t)info->st_size);
  put64(to + 13, (uint64_t)info->st_ino);
  put64(to + 21, (uint64_t)info->st_ctim.tv_sec * 1000000000u + (uint64_t)info->st_ctim.tv_nsec);
  rf_put32(to + 29, (uint32_t)length);
  memcpy(to + 33, list->path, length);
  list->used += size;
  return 0;
}

// Takes the folder's descriptor. Folders the agent shut against itself are opened again: they are its own.
static int list_below(struct listing *list, int fd, size_t length, int depth) {
  DIR *dir = fdopendir(fd);
  if (dir == NULL) {
    close(fd);
    return -1;
  }
  int bad = 0;
  for (errno = 0; bad == 0;) {
    const struct dirent *entry = readdir(dir);
    if (entry == NULL) break;
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    struct stat info;
    if (fstatat(fd, entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0) {
      bad = errno != ENOENT;
      continue;
    }
    size_t end = length;
    if (end > 0) list->path[end++] = '/';
    const size_t size = strlen(entry->d_name);
    memcpy(list->path + end, entry->d_name, size);
    if (add_name(list, &info, end + size) != 0) bad = 1;
    if (bad != 0 || !S_ISDIR(info.st_mode)) continue;
    if (depth + 1 >= MAX_LIST_DEPTH) {
      errno = EFBIG;
      bad = 1;
      continue;
    }
    // Where this is refused the folder is somebody else's, and opening it is refused too.
    const int shut = (info.st_mode & 0700) != 0700 && fchmodat(fd, entry->d_name, (info.st_mode & 0777) | 0700, 0) != 0;
    const int below = openat(fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (below >= 0) bad = list_below(list, below, end + size, depth + 1) != 0;
    else bad = !shut && errno != EACCES && errno != ENOENT;
  }
  const int error = errno;
  closedir(dir);
  errno = error;
  return bad != 0 ? -1 : 0;
}

static void list_folder(struct rf_place place, uint32_t limit) {
  static struct listing list;
  list = (struct listing){.left = limit};
  const int fd = openat(place.dir, place.name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) {
    refuse_errno();
    return;
  }
  if (list_below(&list, fd, 0, 0) != 0) {
    if (errno == EFBIG) refuse(TOO_LARGE, "holds more than is looked at");
    else refuse(REFUSED, strerror(errno));
  } else if (list.used > INT_MAX) {
    refuse(TOO_LARGE, "holds more than is looked at");
  } else {
    answer(DONE, 0, list.bytes, (uint32_t)list.used);
  }
  free(list.bytes);
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
    case OP_LIST: list_folder(place, limit); break;
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
