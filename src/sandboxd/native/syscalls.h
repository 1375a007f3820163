// Tries, as the agent, the system calls that the sandbox's own filter refuses.
#ifndef RF_SYSCALLS_H
#define RF_SYSCALLS_H

// Prints one line `syscalls-open NAME...`: what got past the filter, empty when nothing did. Each try runs in a process of
// its own, for what gets through would change who is asking, and a foreign table of calls ends the process.
void rf_try_syscalls(void);

#endif
