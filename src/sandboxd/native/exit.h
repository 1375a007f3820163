// How a call ended, as the last word on it.
#ifndef RF_EXIT_H
#define RF_EXIT_H

#include "counters.h"
#include "scratch.h"
#include "streams.h"

enum rf_ending { BY_EXIT, BY_TIMEOUT, BY_CANCEL, BY_REFUSAL };

struct rf_exit {
  // As wait tells it.
  int status;
  enum rf_ending ending;
  unsigned killed;
  int quiescent;
  // Nanoseconds.
  int64_t took;
  enum rf_scratch scratch;
  enum rf_limit limit;
};

// Sends it, with what its streams counted.
void rf_exit_tell(const struct rf_streams *streams, const struct rf_exit *exit);

#endif
