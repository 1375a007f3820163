// Starts one process of the agent: pipes that belong to the agent, rights dropped, program found along the given PATH.
#include "spawn.h"

#include <sys/fsuid.h>
#include <sys/prctl.h>

// Next text of a start frame; NULL past its end. Texts end with a zero byte.
static char *take_text(uint8_t **at, const uint8_t *end) {
  uint8_t *zero = memchr(*at, 0, (size_t)(end - *at));
  if (zero == NULL) return NULL;
  char *text = (char *)*at;
  *at = zero + 1;
  return text;
}

// A list of `count` texts. The lists live as long as this program: one order at a time uses them.
static char **take_list(uint8_t **at, const uint8_t *end, uint32_t count) {
  char **list = calloc((size_t)count + 1, sizeof *list);
  if (list == NULL) return NULL;
  for (uint32_t i = 0; i < count; i++) {
    list[i] = take_text(at, end);
    if (list[i] == NULL) {
      free(list);
      return NULL;
    }
  }
  return list;
}

int rf_parse_order(uint8_t *data, size_t size, struct rf_order *order) {
  if (size < 9) return -1;
  const uint8_t *end = data + size;
  const uint32_t arguments = rf_get32(data + 1), variables = rf_get32(data + 5);
  if (arguments < 1 || arguments > size || variables > size) return -1;
  order->wants_stdin = data[0] == 1;
  uint8_t *at = data + 9;
  order->cwd = take_text(&at, end);
  if (order->cwd == NULL) return -1;
  order->argv = take_list(&at, end, arguments);
  if (order->argv == NULL) return -1;
  order->envp = take_list(&at, end, variables);
  if (order->envp == NULL) {
    free(order->argv);
    return -1;
  }
  return 0;
}

// Like a shell: a name with a slash is taken as it is, another is looked for along PATH. Returns only on failure.
static int exec_along_path(const struct rf_order *order) {
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
    if (written > 0 && (size_t)written < sizeof full) {
      execve(full, order->argv, order->envp);
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

__attribute__((noreturn)) static void be_child(const struct rf_order *order, const struct rf_agent *agent, const int files[3], int report) {
  for (int i = 0; i < 3; i++) {
    if (dup2(files[i], i) < 0) fail(report, 'd', errno, "files");
  }
  const char *step = rf_drop(agent->uid, agent->gid, &agent->limits);
  if (step != NULL) fail(report, 'd', errno, step);
  if (chdir(order->cwd) != 0) fail(report, 'c', errno, "");
  fail(report, 'x', exec_along_path(order), "");
}

// A pipe whose inode belongs to the agent, so that it can open /dev/stdout and /dev/stderr again.
static int agent_pipe(int ends[2], unsigned uid, unsigned gid) {
  setfsuid(uid);
  setfsgid(gid);
  const int result = pipe2(ends, O_CLOEXEC);
  const int error = errno;
  setfsuid(RF_GUARD_ID);
  setfsgid(RF_GUARD_ID);
  // A change of the user for files takes this away, and our files under /proc would belong to root.
  prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
  errno = error;
  return result;
}

static void close_all(int *files, int count) {
  for (int i = 0; i < count; i++) {
    if (files[i] >= 0) close(files[i]);
  }
}

int rf_spawn(const struct rf_order *order, const struct rf_agent *agent, int null, struct rf_child *child, struct rf_failure *failure) {
  // in (read, write), out (read, write), err (read, write), report (read, write)
  int ends[8] = {-1, -1, -1, -1, -1, -1, -1, -1};
  memset(failure, 0, sizeof *failure);
  failure->stage = 'f';
  const int first = order->wants_stdin ? 0 : 2;
  int bad = 0;
  for (int i = first; i < 6 && !bad; i += 2) bad = agent_pipe(ends + i, agent->uid, agent->gid) != 0;
  if (!bad) bad = pipe2(ends + 6, O_CLOEXEC) != 0;
  const pid_t pid = bad ? -1 : fork();
  if (pid < 0) {
    failure->error = errno;
    close_all(ends, 8);
    return -1;
  }
  if (pid == 0) {
    const int files[3] = {order->wants_stdin ? ends[0] : null, ends[3], ends[5]};
    be_child(order, agent, files, ends[7]);
  }
  const int theirs[4] = {ends[0], ends[3], ends[5], ends[7]};
  close_all((int *)theirs, 4);
  *child = (struct rf_child){pid, ends[1], {ends[2], ends[4]}, ends[6]};
  const int ours[4] = {child->in, child->out[0], child->out[1], child->report};
  for (int i = 0; i < 4; i++) {
    if (ours[i] >= 0) fcntl(ours[i], F_SETFL, O_NONBLOCK);
  }
  return 0;
}

int rf_explain(const struct rf_failure *failure, const struct rf_order *order, char *text, size_t size) {
  const char *why = strerror(failure->error);
  const char *name = order->argv[0];
  switch (failure->stage) {
    case 'x':
      if (failure->error == ENOENT && strchr(name, '/') == NULL) why = "command not found";
      snprintf(text, size, "%.4000s: %s\n", name, why);
      return failure->error == ENOENT || failure->error == ENOTDIR ? 127 : 126;
    case 'c':
      snprintf(text, size, "cd: %.4000s: %s\n", order->cwd, why);
      return 126;
    default:
      // Our own fault: never shown as the command's output; sandboxd reports it as a broken sandbox.
      snprintf(text, size, "%s: %s", failure->step, why);
      return -1;
  }
}
