// One call: see call.h. A fault of ours is never told as the command's result: it ends the container instead.
#include "call.h"
#include "counters.h"
#include "exit.h"
#include "held.h"
#include "killer.h"
#include "line.h"
#include "programs.h"
#include "scratch.h"
#include "streams.h"
#include "trace.h"

#include <signal.h>
#include <sys/wait.h>

#define MS 1000000LL
// How long output is still awaited after the exit while another process holds the pipe (`> >(tee log)`).
#define GRACE (200 * MS)
// After an order to kill, how long until it is given again: a process that was just being started may have been missed.
#define KILL_AGAIN (20 * MS)
// How long a killed process may take to be reported before this sandbox gives up on itself.
#define KILL_LIMIT (10000 * MS)
// How long the dead may take to vanish from the kernel's count, how often that is looked at, and after how many looks the
// order to kill is given again.
#define SETTLE_LIMIT (3000 * MS)
#define LOOK_AGAIN (1 * MS)
#define LOOKS 20
// After the grace, how often it is looked at what is left in the outputs while nothing of it can be carried.
#define LAST_LOOKS (20 * MS)
// Process 1, this program, the killer's manager and the killer that waits: one task each.
#define OWN_TASKS 4

enum phase { IDLE, RUNNING, ENDED, PROVING, TELLING };

static struct rf_agent agent;

static struct {
  enum phase phase;
  pid_t pid;
  int report, status, failed;
  // The order came, but not the word to go; the time limit was told anew meanwhile.
  int held, is_left;
  uint32_t limit_ms;
  struct rf_failure failure;
  struct rf_streams streams;
  enum rf_ending ending;
  int64_t started, deadline, grace_end, kill_again, give_up, took;
  unsigned killed, looks;
  int quiescent;
  enum rf_limit limit;
  enum rf_scratch scratch;
  size_t told;
  char cwd[4096], name[4096];
} call;

// Between calls, while nothing of the agent lives: the next process, and where the kernel's counters stand.
static void get_ready(void) {
  call.phase = IDLE;
  rf_held_make();
  rf_limits_mark();
}

void rf_calls_open(const struct rf_agent *who, const char *root, int null, int signals) {
  agent = *who;
  rf_held_open(who, null, signals);
  rf_counters_open(root);
  get_ready();
}

int rf_call_is_over(void) { return call.phase == IDLE; }

static void forbid(void);

static void begin(uint32_t stream, const uint8_t *order, uint32_t size) {
  if (call.phase != IDLE) rf_fail("a second call while one is running");
  if (size < RF_ORDER_HEAD) rf_fail("a malformed order");
  const int64_t now = rf_now();
  const int is_ours = (order[0] & RF_ORDER_FILES) != 0, is_held = (order[0] & RF_ORDER_HOLD) != 0;
  if (is_held && rf_trace_records() == RF_RECORD_OFF) rf_fail("an order to hold a program that is not followed");
  rf_trace_hold(is_held);
  rf_programs_begin(stream, !is_ours, (order[0] & RF_ORDER_JUDGE) != 0, (order[0] & RF_ORDER_FORGET) != 0, is_held);
  struct rf_child child;
  rf_held_let_go(order, size, &child);
  const uint64_t limit = ((uint64_t)rf_get32(order + 5) << 32) | rf_get32(order + 9);
  const char *cwd, *name;
  rf_order_names(order, size, &cwd, &name);
  call.phase = RUNNING;
  call.pid = child.pid;
  call.report = child.report;
  call.failed = 0;
  call.ending = BY_EXIT;
  call.started = now;
  call.held = is_held;
  call.is_left = 0;
  call.limit_ms = rf_get32(order + 1);
  call.deadline = is_held ? INT64_MAX : now + call.limit_ms * MS;
  call.kill_again = call.give_up = -1;
  call.killed = call.looks = 0;
  snprintf(call.cwd, sizeof call.cwd, "%.4000s", cwd);
  snprintf(call.name, sizeof call.name, "%.4000s", name);
  rf_streams_begin(&call.streams, stream, limit, child.in, child.out, child.writers);
  rf_held_begin(&child, forbid);
}

void rf_call_start(uint32_t stream, const uint8_t *order, uint32_t size) {
  begin(stream, order, size);
  if ((order[0] & RF_ORDER_STDIN) == 0) rf_streams_drop_input(&call.streams);
}

static int is_mine(uint32_t stream) { return call.phase != IDLE && call.phase != TELLING && stream == call.streams.stream; }

void rf_call_input(uint32_t stream, const uint8_t *bytes, size_t size) {
  if (!is_mine(stream)) return;
  rf_streams_input(&call.streams, bytes, size);
  rf_streams_push(&call.streams);
}

void rf_call_end_input(uint32_t stream) {
  if (!is_mine(stream)) return;
  call.streams.input_ended = 1;
  if (call.streams.in >= 0) rf_streams_push(&call.streams);
}

void rf_call_credit(uint32_t stream, int which, uint32_t bytes) {
  if (!is_mine(stream)) return;
  struct rf_output *out = &call.streams.out[which];
  out->credit = bytes > RF_WINDOW - out->credit ? RF_WINDOW : out->credit + bytes;
}

static void kill_tree(enum rf_ending why) {
  if (call.phase != RUNNING && call.phase != ENDED) return;
  if (call.ending != BY_EXIT) return;
  call.held = 0;
  call.ending = why;
  call.killed = rf_strangers();
  call.give_up = rf_now() + KILL_LIMIT;
  rf_killer_order();
}

void rf_call_cancel(uint32_t stream) {
  if (is_mine(stream)) kill_tree(BY_CANCEL);
}

void rf_call_left(uint32_t stream, uint32_t ms) {
  if (!is_mine(stream)) return;
  call.is_left = 1;
  call.deadline = rf_now() + ms * MS;
}

static void reaped(pid_t pid, int status) {
  if (rf_held_ended(pid)) return;
  if (call.phase != RUNNING || pid != call.pid) return;
  call.status = status;
  call.failed = read(call.report, &call.failure, sizeof call.failure) == (ssize_t)sizeof call.failure;
  close(call.report);
  call.phase = ENDED;
  call.grace_end = rf_now() + GRACE;
  rf_streams_drop_input(&call.streams);
  rf_streams_ended(&call.streams);
}

// A program was refused: it is dead, and the call ends with it.
static void forbid(void) {
  if (call.phase == RUNNING || call.phase == ENDED) kill_tree(BY_REFUSAL);
  else if (call.ending == BY_EXIT) call.ending = BY_REFUSAL;
}

void rf_call_children(void) { rf_trace_take(reaped, forbid); }

void rf_call_verdict(const uint8_t *payload, uint32_t size) { rf_trace_answer(payload, size, forbid); }

// After the exit: over when both pipes are at their end, or when the grace is over and what stood in them then was carried.
static int streams_over(int64_t now) {
  if (!call.streams.last_round && now >= call.grace_end) rf_streams_last_round(&call.streams);
  return call.failed || rf_streams_over(&call.streams);
}

static void explain(void) {
  char text[4200];
  const int code = rf_explain(&call.failure, call.name, call.cwd, text, sizeof text);
  if (code < 0) rf_held_fault(&call.failure);
  rf_streams_deliver(&call.streams, 1, (const uint8_t *)text, strlen(text));
  call.status = code << 8;
}

static int signal_of(int status) { return WIFSIGNALED(status) ? WTERMSIG(status) : 0; }

// What the call left to look at, once it is proved that nothing of it is left, or cannot be.
static void proved(int quiescent) {
  call.quiescent = quiescent;
  call.limit = rf_limits_reached(signal_of(call.status));
  call.scratch = quiescent ? rf_scratch_look(&agent, rf_names()) : RF_SCRATCH_UNKNOWN;
  call.told = 0;
  rf_trace_settle();
  rf_programs_end();
  call.phase = TELLING;
}

// Between exit and proof: first the orders under way, then the kernel's count, then more orders until it is right.
static void prove(int64_t now) {
  if (rf_killer_busy() > 0) return;
  if (rf_quiet(OWN_TASKS)) {
    proved(1);
    return;
  }
  if (call.give_up < 0) {
    call.give_up = now + SETTLE_LIMIT;
    call.killed += rf_strangers();
    call.looks = LOOKS;
  }
  if (now >= call.give_up) {
    proved(0);
  } else if (call.looks >= LOOKS) {
    call.looks = 0;
    rf_killer_order();
  } else {
    call.looks++;
  }
}

// Sends the list of names where it is a new one, as far as the line takes it, and the exit after it. True when all is on its way.
static int told(void) {
  if (!rf_programs_flush()) return 0;
  size_t size = 0;
  const uint8_t *list = call.scratch == RF_SCRATCH_NEW ? rf_scratch_list(&size) : NULL;
  while (call.told < size) {
    if (rf_line_waiting() > 0) return 0;
    const size_t part = size - call.told < RF_CHUNK ? size - call.told : RF_CHUNK;
    rf_line_send(RF_SCRATCH, call.streams.stream, list + call.told, (uint32_t)part);
    call.told += part;
  }
  const struct rf_exit end = {call.status, call.ending, call.killed, call.quiescent, call.took, call.scratch, call.limit};
  rf_exit_tell(&call.streams, &end);
  return 1;
}

static void tell(void) {
  // In one piece where it is short: whoever waits for it is woken once.
  for (int all = 0; !all;) {
    rf_line_gather(1);
    all = told();
    rf_line_gather(0);
    if (!all && rf_line_waiting() > 0) return;
  }
  // Where something of the agent may still live no process is prepared beside it.
  if (call.quiescent) get_ready();
  else call.phase = IDLE;
}

// An order to kill was given, and processes of the call may still hold what is waited for.
static int is_killing(void) {
  return call.ending != BY_EXIT && (call.phase == RUNNING || (call.phase == ENDED && !call.streams.last_round));
}

static void turn(void) {
  const int64_t now = rf_now();
  if (call.phase == RUNNING && now >= call.deadline) kill_tree(BY_TIMEOUT);
  if (is_killing() && rf_killer_busy() == 0) {
    if (now >= call.give_up) rf_fail("a killed process was not reported as ended");
    if (call.kill_again < 0) call.kill_again = now + KILL_AGAIN;
    if (now >= call.kill_again) {
      call.kill_again = -1;
      rf_killer_order();
    }
  }
  if (call.phase == ENDED && !call.held && streams_over(now)) {
    if (call.failed) explain();
    rf_streams_close(&call.streams);
    call.took = now - call.started;
    call.give_up = -1;
    call.phase = PROVING;
  }
  if (call.phase == PROVING && call.streams.gather == NULL) prove(now);
  if (call.phase == TELLING) tell();
}

void rf_call_go(uint32_t stream) {
  // One that was ended meanwhile never runs.
  if (!is_mine(stream) || !call.held) return;
  call.held = 0;
  call.started = rf_now();
  if (!call.is_left) call.deadline = call.started + call.limit_ms * MS;
  rf_programs_go();
  rf_trace_let_go();
  // Where the program could not be started all was over before.
  turn();
}

static int64_t sooner(int64_t one, int64_t other) { return one < 0 || other < one ? other : one; }

// When the call wants its turn although nothing has arrived; -1 for never. While an order to kill is under way its answer is awaited.
static int64_t next_turn(int64_t now) {
  int64_t next = -1;
  if (call.phase == RUNNING && call.ending == BY_EXIT) next = call.deadline;
  if (is_killing() && rf_killer_busy() == 0) next = sooner(next, call.kill_again >= 0 ? call.kill_again : now);
  // What is left may be read away, and nobody tells of that.
  if (call.phase == ENDED && !call.held) next = sooner(next, call.streams.last_round ? now + LAST_LOOKS : call.grace_end);
  if (call.phase == PROVING && rf_killer_busy() == 0) next = sooner(next, now + LOOK_AGAIN);
  return next;
}

int64_t rf_call_waits(struct pollfd waits[RF_CALL_WAITS]) {
  for (int i = 0; i < RF_CALL_WAITS; i++) waits[i] = (struct pollfd){-1, i < 2 ? POLLIN : POLLOUT, 0};
  if (call.phase == IDLE) return -1;
  if (call.phase == RUNNING || call.phase == ENDED) {
    for (int i = 0; i < 2; i++) {
      if (call.streams.out[i].credit > 0 && rf_line_waiting() == 0) waits[i].fd = call.streams.out[i].fd;
    }
    if (call.streams.queue_size > 0) waits[2].fd = call.streams.in;
  }
  const int64_t now = rf_now(), next = next_turn(now);
  if (next < 0) return -1;
  return next > now ? next - now : 0;
}

void rf_call_turn(const struct pollfd waits[RF_CALL_WAITS]) {
  if (call.phase == IDLE) return;
  for (int i = 0; i < 2; i++) {
    // What was ready may have been carried since, at the end of the process, and its credit with it.
    if (waits[i].revents != 0 && rf_line_waiting() == 0) rf_streams_carry(&call.streams, i);
  }
  if (waits[2].revents != 0 && call.streams.in >= 0) rf_streams_push(&call.streams);
  turn();
}

void rf_call_settle(void) {
  if (call.phase == RUNNING || call.phase == ENDED) rf_streams_settle(&call.streams);
}

size_t rf_call_gather(const uint8_t *order, uint32_t size, char *text, size_t room, int signals) {
  begin(0, order, size);
  rf_streams_drop_input(&call.streams);
  call.streams.gather = text;
  call.streams.gather_room = room;
  while (call.phase != PROVING) {
    struct pollfd waits[RF_CALL_WAITS + 2];
    const int64_t left = rf_call_waits(waits);
    // Every stop of a followed process is told here: to wait for a turn of the clock at each made a start take twice as long.
    waits[RF_CALL_WAITS] = (struct pollfd){signals, POLLIN, 0};
    waits[RF_CALL_WAITS + 1] = (struct pollfd){rf_trace_events(), POLLIN, 0};
    if (poll(waits, RF_CALL_WAITS + 2, left == 0 ? 0 : 2) < 0 && errno != EINTR) rf_die("poll");
    uint8_t told[1024];
    while (read(signals, told, sizeof told) > 0) continue;
    rf_call_children();
    rf_call_turn(waits);
  }
  get_ready();
  return call.streams.gathered;
}
