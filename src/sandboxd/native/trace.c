// The tracer: see trace.h. Processes and threads are kept in a table by their numbers, with the program each of them runs.
#include "trace.h"
#include "line.h"
#include "programs.h"

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#define OPTIONS (PTRACE_O_EXITKILL | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC)
#define FULL_OPTIONS (PTRACE_O_TRACESECCOMP | PTRACE_O_TRACESYSGOOD)

// A power of two well above the most tasks a sandbox can have. Full: the sandbox ends, for nobody could be followed.
#define SLOTS 65536
#define MOST_TASKS (SLOTS / 2)
// Stops taken at once, so that the line and the time limit get their turn beside a flood of them.
#define ONE_TURN 64

// What is awaited of a task: its own first stop, the word of whoever made it, the orchestrator's answer.
enum { AWAITS_STOP = 1, AWAITS_PARENT = 2, AWAITS_ANSWER = 4, GONE = 8, OWNS = 16 };

static struct task {
  pid_t pid;
  uint32_t number;
  unsigned flags;
} table[SLOTS];
static unsigned tasks;

static enum rf_record record;
static int followed_once, behind;
// The program of the call is held back, and the process that stands with it.
static int holds;
static pid_t standing;
// A program of the call was refused: until all of it is dead no other begins.
static int refused;

void rf_trace_open(enum rf_record which) { record = which; }

enum rf_record rf_trace_records(void) { return record; }

static size_t home_of(pid_t pid) { return ((uint32_t)pid * 2654435761u) % SLOTS; }

static struct task *find(pid_t pid) {
  for (size_t i = home_of(pid); table[i].pid != 0; i = (i + 1) % SLOTS) {
    if (table[i].pid == pid) return &table[i];
  }
  return NULL;
}

static struct task *insert(pid_t pid, uint32_t number, unsigned flags) {
  if (tasks >= MOST_TASKS) rf_fail("more processes than can be followed");
  size_t i = home_of(pid);
  while (table[i].pid != 0 && table[i].pid != pid) i = (i + 1) % SLOTS;
  if (table[i].pid == 0) tasks++;
  table[i] = (struct task){pid, number, flags};
  return &table[i];
}

// Takes an entry out and closes the gap, so that what lies behind it is still found.
static void take_out(struct task *task) {
  size_t gap = (size_t)(task - table);
  tasks--;
  for (size_t i = (gap + 1) % SLOTS; table[i].pid != 0; i = (i + 1) % SLOTS) {
    const size_t wanted = home_of(table[i].pid);
    const int stays = gap <= i ? gap < wanted && wanted <= i : gap < wanted || wanted <= i;
    if (stays) continue;
    table[gap] = table[i];
    gap = i;
  }
  table[gap].pid = 0;
}

void rf_trace_forget(void) {
  if (tasks > 0) memset(table, 0, sizeof table);
  tasks = 0;
}

int rf_trace_follow(pid_t pid) {
  if (record == RF_RECORD_OFF) return 0;
  const long options = OPTIONS | (record == RF_RECORD_FULL ? FULL_OPTIONS : 0);
  if (ptrace(PTRACE_SEIZE, pid, NULL, options) != 0) {
    // One that ended meanwhile is told by its end.
    if (errno == ESRCH && followed_once) return 0;
    if (followed_once) rf_fail("a process of the agent cannot be followed");
    record = RF_RECORD_OFF;
    return -1;
  }
  followed_once = 1;
  insert(pid, 0, 0);
  return 0;
}

// A task that was killed cannot go on; its end is told by wait.
static void go_on(pid_t pid, int request, int signal_number) {
  if (ptrace((enum __ptrace_request)request, pid, NULL, (long)signal_number) != 0 && errno != ESRCH) rf_fail("a followed process cannot go on");
}

void rf_trace_hold(int hold) {
  holds = hold;
  standing = refused = 0;
}

void rf_trace_let_go(void) {
  holds = 0;
  if (standing > 0) go_on(standing, PTRACE_CONT, 0);
  standing = 0;
}

static uint32_t message_of(pid_t pid) {
  unsigned long message = 0;
  return ptrace(PTRACE_GETEVENTMSG, pid, NULL, &message) == 0 ? (uint32_t)message : 0;
}

// A task stopped for the first time before whoever made it told of it: the kernel says who its parent is.
static uint32_t program_of_parent(pid_t pid) {
  char path[64], text[512];
  snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  const ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
  if (fd >= 0) close(fd);
  if (got <= 0) return 0;
  text[got] = 0;
  const char *end = strrchr(text, ')');
  int parent = 0;
  if (end == NULL || sscanf(end + 1, " %*c %d", &parent) != 1) return 0;
  const struct task *task = find(parent);
  return task == NULL ? 0 : task->number;
}

static void made_another(pid_t pid) {
  const pid_t made = (pid_t)message_of(pid);
  const struct task *maker = find(pid);
  struct task *task = made == 0 ? NULL : find(made);
  const uint32_t number = maker == NULL ? 0 : maker->number;
  if (task == NULL && made != 0) {
    insert(made, number, AWAITS_STOP);
  } else if (task != NULL && (task->flags & GONE) != 0) {
    take_out(task);
  } else if (task != NULL && (task->flags & AWAITS_PARENT) != 0) {
    task->flags &= ~(unsigned)AWAITS_PARENT;
    if ((task->flags & OWNS) == 0) task->number = number;
  }
  go_on(pid, PTRACE_CONT, 0);
}

static void first_stop(pid_t pid) {
  struct task *task = find(pid);
  if (task == NULL) insert(pid, program_of_parent(pid), AWAITS_PARENT);
  else task->flags &= ~(unsigned)AWAITS_STOP;
}

static void refuse(pid_t pid, void (*forbid)(void)) {
  // It still stands before its first instruction.
  refused = 1;
  kill(pid, SIGKILL);
  forbid();
}

static void started(pid_t pid, void (*forbid)(void)) {
  // Where another thread asked for the program, that one is gone and this is its number now.
  const pid_t former = (pid_t)message_of(pid);
  struct task *was = former == 0 ? NULL : find(former);
  const uint32_t parent = was == NULL ? program_of_parent(pid) : was->number;
  if (was != NULL && former != pid) take_out(was);
  struct task *task = find(pid);
  const int replaced = task != NULL && (task->flags & OWNS) != 0;
  const uint32_t old = task == NULL ? 0 : task->number;
  const unsigned kept = task == NULL ? 0 : task->flags & AWAITS_PARENT;
  uint32_t number = 0;
  if (replaced) rf_programs_ended(old, 0, 1);
  const enum rf_verdict verdict = rf_programs_started(pid, parent, replaced, &number);
  task = insert(pid, number, OWNS | kept | (verdict == RF_WAIT ? AWAITS_ANSWER : 0));
  // What was killed meanwhile cannot be looked at, and runs nothing.
  if (verdict == RF_UNKNOWN && message_of(pid) == 0) return;
  if (verdict == RF_REFUSED || verdict == RF_UNKNOWN || refused) refuse(pid, forbid);
  else if (verdict == RF_GO_ON && holds) standing = pid;
  else if (verdict == RF_GO_ON) go_on(pid, PTRACE_CONT, 0);
}

// The end of an opening for writing: the descriptor tells which file it became.
static void opened(pid_t pid) {
  struct __ptrace_syscall_info info;
  memset(&info, 0, sizeof info);
  const long got = ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info);
  const struct task *task = find(pid);
  if (got > 0 && info.op == PTRACE_SYSCALL_INFO_EXIT && !info.exit.is_error && info.exit.rval >= 0) rf_programs_wrote(pid, task == NULL ? 0 : task->number, (int)info.exit.rval);
  go_on(pid, PTRACE_CONT, 0);
}

static void stopped(pid_t pid, int status, void (*forbid)(void)) {
  const int signal_number = WSTOPSIG(status), event = status >> 16;
  switch (event) {
    case 0:
      if (signal_number == (SIGTRAP | 0x80)) opened(pid);
      else go_on(pid, PTRACE_CONT, signal_number);
      return;
    case PTRACE_EVENT_FORK:
    case PTRACE_EVENT_VFORK:
    case PTRACE_EVENT_CLONE:
      made_another(pid);
      return;
    case PTRACE_EVENT_EXEC:
      started(pid, forbid);
      return;
    case PTRACE_EVENT_SECCOMP:
      go_on(pid, PTRACE_SYSCALL, 0);
      return;
    case PTRACE_EVENT_STOP:
      first_stop(pid);
      // A stop of the whole group lasts until somebody lets it continue.
      if (signal_number != SIGTRAP) go_on(pid, PTRACE_LISTEN, 0);
      else go_on(pid, PTRACE_CONT, 0);
      return;
    default:
      go_on(pid, PTRACE_CONT, 0);
  }
}

static void gone(pid_t pid, int status) {
  struct task *task = find(pid);
  if (pid == standing) standing = 0;
  if (task == NULL) return;
  if ((task->flags & OWNS) != 0) rf_programs_ended(task->number, status, 0);
  if ((task->flags & AWAITS_PARENT) != 0) task->flags |= GONE;
  else take_out(task);
}

void rf_trace_take(void (*ended)(pid_t pid, int status), void (*forbid)(void)) {
  behind = 0;
  for (int turn = 0;; turn++) {
    if (turn == ONE_TURN) {
      behind = 1;
      return;
    }
    if (record != RF_RECORD_OFF && !rf_programs_have_room()) {
      behind = 1;
      return;
    }
    int status = 0;
    const pid_t pid = waitpid(-1, &status, WNOHANG | __WALL);
    if (pid <= 0) break;
    if (WIFSTOPPED(status)) {
      stopped(pid, status, forbid);
      continue;
    }
    gone(pid, status);
    ended(pid, status);
  }
}

int rf_trace_is_behind(void) { return behind; }

void rf_trace_answer(const uint8_t *payload, uint32_t size, void (*forbid)(void)) {
  if (size != 9) rf_fail("a malformed answer");
  const uint32_t number = rf_get32(payload);
  const pid_t pid = (pid_t)rf_get32(payload + 4);
  rf_programs_answered(number, payload[8] == 1);
  struct task *task = find(pid);
  // Ended while the answer was on its way.
  if (task == NULL || task->number != number || (task->flags & AWAITS_ANSWER) == 0) return;
  task->flags &= ~(unsigned)AWAITS_ANSWER;
  if (payload[8] == 1 && !refused) go_on(pid, PTRACE_CONT, 0);
  else refuse(pid, forbid);
}
