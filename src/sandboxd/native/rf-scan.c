// rf-scan UPPER: tells which folders of an overlay's upper layer are opaque. Runs on the host, or in a helper container.
// Reads names relative to UPPER from standard input, each ended by a NUL byte, and answers each at once with one byte:
// 'y' opaque, 'n' not, '?' not to be told. Ends with its input. Follows no link, writes no file, runs nothing.
//
// The mark is the attribute trusted.overlay.opaque, which only a process with CAP_SYS_ADMIN in the first user namespace
// may see; for everybody else the kernel says that it does not exist. So without that right the program ends with code 3
// before it answers anything: a missing right must never read as "not opaque".
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <linux/capability.h>

#define NAME_LIMIT (64 * 1024)
#define FOLDER_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

enum { EXIT_USAGE = 2, EXIT_NO_RIGHT = 3, EXIT_INPUT = 4, EXIT_FOLDER = 5 };

static int has_admin(void) {
  struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
  struct __user_cap_data_struct data[2];
  memset(data, 0, sizeof data);
  if (syscall(SYS_capget, &head, data) != 0) return 0;
  return (data[0].effective & (1u << CAP_SYS_ADMIN)) != 0;
}

// The first user namespace maps every id to itself.
static int in_first_namespace(void) {
  unsigned long inside = 1, outside = 1, count = 0;
  FILE *map = fopen("/proc/self/uid_map", "re");
  if (map == NULL) return 0;
  int fields = fscanf(map, "%lu %lu %lu", &inside, &outside, &count);
  fclose(map);
  return fields == 3 && inside == 0 && outside == 0 && count == 4294967295UL;
}

// Opens a folder below root, one component at a time, none of them through a link.
static int open_below(int root, char *name) {
  int current = fcntl(root, F_DUPFD_CLOEXEC, 0);
  char *rest = name;
  while (current >= 0 && rest != NULL && *rest != '\0') {
    char *part = strsep(&rest, "/");
    if (*part == '\0' || strcmp(part, ".") == 0) continue;
    int next = strcmp(part, "..") == 0 ? -1 : openat(current, part, FOLDER_FLAGS);
    close(current);
    current = next;
  }
  return current;
}

static char judge(int root, char *name) {
  char value[4];
  int folder = open_below(root, name);
  if (folder < 0) return '?';
  ssize_t length = fgetxattr(folder, "trusted.overlay.opaque", value, sizeof value);
  int why = errno;
  close(folder);
  if (length < 0) return why == ENODATA ? 'n' : '?';
  return length == 1 && value[0] == 'y' ? 'y' : 'n';
}

// Writes all of it; the reader may be gone, which ends the program.
static int answer(const char *text, size_t length) {
  while (length > 0) {
    ssize_t count = write(STDOUT_FILENO, text, length);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return -1;
    text += count;
    length -= (size_t)count;
  }
  return 0;
}

int main(int argc, char **argv) {
  static char input[NAME_LIMIT], name[NAME_LIMIT], answers[NAME_LIMIT];
  size_t length = 0;
  if (argc != 2) return EXIT_USAGE;
  if (!has_admin() || !in_first_namespace()) return EXIT_NO_RIGHT;
  int root = open(argv[1], FOLDER_FLAGS);
  if (root < 0) return EXIT_FOLDER;
  for (;;) {
    ssize_t got = read(STDIN_FILENO, input, sizeof input);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return EXIT_INPUT;
    if (got == 0) return length == 0 ? 0 : EXIT_INPUT;
    size_t answered = 0;
    for (ssize_t index = 0; index < got; index++) {
      if (length >= sizeof name) return EXIT_INPUT;
      name[length++] = input[index];
      if (input[index] != '\0') continue;
      answers[answered++] = judge(root, name);
      length = 0;
    }
    if (answer(answers, answered) != 0) return EXIT_INPUT;
  }
}
