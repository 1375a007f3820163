// The one way from the guard's rights to the agent's: none.
#ifndef RF_DROP_H
#define RF_DROP_H

// Most bytes of one file of the agent, in MiB; 0 is no limit.
struct rf_limits {
  unsigned file_mib;
};

// Turns this process into one of the agent: all five capability sets empty and unable to fill again, no new privileges,
// no groups but its own, a session of its own, default signals. Returns NULL, or the step that failed: then never exec.
const char *rf_drop(unsigned uid, unsigned gid, const struct rf_limits *limits);

#endif
