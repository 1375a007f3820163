// Starts the agent's processes for sandboxd, one at a time, and carries their streams. Resident, so that a start costs one
// fork of a small program. Standard input is the private socket to sandboxd; the exit status travels only there.
// Usage: rf-call AGENT_UID AGENT_GID FILE_MIB
#include "spawn.h"

#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>

#define SOCKET 0
#define STDIN_WINDOW (1024 * 1024)
// How long output is still awaited after the exit while another process holds the pipe (`> >(tee log)`).
#define GRACE_MS 50

static struct {
  struct rf_child child;
  struct rf_order order;
  uint8_t *order_bytes;
  int running, exited, status, failed, input_ended, last_round;
  struct rf_failure failure;
  long long grace_end;
  uint32_t stream, credit[2], residue[2];
  size_t queue_at, queue_size;
} call;

static uint8_t queue[STDIN_WINDOW];
static uint8_t frame[RF_HEADER + RF_CHUNK];

static long long now_ms(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000LL + time.tv_nsec / 1000000;
}

// Sends the frame whose payload already stands in `frame`.
static void send_frame(uint8_t type, uint32_t size) {
  rf_put32(frame, size);
  frame[4] = type;
  rf_put32(frame + 5, call.stream);
  if (rf_write_all(SOCKET, frame, RF_HEADER + size) != 0) _exit(0);
}

static void shut(int *fd) {
  if (*fd >= 0) close(*fd);
  *fd = -1;
}

static void send_exit(uint8_t kind, uint32_t value) {
  frame[RF_HEADER] = kind;
  rf_put32(frame + RF_HEADER + 1, value);
  send_frame(RF_EXIT, 5);
}

// Ends the call. Kinds: 0 exit code, 1 signal, 2 our own fault (the frame then carries nothing of the command).
static void finish(void) {
  shut(&call.child.in);
  shut(&call.child.out[0]);
  shut(&call.child.out[1]);
  shut(&call.child.report);
  call.running = 0;
  if (call.failed) {
    char text[4200];
    const int code = rf_explain(&call.failure, &call.order, text, sizeof text);
    const size_t size = strlen(text);
    memcpy(frame + RF_HEADER, text, size);
    send_frame(RF_STDERR, (uint32_t)size);
    send_exit(code < 0 ? 2 : 0, code < 0 ? 0 : (uint32_t)code);
  } else if (WIFEXITED(call.status)) {
    send_exit(0, (uint32_t)WEXITSTATUS(call.status));
  } else {
    send_exit(1, (uint32_t)WTERMSIG(call.status));
  }
  free(call.order.argv);
  free(call.order.envp);
  free(call.order_bytes);
  call.order_bytes = NULL;
}

static void start(uint8_t *bytes, size_t size, uint32_t stream, const struct rf_agent *agent, int null, uint32_t window) {
  memset(&call, 0, sizeof call);
  call.child = (struct rf_child){-1, -1, {-1, -1}, -1};
  call.stream = stream;
  call.order_bytes = bytes;
  call.credit[0] = call.credit[1] = window;
  if (rf_parse_order(bytes, size, &call.order) != 0) {
    errno = EPROTO;
    rf_die("start order");
  }
  call.running = 1;
  if (rf_spawn(&call.order, agent, null, &call.child, &call.failure) != 0) {
    call.failed = 1;
    finish();
  }
}

static void give_back_input(uint32_t size) {
  frame[RF_HEADER] = 0;
  rf_put32(frame + RF_HEADER + 1, size);
  send_frame(RF_CREDIT, 5);
}

// Input for a process that no longer reads is dropped, and its room given back, so that nothing upstream waits for ever.
static void drop_input(void) {
  shut(&call.child.in);
  if (call.queue_size > 0) give_back_input((uint32_t)call.queue_size);
  call.queue_size = call.queue_at = 0;
}

static void take_input(const uint8_t *bytes, size_t size) {
  if (!call.running || call.child.in < 0) {
    if (size > 0) give_back_input((uint32_t)size);
    return;
  }
  if (call.queue_size + size > STDIN_WINDOW) {
    errno = EPROTO;
    rf_die("input past the window");
  }
  for (size_t i = 0; i < size; i++) queue[(call.queue_at + call.queue_size + i) % STDIN_WINDOW] = bytes[i];
  call.queue_size += size;
}

static void push_input(void) {
  while (call.queue_size > 0) {
    size_t run = STDIN_WINDOW - call.queue_at;
    if (run > call.queue_size) run = call.queue_size;
    const ssize_t put = write(call.child.in, queue + call.queue_at, run);
    if (put < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (put < 0) {
      drop_input();
      return;
    }
    call.queue_at = (call.queue_at + (size_t)put) % STDIN_WINDOW;
    call.queue_size -= (size_t)put;
    give_back_input((uint32_t)put);
  }
  if (call.input_ended) shut(&call.child.in);
}

// One frame from sandboxd, which always sends whole frames.
static void take_frame(const struct rf_agent *agent, int null) {
  uint8_t head[RF_HEADER];
  if (rf_read_all(SOCKET, head, sizeof head) != 0) _exit(0);
  const uint32_t size = rf_get32(head), stream = rf_get32(head + 5);
  if (size > RF_MAX_START) rf_die("frame too large");
  uint8_t *bytes = malloc((size_t)size + 1);
  if (bytes == NULL) rf_die("memory");
  if (rf_read_all(SOCKET, bytes, size) != 0) _exit(0);
  if (head[4] == RF_START && size >= 4 && !call.running) {
    const uint32_t window = rf_get32(bytes);
    memmove(bytes, bytes + 4, size - 4);
    start(bytes, size - 4, stream, agent, null, window);
    return;
  }
  if (stream == call.stream && call.running) {
    if (head[4] == RF_STDIN) take_input(bytes, size);
    if (head[4] == RF_STDIN_END) call.input_ended = 1;
    if (head[4] == RF_CREDIT && size == 5 && (bytes[0] == 1 || bytes[0] == 2)) call.credit[bytes[0] - 1] += rf_get32(bytes + 1);
  }
  free(bytes);
}

// Carries what stands in one output pipe, as far as the credit goes.
static void carry(int which) {
  uint32_t most = call.credit[which] < RF_CHUNK ? call.credit[which] : RF_CHUNK;
  if (call.last_round && call.residue[which] < most) most = call.residue[which];
  const ssize_t got = read(call.child.out[which], frame + RF_HEADER, most);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) {
    shut(&call.child.out[which]);
    return;
  }
  call.credit[which] -= (uint32_t)got;
  if (call.last_round) call.residue[which] -= (uint32_t)got;
  send_frame(which == 0 ? RF_STDOUT : RF_STDERR, (uint32_t)got);
}

static void reap(int signals) {
  struct signalfd_siginfo info;
  while (read(signals, &info, sizeof info) == (ssize_t)sizeof info) continue;
  if (!call.running || call.exited || waitpid(call.child.pid, &call.status, WNOHANG) != call.child.pid) return;
  struct rf_failure failure;
  call.failed = read(call.child.report, &failure, sizeof failure) == (ssize_t)sizeof failure;
  if (call.failed) call.failure = failure;
  call.exited = 1;
  call.grace_end = now_ms() + GRACE_MS;
  drop_input();
}

// After the exit: done when both pipes are at their end, or when the grace is over and what stood in them then was carried.
static void settle(void) {
  if (!call.running || !call.exited) return;
  if (!call.last_round && now_ms() >= call.grace_end) {
    call.last_round = 1;
    for (int i = 0; i < 2; i++) {
      int bytes = 0;
      if (call.child.out[i] >= 0 && ioctl(call.child.out[i], FIONREAD, &bytes) == 0) call.residue[i] = (uint32_t)bytes;
    }
  }
  for (int i = 0; i < 2; i++) {
    if (call.last_round && call.residue[i] == 0) shut(&call.child.out[i]);
  }
  if (call.failed || (call.child.out[0] < 0 && call.child.out[1] < 0)) finish();
}

int main(int argc, char *argv[]) {
  if (argc != 4) {
    errno = EINVAL;
    rf_die("usage: rf-call UID GID FILE_MIB");
  }
  const struct rf_agent agent = {rf_number(argv[1], 0x7fffffff), rf_number(argv[2], 0x7fffffff), {rf_number(argv[3], 0x7fffffff)}};
  if (agent.uid == RF_GUARD_ID || agent.uid == RF_KILLER_ID) rf_die("refused user");
  if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) != 0) rf_die("dumpable");
  signal(SIGPIPE, SIG_IGN);
  // Held for ever: an agent that owns /dev can replace the name, not this file.
  const int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
  struct stat info;
  if (null < 0 || fstat(null, &info) != 0 || !S_ISCHR(info.st_mode) || info.st_rdev != makedev(1, 3)) rf_die("/dev/null");
  sigset_t watched;
  sigemptyset(&watched);
  sigaddset(&watched, SIGCHLD);
  sigprocmask(SIG_BLOCK, &watched, NULL);
  const int signals = signalfd(-1, &watched, SFD_NONBLOCK | SFD_CLOEXEC);
  if (signals < 0) rf_die("signalfd");
  if (fcntl(SOCKET, F_SETFD, FD_CLOEXEC) != 0) rf_die("socket");
  for (;;) {
    struct pollfd waits[5] = {{SOCKET, POLLIN, 0}, {signals, POLLIN, 0}, {-1, POLLIN, 0}, {-1, POLLIN, 0}, {-1, POLLOUT, 0}};
    int timeout = -1;
    if (call.running) {
      for (int i = 0; i < 2; i++) {
        if (call.credit[i] > 0) waits[2 + i].fd = call.child.out[i];
      }
      if (call.queue_size > 0 || call.input_ended) waits[4].fd = call.child.in;
      if (call.exited && !call.last_round) {
        const long long left = call.grace_end - now_ms();
        timeout = left > 0 ? (int)left : 0;
      }
    }
    if (poll(waits, 5, timeout) < 0 && errno != EINTR) rf_die("poll");
    for (int i = 0; i < 2; i++) {
      if (waits[2 + i].revents != 0) carry(i);
    }
    if (waits[4].revents != 0) push_input();
    if (waits[1].revents != 0) reap(signals);
    settle();
    if (waits[0].revents != 0) take_frame(&agent, null);
  }
}
