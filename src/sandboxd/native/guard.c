// Shared helpers of the native programs: see guard.h.
#include "guard.h"

#include <linux/capability.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>

void rf_die(const char *what) {
  dprintf(2, "ringfence: %s: %s\n", what, strerror(errno));
  _exit(70);
}

int rf_read_all(int fd, void *data, size_t size) {
  uint8_t *at = data;
  while (size > 0) {
    ssize_t got = read(fd, at, size);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return -1;
    at += got;
    size -= (size_t)got;
  }
  return 0;
}

int rf_write_all(int fd, const void *data, size_t size) {
  const uint8_t *at = data;
  while (size > 0) {
    ssize_t put = write(fd, at, size);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return -1;
    at += put;
    size -= (size_t)put;
  }
  return 0;
}

unsigned rf_number(const char *text, unsigned most) {
  char *end = NULL;
  errno = 0;
  unsigned long value = strtoul(text, &end, 10);
  if (errno != 0 || end == text || *end != 0 || text[0] == '-' || value > most) {
    errno = EINVAL;
    rf_die("bad number in arguments");
  }
  return (unsigned)value;
}

void rf_put32(uint8_t *at, uint32_t value) {
  at[0] = (uint8_t)(value >> 24);
  at[1] = (uint8_t)(value >> 16);
  at[2] = (uint8_t)(value >> 8);
  at[3] = (uint8_t)value;
}

uint32_t rf_get32(const uint8_t *at) {
  return ((uint32_t)at[0] << 24) | ((uint32_t)at[1] << 16) | ((uint32_t)at[2] << 8) | (uint32_t)at[3];
}

int rf_capset(uint32_t mask) {
  struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct sets[2] = {{mask, mask, mask}, {0, 0, 0}};
  return (int)syscall(SYS_capset, &head, sets);
}

void rf_files_as(unsigned uid, unsigned gid) {
  setfsgid(gid);
  setfsuid(uid);
  // A change of the user for files takes this away, and our files under /proc would belong to root.
  prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

int64_t rf_now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000LL + time.tv_nsec;
}

int rf_write_file(const char *path, const char *text) {
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  int result = rf_write_all(fd, text, strlen(text));
  close(fd);
  return result;
}
