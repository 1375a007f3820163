// The names in the sandbox's own folders in memory, listed as the agent sees them, without a process of the agent's.
#ifndef RF_SCRATCH_H
#define RF_SCRATCH_H

#include "guard.h"
#include "spawn.h"

// What a look found, against the look before: no names at all, the same names untouched, others, or more than can be told.
enum rf_scratch { RF_SCRATCH_NONE, RF_SCRATCH_SAME, RF_SCRATCH_NEW, RF_SCRATCH_UNKNOWN };

// Lists all folders. Call only while no process of the agent lives. `names` is the kernel's count: with none there is nothing to list.
enum rf_scratch rf_scratch_look(const struct rf_agent *agent, long long names);
// The list after RF_SCRATCH_NEW. One record a name, no link followed: kind u8 (dflo: folder, file, link, other), mode u32,
// size u64, inode u64, change time in ns u64, path length u32, absolute path. Stands until the next look.
const uint8_t *rf_scratch_list(size_t *size);

#endif
