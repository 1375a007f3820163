// Gives a program a terminal: opens one, starts the program on it, carries bytes between it and our own input and output. A process of the
// agent's, with the agent's rights and no others: whatever is done to it, only the program's own terminal suffers.
// Its input is what is typed, and words that give the terminal another size.
// Usage: rf-tty ROWS COLUMNS PROGRAM [ARGUMENT]...
#include "guard.h"

#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>

// What is read at once, and what waits for a program that does not read.
#define ROOM 16384
// The end of input as a terminal says it.
#define END 0x04

static int open_terminal(unsigned rows, unsigned columns, char name[32]) {
  const int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
  int number = -1, unlocked = 0;
  if (master < 0 || ioctl(master, TIOCSPTLCK, &unlocked) != 0 || ioctl(master, TIOCGPTN, &number) != 0) rf_die("no terminal can be had");
  const struct winsize size = {(unsigned short)rows, (unsigned short)columns, 0, 0};
  if (ioctl(master, TIOCSWINSZ, &size) != 0) rf_die("the size of the terminal");
  snprintf(name, 32, "/dev/pts/%d", number);
  return master;
}

__attribute__((noreturn)) static void become(const char *terminal, char *argv[]) {
  setsid();
  // The first one a leader of a session opens is its own.
  const int file = open(terminal, O_RDWR);
  if (file < 0) rf_die(terminal);
  for (int i = 0; i < 3; i++) {
    if (dup2(file, i) < 0) rf_die("files");
  }
  if (file > 2) close(file);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  if (getenv("TERM") == NULL) putenv((char *)"TERM=xterm");
  execvp(argv[0], argv);
  const int missing = errno == ENOENT && strchr(argv[0], '/') == NULL;
  dprintf(2, "%.4000s: %s\r\n", argv[0], missing ? "command not found" : strerror(errno));
  _exit(errno == ENOENT || errno == ENOTDIR ? 127 : 126);
}

// Carries what the terminal shows. 0 is more to come, -1 is its end.
static int carry_out(int master) {
  char bytes[ROOM];
  const ssize_t got = read(master, bytes, sizeof bytes);
  if (got < 0 && (errno == EINTR || errno == EAGAIN)) return 0;
  if (got <= 0) return -1;
  return rf_write_all(1, bytes, (size_t)got);
}

static char waiting[ROOM];
static size_t waiting_at, waiting_size;

// A word to ourselves: a NUL, then rows and columns of two bytes each, the higher first. No rows is a NUL that was meant.
#define WORD 4
static unsigned char word[WORD];
static int word_size = -1;

// Takes the words out of what was read; gives how much is left for the program.
static size_t take_words(int master, char *bytes, size_t size) {
  size_t left = 0;
  for (size_t i = 0; i < size; i++) {
    if (word_size < 0 && bytes[i] != 0) bytes[left++] = bytes[i];
    else if (word_size < 0) word_size = 0;
    else word[word_size++] = (unsigned char)bytes[i];
    if (word_size < WORD) continue;
    word_size = -1;
    const struct winsize to = {(unsigned short)(word[0] << 8 | word[1]), (unsigned short)(word[2] << 8 | word[3]), 0, 0};
    if (to.ws_row == 0) bytes[left++] = 0;
    else (void)ioctl(master, TIOCSWINSZ, &to);
  }
  return left;
}

static void carry_in(int master, int *input) {
  const ssize_t got = read(*input, waiting, sizeof waiting);
  if (got < 0 && errno == EINTR) return;
  waiting_at = 0;
  waiting_size = got > 0 ? take_words(master, waiting, (size_t)got) : 1;
  if (got > 0) return;
  waiting[0] = END;
  *input = -1;
}

static void push_in(int master) {
  const ssize_t put = write(master, waiting + waiting_at, waiting_size - waiting_at);
  if (put > 0) waiting_at += (size_t)put;
  if (put < 0 && errno != EINTR && errno != EAGAIN) waiting_at = waiting_size;
  if (waiting_at == waiting_size) waiting_at = waiting_size = 0;
}

static void noted(int signal_number) { (void)signal_number; }

int main(int argc, char *argv[]) {
  if (argc < 4) {
    errno = EINVAL;
    rf_die("usage: rf-tty ROWS COLUMNS PROGRAM [ARGUMENT]...");
  }
  char terminal[32];
  const int master = open_terminal(rf_number(argv[1], 65535), rf_number(argv[2], 65535), terminal);
  sigset_t child, before;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  const struct sigaction action = {.sa_handler = noted};
  if (sigprocmask(SIG_BLOCK, &child, &before) != 0 || sigaction(SIGCHLD, &action, NULL) != 0) rf_die("signals");
  signal(SIGPIPE, SIG_IGN);
  const pid_t pid = fork();
  if (pid < 0) rf_die("fork");
  if (pid == 0) become(terminal, argv + 3);
  if (fcntl(master, F_SETFL, O_RDWR | O_NONBLOCK) != 0) rf_die("terminal");
  int input = 0, status = 0, open_out = 1;
  for (;;) {
    const pid_t gone = waitpid(pid, &status, WNOHANG);
    if (gone == pid || (gone < 0 && errno != EINTR)) break;
    struct pollfd waits[2] = {{waiting_size == 0 ? input : -1, POLLIN, 0}, {open_out ? master : -1, (short)(POLLIN | (waiting_size > 0 ? POLLOUT : 0)), 0}};
    // The end of the program is told by its signal, which is let in only here.
    if (ppoll(waits, 2, NULL, &before) < 0) {
      if (errno != EINTR) rf_die("poll");
      continue;
    }
    if (waits[0].revents != 0) carry_in(master, &input);
    if ((waits[1].revents & POLLOUT) != 0) push_in(master);
    if ((waits[1].revents & (POLLIN | POLLHUP | POLLERR)) != 0 && carry_out(master) != 0) open_out = 0;
  }
  // What it had printed before its end; others may hold the terminal, and go on printing, so there is a limit.
  for (int i = 0; i < 64 && open_out; i++) {
    struct pollfd left = {master, POLLIN, 0};
    if (poll(&left, 1, 0) <= 0 || carry_out(master) != 0) break;
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
