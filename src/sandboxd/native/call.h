// One call from its order to the proof that nothing of it is left: streams under credit, its own deadline, the kernel's counts.
#ifndef RF_CALL_H
#define RF_CALL_H

#include "guard.h"
#include "spawn.h"

#include <poll.h>

// Opens what calls need. `root` is the workspace; `null` is /dev/null, held for ever: an agent that owns /dev can replace the name, not this file.
// `signals` tells of children.
void rf_calls_open(const struct rf_agent *agent, const char *root, int null, int signals);
// Starts a call with the bytes of its order. A second one while one runs is a fault.
void rf_call_start(uint32_t stream, const uint8_t *order, uint32_t size);
// What a held order waited for has come: its program runs from now on, and its time with it.
void rf_call_go(uint32_t stream);
// True between calls: nothing of the agent lives but what waits for its order.
int rf_call_is_over(void);
// Runs one program for the guard itself before the first call; its output is gathered, at most `room` bytes. `signals` tells of its children.
// Ends when it has ended.
size_t rf_call_gather(const uint8_t *order, uint32_t size, char *text, size_t room, int signals);

// What the orchestrator says to the running call; to another it is nothing.
void rf_call_input(uint32_t stream, const uint8_t *bytes, size_t size);
void rf_call_end_input(uint32_t stream);
void rf_call_credit(uint32_t stream, int which, uint32_t bytes);
void rf_call_cancel(uint32_t stream);
// The call has this long from now on: the time in which the container was frozen does not count.
void rf_call_left(uint32_t stream, uint32_t ms);

#define RF_CALL_WAITS 3
// Where the call waits: outputs and input, in this order. Returns nanoseconds until it wants its turn anyway, -1 for never.
int64_t rf_call_waits(struct pollfd waits[RF_CALL_WAITS]);
// The call's turn: carries what is ready, ends what is over. Call after each wait.
void rf_call_turn(const struct pollfd waits[RF_CALL_WAITS]);
// Gives back credit for input that was passed on. Call last before each wait: whoever is owed may have nothing left to wake this program with.
void rf_call_settle(void);
// Children of this program, or what it follows, changed their state.
void rf_call_children(void);
// The orchestrator's answer on a program of the call.
void rf_call_verdict(const uint8_t *payload, uint32_t size);

#endif
