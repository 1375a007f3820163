// Whether a program's loader looks for anything where the agent could put something: followed system call by system call, once for what is expected.
#ifndef RF_LOADER_H
#define RF_LOADER_H

#include "guard.h"

// Remembers which mount is the root. False where what has no name of its own, or can be written, is no ground to stand on.
int rf_loader_open(void);
// The file that a link of /proc leads to lies on the root mount.
int rf_loader_is_on_root(const char *link);
// The file of a path lies on the root mount, and so does each folder and link on the way to it; where there is none, those there are.
int rf_loader_is_root(const char *path);
// What the loader asks for at the entry of a system call: true where it is memory, or a name on the root mount. `memory` is the process's.
int rf_loader_may(pid_t pid, int memory);

#endif
