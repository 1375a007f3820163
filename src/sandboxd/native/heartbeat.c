// Silence of the orchestrator: see heartbeat.h.
#include "heartbeat.h"
#include "call.h"
#include "line.h"

#define SECOND 1000000000LL

static int64_t counted = -1;
static unsigned silent;

int64_t rf_heartbeat_wait(int64_t left) {
  if (rf_line_is_direct()) return left;
  const int64_t now = rf_now();
  if (counted < 0) counted = now;
  const int64_t next = counted + SECOND > now ? counted + SECOND - now : 0;
  return left < 0 || next < left ? next : left;
}

void rf_heartbeat_turn(int heard) {
  if (rf_line_is_direct()) return;
  const int64_t now = rf_now();
  if (heard) {
    silent = 0;
    counted = now;
    return;
  }
  if (now < counted + SECOND) return;
  counted = now;
  silent++;
  const unsigned limit = rf_call_is_over() ? RF_SILENCE_IDLE : RF_SILENCE_CALL;
  if (silent < limit) return;
  char text[80];
  snprintf(text, sizeof text, "nothing was heard of the orchestrator for %u seconds", limit);
  rf_fail(text);
}
