// rf-scan UPPER: tells which folders of an overlay's upper layer are opaque. Runs on the host, or in a helper container.
// Reads names relative to UPPER from standard input, each ended by a NUL byte, and answers each with one byte:
// 'y' opaque, 'n' not, '?' not to be told. Follows no link, writes no file, runs nothing.
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

int main(int argc, char **argv) {
  static char name[NAME_LIMIT];
  size_t length = 0;
  int byte;
  if (argc != 2) return EXIT_USAGE;
  if (!has_admin() || !in_first_namespace()) return EXIT_NO_RIGHT;
  int root = open(argv[1], FOLDER_FLAGS);
  if (root < 0) return EXIT_FOLDER;
  while ((byte = getchar()) != EOF) {
    if (length >= NAME_LIMIT) return EXIT_INPUT;
    name[length++] = (char)byte;
    if (byte != '\0') continue;
    if (putchar(judge(root, name)) == EOF) return EXIT_INPUT;
    length = 0;
  }
  if (length != 0 || ferror(stdin)) return EXIT_INPUT;
  return fflush(stdout) == 0 ? 0 : EXIT_INPUT;
}
