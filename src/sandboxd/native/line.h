// The framed line to the orchestrator: whole frames in, frames out in order, never blocking. It is a socket where the orchestrator
// offers one, else standard input and output, through the engine. The end of either ends this program.
#ifndef RF_LINE_H
#define RF_LINE_H

#include "guard.h"

// One frame as received; the payload stands only until the handler returns.
struct rf_frame {
  uint8_t type;
  uint32_t stream;
  const uint8_t *payload;
  uint32_t size;
};

// Opens the line. Call while nothing of the agent lives: afterwards nobody else can take the socket.
void rf_line_open(void);
// Where the line is read, and where it is written.
int rf_line_in(void);
int rf_line_out(void);
// True when the line is a socket; standard input then only tells that the engine or the orchestrator is gone.
int rf_line_is_direct(void);
// Looks at standard input beside a socket.
void rf_line_watch_input(void);
// Takes what has arrived and hands on whole frames. The end of input ends this program, and with it the container.
void rf_line_take(void (*handler)(const struct rf_frame *frame));
// Where the payload of the next frame may be put: RF_CHUNK bytes, the most of any frame.
uint8_t *rf_line_payload(void);
// Sends a frame after all that was sent before. `payload` is rf_line_payload(), NULL for none, or any bytes.
void rf_line_send(uint8_t type, uint32_t stream, const void *payload, uint32_t size);
// From a beginning to its end frames are kept, and then sent in one piece, as far as the line takes it.
void rf_line_gather(int begins);
// Bytes that the orchestrator has not taken yet. Stream bytes are only read while there are none: what waits stays bounded.
size_t rf_line_waiting(void);
// Sends what waits, as far as it goes.
void rf_line_push(void);
// Tells the orchestrator why, gives the words a moment to leave, and ends the program.
__attribute__((noreturn)) void rf_fail(const char *reason);

#endif
