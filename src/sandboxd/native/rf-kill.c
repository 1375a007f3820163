// Kills every process of the agent on order, also when no process can be started any more: the killer is forked in advance.
// Standard input is a private socket: one byte in is an order, one byte out says it was carried out.
// Usage: rf-kill AGENT_UID
#include "guard.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

static void sleep_ms(long ms) {
  const struct timespec pause = {0, ms * 1000000L};
  nanosleep(&pause, NULL);
}

// Waits for its order, then may signal the agent (by its effective user) while the agent may not signal it (real and
// saved user are its own), so that a process that fires kill(-1) in a loop cannot win. Never with CAP_KILL: that would
// hit the guard.
static void killer(int order, unsigned agent) {
  char byte;
  if (rf_read_all(order, &byte, 1) != 0) _exit(0);
  if (setresuid(RF_KILLER_ID, agent, RF_KILLER_ID) != 0 || rf_capset(0) != 0) _exit(1);
  for (int round = 0; round < 3; round++) {
    kill(-1, SIGKILL);
    if (round < 2) sleep_ms(1);
  }
  _exit(0);
}

// Forks the next killer; while the agent holds every process slot this is tried again for about a second.
static pid_t prepare(int *order, unsigned agent) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) rf_die("pipe");
  for (int attempt = 0; attempt < 1000; attempt++) {
    const pid_t pid = fork();
    if (pid == 0) {
      close(ends[1]);
      killer(ends[0], agent);
    }
    if (pid > 0) {
      close(ends[0]);
      *order = ends[1];
      return pid;
    }
    sleep_ms(1);
  }
  close(ends[0]);
  close(ends[1]);
  return -1;
}

int main(int argc, char *argv[]) {
  if (argc != 2) {
    errno = EINVAL;
    rf_die("usage: rf-kill UID");
  }
  const unsigned agent = rf_number(argv[1], 0x7fffffff);
  if (agent == RF_GUARD_ID || agent == RF_KILLER_ID) rf_die("refused user");
  if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) != 0) rf_die("dumpable");
  signal(SIGPIPE, SIG_IGN);
  int order = -1;
  pid_t ready = prepare(&order, agent);
  if (ready < 0) rf_die("fork");
  // Tells sandboxd that the first killer stands.
  if (rf_write_all(0, "R", 1) != 0) return 0;
  char byte;
  while (rf_read_all(0, &byte, 1) == 0) {
    if (ready < 0) ready = prepare(&order, agent);
    char answer = 'F';
    if (ready > 0) {
      int status = 0;
      rf_write_all(order, "K", 1);
      close(order);
      while (waitpid(ready, &status, 0) < 0 && errno == EINTR) continue;
      answer = WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 'D' : 'F';
      ready = prepare(&order, agent);
      if (ready < 0) answer = 'F';
    }
    if (rf_write_all(0, &answer, 1) != 0) return 0;
  }
  return 0;
}
