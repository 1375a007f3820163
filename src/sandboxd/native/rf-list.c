// rf-list ROOT: lists folders on the host. Reads names of folders relative to ROOT from standard input, each ended by a NUL byte (an
// empty one is ROOT itself), and answers each, in order, with one record a name and one at the end. Ends with its input. Follows no
// link in any component, opens no file, writes nothing, runs nothing.
//
// A record is a letter, a name and a NUL byte: `d` folder, `f` file, `o` other, `l` link, followed by a second text, what it says.
// The end of a folder is `.k` when all of it was told, `.m` when there is no such folder, `.e` and a number (errno) else.
#define _GNU_SOURCE
#include "entry.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NAME_LIMIT (64 * 1024)
#define FOLDER_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

enum { EXIT_USAGE = 2, EXIT_INPUT = 4, EXIT_FOLDER = 5 };

static char out[256 * 1024];
static size_t used = 0;

// Writes what there is; the reader may be gone, which ends the program.
static void flush(void) {
  for (size_t at = 0; at < used;) {
    ssize_t count = write(STDOUT_FILENO, out + at, used - at);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) _exit(EXIT_INPUT);
    at += (size_t)count;
  }
  used = 0;
}

static void put(const char *bytes, size_t size) {
  if (size > sizeof out - used) flush();
  memcpy(out + used, bytes, size);
  used += size;
}

static void record(char letter, const char *text) {
  put(&letter, 1);
  put(text, strlen(text) + 1);
}

// Opens a folder below root, one component at a time, none of them through a link.
static int open_below(int root, char *name) {
  int current = openat(root, ".", FOLDER_FLAGS);
  char *rest = name;
  while (current >= 0 && rest != NULL && *rest != '\0') {
    char *part = strsep(&rest, "/");
    if (*part == '\0' || strcmp(part, ".") == 0) continue;
    int next = -1;
    if (strcmp(part, "..") == 0) errno = EINVAL;
    else next = openat(current, part, FOLDER_FLAGS);
    int why = errno;
    close(current);
    errno = why;
    current = next;
  }
  return current;
}

static void failed(int why) {
  char text[16];
  if (why == ENOENT || why == ENOTDIR || why == ELOOP) return record('.', "m");
  snprintf(text, sizeof text, "e%d", why);
  record('.', text);
}

static void tell(int folder, const struct entry *one) {
  unsigned char type = one->type;
  if (type == DT_UNKNOWN) {
    struct stat stats;
    if (fstatat(folder, one->name, &stats, AT_SYMLINK_NOFOLLOW) != 0) return;
    type = S_ISDIR(stats.st_mode) ? DT_DIR : S_ISREG(stats.st_mode) ? DT_REG : S_ISLNK(stats.st_mode) ? DT_LNK : DT_FIFO;
  }
  if (type != DT_LNK) return record(type == DT_DIR ? 'd' : type == DT_REG ? 'f' : 'o', one->name);
  char target[PATH_MAX + 1];
  // Gone meanwhile: it leads nowhere.
  ssize_t size = readlinkat(folder, one->name, target, PATH_MAX);
  target[size < 0 ? 0 : size] = '\0';
  record('l', one->name);
  put(target, strlen(target) + 1);
}

static void list(int root, char *name) {
  static char room[128 * 1024] __attribute__((aligned(8)));
  const int folder = open_below(root, name);
  if (folder < 0) return failed(errno);
  for (;;) {
    const long got = syscall(SYS_getdents64, folder, room, sizeof room);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      failed(errno);
      break;
    }
    if (got == 0) {
      record('.', "k");
      break;
    }
    for (long at = 0; at < got;) {
      const struct entry *one = (const struct entry *)(room + at);
      at += one->size;
      if (strcmp(one->name, ".") != 0 && strcmp(one->name, "..") != 0) tell(folder, one);
    }
  }
  close(folder);
}

int main(int argc, char **argv) {
  static char input[NAME_LIMIT], name[NAME_LIMIT];
  size_t length = 0;
  if (argc != 2) return EXIT_USAGE;
  const int root = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (root < 0) return EXIT_FOLDER;
  for (;;) {
    const ssize_t got = read(STDIN_FILENO, input, sizeof input);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return EXIT_INPUT;
    if (got == 0) return length == 0 ? 0 : EXIT_INPUT;
    for (ssize_t index = 0; index < got; index++) {
      if (length >= sizeof name) return EXIT_INPUT;
      name[length++] = input[index];
      if (input[index] != '\0') continue;
      list(root, name);
      length = 0;
    }
    flush();
  }
}
