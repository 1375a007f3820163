// What the native programs of the sandbox share: numbers agreed with sandboxd, whole reads and writes, frames.
// None of this trusts the agent; only the guard's own programs are on the other end of a frame.
#ifndef RF_GUARD_H
#define RF_GUARD_H

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

// The guard's own user. No image may use it; the agent runs as another.
#define RF_GUARD_ID 64000
// Real user of the killer: neither the guard nor the agent, so that nobody inside can signal it.
#define RF_KILLER_ID 64001
// CAP_KILL, CAP_SETGID, CAP_SETUID, CAP_SETPCAP: what the guard holds.
#define RF_GUARD_CAPS 0x1e0u
// CAP_SYS_PTRACE, to hear of programs and to have a shell stand ready: sandboxd alone holds it.
#define RF_TRACE_CAPS 0x80000u

#define RF_HEADER 9
#define RF_CHUNK 65536
#define RF_MAX_START (2u * 1024 * 1024)

// Bytes of each stream that may be on their way before credit is given back.
#define RF_WINDOW (1024 * 1024)
// What this program speaks; the same number as in core/channel/frame.ts.
#define RF_PROTOCOL 5

// Frame types; the same numbers as in core/channel/frame.ts.
enum {
  RF_HELLO = 1,
  RF_START = 2,
  RF_STDIN = 3,
  RF_STDIN_END = 4,
  RF_STDOUT = 5,
  RF_STDERR = 6,
  RF_CREDIT = 7,
  RF_EXIT = 8,
  RF_KILL = 9,
  RF_PING = 10,
  RF_PONG = 11,
  RF_ERROR = 12,
  RF_BYE = 13,
  RF_SCRATCH = 14,
  RF_PROGRAMS = 20,
  RF_VERDICT = 21,
  RF_LEFT = 30,
  RF_GO = 31,
};

// Ends this program with a line on the container's own standard error; process 1 then ends the container.
__attribute__((noreturn)) void rf_die(const char *what);
// Reads exactly `size` bytes. 0 is done, -1 is end of input or an error.
int rf_read_all(int fd, void *data, size_t size);
// Writes all of it. 0 is done, -1 is an error.
int rf_write_all(int fd, const void *data, size_t size);
// A whole number in decimal, at most `most`; ends the program otherwise.
unsigned rf_number(const char *text, unsigned most);
void rf_put32(uint8_t *at, uint32_t value);
uint32_t rf_get32(const uint8_t *at);
// Empties effective, permitted and inheritable; with `mask` sets all three to it.
int rf_capset(uint32_t mask);
// From now on files are looked at, opened and made as this user; the guard's own user ends it.
void rf_files_as(unsigned uid, unsigned gid);
// Nanoseconds of a clock that only runs forward.
int64_t rf_now(void);
// Writes `text` into a file under /proc. 0 is done.
int rf_write_file(const char *path, const char *text);

#endif
