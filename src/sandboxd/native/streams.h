// The three streams of one process of the agent: outputs carried to the orchestrator as far as credit goes, input the other way.
#ifndef RF_STREAMS_H
#define RF_STREAMS_H

#include "guard.h"

// One output: what came, and what of it was past the limit and dropped.
struct rf_output {
  // Where it is read, and the guard's own other end.
  int fd, writer;
  uint64_t bytes, dropped;
  uint32_t credit;
  // Bytes that still count after the process ended and another one holds the pipe.
  uint32_t residue;
};

struct rf_streams {
  uint32_t stream;
  uint64_t limit;
  struct rf_output out[2];
  int in, input_ended, last_round;
  size_t queue_at, queue_size;
  // Input taken or dropped whose credit was not given back yet.
  uint32_t owed;
  // Instead of the orchestrator: the first output goes here.
  char *gather;
  size_t gather_room, gathered;
};

void rf_streams_begin(struct rf_streams *streams, uint32_t stream, uint64_t limit, int in, const int out[2], const int writers[2]);
// The process ended: an output is at its end where nobody else writes to it. Carries what stands in them, as far as credit and the line go.
void rf_streams_ended(struct rf_streams *streams);
// Takes bytes of an output, from its pipe or of our own.
void rf_streams_deliver(struct rf_streams *streams, int which, const uint8_t *bytes, size_t size);
// Carries what stands in one output pipe. Only while nothing waits on the line.
void rf_streams_carry(struct rf_streams *streams, int which);
// Keeps input for the process; input for one that no longer reads is dropped, so that nothing upstream waits for ever.
void rf_streams_input(struct rf_streams *streams, const uint8_t *bytes, size_t size);
void rf_streams_push(struct rf_streams *streams);
void rf_streams_drop_input(struct rf_streams *streams);
// Gives back the credit of input that was taken.
void rf_streams_settle(struct rf_streams *streams);
// From now on only what stands in the pipes counts.
void rf_streams_last_round(struct rf_streams *streams);
// True when both outputs are at their end.
int rf_streams_over(struct rf_streams *streams);
void rf_streams_close(struct rf_streams *streams);

#endif
