// What follows the agent's programs: see trace.h. Processes and threads are kept in a table by their numbers, with the program each of them
// runs. Where the kernel can, only a thread that asks for another program is followed, from its asking to that program's first instruction.
#include "trace.h"
#include "line.h"
#include "listen.h"
#include "programs.h"
#include "tasks.h"

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#define OPTIONS (PTRACE_O_EXITKILL | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC)
#define UNTIL_EXEC (PTRACE_O_EXITKILL | PTRACE_O_TRACEEXEC | PTRACE_O_TRACESYSGOOD)
#define FULL_OPTIONS (PTRACE_O_TRACESECCOMP | PTRACE_O_TRACESYSGOOD)

// Stops taken at once, so that the line and the time limit get their turn beside a flood of them.
#define ONE_TURN 64

// Of how many images it is remembered where the kernel laid them out; those that share a place push each other out.
#define LAYOUTS 16384

// Threads that wait while another of their process is on its way to a program. Who comes later is told to try again.
#define MOST_BEHIND 256

static struct rf_asking waiting[MOST_BEHIND];
static int waiters;

static struct { uint64_t layout; uint32_t number, generation; } layouts[LAYOUTS];
static uint32_t generation = 1;

static enum rf_record record;
static int listening, followed_once, behind;
// The program of the call is held back, and the process that stands with it.
static int holds;
static pid_t standing;
// A program of the call was refused: until all of it is dead no other begins.
static int refused;

void rf_trace_open(enum rf_record which) {
  record = which;
  listening = which == RF_RECORD_EXEC && rf_listen_works();
}

enum rf_record rf_trace_records(void) { return record; }

int rf_trace_listens(void) { return listening; }

int rf_trace_events(void) { return listening ? rf_listen_events() : -1; }

void rf_trace_forget(void) {
  rf_tasks_forget();
  generation++;
}

int rf_trace_hear(pid_t pid, int listener) {
  if (listener < 0) {
    if (followed_once) return -1;
    // Another listens already, or a filter of the engine's is in the way: then each process is followed.
    listening = 0;
    return -1;
  }
  if (ptrace(PTRACE_SEIZE, pid, NULL, (long)UNTIL_EXEC) != 0) {
    const int error = errno;
    close(listener);
    // One that ended meanwhile is told by its end.
    if (followed_once && rf_listen_has_ended(pid, error)) return 0;
    if (followed_once) rf_fail("a process of the agent cannot be followed");
    listening = 0;
    return -1;
  }
  followed_once = 1;
  waiters = 0;
  rf_listen_hear(listener);
  rf_task_insert(pid, 0, RF_TASK_CHILD);
  rf_task_follow(pid, pid);
  return 0;
}

int rf_trace_follow(pid_t pid) {
  if (record == RF_RECORD_OFF) return 0;
  const long options = OPTIONS | (record == RF_RECORD_FULL ? FULL_OPTIONS : 0);
  if (ptrace(PTRACE_SEIZE, pid, NULL, options) != 0) {
    // One that ended meanwhile is told by its end.
    if (followed_once && rf_listen_has_ended(pid, errno)) return 0;
    if (followed_once) rf_fail("a process of the agent cannot be followed");
    record = RF_RECORD_OFF;
    return -1;
  }
  followed_once = 1;
  rf_task_insert(pid, 0, 0);
  return 0;
}

// Followed no longer, with a signal that it was stopped for. One that was killed stays followed until wait tells of its end.
static void leave(pid_t pid, int signal_number) {
  if (ptrace(PTRACE_DETACH, pid, NULL, (long)signal_number) != 0) {
    if (errno != ESRCH) rf_fail("a followed process cannot go on");
    return;
  }
  rf_task_leave(pid);
  struct rf_task *task = rf_task_find(pid);
  if (task != NULL && (task->flags & (RF_TASK_OWNS | RF_TASK_CHILD)) == 0) rf_task_take_out(task);
}

// A task that was killed cannot go on; its end is told by wait.
static void go_on(pid_t pid, int request, int signal_number) {
  if (ptrace((enum __ptrace_request)request, pid, NULL, (long)signal_number) != 0 && errno != ESRCH) rf_fail("a followed process cannot go on");
}

static void continues(pid_t pid) {
  if (listening) leave(pid, 0);
  else go_on(pid, PTRACE_CONT, 0);
}

void rf_trace_hold(int hold) {
  holds = hold;
  standing = refused = 0;
}

void rf_trace_let_go(void) {
  holds = 0;
  if (standing > 0) continues(standing);
  standing = 0;
}

static uint32_t message_of(pid_t pid) {
  unsigned long message = 0;
  return ptrace(PTRACE_GETEVENTMSG, pid, NULL, &message) == 0 ? (uint32_t)message : 0;
}

// A task stopped for the first time before whoever made it told of it: the kernel says who its parent is.
static uint32_t program_of_parent(pid_t pid) {
  const pid_t parent = rf_listen_parent(pid);
  const struct rf_task *task = parent == 0 ? NULL : rf_task_find(parent);
  return task == NULL ? 0 : task->number;
}

static void made_another(pid_t pid) {
  const pid_t made = (pid_t)message_of(pid);
  const struct rf_task *maker = rf_task_find(pid);
  struct rf_task *task = made == 0 ? NULL : rf_task_find(made);
  const uint32_t number = maker == NULL ? 0 : maker->number;
  if (task == NULL && made != 0) {
    rf_task_insert(made, number, RF_TASK_AWAITS_STOP);
  } else if (task != NULL && (task->flags & RF_TASK_GONE) != 0) {
    rf_task_take_out(task);
  } else if (task != NULL && (task->flags & RF_TASK_AWAITS_PARENT) != 0) {
    task->flags &= ~(unsigned)RF_TASK_AWAITS_PARENT;
    if ((task->flags & RF_TASK_OWNS) == 0) task->number = number;
  }
  go_on(pid, PTRACE_CONT, 0);
}

static void first_stop(pid_t pid) {
  struct rf_task *task = rf_task_find(pid);
  if (task == NULL) rf_task_insert(pid, program_of_parent(pid), RF_TASK_AWAITS_PARENT);
  else task->flags &= ~(unsigned)RF_TASK_AWAITS_STOP;
}

// The program that a thread runs, or that its process was forked from: where its image lies was drawn by the kernel and came along.
static uint32_t program_of(pid_t thread) {
  const uint64_t layout = rf_listen_layout(thread);
  const size_t place = (size_t)(layout % LAYOUTS);
  if (layout != 0 && layouts[place].layout == layout && layouts[place].generation == generation) return layouts[place].number;
  return program_of_parent(thread);
}

static void remember_layout(pid_t pid, uint32_t number) {
  const uint64_t layout = rf_listen_layout(pid);
  const size_t place = (size_t)(layout % LAYOUTS);
  layouts[place].layout = layout;
  layouts[place].number = number;
  layouts[place].generation = generation;
}

// The process ended, as it is heard from the kernel. What is followed just now is told by wait.
static void heard_end(struct rf_task *task) {
  int status = 0;
  if (task->end == 0 || rf_task_is_followed(task->pid)) return;
  const int end = rf_listen_end(task->end - 1, &status);
  if (end > 0 && task->ended == 0) task->ended = rf_now();
  if (end < 2) return;
  if ((task->flags & RF_TASK_OWNS) != 0) rf_programs_ended(task->number, status, 0, task->ended);
  rf_task_take_out(task);
}

// A thread asks for another program and stands still. It is followed from here on, and only then let into the kernel: that program cannot
// begin unseen, whoever it is that runs it then. Whatever the thread asked for is not looked at: it could be changed behind the question.
//
// One thread of a process at a time. A program that begins waits for all other threads of its process to be gone, one that is followed is gone when
// the guard took its end, and whoever follows another of them waits in the kernel for the program that begins: nobody would go on.
static void asks(const struct rf_asking *asking) {
  const pid_t pid = asking->thread;
  struct rf_task *task = rf_task_find(pid);
  if (task != NULL) heard_end(task);
  task = rf_task_find(pid);
  const pid_t process = task != NULL && (task->flags & (RF_TASK_OWNS | RF_TASK_CHILD)) != 0 ? pid : rf_listen_process(pid);
  pid_t other = rf_task_followed_of(process, pid);
  // A first thread that ended is not told by wait before its whole process: nobody waits for it.
  while (other != 0 && rf_listen_is_dead(other)) {
    rf_task_leave(other);
    other = rf_task_followed_of(process, pid);
  }
  if (other != 0 && waiters < MOST_BEHIND) {
    // It stops where it goes back to its own code, its asking having failed, or becomes the other program, or ends.
    ptrace(PTRACE_INTERRUPT, other, NULL, NULL);
    waiting[waiters++] = *asking;
    return;
  }
  const int may = process != 0 && other == 0;
  if (may && ptrace(PTRACE_SEIZE, pid, NULL, (long)UNTIL_EXEC) == 0) {
    if (task == NULL) rf_task_insert(pid, program_of(pid), 0);
    rf_task_follow(pid, process);
  } else if (!may || errno != EPERM || !rf_task_is_followed(pid)) {
    // Killed meanwhile, not to be followed, or too many.
    rf_listen_answer(asking, other != 0 ? EAGAIN : EPERM);
    return;
  }
  rf_listen_answer(asking, 0);
}

// Those that waited for another thread of theirs.
static void ask_again(void) {
  const int count = waiters;
  waiters = 0;
  for (int i = 0; i < count; i++) {
    if (rf_listen_waits(&waiting[i])) asks(&waiting[i]);
  }
}

static void refuse(pid_t pid, void (*forbid)(void)) {
  // It still stands before its first instruction.
  refused = 1;
  kill(pid, SIGKILL);
  forbid();
}

// From here on: who it is, and how it will end.
static void watch(struct rf_task *task) {
  remember_layout(task->pid, task->number);
  if (task->end != 0 || (task->flags & RF_TASK_CHILD) != 0) return;
  rf_tasks_watch(task, rf_listen_watch(task->pid));
}

static void started(pid_t pid, void (*forbid)(void)) {
  // Where another thread asked for the program, that one is gone and this is its number now.
  const pid_t former = (pid_t)message_of(pid);
  struct rf_task *was = former == 0 ? NULL : rf_task_find(former);
  const uint32_t parent = was == NULL ? program_of_parent(pid) : was->number;
  if (was != NULL && former != pid) rf_task_take_out(was);
  if (listening && former != pid) rf_task_leave(former);
  struct rf_task *task = rf_task_find(pid);
  const int replaced = task != NULL && (task->flags & RF_TASK_OWNS) != 0;
  const uint32_t old = task == NULL ? 0 : task->number;
  const unsigned kept = task == NULL ? 0 : task->flags & (RF_TASK_AWAITS_PARENT | RF_TASK_CHILD);
  uint32_t number = 0;
  if (replaced) rf_programs_ended(old, 0, 1, 0);
  const enum rf_verdict verdict = rf_programs_started(pid, parent, replaced, &number);
  task = rf_task_insert(pid, number, RF_TASK_OWNS | kept | (verdict == RF_WAIT ? RF_TASK_AWAITS_ANSWER : 0));
  if (listening) {
    rf_task_follow(pid, pid);
    watch(task);
  }
  // What was killed meanwhile cannot be looked at, and runs nothing.
  if (verdict == RF_UNKNOWN && message_of(pid) == 0) return;
  if (verdict == RF_REFUSED || verdict == RF_UNKNOWN || refused) refuse(pid, forbid);
  else if (verdict == RF_GO_ON && holds) standing = pid;
  else if (verdict == RF_GO_ON) continues(pid);
}

int rf_trace_seize(pid_t pid) {
  if (listening) return 0;
  return record == RF_RECORD_OFF ? (int)ptrace(PTRACE_SEIZE, pid, NULL, (long)UNTIL_EXEC) : -1;
}

void rf_trace_stood(pid_t pid, void (*forbid)(void)) {
  uint32_t number = 0;
  const enum rf_verdict verdict = listening ? rf_programs_started(pid, 0, 0, &number) : RF_GO_ON;
  if (listening) watch(rf_task_insert(pid, number, RF_TASK_OWNS | RF_TASK_CHILD));
  unsigned long message;
  // What was killed meanwhile cannot be looked at, and runs nothing.
  if (verdict != RF_GO_ON && ptrace(PTRACE_GETEVENTMSG, pid, NULL, &message) != 0) return;
  if (verdict != RF_GO_ON) refuse(pid, forbid);
  else if (holds) standing = pid;
  else leave(pid, 0);
}

// The end of an opening for writing: the descriptor tells which file it became.
static void opened(pid_t pid) {
  struct __ptrace_syscall_info info;
  memset(&info, 0, sizeof info);
  const long got = ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info);
  const struct rf_task *task = rf_task_find(pid);
  if (got > 0 && info.op == PTRACE_SYSCALL_INFO_EXIT && !info.exit.is_error && info.exit.rval >= 0) rf_programs_wrote(pid, task == NULL ? 0 : task->number, (int)info.exit.rval);
  go_on(pid, PTRACE_CONT, 0);
}

static void stopped(pid_t pid, int status, void (*forbid)(void)) {
  const int signal_number = WSTOPSIG(status), event = status >> 16;
  // Its asking failed, and it goes on with what it ran: the next one is heard of anew.
  if (listening && event != PTRACE_EVENT_EXEC) {
    leave(pid, event == 0 ? signal_number : 0);
    return;
  }
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
  struct rf_task *task = rf_task_find(pid);
  if (pid == standing) standing = 0;
  rf_task_leave(pid);
  if (task == NULL) return;
  if ((task->flags & RF_TASK_OWNS) != 0) rf_programs_ended(task->number, status, 0, task->ended);
  if ((task->flags & RF_TASK_AWAITS_PARENT) != 0) task->flags |= RF_TASK_GONE;
  else rf_task_take_out(task);
}

// What is heard without a stop: one piece of news. 0 when there is none.
static int hear(void) {
  const pid_t pid = rf_listen_news();
  struct rf_task *task = pid == 0 ? NULL : rf_task_find(pid);
  if (task != NULL) heard_end(task);
  if (pid != 0) return 1;
  if (waiters > 0) ask_again();
  struct rf_asking asking;
  if (!rf_listen_next(&asking)) return 0;
  asks(&asking);
  return 1;
}

void rf_trace_settle(void) {
  if (rf_tasks_watched() > 0) rf_tasks_each_watched(heard_end);
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
    if (pid <= 0 && listening && hear()) continue;
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
  struct rf_task *task = rf_task_find(pid);
  // Ended while the answer was on its way.
  if (task == NULL || task->number != number || (task->flags & RF_TASK_AWAITS_ANSWER) == 0) return;
  task->flags &= ~(unsigned)RF_TASK_AWAITS_ANSWER;
  if (payload[8] == 1 && !refused) continues(pid);
  else refuse(pid, forbid);
}
