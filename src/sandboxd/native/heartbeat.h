// Whether the orchestrator still speaks, where nothing else would tell that it is gone: on a line that goes through the engine. A direct
// line ends with the orchestrator, and the kernel says so at once.
#ifndef RF_HEARTBEAT_H
#define RF_HEARTBEAT_H

#include "guard.h"

// Seconds that this program was awake and heard nothing before it ends itself: while a call runs, and while nothing of the agent lives.
#define RF_SILENCE_CALL 15
#define RF_SILENCE_IDLE 600

// Shortens a wait to the next second that counts; -1 is a wait without end, in nanoseconds.
int64_t rf_heartbeat_wait(int64_t left);
// After each wait. Something that was heard begins the count anew; a second that passed unheard is counted, at most one a turn:
// neither a machine that slept, nor a container that was paused, nor a clock that was set brings the end nearer.
void rf_heartbeat_turn(int heard);

#endif
