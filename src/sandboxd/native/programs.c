// Records of programs: see programs.h. One record: kind u8, size of the rest u32, the rest. Texts end with a zero byte.
#include "programs.h"
#include "line.h"
#include "tasks.h"

#include <sys/stat.h>
#include <sys/syscall.h>

// Numbers and flags that the C library of the build may not name yet.
#define NR_PIDFD_OPEN 434
#define NR_PIDFD_GETFD 438
#define OF_A_THREAD O_EXCL

// Kinds of records; the same numbers as in core/channel/programs.ts.
enum { STARTED = 1, ENDED = 2, WROTE = 3, LOST = 4, ASK = 5 };
// Bits of a started one: it took the place of another in its process, its arguments are cut.
enum { REPLACED = 1, CUT = 2 };

// Most bytes of arguments looked at; more than that is told as cut, and never let go on.
#define MOST_ARGUMENTS (2u * 1024 * 1024)
#define MOST_PATH 4096
// Waiting records past which no further stop is taken.
#define BUSY 32768
// The ends of all that lived may be told at once, when nothing of the call is left.
#define END_BYTES 22
#define ROOM (BUSY + MOST_ARGUMENTS + 4 * MOST_PATH + RF_MOST_TASKS * END_BYTES)
// Most programs and writes of one call that are recorded; the rest are counted. Judged is every one.
#define MOST_PROGRAMS 20000
#define MOST_WRITES 20000

#define CACHE 512
#define KEY_BYTES 1536

static uint8_t bytes[ROOM];
static size_t at, used;

static struct {
  uint32_t stream, count, lost_programs, lost_writes;
  unsigned writes;
  int records, judge, urgent;
  int64_t started;
  size_t pad;
} call;

// Calls so far, and how often answers were forgotten: what is kept of an earlier one is told by its number.
static uint32_t calls, epoch = 1;

// Programs that were let go on, by all that policy looks at. `asked` in `call` waits for its answer under that number.
static struct known {
  uint32_t size, asked, call, epoch;
  int go_on;
  uint8_t key[KEY_BYTES];
} cache[CACHE];

// Writes already told in this call.
static struct { uint64_t device, inode, name; uint32_t number, call; } told[4096];

void rf_programs_begin(uint32_t stream, int records, int judge, int forget, int held) {
  at = used = 0;
  memset(&call, 0, sizeof call);
  call.stream = stream;
  call.records = records;
  call.judge = judge;
  call.started = held ? -1 : rf_now();
  calls++;
  if (forget) epoch++;
}

void rf_programs_go(void) { call.started = rf_now(); }

void rf_programs_pad(size_t zeros) { call.pad = zeros; }

static void put8(unsigned value) { bytes[used++] = (uint8_t)value; }
static void put32(uint32_t value) {
  rf_put32(bytes + used, value);
  used += 4;
}
static void put_time(int64_t now) {
  const uint64_t micros = call.started < 0 || now < call.started ? 0 : (uint64_t)(now - call.started) / 1000;
  put32((uint32_t)(micros >> 32));
  put32((uint32_t)micros);
}

// Begins a record and returns where its size belongs.
static size_t open_record(unsigned kind) {
  put8(kind);
  put32(0);
  return used;
}
static void close_record(size_t from) { rf_put32(bytes + from - 4, (uint32_t)(used - from)); }

// Where a link of /proc leads, as a text of the record; empty when that cannot be told. Length is returned.
static size_t put_link(pid_t pid, const char *name) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
  ssize_t size = readlink(path, (char *)bytes + used, MOST_PATH);
  if (size < 0 || size == MOST_PATH) size = 0;
  used += (size_t)size;
  put8(0);
  return (size_t)size;
}

// The arguments as they lie on the new image's own stack. -1 when they cannot be read, 1 when there are more, 0 is all.
static int put_arguments(pid_t pid) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/cmdline", (int)pid);
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  const size_t from = used;
  ssize_t got = 1;
  while (got > 0 && used - from < MOST_ARGUMENTS) {
    got = read(fd, bytes + used, MOST_ARGUMENTS - (used - from));
    if (got > 0) used += (size_t)got;
  }
  char more;
  const int cut = got > 0 && read(fd, &more, 1) > 0;
  close(fd);
  if (used - from > call.pad) used -= call.pad;
  call.pad = 0;
  if (used > from && bytes[used - 1] != 0) put8(0);
  if (got < 0 || used == from) return -1;
  return cut;
}

static uint64_t hash_of(const uint8_t *at, size_t size) {
  uint64_t hash = 1469598103934665603u;
  for (size_t i = 0; i < size; i++) hash = (hash ^ at[i]) * 1099511628211u;
  return hash;
}

static struct known *slot(const uint8_t *key, size_t size) {
  return &cache[(hash_of(key, size) >> 20) % CACHE];
}

// Found only where every byte is the same.
static int is_known(const struct known *known, const uint8_t *key, size_t size) { return known->go_on && known->epoch == epoch && known->size == size && memcmp(known->key, key, size) == 0; }

static void ask(pid_t pid, uint32_t number, const uint8_t *key, size_t size) {
  if (size <= KEY_BYTES) {
    struct known *known = slot(key, size);
    known->go_on = 0;
    known->size = (uint32_t)size;
    known->asked = number;
    known->call = calls;
    known->epoch = epoch;
    memcpy(known->key, key, size);
  }
  const size_t from = open_record(ASK);
  put32(number);
  put32((uint32_t)pid);
  close_record(from);
  call.urgent = 1;
}

enum rf_verdict rf_programs_started(pid_t pid, uint32_t parent, int replaced, uint32_t *number) {
  call.count++;
  *number = call.count;
  if (!call.records) return RF_GO_ON;
  const size_t start = used, from = open_record(STARTED);
  put32(call.count);
  put32(parent);
  put_time(rf_now());
  const size_t flags = used;
  put8(replaced ? REPLACED : 0);
  const size_t texts = used;
  const size_t image = put_link(pid, "exe"), folder = put_link(pid, "cwd");
  const int arguments = put_arguments(pid);
  // A process that was killed meanwhile looks the same, and runs nothing either way.
  const int unknown = image == 0 || folder == 0 || arguments < 0;
  if (arguments > 0) bytes[flags] |= CUT;
  close_record(from);
  const size_t size = used - texts;
  // The first program is the one that was judged before the call began.
  const int judged = call.judge && call.count > 1;
  const int must_ask = judged && (size > KEY_BYTES || !is_known(slot(bytes + texts, size), bytes + texts, size));
  if (call.count > MOST_PROGRAMS && !must_ask) {
    used = start;
    call.lost_programs++;
  } else if (must_ask) {
    ask(pid, call.count, bytes + texts, size);
  }
  if (unknown) return RF_UNKNOWN;
  if (judged && arguments > 0) return RF_REFUSED;
  return must_ask ? RF_WAIT : RF_GO_ON;
}

void rf_programs_ended(uint32_t number, int status, int replaced, int64_t when) {
  if (!call.records || number == 0 || number > MOST_PROGRAMS) return;
  const size_t from = open_record(ENDED);
  put32(number);
  put_time(when == 0 ? rf_now() : when);
  put32((uint32_t)status);
  put8(replaced ? REPLACED : 0);
  close_record(from);
}

// The process that a thread is of.
static pid_t process_of(pid_t thread) {
  char path[64], text[256];
  snprintf(path, sizeof path, "/proc/%d/status", (int)thread);
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  const ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
  if (fd >= 0) close(fd);
  text[got < 0 ? 0 : got] = 0;
  const char *line = strstr(text, "\nTgid:");
  return line == NULL ? thread : (pid_t)strtol(line + 6, NULL, 10);
}

// The agent's descriptor as one of our own: what it leads to cannot change any more. -1 where it is gone.
static int borrow(pid_t pid, int descriptor) {
  int process = (int)syscall(NR_PIDFD_OPEN, pid, OF_A_THREAD);
  // A kernel that knows no such thing of a thread; threads share their descriptors.
  if (process < 0 && errno == EINVAL) process = (int)syscall(NR_PIDFD_OPEN, process_of(pid), 0);
  if (process < 0) return -1;
  const int borrowed = (int)syscall(NR_PIDFD_GETFD, process, descriptor, 0);
  close(process);
  return borrowed;
}

static void wrote(uint32_t number, int borrowed) {
  struct stat info;
  if (fstat(borrowed, &info) != 0 || !S_ISREG(info.st_mode)) return;
  const size_t start = used, from = open_record(WROTE);
  put32(number);
  char link[32];
  snprintf(link, sizeof link, "fd/%d", borrowed);
  const size_t text = used, length = put_link(getpid(), link);
  close_record(from);
  // The name counts too: a file that was removed leaves its number to the next one, and one that was renamed keeps it.
  const uint64_t name = hash_of(bytes + text, length);
  const size_t place = (size_t)((info.st_ino * 2654435761u) ^ info.st_dev ^ number ^ name) % (sizeof told / sizeof *told);
  const int again = told[place].inode == info.st_ino && told[place].device == info.st_dev && told[place].name == name && told[place].number == number && told[place].call == calls;
  if (again || call.writes >= MOST_WRITES) {
    used = start;
    if (!again) call.lost_writes++;
    return;
  }
  told[place].inode = info.st_ino;
  told[place].device = info.st_dev;
  told[place].name = name;
  told[place].number = number;
  told[place].call = calls;
  call.writes++;
}

void rf_programs_wrote(pid_t pid, uint32_t number, int descriptor) {
  const int borrowed = call.records ? borrow(pid, descriptor) : -1;
  if (borrowed < 0) return;
  wrote(number, borrowed);
  close(borrowed);
}

void rf_programs_answered(uint32_t number, int go_on) {
  for (int i = 0; i < CACHE; i++) {
    if (cache[i].asked != number || cache[i].call != calls) continue;
    cache[i].asked = 0;
    cache[i].go_on = go_on;
  }
}

int rf_programs_flush(void) {
  while (at < used) {
    if (rf_line_waiting() > 0) return 0;
    const size_t part = used - at < RF_CHUNK ? used - at : RF_CHUNK;
    rf_line_send(RF_PROGRAMS, call.stream, bytes + at, (uint32_t)part);
    at += part;
  }
  at = used = 0;
  return 1;
}

void rf_programs_turn(void) {
  if (call.urgent && rf_programs_flush()) call.urgent = 0;
}

int rf_programs_have_room(void) {
  if (used <= BUSY) return 1;
  rf_programs_flush();
  return used <= BUSY;
}

void rf_programs_end(void) {
  if (call.lost_programs + call.lost_writes == 0) return;
  const size_t from = open_record(LOST);
  put32(call.lost_programs);
  put32(call.lost_writes);
  close_record(from);
}

void rf_programs_seen(unsigned *programs, unsigned *writes) {
  *programs = call.count;
  *writes = call.writes;
}
