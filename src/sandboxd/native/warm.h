// A shell that stands ready before a call asks for it. Most calls of a session ask for the same program with the same folder and variables and
// another command: that program is loaded and linked between two calls, and stands before the first instruction of its own until its command
// is written where the kernel laid its arguments. What the system's loader does costs more than half of a short command.
//
// Nothing of a call is run ahead: the loader and all it looks for lie on a root nobody can write (loader.h), variables that steer the loader are
// refused, and what stands there executes nothing before it is let go. It is seized by the guard from its beginning, and dies with it.
#ifndef RF_WARM_H
#define RF_WARM_H

#include "spawn.h"

// `signals` tells of children. Before the first order.
void rf_warm_open(const struct rf_agent *agent, int signals);
// What a call asked for is what the next is expected to ask for, if it can be made ready at all.
void rf_warm_learn(const uint8_t *order, uint32_t size);
// Makes a process that was just prepared stand ready. Call while nothing of the agent lives. 0: it does, or waits for its order as before; -1: it
// can be neither, and has to be made anew. Waits for the process, at most a second.
int rf_warm_up(struct rf_child *child);
// The process that stands; -1 for none.
pid_t rf_warm_stands(void);
// Gives it the command of an order. 0: it is that order's program from now on, before its first instruction. -1: the order asks for something else, or
// for another folder under the same name.
int rf_warm_take(const uint8_t *order, uint32_t size);
// It is gone, or let go.
void rf_warm_forget(void);

#endif
