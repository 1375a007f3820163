// Runs once as an ordinary process of the agent and tries what the agent must not be able to do. Prints one `key value`
// line each; sandboxd turns them into controls. Changes nothing, except that it removes the nonce it was told to read.
// Usage: rf-probe ROOT NONCE PID...   (the pids are the guard's own processes)
#include "guard.h"
#include "syscalls.h"

#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>

static void say(const char *key, const char *value) { printf("%s %s\n", key, value); }

// Copies the lines of /proc/self/status that tell about rights.
static void status(void) {
  FILE *file = fopen("/proc/self/status", "re");
  char line[512];
  while (file != NULL && fgets(line, sizeof line, file) != NULL) {
    static const char *const wanted[] = {"CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:", "NoNewPrivs:", "Seccomp:"};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
      const size_t length = strlen(wanted[i]);
      if (strncmp(line, wanted[i], length) != 0) continue;
      char *value = line + length;
      value += strspn(value, " \t");
      value[strcspn(value, "\n")] = 0;
      printf("%.*s %s\n", (int)length - 1, wanted[i], value);
    }
  }
  if (file != NULL) fclose(file);
  printf("Uid %u %u\nGid %u %u\n", getuid(), geteuid(), getgid(), getegid());
  printf("Groups %d\n", getgroups(0, NULL));
}

// Names of interfaces that are up, but for the loopback; a namespace may hold tunnels that are down and lead nowhere.
static void network(void) {
  FILE *file = fopen("/proc/net/dev", "re");
  const int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  char line[512], up[256] = "";
  int known = file != NULL && sock >= 0;
  while (file != NULL && fgets(line, sizeof line, file) != NULL) {
    char *colon = strchr(line, ':');
    if (colon == NULL) continue;
    *colon = 0;
    char *name = line + strspn(line, " ");
    if (strcmp(name, "lo") == 0) continue;
    struct ifreq request;
    memset(&request, 0, sizeof request);
    snprintf(request.ifr_name, sizeof request.ifr_name, "%.15s", name);
    if (ioctl(sock, SIOCGIFFLAGS, &request) != 0 || (request.ifr_flags & IFF_UP) != 0) {
      const size_t used = strlen(up);
      snprintf(up + used, sizeof up - used, " %.15s", name);
    }
  }
  if (file != NULL) fclose(file);
  printf("network %s%s\n", known ? "lo" : "unknown", up);
}

static void root_file_system(const char *root) {
  struct statvfs info;
  say("rootfs", statvfs("/", &info) == 0 && (info.f_flag & ST_RDONLY) != 0 ? "read-only" : "writable");
  const int fd = open("/.ringfence-probe", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  say("rootfs-write", fd < 0 ? "refused" : "possible");
  const int runtime = open("/.ringfence/bin/.probe", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  say("runtime-write", runtime < 0 ? "refused" : "possible");
  const int device = open("/dev/.ringfence-probe", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  say("dev-write", device < 0 ? "refused" : "possible");
  const int nested = open("/proc/sys/kernel/core_pattern", O_WRONLY | O_CLOEXEC);
  say("sysctl-write", nested < 0 ? "refused" : "possible");
  if (statvfs(root, &info) == 0) {
    say("workspace-nosuid", (info.f_flag & ST_NOSUID) != 0 ? "yes" : "no");
    say("workspace-nodev", (info.f_flag & ST_NODEV) != 0 ? "yes" : "no");
  }
}

// Size and number of files of each place that the agent may write: `place PATH BYTES FILES`, 0 for no limit.
static void places(const char *root) {
  const char *const paths[] = {root, "/tmp", "/var/tmp", "/run", "/dev/shm", "/home/agent"};
  for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
    struct statvfs info;
    if (statvfs(paths[i], &info) != 0) continue;
    printf("place:%s %llu %llu\n", paths[i], (unsigned long long)info.f_blocks * info.f_frsize, (unsigned long long)info.f_files);
  }
}

static void limits(void) {
  static const struct { const char *name; int resource; } kinds[] = {{"limit:core", RLIMIT_CORE}, {"limit:files", RLIMIT_NOFILE}, {"limit:locked", RLIMIT_MEMLOCK}, {"limit:size", RLIMIT_FSIZE}};
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    struct rlimit limit;
    if (getrlimit((__rlimit_resource_t)kinds[i].resource, &limit) == 0 && limit.rlim_max != RLIM_INFINITY) printf("%s %llu\n", kinds[i].name, (unsigned long long)limit.rlim_max);
  }
}

// A file of another process that only its owner may open.
static int opens(const char *pid, const char *name, int flags) {
  char path[128];
  snprintf(path, sizeof path, "/proc/%.20s/%s", pid, name);
  const int fd = open(path, flags | O_CLOEXEC);
  if (fd < 0) return 0;
  // environ, maps and stack open lazily: a read tells.
  char byte;
  const ssize_t got = (flags & O_ACCMODE) == O_RDONLY ? read(fd, &byte, 1) : 1;
  close(fd);
  return got > 0;
}

// Everything a hostile agent would try against one process of the guard; prints what got through.
static void attack(const char *text) {
  const pid_t pid = (pid_t)strtol(text, NULL, 10);
  char through[256] = "";
  struct iovec local = {through, 1}, remote = {(void *)0x400000, 1};
  char link[64], target[64];
  snprintf(link, sizeof link, "/proc/%.20s/exe", text);
  struct sched_param idle = {0};
  struct rlimit limit = {1, 1};
  const struct { const char *name; int got; } tries[] = {
      {"kill", kill(pid, 0) == 0},
      {"stop", kill(pid, SIGSTOP) == 0},
      {"trace", ptrace(PTRACE_SEIZE, pid, NULL, NULL) == 0},
      {"read-memory", process_vm_readv(pid, &local, 1, &remote, 1, 0) >= 0},
      {"environ", opens(text, "environ", O_RDONLY)},
      {"mem", opens(text, "mem", O_RDWR)},
      {"maps", opens(text, "maps", O_RDONLY)},
      {"fd", opens(text, "fd/1", O_WRONLY)},
      {"oom", opens(text, "oom_score_adj", O_WRONLY)},
      {"exe", readlink(link, target, sizeof target) >= 0},
      {"renice", setpriority(PRIO_PROCESS, (id_t)pid, 19) == 0},
      {"scheduler", sched_setscheduler(pid, SCHED_IDLE, &idle) == 0},
      {"limits", prlimit(pid, RLIMIT_NOFILE, &limit, NULL) == 0},
  };
  for (size_t i = 0; i < sizeof tries / sizeof *tries; i++) {
    if (!tries[i].got) continue;
    const size_t used = strlen(through);
    snprintf(through + used, sizeof through - used, " %s", tries[i].name);
  }
  printf("guard %s%s\n", text, through);
}

// Gives the guard something to hear of, and tells whether this process could follow others itself.
static void following(void) {
  const int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (null >= 0) close(null);
  const int file = open("/tmp/.ringfence-probe", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  if (file >= 0) close(file);
  unlink("/tmp/.ringfence-probe");
  // A program that a child of this one starts: the guard counts it.
  fflush(stdout);
  const pid_t another = fork();
  if (another == 0) {
    // Without arguments it says nothing.
    execl("/proc/self/exe", "rf-probe", (char *)NULL);
    _exit(1);
  }
  if (another > 0) waitpid(another, NULL, 0);
  static const int requests[] = {PTRACE_ATTACH, PTRACE_SEIZE, PTRACE_CONT, PTRACE_DETACH, PTRACE_GETEVENTMSG};
  int refused = 1;
  for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
    // Nobody has this number: a kernel that looks says ESRCH, a filter EPERM, and nobody is stopped where there is none.
    errno = 0;
    if (ptrace((enum __ptrace_request)requests[i], 0x7fffffff, NULL, NULL) == 0 || errno != EPERM) refused = 0;
  }
  // In a child: who asks to be followed stops at its next signal.
  fflush(stdout);
  const pid_t child = fork();
  if (child == 0) _exit(ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0 || errno != EPERM);
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) != 0) refused = 0;
  say("trace-self", refused ? "refused" : "possible");
}

static void rights(void) {
  say("setuid", setuid(RF_GUARD_ID) == 0 ? "possible" : "refused");
  say("unshare", unshare(CLONE_NEWUSER) == 0 ? "possible" : "refused");
}

// Reads the file the host put in the writable layer, and takes it away again through the mount.
static void nonce(const char *root, const char *name) {
  char path[4096], content[128] = "";
  snprintf(path, sizeof path, "%.3800s/%.200s", root, name);
  const int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  const ssize_t got = fd < 0 ? -1 : read(fd, content, sizeof content - 1);
  if (fd >= 0) close(fd);
  if (got < 0) {
    printf("nonce-missing %s\n", strerror(errno));
    return;
  }
  content[strspn(content, "0123456789abcdef")] = 0;
  printf("nonce %s\n", content);
  if (unlink(path) != 0) printf("nonce-stays %s\n", strerror(errno));
}

int main(int argc, char *argv[]) {
  if (argc < 3) return 2;
  status();
  network();
  root_file_system(argv[1]);
  for (int i = 3; i < argc; i++) attack(argv[i]);
  nonce(argv[1], argv[2]);
  places(argv[1]);
  limits();
  following();
  rf_try_syscalls();
  // Last, because what gets through here would change who is asking.
  rights();
  say("done", "yes");
  return 0;
}
