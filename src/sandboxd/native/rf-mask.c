// rf-mask FOLDER: makes the overlay's mark of a deleted name, a character device 0:0, for names below FOLDER. Runs on the
// host, on a layer of ours that no agent sees. Reads names relative to FOLDER from standard input, each ended by a NUL byte;
// the folders they lie in must be there. Answers each with one byte: 'y' made, '?' not. Follows no link, replaces nothing.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define NAME_LIMIT (64 * 1024)
#define FOLDER_FLAGS (O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

// Goes down one component at a time, none of them through a link; the last one is made.
static char make(int root, char *name) {
  int current = fcntl(root, F_DUPFD_CLOEXEC, 0);
  char *rest = name;
  for (char *part = strsep(&rest, "/"); current >= 0; part = strsep(&rest, "/")) {
    if (*part == '\0' || strcmp(part, ".") == 0 || strcmp(part, "..") == 0) break;
    if (rest == NULL) {
      const int made = mknodat(current, part, S_IFCHR, makedev(0, 0));
      close(current);
      return made == 0 ? 'y' : '?';
    }
    const int next = openat(current, part, FOLDER_FLAGS);
    close(current);
    current = next;
  }
  if (current >= 0) close(current);
  return '?';
}

int main(int argc, char **argv) {
  static char name[NAME_LIMIT];
  size_t length = 0;
  if (argc != 2) return 2;
  const int root = open(argv[1], FOLDER_FLAGS);
  if (root < 0) return 5;
  for (int byte = getchar(); byte != EOF; byte = getchar()) {
    if (length >= sizeof name) return 4;
    name[length++] = (char)byte;
    if (byte != 0) continue;
    if (putchar(make(root, name)) == EOF) return 4;
    length = 0;
  }
  return length == 0 && fflush(stdout) == 0 ? 0 : 4;
}
