// The tracer of the agent's processes: it hears from the kernel of every program that is started, before its first instruction. Either by
// following a thread from the moment it asks for a program, or, for `full` and on kernels that do not tell how a process ended, by
// following every process and thread from its beginning. A tracee whose tracer ends is killed by the kernel; whoever asks nobody is refused.
#ifndef RF_TRACE_H
#define RF_TRACE_H

#include "guard.h"

enum rf_record { RF_RECORD_OFF, RF_RECORD_EXEC, RF_RECORD_FULL };

// What is recorded in this sandbox. Before the first process is prepared.
void rf_trace_open(enum rf_record record);
enum rf_record rf_trace_records(void);
// True where a process of the agent hands over a listener instead of being followed from its beginning.
int rf_trace_listens(void);
// Readable when something is heard; -1 where all of it is told by SIGCHLD.
int rf_trace_events(void);
// The listener of a process that was just prepared, before any order reaches it; -1 for none. 0 is done. -1: none is to be had; at the start
// processes are then followed.
int rf_trace_hear(pid_t pid, int listener);
// Follows a process that was just prepared, before any order reaches it. 0 is done. -1: the kernel refuses it at the start, then nothing is
// followed from then on, and the self-test says so; later it is a fault.
int rf_trace_follow(pid_t pid);
// Has a process that was just prepared stop where it becomes a program, where nothing else of it is followed. 0 is done, -1: not to be had.
int rf_trace_seize(pid_t pid);
// A process that was seized, and stood ready, is the call's program from now on: it goes on, or stands until it is let go.
void rf_trace_stood(pid_t pid, void (*forbid)(void));
// Takes all stops and ends that are due: ends of `first` and of children of this program go to `ended`. `forbid` is told when a
// program was refused. Call when a child changed its state.
void rf_trace_take(void (*ended)(pid_t pid, int status), void (*forbid)(void));
// Tells the ends of programs that are over and were not told yet. When nothing of the call is left.
void rf_trace_settle(void);
// True while more may be due: the line is full, or others had to get their turn.
int rf_trace_is_behind(void);
// The orchestrator's answer on a program: a number, a process, go on or not.
void rf_trace_answer(const uint8_t *payload, uint32_t size, void (*forbid)(void));
// With `hold`, the first program that is started stands before its first instruction until it is let go; without, none does.
void rf_trace_hold(int hold);
// Lets it go, also where it has yet to come so far.
void rf_trace_let_go(void);
// Forgets all processes: none is left, or what is left is told as such.
void rf_trace_forget(void);

#endif
