// The client of rf-kill: see killer.h. One byte out is an order, one byte in is its answer.
#include "killer.h"
#include "line.h"

static unsigned orders;

void rf_killer_open(void) {
  char ready;
  if (rf_read_all(RF_KILLER_FD, &ready, 1) != 0) rf_die("the killer does not stand");
  const int flags = fcntl(RF_KILLER_FD, F_GETFL);
  if (flags < 0 || fcntl(RF_KILLER_FD, F_SETFL, flags | O_NONBLOCK) != 0) rf_die("killer");
  if (fcntl(RF_KILLER_FD, F_SETFD, FD_CLOEXEC) != 0) rf_die("killer");
}

void rf_killer_order(void) {
  if (write(RF_KILLER_FD, "K", 1) != 1) rf_fail("the killer is gone");
  orders++;
}

void rf_killer_take(void) {
  char answers[16];
  const ssize_t got = read(RF_KILLER_FD, answers, sizeof answers);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) rf_fail("the killer is gone");
  orders -= (unsigned)got < orders ? (unsigned)got : orders;
}

unsigned rf_killer_busy(void) { return orders; }
