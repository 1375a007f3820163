// Whether a program's loader looks for anything where the agent could put something: followed system call by system call, once for what is expected.
#ifndef RF_LOADER_H
#define RF_LOADER_H

#include "guard.h"

// Remembers which mount is the root. False where what has no name of its own, or can be written, is no ground to stand on.
int rf_loader_open(void);
// The file of a path lies on the root mount, or would: where there is none, the nearest folder above does.
int rf_loader_is_root(const char *path);
// What the loader asks for at the entry of a system call: true where it is memory, or a name on the root mount. `memory` is the process's.
int rf_loader_may(pid_t pid, int memory);

#endif
