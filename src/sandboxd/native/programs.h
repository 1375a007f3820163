// What really ran in a call, as records for the orchestrator: who was started with what, where, by whom, and how it ended.
// Nothing of it is taken from text; all of it is asked of the kernel while the program stands before its first instruction.
#ifndef RF_PROGRAMS_H
#define RF_PROGRAMS_H

#include "guard.h"

// How a program stands to policy when it is looked at.
enum rf_verdict { RF_GO_ON, RF_WAIT, RF_REFUSED, RF_UNKNOWN };

// Begins the records of a call. `judge`: each program but the first is asked about; `forget`: earlier answers do not hold; `held`: it waits for `rf_programs_go`.
void rf_programs_begin(uint32_t stream, int records, int judge, int forget, int held);
// The program that the call was held back with is let go: times count from now on. Until then they are 0.
void rf_programs_go(void);
// So many zeros behind the arguments of the first program are none of its own.
void rf_programs_pad(size_t zeros);
// A program stands before its first instruction in process `pid`. Its number goes to `number`, 0 where it could not be looked at.
enum rf_verdict rf_programs_started(pid_t pid, uint32_t parent, int replaced, uint32_t *number);
// The program ended with a wait status, or made place for another, at a time of `rf_now`; 0 is now.
void rf_programs_ended(uint32_t number, int status, int replaced, int64_t when);
// The program opened this descriptor of `pid` for writing.
void rf_programs_wrote(pid_t pid, uint32_t number, int descriptor);
// The orchestrator's answer, for the cache.
void rf_programs_answered(uint32_t number, int go_on);
// Sends what somebody waits for. Call in each turn.
void rf_programs_turn(void);
// Sends what is recorded, as far as the line takes it. True when all is on its way.
int rf_programs_flush(void);
// True while another record may be made. Otherwise no stop of a process is taken: it waits.
int rf_programs_have_room(void);
// What was not recorded, for the end of the call. Call once, when no program is left; then flush.
void rf_programs_end(void);
// Programs and writes seen since the call began, for the self-test.
void rf_programs_seen(unsigned *programs, unsigned *writes);

#endif
