// What the kernel tells without following anybody: see listen.h.
#include "listen.h"
#include "line.h"

#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

// Numbers and layouts that the headers of the build may not have yet.
#define NR_PIDFD_OPEN 434
#define LISTENER_SET_FLAGS _IOW('!', 4, uint64_t)
#define WAKES_AT_ONCE 1UL
struct process_info {
  uint64_t mask, group;
  uint32_t pid, tgid, ppid, ids[8];
  int32_t exit_code;
};
#define PROCESS_INFO _IOWR(0xFF, 11, struct process_info)
#define INFO_PID 1u
#define INFO_EXIT 8u
#define OF_A_THREAD O_EXCL

// Processes of which there is news, taken at once.
#define MOST_NEWS 64

static int events = -1, heard = -1;
static struct epoll_event news[MOST_NEWS];
static int news_left;

static int told_of_end(int descriptor, int *status) {
  struct process_info info;
  memset(&info, 0, sizeof info);
  info.mask = INFO_EXIT;
  if (ioctl(descriptor, PROCESS_INFO, &info) != 0 || (info.mask & INFO_EXIT) == 0) return 0;
  *status = info.exit_code;
  return 1;
}

// A child that ends with a number no kernel makes up: only one that keeps what a process ended with can tell it after it is gone.
static int tells_ends(void) {
  const pid_t pid = fork();
  if (pid == 0) _exit(77);
  if (pid < 0) return 0;
  const int descriptor = (int)syscall(NR_PIDFD_OPEN, pid, 0);
  int status = 0, told = 0;
  const int right = waitpid(pid, &status, 0) == pid && descriptor >= 0 && told_of_end(descriptor, &told) && told == status;
  if (descriptor >= 0) close(descriptor);
  return right;
}

int rf_listen_works(void) {
  if (!tells_ends()) return 0;
  // One descriptor a program that lives.
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
  events = epoll_create1(EPOLL_CLOEXEC);
  return events >= 0;
}

int rf_listen_events(void) { return events; }

static void hear_no_more(void) {
  if (heard >= 0) close(heard);
  heard = -1;
}

void rf_listen_hear(int listener) {
  hear_no_more();
  heard = listener;
  fcntl(heard, F_SETFD, FD_CLOEXEC);
  // Whoever asks stops, whoever hears runs: on the same processor where the kernel can (6.6). Without it only slower.
  ioctl(heard, LISTENER_SET_FLAGS, WAKES_AT_ONCE);
  struct epoll_event event = {EPOLLIN, {.u64 = 0}};
  if (epoll_ctl(events, EPOLL_CTL_ADD, heard, &event) != 0) rf_fail("the agent's programs cannot be heard of");
}

int rf_listen_next(struct rf_asking *asking) {
  while (heard >= 0) {
    struct pollfd look = {heard, POLLIN, 0};
    if (poll(&look, 1, 0) <= 0) return 0;
    if ((look.revents & POLLIN) == 0) {
      // Nobody carries the filter any more.
      hear_no_more();
      return 0;
    }
    struct seccomp_notif said;
    memset(&said, 0, sizeof said);
    if (ioctl(heard, SECCOMP_IOCTL_NOTIF_RECV, &said) == 0) {
      *asking = (struct rf_asking){said.id, (pid_t)said.pid};
      return 1;
    }
    // Killed while it waited, or called away by a signal.
    if (errno != ENOENT && errno != EINTR) rf_fail("the agent's programs are not heard of any more");
  }
  return 0;
}

void rf_listen_answer(const struct rf_asking *asking, int error) {
  struct seccomp_notif_resp answer = {.id = asking->id, .error = -error, .flags = error == 0 ? SECCOMP_USER_NOTIF_FLAG_CONTINUE : 0};
  if (ioctl(heard, SECCOMP_IOCTL_NOTIF_SEND, &answer) != 0 && errno != ENOENT) rf_fail("whoever asked for a program cannot be answered");
}

int rf_listen_waits(const struct rf_asking *asking) {
  uint64_t id = asking->id;
  return heard >= 0 && ioctl(heard, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0;
}

pid_t rf_listen_process(pid_t thread) {
  const int descriptor = (int)syscall(NR_PIDFD_OPEN, thread, OF_A_THREAD);
  struct process_info info;
  memset(&info, 0, sizeof info);
  info.mask = INFO_PID;
  const int got = descriptor < 0 ? -1 : ioctl(descriptor, PROCESS_INFO, &info);
  if (descriptor >= 0) close(descriptor);
  return got == 0 ? (pid_t)info.tgid : 0;
}

// What /proc/PID/stat says of a thread behind its name, which may hold anything; NULL where it is gone.
static char *stat_of(pid_t thread, char *text, size_t room) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/task/%d/stat", (int)thread, (int)thread);
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  const ssize_t got = fd < 0 ? -1 : read(fd, text, room - 1);
  if (fd >= 0) close(fd);
  text[got < 0 ? 0 : got] = 0;
  char *end = strrchr(text, ')');
  return end == NULL ? NULL : strchr(end, ' ');
}

pid_t rf_listen_parent(pid_t thread) {
  char text[1024];
  const char *rest = stat_of(thread, text, sizeof text);
  int parent = 0;
  return rest == NULL || sscanf(rest, " %*c %d", &parent) != 1 ? 0 : (pid_t)parent;
}

int rf_listen_is_dead(pid_t thread) {
  char text[1024];
  const char *state = stat_of(thread, text, sizeof text);
  return state == NULL || state[1] == 'Z' || state[1] == 'X';
}

int rf_listen_watch(pid_t pid) {
  const int descriptor = (int)syscall(NR_PIDFD_OPEN, pid, 0);
  if (descriptor < 0 && errno == ESRCH) return -1;
  struct epoll_event event = {EPOLLIN | EPOLLET, {.u64 = (uint64_t)pid}};
  if (descriptor < 0 || epoll_ctl(events, EPOLL_CTL_ADD, descriptor, &event) != 0) rf_fail("the end of a program cannot be heard of");
  return descriptor;
}

pid_t rf_listen_news(void) {
  while (events >= 0) {
    if (news_left == 0) news_left = epoll_wait(events, news, MOST_NEWS, 0);
    if (news_left <= 0) break;
    const pid_t pid = (pid_t)news[--news_left].data.u64;
    if (pid != 0) return pid;
    // The listener itself, which is asked for all that wait.
    if (news_left == 0) return 0;
  }
  news_left = 0;
  return 0;
}

int rf_listen_end(int descriptor, int *status) {
  if (told_of_end(descriptor, status)) return 2;
  struct pollfd look = {descriptor, POLLIN, 0};
  return poll(&look, 1, 0) > 0 ? 1 : 0;
}

uint64_t rf_listen_layout(pid_t thread) {
  // Of its line in /proc/PID/stat, counted from 0 behind the name: where code, stack, data, heap and arguments of the image begin.
  static const int wanted[] = {23, 25, 42, 44, 45};
  char text[1024], *at = stat_of(thread, text, sizeof text);
  uint64_t hash = 1469598103934665603u, told = 0;
  for (int field = 0, next = 0; at != NULL && next < (int)(sizeof wanted / sizeof *wanted); field++, at = strchr(at + 1, ' ')) {
    if (field != wanted[next]) continue;
    const uint64_t place = strtoull(at + 1, NULL, 10);
    // A kernel that does not want to tell says 0, or 1 for what nobody may know.
    told |= place > 1;
    for (int i = 0; i < 8; i++) hash = (hash ^ (uint8_t)(place >> (8 * i))) * 1099511628211u;
    next++;
  }
  return told && at != NULL ? hash : 0;
}

int rf_listen_has_ended(pid_t pid, int error) {
  // EPERM of one that was not waited for yet, ESRCH of one that is gone.
  siginfo_t info = {.si_pid = 0};
  return error == ESRCH || (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == pid);
}
