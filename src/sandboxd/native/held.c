// The process of the next call: see held.h.
#include "held.h"
#include "line.h"
#include "trace.h"
#include "warm.h"

#include <signal.h>
#include <sys/wait.h>

// Processes made for one order before it is given up.
#define MOST_TRIES 8

static struct rf_agent agent;
static int null_file = -1;
static struct rf_child held = {.pid = -1};
// The one that was let go stood ready.
static int stood;

void rf_held_open(const struct rf_agent *who, int null, int signals) {
  agent = *who;
  null_file = null;
  rf_warm_open(&agent, signals);
}

pid_t rf_held_pid(void) { return held.pid; }

void rf_held_fault(const struct rf_failure *failure) {
  char text[192];
  snprintf(text, sizeof text, "a process of the agent could not be started: %.31s: %.60s", failure->step, strerror(failure->error));
  rf_fail(text);
}

static void forget(void) {
  rf_warm_forget();
  if (held.order >= 0) close(held.order);
  close(held.in);
  for (int i = 0; i < 2; i++) {
    close(held.out[i]);
    close(held.writers[i]);
  }
  close(held.report);
  held.pid = -1;
}

static void throw_away(void) {
  if (held.pid > 0) {
    kill(held.pid, SIGKILL);
    waitpid(held.pid, NULL, 0);
  }
  forget();
}

// Attended from its beginning. Where one way of it turns out to be refused it is made anew for the next: its asking heard, followed, neither.
static int prepare(struct rf_failure *failure) {
  rf_trace_forget();
  for (int tries = 0; tries < 3; tries++) {
    if (rf_prepare(&agent, null_file, &held, failure) != 0) break;
    if (rf_attend(&held) == 0) return 0;
    throw_away();
  }
  held.pid = -1;
  return -1;
}

void rf_held_make(void) {
  struct rf_failure failure;
  if (held.pid >= 0 || prepare(&failure) != 0 || rf_warm_up(&held) == 0) return;
  throw_away();
  prepare(&failure);
}

static int takes(const uint8_t *order, uint32_t size) {
  stood = rf_warm_stands() >= 0;
  return stood ? rf_warm_take(order, size) : rf_release(&held, order, size);
}

void rf_held_let_go(const uint8_t *order, uint32_t size, struct rf_child *child) {
  struct rf_failure failure;
  for (int tries = 0; held.pid < 0 || takes(order, size) != 0; tries++) {
    if (tries == MOST_TRIES) rf_fail("processes of the agent end before their order");
    // It stands for another order. Or it died meanwhile, as the kernel's first choice when memory ran out.
    if (held.pid >= 0) throw_away();
    if (prepare(&failure) != 0) rf_held_fault(&failure);
  }
  rf_warm_forget();
  rf_warm_learn(order, size);
  *child = held;
  held.pid = -1;
}

void rf_held_begin(const struct rf_child *child, void (*forbid)(void)) {
  if (stood) rf_trace_stood(child->pid, forbid);
}

int rf_held_ended(pid_t pid) {
  if (pid != held.pid) return 0;
  struct rf_failure failure;
  const int failed = read(held.report, &failure, sizeof failure) == (ssize_t)sizeof failure;
  forget();
  if (failed) rf_held_fault(&failure);
  return 1;
}
