// One process of the agent: prepared while nothing of the agent lives, let go with an order.
#ifndef RF_SPAWN_H
#define RF_SPAWN_H

#include "guard.h"
#include "drop.h"

// Who the agent is, and what its processes may use.
struct rf_agent {
  unsigned uid, gid;
  struct rf_limits limits;
};

// A process that has given up every right of the guard and waits for its order. A file number of -1 is closed or absent.
// `report` says why there is no program, or closes when there is one.
struct rf_child {
  pid_t pid;
  int order;
  int in;
  int out[2];
  // The other ends of `out`: while they are open here an output does not end before its process is known to have, which is two wake-ups less.
  int writers[2];
  int report;
  // Its listener is with the guard already.
  int heard;
};

// Why there is no program: `stage` 'c' working directory, 'x' program, 'd' dropping rights, 'f' no process.
struct rf_failure {
  char stage;
  int error;
  char step[32];
};

// Beginning of an order as the orchestrator sends it; docs say it in words beside the encoder in core/channel.
// flags u8, time limit in ms u32, output limit u64, number of arguments u32, of variables u32; then texts that each end
// with a zero byte: working directory, arguments, variables.
#define RF_ORDER_HEAD 21
#define RF_ORDER_STDIN 1
#define RF_ORDER_FILES 2
// Each program but the first is asked about; answers to earlier calls hold no longer.
#define RF_ORDER_JUDGE 4
#define RF_ORDER_FORGET 8
// The program stands before its first instruction until it is told to go.
#define RF_ORDER_HOLD 16

// Prepares a process. 0 is done; -1 fills `failure`. Call only while no process of the agent lives: this one could be signalled by it.
int rf_prepare(const struct rf_agent *agent, int null, struct rf_child *child, struct rf_failure *failure);
// Has a process that was just prepared followed, or takes its listener. The first waits for that, for only there it turns out whether one is to be had; of
// later ones it is taken with the order. 0 is done; -1: not to be had, see rf_trace_follow and rf_trace_hear.
int rf_attend(struct rf_child *child);
// Hands over a start order, whole as received. 0 is done; -1 when the process is gone, which is the case for none that was just prepared.
int rf_release(struct rf_child *child, const uint8_t *order, uint32_t size);
// The line a shell would print for the failure; returns the exit code a shell would give, -1 for a fault of ours.
int rf_explain(const struct rf_failure *failure, const char *name, const char *cwd, char *text, size_t size);
// Working directory and first argument in the bytes of an order; empty texts when it is malformed.
void rf_order_names(const uint8_t *order, uint32_t size, const char **cwd, const char **name);

#endif
