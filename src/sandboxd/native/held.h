// The process that waits for the next order, made while nothing of the agent lives: it has given up every right of the guard, and where the next call
// can be expected it stands ready as that call's program (warm.h).
#ifndef RF_HELD_H
#define RF_HELD_H

#include "spawn.h"

// `signals` tells of children.
void rf_held_open(const struct rf_agent *agent, int null, int signals);
// Makes it where there is none. Where that fails it is tried again with the order, and told then. Call while nothing of the agent lives.
void rf_held_make(void);
// Its number; the only process there is that is not the guard's. -1 for none.
pid_t rf_held_pid(void);
// Gives it an order, or another where it cannot take that one, and hands it over. A fault ends the sandbox.
void rf_held_let_go(const uint8_t *order, uint32_t size, struct rf_child *child);
// Lets it run where it stood ready, or stand on where the call is held. `forbid` is told when it could not be looked at.
void rf_held_begin(const struct rf_child *child, void (*forbid)(void));
// It ended before its order. False where this was another.
int rf_held_ended(pid_t pid);
// No process of the agent could be started: ends the sandbox.
__attribute__((noreturn)) void rf_held_fault(const struct rf_failure *failure);

#endif
