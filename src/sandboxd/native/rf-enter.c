// Process 1 of the container. Starts as root with five capabilities, takes /dev from root, becomes the guard's user, starts the
// killer and sandboxd, then holds nothing and only reaps. When one of the two ends, the whole container ends.
// Usage: rf-enter AGENT_UID AGENT_GID ROOT NONCE FILE_MIB RECORD
#include "guard.h"

#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define HOME_DIR "/.ringfence"

static const char *const clean_environment[] = {"PATH=/usr/bin:/bin", "LANG=C.UTF-8", NULL};

// The engine's /dev has no limit of files and belongs to root, which the agent may be: it becomes the guard's. The right to do
// that is in nobody's hands afterwards.
static void take_dev(void) {
  if (chmod("/dev", 0755) != 0 || chown("/dev", RF_GUARD_ID, RF_GUARD_ID) != 0) rf_die("take /dev");
  if (prctl(PR_CAPBSET_DROP, CAP_CHOWN, 0, 0, 0) != 0) rf_die("bounding set");
}

// Under the guard's user, with the four capabilities in every set so that exec keeps them, and root's magic switched off.
static void become_guard(unsigned capabilities) {
  if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0) rf_die("keep capabilities");
  if (setgroups(0, NULL) != 0) rf_die("setgroups");
  if (setresgid(RF_GUARD_ID, RF_GUARD_ID, RF_GUARD_ID) != 0) rf_die("setresgid");
  if (setresuid(RF_GUARD_ID, RF_GUARD_ID, RF_GUARD_ID) != 0) rf_die("setresuid");
  if (rf_capset(capabilities) != 0) rf_die("capset");
  for (int cap = 0; cap < 32; cap++) {
    if ((capabilities & (1u << cap)) != 0 && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) != 0) rf_die("ambient");
  }
  const unsigned bits = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP | SECBIT_NO_SETUID_FIXUP_LOCKED;
  if (prctl(PR_SET_SECUREBITS, bits, 0, 0, 0) != 0) rf_die("securebits");
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) rf_die("no new privileges");
  // Files under /proc of a process that cannot be dumped belong to root, which the agent may be; ours belong to the guard.
  if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) != 0) rf_die("dumpable");
}

// Forks a helper that gets `socket` as its standard input and nothing of the channel to the host.
static pid_t start_helper(int socket, const char *const argv[]) {
  pid_t pid = fork();
  if (pid < 0) rf_die("fork");
  if (pid > 0) return pid;
  int null = open("/dev/null", O_RDWR);
  if (null < 0 || dup2(socket, 0) < 0 || dup2(null, 1) < 0) rf_die("helper files");
  if (null > 2) close(null);
  prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  if (rf_capset(RF_GUARD_CAPS) != 0) rf_die("helper rights");
  execve(argv[0], (char *const *)argv, (char *const *)clean_environment);
  rf_die(argv[0]);
}

// sandboxd keeps the channel to the host, and gets the killer's socket as descriptor 3.
static pid_t start_sandboxd(int killer, char *argv[], const char *record) {
  pid_t pid = fork();
  if (pid < 0) rf_die("fork");
  if (pid > 0) return pid;
  if (dup2(killer, 3) < 0) rf_die("sandboxd files");
  prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  const char *const command[] = {HOME_DIR "/bin/sandboxd", argv[1], argv[2], argv[3], argv[4], argv[5], record, NULL};
  execve(command[0], (char *const *)command, (char *const *)clean_environment);
  rf_die("sandboxd");
}

static void on_terminate(int signal_number) {
  (void)signal_number;
  _exit(0);
}

// A socket pair whose ends are numbered well above the ones a child is given.
static void make_pair(int ends[2]) {
  int raw[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, raw) != 0) rf_die("socketpair");
  for (int i = 0; i < 2; i++) {
    ends[i] = fcntl(raw[i], F_DUPFD_CLOEXEC, 10);
    if (ends[i] < 0) rf_die("dup");
    close(raw[i]);
  }
}

int main(int argc, char *argv[]) {
  if (argc != 7) {
    errno = EINVAL;
    rf_die("usage: rf-enter UID GID ROOT NONCE FILE_MIB RECORD");
  }
  const unsigned agent = rf_number(argv[1], 0x7fffffff);
  rf_number(argv[2], 0x7fffffff);
  rf_number(argv[5], 0x7fffffff);
  if (agent == RF_GUARD_ID || agent == RF_KILLER_ID) {
    errno = EPERM;
    rf_die("the agent may not be the guard's user");
  }
  take_dev();
  // An engine may not have given the right to follow others: then nothing is recorded, which the self-test says, and no shell stands ready.
  const int follows = prctl(PR_CAPBSET_READ, CAP_SYS_PTRACE, 0, 0, 0) == 1;
  become_guard(follows ? RF_GUARD_CAPS | RF_TRACE_CAPS : RF_GUARD_CAPS);
  int killer[2];
  make_pair(killer);
  const char *const kill_command[] = {HOME_DIR "/bin/rf-kill", argv[1], NULL};
  const pid_t kill_pid = start_helper(killer[1], kill_command);
  const pid_t sandboxd_pid = start_sandboxd(killer[0], argv, follows ? argv[6] : "off");

  if (rf_capset(0) != 0 || prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0) rf_die("give up capabilities");
  for (int i = 0; i < 2; i++) close(killer[i]);
  close(0);
  close(1);
  close(2);
  signal(SIGTERM, on_terminate);
  signal(SIGINT, on_terminate);
  for (;;) {
    int status = 0;
    const pid_t gone = waitpid(-1, &status, 0);
    if (gone == sandboxd_pid) _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    if (gone == kill_pid) _exit(71);
    if (gone < 0 && errno != EINTR) _exit(70);
  }
}
