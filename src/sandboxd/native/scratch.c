// Listing of the folders in memory: see scratch.h. Works under the agent's user for files, so that it sees what the agent
// sees and no more; nobody can change anything meanwhile, for no process of the agent lives.
#include "scratch.h"
#include "counters.h"

#include <dirent.h>
#include <limits.h>
#include <sys/stat.h>

// More names, more bytes of list or deeper folders are not told but refused: then nothing is known.
#define MOST_NAMES 50000u
#define MOST_BYTES (16u * 1024 * 1024)
#define MOST_DEPTH 64
#define RECORD_HEAD 33

struct list {
  uint8_t *bytes;
  size_t used, room;
};

static struct list now, before;
static uint32_t names_left;
static char path[32 + MOST_DEPTH * (NAME_MAX + 1)];

static void put64(uint8_t *to, uint64_t value) {
  rf_put32(to, (uint32_t)(value >> 32));
  rf_put32(to + 4, (uint32_t)value);
}

static int reserve(size_t more) {
  if (now.room - now.used >= more) return 0;
  const size_t room = now.room * 2 + more;
  uint8_t *bytes = room > 2 * MOST_BYTES ? NULL : realloc(now.bytes, room);
  if (bytes == NULL) return -1;
  now.bytes = bytes;
  now.room = room;
  return 0;
}

static int add_name(const struct stat *info, size_t length) {
  const size_t size = RECORD_HEAD + length;
  if (names_left == 0 || now.used + size > MOST_BYTES || reserve(size) != 0) return -1;
  names_left--;
  uint8_t *to = now.bytes + now.used;
  to[0] = S_ISDIR(info->st_mode) ? 'd' : S_ISREG(info->st_mode) ? 'f' : S_ISLNK(info->st_mode) ? 'l' : 'o';
  rf_put32(to + 1, info->st_mode & 07777);
  put64(to + 5, (uint64_t)info->st_size);
  put64(to + 13, (uint64_t)info->st_ino);
  put64(to + 21, (uint64_t)info->st_ctim.tv_sec * 1000000000u + (uint64_t)info->st_ctim.tv_nsec);
  rf_put32(to + 29, (uint32_t)length);
  memcpy(to + RECORD_HEAD, path, length);
  now.used += size;
  return 0;
}

// Takes the folder's descriptor; its path stands in `path` up to `length`. 0 is done, -1 when it cannot be told.
static int list_below(int fd, size_t length, int depth) {
  DIR *dir = fdopendir(fd);
  if (dir == NULL) {
    close(fd);
    return -1;
  }
  int bad = 0;
  while (!bad) {
    errno = 0;
    const struct dirent *entry = readdir(dir);
    if (entry == NULL) {
      bad = errno != 0;
      break;
    }
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    struct stat info;
    if (fstatat(fd, entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0) {
      bad = errno != ENOENT;
      continue;
    }
    const size_t size = strlen(entry->d_name), end = length + 1 + size;
    path[length] = '/';
    memcpy(path + length + 1, entry->d_name, size);
    bad = add_name(&info, end) != 0;
    if (bad || !S_ISDIR(info.st_mode)) continue;
    if (depth + 1 >= MOST_DEPTH) {
      bad = 1;
      continue;
    }
    // Folders the agent shut against itself are opened again: they are its own. Where that is refused the folder is
    // somebody else's, and opening it is refused too.
    const int shut = (info.st_mode & 0700) != 0700 && fchmodat(fd, entry->d_name, (info.st_mode & 0777) | 0700, 0) != 0;
    const int below = openat(fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (below >= 0) bad = list_below(below, end, depth + 1) != 0;
    else bad = !shut && errno != EACCES && errno != ENOENT;
  }
  closedir(dir);
  return bad ? -1 : 0;
}

static int list_all(void) {
  now.used = 0;
  names_left = MOST_NAMES;
  for (int i = 0; i < RF_PLACES; i++) {
    const int fd = open(rf_places[i], O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) continue;
    const size_t length = strlen(rf_places[i]);
    memcpy(path, rf_places[i], length);
    if (fd < 0 || list_below(fd, length, 0) != 0) return -1;
  }
  return 0;
}

enum rf_scratch rf_scratch_look(const struct rf_agent *agent, long long names) {
  const struct list last = now;
  now = before;
  before = last;
  now.used = 0;
  if (names != 0) {
    rf_files_as(agent->uid, agent->gid);
    const int bad = list_all();
    rf_files_as(RF_GUARD_ID, RF_GUARD_ID);
    // What was told last no longer says anything.
    if (bad) {
      now.used = before.used = 0;
      return RF_SCRATCH_UNKNOWN;
    }
  }
  if (now.used == 0) return RF_SCRATCH_NONE;
  return now.used == before.used && memcmp(now.bytes, before.bytes, now.used) == 0 ? RF_SCRATCH_SAME : RF_SCRATCH_NEW;
}

const uint8_t *rf_scratch_list(size_t *size) {
  *size = now.used;
  return now.bytes;
}
