// What the kernel counts of this container: its tasks, the limits it ran into, the names in its folders in memory.
#ifndef RF_COUNTERS_H
#define RF_COUNTERS_H

#include "guard.h"

#define RF_PLACES 5
// The writable folders beside the workspace, all in memory; core/channel has the same list.
extern const char *const rf_places[RF_PLACES];

// Limits of the kernel that a call can run into.
enum rf_limit { RF_NO_LIMIT, RF_LIMIT_MEMORY, RF_LIMIT_PROCESSES, RF_LIMIT_DISK };

// Opens the counters of the control group, version 1 or 2. Ends the program where there is no counter of tasks.
// `root` is the workspace, which may be a disk of its own.
void rf_counters_open(const char *root);
// True when the kernel counts nothing but the guard, which is `own` tasks: the proof that no process of the agent is left.
// Never by listing /proc: a process that keeps forking is gone before it is read.
int rf_quiet(unsigned own);
// Processes that are not the guard's, the dead ones left out. For the record, never as a proof.
unsigned rf_strangers(void);
// The kernel's limit on tasks, or on bytes of memory; -1 where there is none.
long long rf_task_limit(void);
long long rf_memory_limit(void);
// Remembers where the counters stand. Call while nothing of the agent runs.
void rf_limits_mark(void);
// The limit that was reached since; `signal` ended the program, or is 0. Counts the names on the way.
enum rf_limit rf_limits_reached(int signal);
// Names in the folders in memory as of the last mark or look, the folders left out; -1 where the kernel does not count them.
long long rf_names(void);

#endif
