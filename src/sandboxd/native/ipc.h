// What the kernel keeps for the agent past the end of all its processes: shared memory, semaphores and queues of messages.
#ifndef RF_IPC_H
#define RF_IPC_H

// Removes all of it. Call as the agent, while nothing of the agent lives. NULL is done, else what could not be.
const char *rf_ipc_clear(void);

#endif
