// rf-ahead look|list ROOT: has the kernel read folders of ROOT from the disk before somebody asks for them, many at a time. Reads names
// of folders relative to ROOT from standard input, each ended by a NUL byte (an empty one is ROOT itself), to its end. `look` reads what
// the kernel keeps of each folder; `list` reads its names too, and does the same for the folders in it. Ends when all of them were read.
//
// What it finds it tells nobody: losing any of it costs time, nothing else. Follows no link in any component, leaves no file system,
// opens no file, writes nothing, runs nothing.
#define _GNU_SOURCE
#include "entry.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

// So many requests wait at the disk together: what is looked at is needed later than what others read meanwhile, what is listed at once.
#define LOOKERS 4
#define LISTERS 16
#define STACK (256 * 1024)
// Bytes of names, told or found.
#define MOST_BYTES (64 * 1024 * 1024)
#define LONGEST 4096

enum { EXIT_USAGE = 2, EXIT_MEMORY = 3, EXIT_INPUT = 4, EXIT_FOLDER = 5 };

// Names, one behind the other; those from `at` on are still to be read. Only added to, and copied out under the lock.
static char *names = NULL;
static size_t used = 0, room = 0, at = 0;
static unsigned busy = 0;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int root = -1;
static bool lists = false;

// Makes room for so many bytes more; false past the limit.
static bool reserve(size_t more) {
  if (more > MOST_BYTES - used) return false;
  if (used + more <= room) return true;
  size_t size = room == 0 ? 64 * 1024 : room * 2;
  while (size < used + more) size *= 2;
  char *moved = realloc(names, size);
  if (moved == NULL) return false;
  names = moved;
  room = size;
  return true;
}

static void add(const char *folder, const char *name) {
  const size_t above = strlen(folder), size = strlen(name);
  if (above + size + 2 > LONGEST) return;
  pthread_mutex_lock(&lock);
  if (reserve(above + size + 2)) {
    if (above > 0) {
      memcpy(names + used, folder, above);
      names[used + above] = '/';
      used += above + 1;
    }
    memcpy(names + used, name, size + 1);
    used += size + 1;
    pthread_cond_signal(&changed);
  }
  pthread_mutex_unlock(&lock);
}

static int open_below(const char *name, uint64_t flags) {
  struct open_how how = {.flags = flags | O_NOFOLLOW | O_CLOEXEC, .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV};
  return (int)syscall(SYS_openat2, root, *name == '\0' ? "." : name, &how, sizeof how);
}

static void read_folder(const char *name) {
  static __thread char buffer[64 * 1024] __attribute__((aligned(8)));
  const int folder = open_below(name, lists ? O_RDONLY | O_DIRECTORY : O_PATH);
  if (folder < 0) return;
  while (lists) {
    const long got = syscall(SYS_getdents64, folder, buffer, sizeof buffer);
    if (got <= 0) break;
    for (long offset = 0; offset < got;) {
      const struct entry *one = (const struct entry *)(buffer + offset);
      offset += one->size;
      if (one->type == DT_DIR && strcmp(one->name, ".") != 0 && strcmp(one->name, "..") != 0) add(name, one->name);
    }
  }
  close(folder);
}

static void *work(void *nothing) {
  (void)nothing;
  char name[LONGEST];
  pthread_mutex_lock(&lock);
  for (;;) {
    while (at == used && busy > 0) pthread_cond_wait(&changed, &lock);
    if (at == used) break;
    const size_t size = strlen(names + at) + 1;
    const bool fits = size <= sizeof name;
    if (fits) memcpy(name, names + at, size);
    at += size;
    busy += 1;
    pthread_mutex_unlock(&lock);
    if (fits) read_folder(name);
    pthread_mutex_lock(&lock);
    busy -= 1;
  }
  // Nothing is left and nobody adds any more.
  pthread_cond_broadcast(&changed);
  pthread_mutex_unlock(&lock);
  return NULL;
}

// Everything there is on standard input; false where it does not end in a NUL byte, or is too much.
static bool read_input(void) {
  for (;;) {
    if (!reserve(64 * 1024)) return false;
    const ssize_t got = read(STDIN_FILENO, names + used, 64 * 1024);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return false;
    if (got == 0) return used == 0 || names[used - 1] == '\0';
    used += (size_t)got;
  }
}

int main(int argc, char **argv) {
  if (argc != 3 || (strcmp(argv[1], "look") != 0 && strcmp(argv[1], "list") != 0)) return EXIT_USAGE;
  lists = strcmp(argv[1], "list") == 0;
  root = open(argv[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (root < 0) return EXIT_FOLDER;
  if (!read_input()) return EXIT_INPUT;
  pthread_attr_t small;
  if (pthread_attr_init(&small) != 0 || pthread_attr_setstacksize(&small, STACK) != 0) return EXIT_MEMORY;
  const unsigned most = lists ? LISTERS : LOOKERS;
  pthread_t threads[LISTERS];
  unsigned made = 0;
  while (made < most && pthread_create(&threads[made], &small, work, NULL) == 0) made += 1;
  if (made == 0) work(NULL);
  for (unsigned index = 0; index < made; index += 1) pthread_join(threads[index], NULL);
  return 0;
}
