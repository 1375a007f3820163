// What lies below a folder: names, kinds, modes, sizes, times, digests and content, for a workspace that no host can see.
// Runs as the agent, while no other process of the agent lives. Follows no link, opens nothing but folders and regular files.
// Usage: rf-look ROOT MOST_NAMES   with orders on standard input, answered one after the other on standard output.
// Order:   op u8, path length u32, path          (numbers big-endian; the path of a list is ignored)
//   'L' every name:  for each 'N', kind u8 (fdlpsb: file, folder, link, FIFO, socket, device), mode u32, size u64, inode u64,
//                    change time in ns u64, modification time in ns i64, path length u32, target length u32, path, target
//   'D' digest of a file:  'D', size u64, SHA-256 (32 bytes), time it was known in ms u64
//   'C' content of a file: for each part that holds something 'P', offset u64, length u32, bytes
// Every answer ends with 'E', code u8 (see below), size of the file u64.
// Stands alone: compiled with sha256.c only. A folder or file that the agent shut against itself is opened for the look and
// shut again.
#define _GNU_SOURCE
#include "sha256.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { DONE = 0, MISSING = 1, REFUSED = 2, TOO_MUCH = 3 };

#define MAX_PATH (32u * 1024)
#define MAX_DEPTH 800
#define CHUNK 65536u

static uint8_t out[4 * CHUNK];
static size_t out_used;
static char path[MAX_PATH + NAME_MAX + 2];
static unsigned long names_left;

static void flush_out(void) {
  for (size_t done = 0; done < out_used;) {
    const ssize_t put = write(STDOUT_FILENO, out + done, out_used - done);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) _exit(1);
    done += (size_t)put;
  }
  out_used = 0;
}

static void put(const void *bytes, size_t size) {
  if (out_used + size > sizeof out) flush_out();
  memcpy(out + out_used, bytes, size);
  out_used += size;
}

static void put_number(uint64_t value, int bytes) {
  uint8_t text[8];
  for (int i = 0; i < bytes; i++) text[i] = (uint8_t)(value >> (8 * (bytes - 1 - i)));
  put(text, (size_t)bytes);
}

static void put_end(int code, uint64_t size) {
  put("E", 1);
  put_number((uint64_t)code, 1);
  put_number(size, 8);
}

static int read_all(void *bytes, size_t size) {
  for (size_t done = 0; done < size;) {
    const ssize_t got = read(STDIN_FILENO, (char *)bytes + done, size - done);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return -1;
    done += (size_t)got;
  }
  return 0;
}

static uint64_t nanoseconds(struct timespec time) { return (uint64_t)((int64_t)time.tv_sec * 1000000000 + time.tv_nsec); }

static uint64_t milliseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return nanoseconds(now) / 1000000;
}

static char kind_of(mode_t mode) {
  return S_ISREG(mode) ? 'f' : S_ISDIR(mode) ? 'd' : S_ISLNK(mode) ? 'l' : S_ISFIFO(mode) ? 'p' : S_ISSOCK(mode) ? 's' : 'b';
}

static int tell(int dir, const char *name, const struct stat *info, size_t length) {
  static char target[PATH_MAX];
  ssize_t linked = 0;
  if (S_ISLNK(info->st_mode)) {
    linked = readlinkat(dir, name, target, sizeof target);
    if (linked < 0) return REFUSED;
  }
  const char kind = kind_of(info->st_mode);
  put("N", 1);
  put(&kind, 1);
  put_number(info->st_mode & 07777, 4);
  put_number((uint64_t)info->st_size, 8);
  put_number((uint64_t)info->st_ino, 8);
  put_number(nanoseconds(info->st_ctim), 8);
  put_number(nanoseconds(info->st_mtim), 8);
  put_number(length, 4);
  put_number((uint64_t)linked, 4);
  put(path, length);
  put(target, (size_t)linked);
  return DONE;
}

// A folder to list. Its mode is as it was again once it is open.
static int open_folder(int dir, const char *name, mode_t mode) {
  const int shut = (mode & 0500) != 0500 && fchmodat(dir, name, (mode & 07777) | 0500, 0) == 0;
  const int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
  // It stays open to its owner then, and the look has failed anyway.
  if (shut && fd < 0 && fchmodat(dir, name, mode & 07777, 0) != 0) return -1;
  return fd;
}

static int list_below(int fd, mode_t mode, size_t length, int depth) {
  if (depth > MAX_DEPTH) {
    close(fd);
    return TOO_MUCH;
  }
  DIR *list = fdopendir(fd);
  if (list == NULL) {
    close(fd);
    return REFUSED;
  }
  int code = DONE;
  while (code == DONE) {
    errno = 0;
    const struct dirent *entry = readdir(list);
    if (entry == NULL) {
      if (errno != 0) code = REFUSED;
      break;
    }
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    struct stat info;
    if (fstatat(fd, entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno != ENOENT) code = REFUSED;
      continue;
    }
    size_t end = length;
    if (end > 0) path[end++] = '/';
    const size_t size = strlen(entry->d_name);
    if (names_left == 0 || end + size > MAX_PATH) {
      code = TOO_MUCH;
      break;
    }
    names_left--;
    memcpy(path + end, entry->d_name, size);
    code = tell(fd, entry->d_name, &info, end + size);
    if (code != DONE || !S_ISDIR(info.st_mode)) continue;
    const int below = open_folder(fd, entry->d_name, info.st_mode);
    code = below < 0 ? REFUSED : list_below(below, info.st_mode, end + size, depth + 1);
  }
  // Where it was opened for the look.
  if (depth > 0 && (mode & 0500) != 0500) fchmod(fd, mode & 07777);
  closedir(list);
  return code;
}

static void list_all(int root) {
  const int fd = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  put_end(fd < 0 ? REFUSED : list_below(fd, 0700, 0, 0), 0);
}

// Opens a regular file one component at a time, none of them through a link. -1 with a code in `code`.
static int open_file(int root, char *name, struct stat *info, int *code) {
  int dir = dup(root);
  *code = MISSING;
  for (char *slash = strchr(name, '/'); dir >= 0 && slash != NULL; slash = strchr(name, '/')) {
    *slash = 0;
    const int next = *name == 0 || strcmp(name, "..") == 0 ? -1 : openat(dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    close(dir);
    dir = next;
    name = slash + 1;
  }
  if (dir < 0) return -1;
  int fd = -1;
  if (*name != 0 && strcmp(name, "..") != 0 && fstatat(dir, name, info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(info->st_mode)) {
    *code = REFUSED;
    const int shut = (info->st_mode & 0400) == 0 && fchmodat(dir, name, (info->st_mode & 07777) | 0400, 0) == 0;
    fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    const int lost = shut && fchmodat(dir, name, info->st_mode & 07777, 0) != 0;
    if (fd >= 0 && (lost || fstat(fd, info) != 0 || !S_ISREG(info->st_mode))) {
      close(fd);
      fd = -1;
    }
  }
  close(dir);
  return fd;
}

// Hands on every part of a file that holds something, in order, none of its holes read.
static int each_part(int fd, off_t size, void (*take)(off_t at, const uint8_t *bytes, size_t count, void *with), void *with) {
  static uint8_t chunk[CHUNK];
  off_t at = 0;
  while (at < size) {
    const off_t from = lseek(fd, at, SEEK_DATA);
    // ENXIO: nothing but a hole is left. A file system without holes says EINVAL.
    if (from < 0 && errno == ENXIO) break;
    if (from >= 0) at = from;
    off_t until = from < 0 ? size : lseek(fd, at, SEEK_HOLE);
    if (until < 0 || until > size) until = size;
    while (at < until) {
      const size_t most = (off_t)CHUNK < until - at ? CHUNK : (size_t)(until - at);
      const ssize_t got = pread(fd, chunk, most, at);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return REFUSED;
      take(at, chunk, (size_t)got, with);
      at += got;
    }
  }
  return DONE;
}

static void add_zeros(struct rf_sha256 *hash, uint64_t until) {
  static const uint8_t zeros[CHUNK];
  while (hash->bytes < until) rf_sha256_add(hash, zeros, until - hash->bytes < CHUNK ? (size_t)(until - hash->bytes) : CHUNK);
}

static void add_part(off_t at, const uint8_t *bytes, size_t count, void *hash) {
  add_zeros(hash, (uint64_t)at);
  rf_sha256_add(hash, bytes, count);
}

static void digest_of(int root, char *name) {
  struct stat info;
  struct rf_sha256 hash;
  int code;
  const int fd = open_file(root, name, &info, &code);
  if (fd < 0) {
    put_end(code, 0);
    return;
  }
  rf_sha256_start(&hash);
  code = each_part(fd, info.st_size, add_part, &hash);
  close(fd);
  if (code == DONE) {
    uint8_t digest[32];
    add_zeros(&hash, (uint64_t)info.st_size);
    rf_sha256_end(&hash, digest);
    put("D", 1);
    put_number((uint64_t)info.st_size, 8);
    put(digest, sizeof digest);
    put_number(milliseconds(), 8);
  }
  put_end(code, (uint64_t)info.st_size);
}

static void put_part(off_t at, const uint8_t *bytes, size_t count, void *with) {
  (void)with;
  put("P", 1);
  put_number((uint64_t)at, 8);
  put_number(count, 4);
  put(bytes, count);
}

static void content_of(int root, char *name) {
  struct stat info;
  int code;
  const int fd = open_file(root, name, &info, &code);
  if (fd < 0) {
    put_end(code, 0);
    return;
  }
  code = each_part(fd, info.st_size, put_part, NULL);
  close(fd);
  put_end(code, (uint64_t)info.st_size);
}

int main(int argc, char *argv[]) {
  if (argc != 3) return 2;
  const int root = open(argv[1], O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (root < 0) return 3;
  uint8_t head[5];
  while (read_all(head, sizeof head) == 0) {
    static char name[MAX_PATH + 1];
    const uint32_t size = (uint32_t)head[1] << 24 | (uint32_t)head[2] << 16 | (uint32_t)head[3] << 8 | head[4];
    if (size > MAX_PATH || read_all(name, size) != 0) return 4;
    name[size] = 0;
    names_left = strtoul(argv[2], NULL, 10);
    if (head[0] == 'L') list_all(root);
    else if (head[0] == 'D') digest_of(root, name);
    else if (head[0] == 'C') content_of(root, name);
    else return 4;
  }
  flush_out();
  return 0;
}
