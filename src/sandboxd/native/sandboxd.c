// The supervisor inside the container: one line to the orchestrator, one call at a time, everything ended when either ends.
// Must never outlive its input: process 1 ends with this program, and the kernel then ends every process of the container.
// Usage: sandboxd AGENT_UID AGENT_GID ROOT NONCE FILE_MIB RECORD   with the line on standard input and output, the killer's socket on 3
#include "call.h"
#include "heartbeat.h"
#include "killer.h"
#include "line.h"
#include "programs.h"
#include "selftest.h"
#include "trace.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>

// The line in and out, ended children, the killer, standard input beside a direct line, what is heard of programs.
#define OWN_WAITS 6

static void take(const struct rf_frame *frame) {
  const uint8_t *payload = frame->payload;
  switch (frame->type) {
    case RF_START:
      rf_call_start(frame->stream, payload, frame->size);
      return;
    case RF_GO:
      rf_call_go(frame->stream);
      return;
    case RF_STDIN:
      rf_call_input(frame->stream, payload, frame->size);
      return;
    case RF_STDIN_END:
      rf_call_end_input(frame->stream);
      return;
    case RF_CREDIT:
      if (frame->size == 5 && (payload[0] == 1 || payload[0] == 2)) rf_call_credit(frame->stream, payload[0] - 1, rf_get32(payload + 1));
      return;
    case RF_KILL:
      rf_call_cancel(frame->stream);
      return;
    case RF_LEFT:
      if (frame->size == 4) rf_call_left(frame->stream, rf_get32(payload));
      return;
    case RF_PING:
      rf_line_send(RF_PONG, frame->stream, NULL, 0);
      return;
    case RF_VERDICT:
      rf_call_verdict(payload, frame->size);
      return;
    case RF_BYE:
      _exit(0);
    default:
      rf_fail("an unexpected message");
  }
}

static void reap(int signals) {
  struct signalfd_siginfo info[8];
  while (read(signals, info, sizeof info) > 0) continue;
  rf_call_children();
}

static int open_null(void) {
  const int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
  struct stat info;
  if (null < 0 || fstat(null, &info) != 0 || !S_ISCHR(info.st_mode) || info.st_rdev != makedev(1, 3)) rf_die("/dev/null");
  return null;
}

static int watch_children(void) {
  sigset_t watched;
  sigemptyset(&watched);
  sigaddset(&watched, SIGCHLD);
  sigprocmask(SIG_BLOCK, &watched, NULL);
  const int signals = signalfd(-1, &watched, SFD_NONBLOCK | SFD_CLOEXEC);
  if (signals < 0) rf_die("signalfd");
  return signals;
}

int main(int argc, char *argv[]) {
  if (argc != 7) {
    errno = EINVAL;
    rf_die("usage: sandboxd UID GID ROOT NONCE FILE_MIB RECORD");
  }
  const struct rf_agent agent = {rf_number(argv[1], 0x7fffffff), rf_number(argv[2], 0x7fffffff), {rf_number(argv[5], 0x7fffffff)}};
  if (agent.uid == RF_GUARD_ID || agent.uid == RF_KILLER_ID) rf_die("refused user");
  if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) != 0) rf_die("dumpable");
  signal(SIGPIPE, SIG_IGN);
  rf_line_open();
  rf_killer_open();
  const int null = open_null(), signals = watch_children();
  rf_trace_open(strcmp(argv[6], "full") == 0 ? RF_RECORD_FULL : strcmp(argv[6], "exec") == 0 ? RF_RECORD_EXEC : RF_RECORD_OFF);
  rf_calls_open(&agent, argv[3], null, signals);
  rf_self_test(argv[3], argv[4], signals);
  for (;;) {
    rf_programs_turn();
    struct pollfd waits[OWN_WAITS + RF_CALL_WAITS] = {
      {rf_line_in(), POLLIN, 0}, {rf_line_out(), POLLOUT, 0}, {signals, POLLIN, 0}, {RF_KILLER_FD, POLLIN, 0}, {rf_line_is_direct() ? 0 : -1, POLLIN, 0},
      {rf_trace_events(), POLLIN, 0},
    };
    if (rf_line_waiting() == 0) waits[1].fd = -1;
    // What is behind goes on as soon as the line takes more.
    const int behind = rf_trace_is_behind();
    if (behind) waits[2].fd = waits[5].fd = -1;
    int64_t left = rf_heartbeat_wait(rf_call_waits(waits + OWN_WAITS));
    if (behind && rf_line_waiting() == 0) left = 0;
    const struct timespec pause = {left / 1000000000, left % 1000000000};
    if (ppoll(waits, OWN_WAITS + RF_CALL_WAITS, left < 0 ? NULL : &pause, NULL) < 0) {
      if (errno != EINTR) rf_die("poll");
      continue;
    }
    if (waits[4].revents != 0) rf_line_watch_input();
    if (waits[1].revents != 0) rf_line_push();
    if (waits[3].revents != 0) rf_killer_take();
    // Outputs before the death of their program: most calls are then over in this very turn.
    if (waits[2].revents != 0 || waits[5].revents != 0 || behind) reap(signals);
    rf_call_turn(waits + OWN_WAITS);
    if (waits[0].revents != 0) rf_line_take(take);
    rf_heartbeat_turn(waits[0].revents != 0);
    rf_call_settle();
  }
}
