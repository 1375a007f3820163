// Counters of the kernel: see counters.h. Each file is opened once and read from its beginning; one that is absent never counts.
#include "counters.h"

#include <ctype.h>
#include <dirent.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/statfs.h>

// A folder with less room than this is full: writes of a block fail.
#define FULL_BYTES (16 * 1024)

const char *const rf_places[RF_PLACES] = {"/tmp", "/var/tmp", "/home/agent", "/run", "/dev/shm"};

static struct {
  const char *root;
  int tasks, memory, refused;
  long long memory_at, refused_at, names;
  // Two bits for each place, the workspace last: full of bytes, full of files, at the mark.
  unsigned full_at;
} state = {NULL, -1, -1, -1, 0, 0, -1, 0};

static int open_one(const char *first, const char *second) {
  const int fd = open(first, O_RDONLY | O_CLOEXEC);
  return fd >= 0 ? fd : open(second, O_RDONLY | O_CLOEXEC);
}

// The number after `word` at the beginning of a line, or the first number with an empty word; -1 when there is none.
static long long read_number(int fd, const char *word) {
  char text[1024];
  const ssize_t got = fd < 0 ? -1 : pread(fd, text, sizeof text - 1, 0);
  if (got <= 0) return -1;
  text[got] = 0;
  const size_t length = strlen(word);
  for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
    if (*line == '\n') line++;
    if (strncmp(line, word, length) == 0 && isdigit((unsigned char)line[length])) return strtoll(line + length, NULL, 10);
  }
  return -1;
}

static long long read_once(const char *first, const char *second) {
  const int fd = open_one(first, second);
  const long long number = read_number(fd, "");
  if (fd >= 0) close(fd);
  return number;
}

void rf_counters_open(const char *root) {
  state.root = root;
  state.tasks = open_one("/sys/fs/cgroup/pids/pids.current", "/sys/fs/cgroup/pids.current");
  state.refused = open_one("/sys/fs/cgroup/pids/pids.events", "/sys/fs/cgroup/pids.events");
  state.memory = open_one("/sys/fs/cgroup/memory/memory.oom_control", "/sys/fs/cgroup/memory.events");
  if (state.tasks < 0) rf_die("the container has no counter of its processes");
}

int rf_quiet(unsigned own) { return read_number(state.tasks, "") == (long long)own; }

long long rf_task_limit(void) { return read_once("/sys/fs/cgroup/pids/pids.max", "/sys/fs/cgroup/pids.max"); }

long long rf_memory_limit(void) { return read_once("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory.max"); }

static int is_stranger(const char *pid) {
  char path[64], text[512];
  struct stat info;
  snprintf(path, sizeof path, "/proc/%.20s", pid);
  if (stat(path, &info) != 0 || info.st_uid == RF_GUARD_ID) return 0;
  snprintf(path, sizeof path, "/proc/%.20s/stat", pid);
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  const ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
  if (fd >= 0) close(fd);
  if (got <= 0) return 0;
  text[got] = 0;
  const char *end = strrchr(text, ')');
  return end != NULL && end[1] == ' ' && end[2] != 'Z';
}

unsigned rf_strangers(void) {
  unsigned count = 0;
  DIR *list = opendir("/proc");
  for (struct dirent *entry = list == NULL ? NULL : readdir(list); entry != NULL; entry = readdir(list)) {
    if (isdigit((unsigned char)entry->d_name[0]) && is_stranger(entry->d_name)) count++;
  }
  if (list != NULL) closedir(list);
  return count;
}

static unsigned fullness(const struct statfs *info) {
  const int no_bytes = (unsigned long long)info->f_bavail * (unsigned long long)info->f_bsize < FULL_BYTES;
  return (no_bytes ? 1u : 0u) | (info->f_files > 0 && info->f_ffree == 0 ? 2u : 0u);
}

// Looks at all places: which are full, and how many names those in memory hold together.
static unsigned look(void) {
  unsigned full = 0;
  struct statfs info;
  if (statfs(state.root, &info) == 0) full |= fullness(&info) << (2 * RF_PLACES);
  state.names = 0;
  for (int i = 0; i < RF_PLACES; i++) {
    if (statfs(rf_places[i], &info) != 0) {
      state.names = -1;
      continue;
    }
    full |= fullness(&info) << (2 * i);
    if (info.f_files == 0) state.names = -1;
    else if (state.names >= 0) state.names += (long long)(info.f_files - info.f_ffree) - 1;
  }
  return full;
}

void rf_limits_mark(void) {
  state.memory_at = read_number(state.memory, "oom_kill ");
  state.refused_at = read_number(state.refused, "max ");
  state.full_at = look();
}

enum rf_limit rf_limits_reached(int signal) {
  const unsigned full = look();
  if (read_number(state.memory, "oom_kill ") > state.memory_at) return RF_LIMIT_MEMORY;
  if (signal == SIGXFSZ) return RF_LIMIT_DISK;
  if ((full & ~state.full_at) != 0) return RF_LIMIT_DISK;
  return read_number(state.refused, "max ") > state.refused_at ? RF_LIMIT_PROCESSES : RF_NO_LIMIT;
}

long long rf_names(void) { return state.names; }
