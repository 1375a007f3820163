// One process of the agent, as rf-call starts it.
#ifndef RF_SPAWN_H
#define RF_SPAWN_H

#include "guard.h"
#include "drop.h"

// What to run; all pointers point into the order's own buffer, the two lists end with NULL.
struct rf_order {
  int wants_stdin;
  char *cwd;
  char **argv;
  char **envp;
};

// What was started; a file number of -1 is closed or absent. `report` says why exec failed, or closes when it did not.
struct rf_child {
  pid_t pid;
  int in;
  int out[2];
  int report;
};

// Why there is no program: `stage` 'c' working directory, 'x' program, 'd' dropping rights, 'f' no process.
struct rf_failure {
  char stage;
  int error;
  char step[32];
};

// Reads an order out of the bytes of a start frame. 0 is done, -1 is a malformed order.
int rf_parse_order(uint8_t *data, size_t size, struct rf_order *order);
// Who the agent is, and what its processes may use.
struct rf_agent {
  unsigned uid, gid;
  struct rf_limits limits;
};

// Starts it as the agent. 0 is done; -1 fills `failure`.
int rf_spawn(const struct rf_order *order, const struct rf_agent *agent, int null, struct rf_child *child, struct rf_failure *failure);
// The line a shell would print for the failure; returns the exit code a shell would give.
int rf_explain(const struct rf_failure *failure, const struct rf_order *order, char *text, size_t size);

#endif
