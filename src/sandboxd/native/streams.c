// Streams of one process: see streams.h. No byte is copied more than once on its way out.
#include "streams.h"
#include "line.h"

#include <sys/ioctl.h>

static uint8_t queue[RF_WINDOW];

static void shut(int *fd) {
  if (*fd >= 0) close(*fd);
  *fd = -1;
}

void rf_streams_begin(struct rf_streams *streams, uint32_t stream, uint64_t limit, int in, const int out[2], const int writers[2]) {
  memset(streams, 0, sizeof *streams);
  streams->stream = stream;
  streams->limit = limit;
  streams->in = in;
  for (int i = 0; i < 2; i++) streams->out[i] = (struct rf_output){.fd = out[i], .writer = writers[i], .credit = RF_WINDOW};
}

static void gather(struct rf_streams *streams, int which, const uint8_t *bytes, size_t size) {
  if (which == 1) {
    rf_write_all(2, bytes, size);
    return;
  }
  const size_t room = streams->gather_room - streams->gathered, kept = size < room ? size : room;
  memcpy(streams->gather + streams->gathered, bytes, kept);
  streams->gathered += kept;
}

void rf_streams_deliver(struct rf_streams *streams, int which, const uint8_t *bytes, size_t size) {
  struct rf_output *out = &streams->out[which];
  if (streams->gather != NULL) {
    gather(streams, which, bytes, size);
    return;
  }
  const uint64_t passed = out->bytes - out->dropped, room = streams->limit > passed ? streams->limit - passed : 0;
  const uint32_t kept = size < room ? (uint32_t)size : (uint32_t)room;
  out->bytes += size;
  out->dropped += size - kept;
  if (kept == 0) return;
  // What is dropped takes no credit: nobody would ever give it back.
  out->credit -= kept < out->credit ? kept : out->credit;
  rf_line_send(which == 0 ? RF_STDOUT : RF_STDERR, streams->stream, bytes, kept);
}

void rf_streams_carry(struct rf_streams *streams, int which) {
  struct rf_output *out = &streams->out[which];
  size_t most = out->credit < RF_CHUNK ? out->credit : RF_CHUNK;
  if (streams->last_round && out->residue < most) most = out->residue;
  // To read nothing would look like the end.
  if (out->fd < 0 || most == 0) return;
  uint8_t *bytes = rf_line_payload();
  const ssize_t got = read(out->fd, bytes, most);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) {
    shut(&out->fd);
    return;
  }
  if (streams->last_round) out->residue -= (uint32_t)got;
  rf_streams_deliver(streams, which, bytes, (size_t)got);
}

// Reads at the end of a process: a pipe of the usual most, and its end. Where others go on writing the rest has its turns.
#define LAST_READS 17

void rf_streams_ended(struct rf_streams *streams) {
  for (int i = 0; i < 2; i++) {
    struct rf_output *out = &streams->out[i];
    shut(&out->writer);
    uint64_t before = UINT64_MAX;
    for (int reads = 0; reads < LAST_READS && out->bytes != before && rf_line_waiting() == 0; reads++) {
      before = out->bytes;
      rf_streams_carry(streams, i);
    }
  }
}

void rf_streams_input(struct rf_streams *streams, const uint8_t *bytes, size_t size) {
  if (streams->in < 0) {
    streams->owed += (uint32_t)size;
    return;
  }
  if (streams->queue_size + size > RF_WINDOW) rf_fail("input past the window");
  const size_t start = (streams->queue_at + streams->queue_size) % RF_WINDOW;
  const size_t first = size < RF_WINDOW - start ? size : RF_WINDOW - start;
  memcpy(queue + start, bytes, first);
  memcpy(queue, bytes + first, size - first);
  streams->queue_size += size;
}

void rf_streams_drop_input(struct rf_streams *streams) {
  shut(&streams->in);
  streams->owed += (uint32_t)streams->queue_size;
  streams->queue_size = streams->queue_at = 0;
}

void rf_streams_push(struct rf_streams *streams) {
  while (streams->queue_size > 0) {
    const size_t end = RF_WINDOW - streams->queue_at, run = streams->queue_size < end ? streams->queue_size : end;
    const ssize_t put = write(streams->in, queue + streams->queue_at, run);
    if (put < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (put < 0) {
      rf_streams_drop_input(streams);
      return;
    }
    streams->queue_at = (streams->queue_at + (size_t)put) % RF_WINDOW;
    streams->queue_size -= (size_t)put;
    streams->owed += (uint32_t)put;
  }
  if (streams->input_ended) shut(&streams->in);
}

void rf_streams_settle(struct rf_streams *streams) {
  // In one piece, and never behind bytes that wait: many small pieces of input must not fill the line with their credit.
  if (streams->owed == 0 || streams->gather != NULL || rf_line_waiting() > 0) return;
  uint8_t payload[5] = {0};
  rf_put32(payload + 1, streams->owed);
  rf_line_send(RF_CREDIT, streams->stream, payload, sizeof payload);
  streams->owed = 0;
}

static uint32_t standing_in(int fd) {
  int bytes = 0;
  return fd >= 0 && ioctl(fd, FIONREAD, &bytes) == 0 && bytes > 0 ? (uint32_t)bytes : 0;
}

static uint32_t least(uint32_t one, uint32_t other) { return one < other ? one : other; }

void rf_streams_last_round(struct rf_streams *streams) {
  streams->last_round = 1;
  for (int i = 0; i < 2; i++) streams->out[i].residue = standing_in(streams->out[i].fd);
}

int rf_streams_over(struct rf_streams *streams) {
  for (int i = 0; i < 2; i++) {
    struct rf_output *out = &streams->out[i];
    // Whoever holds the pipe may read it too: what is gone from it comes no more.
    if (streams->last_round && out->residue > 0) out->residue = least(out->residue, standing_in(out->fd));
    if (streams->last_round && out->residue == 0) shut(&out->fd);
  }
  return streams->out[0].fd < 0 && streams->out[1].fd < 0;
}

void rf_streams_close(struct rf_streams *streams) {
  shut(&streams->in);
  for (int i = 0; i < 2; i++) {
    shut(&streams->out[i].fd);
    shut(&streams->out[i].writer);
  }
}
