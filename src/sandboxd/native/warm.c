// A shell that stands ready: see warm.h.
#include "warm.h"
#include "listen.h"
#include "loader.h"
#include "programs.h"
#include "trace.h"

#include <elf.h>
#include <poll.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>

// Most bytes of a command that is written into a process that stands, and of what else an order may hold; others take the way without.
#define ROOM 2047
#define MOST_ORDER 32768
#define MOST_ARGUMENTS 8
// How long a process may take to stand. After each that failed, in a row, twice as many calls go by before the next is tried, up to so many doublings.
#define LIMIT 1000000000LL
#define MOST_DOUBLINGS 6
// System calls of a loader, entries and ends, past which it is no usual one.
#define MOST_STEPS 2000

#if defined(__x86_64__)
typedef struct user_regs_struct registers;
#define BREAK 0xccUL
#define BREAK_MASK 0xffUL
static unsigned long stack_of(const registers *now) { return now->rsp; }
// The instruction that stops has run: the place before it is where the program goes on.
static int stopped_at(registers *now, unsigned long entry) {
  if (now->rip != entry + 1) return 0;
  now->rip = entry;
  return 1;
}
#elif defined(__aarch64__)
typedef struct user_regs_struct registers;
#define BREAK 0xd4200000UL
#define BREAK_MASK 0xffffffffUL
static unsigned long stack_of(const registers *now) { return now->sp; }
static int stopped_at(registers *now, unsigned long entry) { return now->pc == entry; }
#else
#error "nothing can stand on this architecture"
#endif

// Calls that were expected raise the confidence by one, others lower it by two: one that stands for nothing costs as much as one that is wanted saves, so it
// must be wanted more often than not. Commands and edits that take turns make nothing stand.
#define MOST_CONFIDENCE 3
#define ENOUGH 2

static const struct rf_agent *agent;
static int signals = -1, confidence = ENOUGH;
static unsigned failures, pass_by;

// What is expected: the bytes of an order before its last argument, and behind it. A size of 0: nothing.
static struct {
  uint8_t head[RF_ORDER_HEAD], bytes[MOST_ORDER];
  uint32_t before, behind, arguments;
  // Its loader was seen to look for nothing but on the root.
  int loads;
} expected;

// What stands: its memory, and where its command belongs.
static struct {
  pid_t pid;
  int memory;
  unsigned long command;
} ready = {-1, -1, 0};

struct span { uint32_t from, to; };

// Where the text that begins at `from` ends; `size` when it does not.
static uint32_t end_of(const uint8_t *order, uint32_t size, uint32_t from) {
  const uint8_t *zero = from < size ? memchr(order + from, 0, size - from) : NULL;
  return zero == NULL ? size : (uint32_t)(zero - order);
}

// The command of an order, which is its last argument, behind `-c`. 0 where it is of another kind.
static int command_of(const uint8_t *order, uint32_t size, struct span *command) {
  if (size < RF_ORDER_HEAD || (order[0] & (RF_ORDER_FILES | RF_ORDER_STDIN)) != 0) return 0;
  const uint32_t arguments = rf_get32(order + 13);
  if (arguments < 3 || arguments > MOST_ARGUMENTS) return 0;
  uint32_t at = end_of(order, size, RF_ORDER_HEAD) + 1, last = at;
  for (uint32_t i = 0; i + 1 < arguments; i++) {
    last = at;
    at = end_of(order, size, at) + 1;
  }
  if (at >= size || strcmp((const char *)order + last, "-c") != 0) return 0;
  *command = (struct span){at, end_of(order, size, at)};
  return command->to < size && command->to - command->from <= ROOM;
}

// Variables that the loader or the C library takes orders from before the program's first instruction.
static int steers_loader(const uint8_t *order, uint32_t size, uint32_t from) {
  static const char *const names[] = {"LD_", "GLIBC_TUNABLES="};
  for (uint32_t at = from; at < size; at = end_of(order, size, at) + 1) {
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
      if (strncmp((const char *)order + at, names[i], strlen(names[i])) == 0) return 1;
    }
  }
  return 0;
}

static int is_expected(const uint8_t *order, uint32_t size, const struct span *command) {
  const uint32_t before = command->from - RF_ORDER_HEAD, behind = size - command->to;
  return expected.before == before && expected.behind == behind && memcmp(order + 13, expected.head + 13, 8) == 0 &&
    memcmp(order + RF_ORDER_HEAD, expected.bytes, before) == 0 && memcmp(order + command->to, expected.bytes + before, behind) == 0;
}

void rf_warm_open(const struct rf_agent *who, int told_by) {
  agent = who;
  signals = told_by;
}

void rf_warm_learn(const uint8_t *order, uint32_t size) {
  struct span command;
  const int is_command = command_of(order, size, &command), was_expected = is_command && is_expected(order, size, &command);
  if (was_expected && confidence < MOST_CONFIDENCE) confidence++;
  else if (!was_expected && expected.before != 0) confidence = confidence > 2 ? confidence - 2 : 0;
  if (!is_command || was_expected) return;
  const uint32_t before = command.from - RF_ORDER_HEAD, behind = size - command.to;
  expected.before = expected.behind = 0;
  expected.loads = 0;
  if (before + behind > MOST_ORDER || steers_loader(order, size, command.to + 1)) return;
  memcpy(expected.head, order, RF_ORDER_HEAD);
  memcpy(expected.bytes, order + RF_ORDER_HEAD, before);
  memcpy(expected.bytes + before, order + command.to, behind);
  expected.before = before;
  expected.behind = behind;
  expected.arguments = rf_get32(order + 13);
}

pid_t rf_warm_stands(void) { return ready.pid; }

void rf_warm_forget(void) {
  if (ready.memory >= 0) close(ready.memory);
  ready.memory = ready.pid = -1;
}

// Waits for the next stop of the process, letting its own question for the program pass. -1: it ended, or takes too long.
static int next_stop(struct rf_child *child, int64_t until, int *status) {
  for (;;) {
    uint8_t told[1024];
    while (read(signals, told, sizeof told) > 0) continue;
    const pid_t got = waitpid(child->pid, status, WNOHANG | __WALL);
    if (got == child->pid && WIFSTOPPED(*status)) return 0;
    if (got != 0) {
      child->pid = -1;
      return -1;
    }
    struct rf_asking asking;
    if (rf_trace_listens() && rf_listen_next(&asking)) {
      rf_listen_answer(&asking, asking.thread == child->pid ? 0 : EPERM);
      continue;
    }
    const int64_t left = until - rf_now();
    if (left <= 0) return -1;
    struct pollfd waits[2] = {{signals, POLLIN, 0}, {rf_trace_events(), POLLIN, 0}};
    if (poll(waits, 2, (int)(left / 1000000) + 1) < 0 && errno != EINTR) return -1;
  }
}

// A file of the process under /proc: it belongs to the agent, and to the guard it is shut.
static int open_of(pid_t pid, const char *name, int flags) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
  rf_files_as(agent->uid, agent->gid);
  const int fd = open(path, flags | O_CLOEXEC);
  rf_files_as(RF_GUARD_ID, RF_GUARD_ID);
  return fd;
}

// The image is one of the system's, on a root that cannot be written.
static int is_of_the_system(const char *exe) {
  struct stat image;
  char name[4096];
  const ssize_t size = readlink(exe, name, sizeof name - 1);
  if (size <= 0 || !rf_loader_open()) return 0;
  name[size] = 0;
  // By its name, which leads to the same file: a root that cannot be written has no second one there.
  return stat(exe, &image) == 0 && S_ISREG(image.st_mode) && image.st_uid == 0 && (image.st_mode & 0022) == 0 && rf_loader_is_on_root(exe) && rf_loader_is_root(name);
}

// Where the program's own first instruction lies, behind the loader's.
static unsigned long entry_of(pid_t pid) {
  unsigned long pairs[128][2];
  const int fd = open_of(pid, "auxv", O_RDONLY);
  const ssize_t got = fd < 0 ? -1 : read(fd, pairs, sizeof pairs);
  if (fd >= 0) close(fd);
  for (ssize_t i = 0; i < got / (ssize_t)sizeof pairs[0]; i++) {
    if (pairs[i][0] == AT_ENTRY) return pairs[i][1];
  }
  return 0;
}

// Finds the room of the command among the arguments of the new image, and empties it.
static int find_room(unsigned long stack) {
  static const uint8_t zeros[ROOM];
  unsigned long list[1 + MOST_ARGUMENTS];
  char first;
  if (pread(ready.memory, list, sizeof list, (off_t)stack) != (ssize_t)sizeof list || list[0] != expected.arguments) return -1;
  ready.command = list[expected.arguments];
  if (pread(ready.memory, &first, 1, (off_t)ready.command) != 1 || first != 'x') return -1;
  return pwrite(ready.memory, zeros, ROOM, (off_t)ready.command) == ROOM ? 0 : -1;
}

static int registers_of(pid_t pid, registers *now) {
  struct iovec part = {now, sizeof *now};
  return (int)ptrace(PTRACE_GETREGSET, pid, (void *)NT_PRSTATUS, &part);
}

// From the stop at the loader's first instruction to one at the program's.
static int past_loader(struct rf_child *child, int64_t until) {
  const pid_t pid = child->pid;
  const unsigned long entry = entry_of(pid);
  int status;
  registers now;
  errno = 0;
  const long word = entry == 0 ? -1 : ptrace(PTRACE_PEEKTEXT, pid, (void *)entry, NULL);
  if (errno != 0 || entry == 0) return -1;
  const unsigned long broken = ((unsigned long)word & ~BREAK_MASK) | BREAK;
  if (ptrace(PTRACE_POKETEXT, pid, (void *)entry, (void *)broken) != 0) return -1;
  for (int steps = 0;; steps++) {
    if (steps > MOST_STEPS || ptrace(expected.loads ? PTRACE_CONT : PTRACE_SYSCALL, pid, NULL, NULL) != 0) return -1;
    if (next_stop(child, until, &status) != 0) return -1;
    if (status >> 8 == SIGTRAP) break;
    if (status >> 8 != (SIGTRAP | 0x80) || !rf_loader_may(pid, ready.memory)) return -1;
  }
  expected.loads = 1;
  if (ptrace(PTRACE_POKETEXT, pid, (void *)entry, (void *)word) != 0 || registers_of(pid, &now) != 0 || !stopped_at(&now, entry)) return -1;
  struct iovec part = {&now, sizeof now};
  return (int)ptrace(PTRACE_SETREGSET, pid, (void *)NT_PRSTATUS, &part);
}

// The order of a command that is all room.
static uint32_t order_with_room(uint8_t *order) {
  uint32_t size = RF_ORDER_HEAD;
  memcpy(order, expected.head, RF_ORDER_HEAD);
  order[0] = 0;
  memcpy(order + size, expected.bytes, expected.before);
  memset(order + size + expected.before, 'x', ROOM);
  memcpy(order + size + expected.before + ROOM, expected.bytes + expected.before, expected.behind);
  return size + expected.before + ROOM + expected.behind;
}

static int stand(struct rf_child *child) {
  static uint8_t order[RF_ORDER_HEAD + MOST_ORDER + ROOM];
  const int64_t until = rf_now() + LIMIT;
  int status;
  char path[64];
  registers now;
  if (rf_release(child, order, order_with_room(order)) != 0 || next_stop(child, until, &status) != 0) return -1;
  if (status >> 8 != (SIGTRAP | (PTRACE_EVENT_EXEC << 8))) return -1;
  snprintf(path, sizeof path, "/proc/%d/exe", (int)child->pid);
  if (!is_of_the_system(path)) return -1;
  ready.memory = open_of(child->pid, "mem", O_RDWR);
  if (ready.memory < 0 || registers_of(child->pid, &now) != 0 || find_room(stack_of(&now)) != 0) return -1;
  return past_loader(child, until);
}

int rf_warm_up(struct rf_child *child) {
  if (expected.before == 0 || confidence < ENOUGH) return 0;
  if (pass_by > 0) {
    pass_by--;
    return 0;
  }
  if (rf_trace_seize(child->pid) != 0) return 0;
  if (stand(child) != 0) {
    rf_warm_forget();
    if (failures < MOST_DOUBLINGS) failures++;
    pass_by = 1u << failures;
    return -1;
  }
  failures = 0;
  ready.pid = child->pid;
  return 0;
}

// The folder that the process stands in is still the one of that name, under the same mount, and the agent may enter it.
static int stands_where(const char *cwd) {
  char named[4100], own[64];
  struct statx one, other;
  if (snprintf(named, sizeof named, "%s/.", cwd) >= (int)sizeof named) return 0;
  snprintf(own, sizeof own, "/proc/%d/cwd", (int)ready.pid);
  rf_files_as(agent->uid, agent->gid);
  const int seen = statx(AT_FDCWD, named, AT_STATX_SYNC_AS_STAT, STATX_INO | STATX_MNT_ID, &one);
  rf_files_as(RF_GUARD_ID, RF_GUARD_ID);
  if (seen != 0 || statx(AT_FDCWD, own, AT_STATX_SYNC_AS_STAT, STATX_INO | STATX_MNT_ID, &other) != 0) return 0;
  return (one.stx_mask & other.stx_mask & STATX_MNT_ID) != 0 && one.stx_mnt_id == other.stx_mnt_id && one.stx_ino == other.stx_ino &&
    one.stx_dev_major == other.stx_dev_major && one.stx_dev_minor == other.stx_dev_minor;
}

int rf_warm_take(const uint8_t *order, uint32_t size) {
  struct span command;
  if (!command_of(order, size, &command) || !is_expected(order, size, &command) || !stands_where((const char *)order + RF_ORDER_HEAD)) return -1;
  const ssize_t length = command.to - command.from;
  if (pwrite(ready.memory, order + command.from, (size_t)length, (off_t)ready.command) != length) return -1;
  // What is left of the room lies behind the last argument as zeros that were none of the order's.
  rf_programs_pad(ROOM - (size_t)length);
  return 0;
}
