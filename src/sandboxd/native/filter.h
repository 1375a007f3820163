// The filter of system calls that each process of the agent carries, beside the container's own.
#ifndef RF_FILTER_H
#define RF_FILTER_H

// Refuses what would get past the tracer or take its place: ptrace, children that leave it, foreign tables of calls, calls whose
// arguments lie in memory, listeners that let calls go on past other filters. With `writes` each opening for writing stops
// for the tracer; with `root`, for an agent whom the kernel takes for root, signals of files to other processes; with `programs` each asking for another program waits for whoever holds the listener, and fails when nobody does.
// Call in the process itself, after it gave up new privileges. -1 is an error; with `programs` the listener is returned, else 0.
int rf_filter_install(int writes, int programs, int root);

#endif
