// A process of the agent: see spawn.h. Everything that takes time is done before the order comes: pipes that belong to the
// agent, the fork, the drop of all rights. With the order only the working directory and the program are left to do.
#include "spawn.h"
#include "filter.h"
#include "ipc.h"
#include "trace.h"

#include <signal.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#define RF_FILE "/.ringfence/bin/rf-file"

// Everything of an order; the pointers lead into its bytes.
struct order {
  char *cwd;
  char **argv, **envp;
};

// Next text of an order; NULL past its end.
static char *take_text(uint8_t **at, const uint8_t *end) {
  uint8_t *zero = memchr(*at, 0, (size_t)(end - *at));
  if (zero == NULL) return NULL;
  char *text = (char *)*at;
  *at = zero + 1;
  return text;
}

static char **take_list(uint8_t **at, const uint8_t *end, uint32_t count) {
  char **list = calloc((size_t)count + 1, sizeof *list);
  for (uint32_t i = 0; list != NULL && i < count; i++) {
    list[i] = take_text(at, end);
    if (list[i] == NULL) return NULL;
  }
  return list;
}

// 0 is done, -1 is a malformed order. What it sets aside lives until exec.
static int parse_order(uint8_t *data, size_t size, struct order *order) {
  if (size < RF_ORDER_HEAD) return -1;
  const uint8_t *end = data + size;
  const uint32_t arguments = rf_get32(data + 13), variables = rf_get32(data + 17);
  if (arguments > size || variables > size) return -1;
  uint8_t *at = data + RF_ORDER_HEAD;
  order->cwd = take_text(&at, end);
  if (order->cwd == NULL) return -1;
  if ((data[0] & RF_ORDER_FILES) != 0) {
    // The file tool works below the folder that is named; where the tool lies is no business of the orchestrator.
    static char *argv[3] = {RF_FILE, NULL, NULL}, *envp[1] = {NULL};
    argv[1] = order->cwd;
    *order = (struct order){"/", argv, envp};
    return 0;
  }
  if (arguments < 1) return -1;
  order->argv = take_list(&at, end, arguments);
  order->envp = order->argv == NULL ? NULL : take_list(&at, end, variables);
  return order->envp == NULL ? -1 : 0;
}

// Like a shell: a name with a slash is taken as it is, another is looked for along PATH. Returns only on failure.
static int exec_along_path(const struct order *order) {
  const char *name = order->argv[0];
  if (name[0] == 0) return ENOENT;
  if (strchr(name, '/') != NULL) {
    execve(name, order->argv, order->envp);
    return errno;
  }
  const char *path = "/usr/local/bin:/usr/bin:/bin";
  for (char **variable = order->envp; *variable != NULL; variable++) {
    if (strncmp(*variable, "PATH=", 5) == 0) path = *variable + 5;
  }
  int error = ENOENT;
  char full[4096];
  for (const char *part = path;;) {
    const size_t length = strcspn(part, ":");
    const int written = snprintf(full, sizeof full, "%.*s/%s", (int)length, length == 0 ? "." : part, name);
    if (length == 0) snprintf(full, sizeof full, "./%s", name);
    // Where nothing is the guard need not hear of it.
    if (written > 0 && (size_t)written < sizeof full) {
      if (access(full, F_OK) == 0) execve(full, order->argv, order->envp);
      // Keep looking past what is not there; remember that something was there but could not be run.
      if (errno != ENOENT && errno != ENOTDIR) {
        if (errno != EACCES) return errno;
        error = EACCES;
      }
    }
    if (part[length] == 0) return error;
    part += length + 1;
  }
}

__attribute__((noreturn)) static void fail(int report, char stage, int error, const char *step) {
  struct rf_failure failure = {stage, error, ""};
  snprintf(failure.step, sizeof failure.step, "%s", step);
  rf_write_all(report, &failure, sizeof failure);
  _exit(127);
}

// Ends: in (read, write), out (read, write), err (read, write), report (read, write), order (read, write).
enum { IN = 0, OUT = 2, ERR = 4, REPORT = 6, ORDER = 8, ENDS = 10 };

// A descriptor travels with one byte. From here on only the guard has it.
static int hand_over(int to, int listener) {
  char byte = 'L', room[CMSG_SPACE(sizeof listener)] = "";
  struct iovec part = {&byte, 1};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
  struct cmsghdr *head = CMSG_FIRSTHDR(&message);
  *head = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof listener), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
  memcpy(CMSG_DATA(head), &listener, sizeof listener);
  const ssize_t sent = sendmsg(to, &message, MSG_NOSIGNAL);
  close(listener);
  return sent == 1 ? 0 : -1;
}

static int receive(int from) {
  int listener = -1;
  char byte, room[CMSG_SPACE(sizeof listener)];
  struct iovec part = {&byte, 1};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
  ssize_t got;
  do got = recvmsg(from, &message, MSG_CMSG_CLOEXEC);
  while (got < 0 && errno == EINTR);
  const struct cmsghdr *head = got == 1 ? CMSG_FIRSTHDR(&message) : NULL;
  if (head != NULL && head->cmsg_type == SCM_RIGHTS && head->cmsg_len == CMSG_LEN(sizeof listener)) memcpy(&listener, CMSG_DATA(head), sizeof listener);
  return listener;
}

static int hear(struct rf_child *child) {
  child->heard = 1;
  return rf_trace_hear(child->pid, receive(child->order));
}

int rf_attend(struct rf_child *child) {
  static int heard_once;
  if (!rf_trace_listens()) return rf_trace_follow(child->pid);
  if (heard_once) return 0;
  const int result = hear(child);
  heard_once = result == 0;
  return result;
}

__attribute__((noreturn)) static void be_agent(const struct rf_agent *agent, int null, const int ends[ENDS]) {
  const int report = ends[REPORT + 1], files[3] = {null, ends[OUT + 1], ends[ERR + 1]};
  for (int i = 0; i < 3; i++) {
    if (dup2(files[i], i) < 0) fail(report, 'd', errno, "files");
  }
  // The guard's own ends; the rest closes by itself at exec.
  close(ends[ORDER + 1]);
  const char *step = rf_drop(agent->uid, agent->gid, &agent->limits);
  if (step == NULL) step = rf_ipc_clear();
  if (step != NULL) fail(report, 'd', errno, step);
  const int listener = rf_filter_install(rf_trace_records() == RF_RECORD_FULL, rf_trace_listens(), agent->uid == 0);
  // A kernel without filters: an engine on it gave none either, and nothing is recorded.
  const int none = listener < 0 && rf_trace_records() == RF_RECORD_OFF && (errno == ENOSYS || errno == EINVAL);
  if ((listener < 0 && !none) || (rf_trace_listens() && hand_over(ends[ORDER], listener) != 0)) fail(report, 'd', errno, "filter");
  uint8_t head[4];
  if (rf_read_all(ends[ORDER], head, sizeof head) != 0) _exit(0);
  const uint32_t size = rf_get32(head);
  uint8_t *bytes = size > RF_MAX_START ? NULL : malloc((size_t)size + 1);
  if (bytes == NULL) fail(report, 'd', ENOMEM, "memory for the order");
  if (rf_read_all(ends[ORDER], bytes, size) != 0) _exit(0);
  struct order order;
  errno = ENOMEM;
  if (parse_order(bytes, size, &order) != 0) fail(report, 'd', EPROTO, "start order");
  if ((bytes[0] & RF_ORDER_STDIN) != 0 && dup2(ends[IN], 0) < 0) fail(report, 'd', errno, "input");
  if (chdir(order.cwd) != 0) fail(report, 'c', errno, "");
  fail(report, 'x', exec_along_path(&order), "");
}

// Pipes whose inodes belong to the agent, so that it can open /dev/stdout and /dev/stderr again.
static int agent_pipes(int ends[REPORT], const struct rf_agent *agent) {
  int bad = 0, error = 0;
  rf_files_as(agent->uid, agent->gid);
  for (int i = IN; i < REPORT && !bad; i += 2) {
    bad = pipe2(ends + i, O_CLOEXEC) != 0;
    error = errno;
  }
  rf_files_as(RF_GUARD_ID, RF_GUARD_ID);
  errno = error;
  return bad;
}

static void close_all(const int *files, int count) {
  for (int i = 0; i < count; i++) {
    if (files[i] >= 0) close(files[i]);
  }
}

int rf_prepare(const struct rf_agent *agent, int null, struct rf_child *child, struct rf_failure *failure) {
  int ends[ENDS];
  for (int i = 0; i < ENDS; i++) ends[i] = -1;
  memset(failure, 0, sizeof *failure);
  failure->stage = 'f';
  int bad = agent_pipes(ends, agent);
  if (!bad) bad = pipe2(ends + REPORT, O_CLOEXEC) != 0;
  // Both ways: the order there, the listener back.
  if (!bad) bad = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends + ORDER) != 0;
  const pid_t pid = bad ? -1 : fork();
  if (pid < 0) {
    failure->error = errno;
    close_all(ends, ENDS);
    return -1;
  }
  if (pid == 0) be_agent(agent, null, ends);
  const int theirs[3] = {ends[IN], ends[REPORT + 1], ends[ORDER]};
  close_all(theirs, 3);
  *child = (struct rf_child){pid, ends[ORDER + 1], ends[IN + 1], {ends[OUT], ends[ERR]}, {ends[OUT + 1], ends[ERR + 1]}, ends[REPORT], 0};
  const int ours[4] = {child->in, child->out[0], child->out[1], child->report};
  for (int i = 0; i < 4; i++) fcntl(ours[i], F_SETFL, O_NONBLOCK);
  return 0;
}

int rf_release(struct rf_child *child, const uint8_t *order, uint32_t size) {
  if (rf_trace_listens() && !child->heard && hear(child) != 0) return -1;
  // In one write where it fits the pipe: one wake-up.
  uint8_t whole[4096];
  int bad;
  rf_put32(whole, size);
  if (size <= sizeof whole - 4) {
    memcpy(whole + 4, order, size);
    bad = rf_write_all(child->order, whole, size + 4);
  } else {
    bad = rf_write_all(child->order, whole, 4) != 0 || rf_write_all(child->order, order, size) != 0;
  }
  close(child->order);
  child->order = -1;
  return bad ? -1 : 0;
}

void rf_order_names(const uint8_t *order, uint32_t size, const char **cwd, const char **name) {
  *cwd = *name = "";
  if (size <= RF_ORDER_HEAD) return;
  const uint8_t *at = order + RF_ORDER_HEAD, *end = order + size, *zero = memchr(at, 0, (size_t)(end - at));
  if (zero == NULL) return;
  *cwd = (const char *)at;
  if (memchr(zero + 1, 0, (size_t)(end - zero - 1)) != NULL) *name = (const char *)zero + 1;
}

int rf_explain(const struct rf_failure *failure, const char *name, const char *cwd, char *text, size_t size) {
  const char *why = strerror(failure->error);
  switch (failure->stage) {
    case 'x':
      if (failure->error == ENOENT && strchr(name, '/') == NULL) why = "command not found";
      snprintf(text, size, "%.4000s: %s\n", name, why);
      return failure->error == ENOENT || failure->error == ENOTDIR ? 127 : 126;
    case 'c':
      snprintf(text, size, "cd: %.4000s: %s\n", cwd, why);
      return 126;
    default:
      snprintf(text, size, "%s: %s", failure->step, why);
      return -1;
  }
}
