// The line to the orchestrator: see line.h. A frame that does not fit the pipe at once is kept and finished before any other.
#include "line.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#define SOCKET_PATH "/.ringfence-line/s"
// One stream frame, and room for small frames behind it.
#define OUT_ROOM (2 * (RF_HEADER + RF_CHUNK))
#define FAIL_MS 200

static struct {
  uint8_t *bytes;
  size_t room, used;
} in;

static uint8_t out[OUT_ROOM];
static size_t out_at, out_used;
static int line_in = 0, line_out = 1, gathers;
static uint8_t frame[RF_HEADER + RF_CHUNK];

static void never_block(int fd) {
  const int flags = fcntl(fd, F_GETFL);
  if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0) rf_die("channel");
}

// A socket of the orchestrator's, where it offers one and this container lets it be reached.
static int connect_direct(void) {
  struct sockaddr_un place = {.sun_family = AF_UNIX, .sun_path = SOCKET_PATH};
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd >= 0 && connect(fd, (struct sockaddr *)&place, sizeof place) == 0) return fd;
  if (fd >= 0) close(fd);
  return -1;
}

void rf_line_open(void) {
  const int direct = connect_direct();
  if (direct >= 0) line_in = line_out = direct;
  never_block(0);
  never_block(line_in);
  never_block(line_out);
  in.room = RF_HEADER + RF_CHUNK;
  in.bytes = malloc(in.room);
  if (in.bytes == NULL) rf_die("memory");
}

int rf_line_in(void) { return line_in; }

int rf_line_out(void) { return line_out; }

int rf_line_is_direct(void) { return line_in != 0; }

void rf_line_watch_input(void) {
  char byte;
  const ssize_t got = read(0, &byte, 1);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  // Nothing is ever said there.
  _exit(got == 0 ? 0 : 71);
}

// Room for `size` bytes in all; large only while a large order is on its way.
static void reserve(size_t size) {
  if (size <= in.room) return;
  uint8_t *bytes = realloc(in.bytes, size);
  if (bytes == NULL) rf_fail("no memory for an order");
  in.bytes = bytes;
  in.room = size;
}

void rf_line_take(void (*handler)(const struct rf_frame *)) {
  const ssize_t got = read(line_in, in.bytes + in.used, in.room - in.used);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  // The orchestrator is gone.
  if (got <= 0) _exit(0);
  in.used += (size_t)got;
  size_t at = 0;
  while (in.used - at >= RF_HEADER) {
    const uint8_t *head = in.bytes + at;
    const uint32_t size = rf_get32(head);
    if (size > RF_MAX_START) rf_fail("a frame past the limit");
    if (in.used - at - RF_HEADER < size) break;
    const struct rf_frame whole = {head[4], rf_get32(head + 5), head + RF_HEADER, size};
    at += RF_HEADER + (size_t)size;
    handler(&whole);
  }
  in.used -= at;
  memmove(in.bytes, in.bytes + at, in.used);
  if (in.used >= RF_HEADER) reserve(RF_HEADER + (size_t)rf_get32(in.bytes));
}

uint8_t *rf_line_payload(void) { return frame + RF_HEADER; }

size_t rf_line_waiting(void) { return out_used - out_at; }

void rf_line_push(void) {
  while (out_at < out_used) {
    const ssize_t put = write(line_out, out + out_at, out_used - out_at);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0 && errno == EAGAIN) return;
    if (put <= 0) _exit(0);
    out_at += (size_t)put;
  }
  out_at = out_used = 0;
}

static void keep(const uint8_t *bytes, size_t size) {
  if (size > OUT_ROOM - out_used) {
    memmove(out, out + out_at, out_used - out_at);
    out_used -= out_at;
    out_at = 0;
  }
  // Never by an honest orchestrator: stream bytes wait in their pipes while anything waits here.
  if (size > OUT_ROOM - out_used) _exit(71);
  memcpy(out + out_used, bytes, size);
  out_used += size;
}

void rf_line_gather(int begins) {
  gathers = begins;
  if (!begins) rf_line_push();
}

void rf_line_send(uint8_t type, uint32_t stream, const void *payload, uint32_t size) {
  if (size > RF_CHUNK) _exit(71);
  rf_put32(frame, size);
  frame[4] = type;
  rf_put32(frame + 5, stream);
  if (payload != NULL && payload != frame + RF_HEADER) memcpy(frame + RF_HEADER, payload, size);
  const size_t whole = RF_HEADER + (size_t)size;
  size_t sent = 0;
  while (!gathers && rf_line_waiting() == 0 && sent < whole) {
    const ssize_t put = write(line_out, frame + sent, whole - sent);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0 && errno == EAGAIN) break;
    if (put <= 0) _exit(0);
    sent += (size_t)put;
  }
  if (sent < whole) keep(frame + sent, whole - sent);
}

void rf_fail(const char *reason) {
  dprintf(2, "sandboxd: %s\n", reason);
  char words[400], text[512];
  size_t length = 0;
  for (const char *at = reason; *at != 0 && length + 1 < sizeof words; at++) {
    const int plain = *at >= 0x20 && *at < 0x7f && *at != '"' && *at != '\\';
    words[length++] = plain ? *at : '?';
  }
  words[length] = 0;
  const int size = snprintf(text, sizeof text, "{\"type\":\"error\",\"message\":\"%s\"}", words);
  rf_line_send(RF_ERROR, 0, text, (uint32_t)size);
  struct pollfd ready = {line_out, POLLOUT, 0};
  for (int tries = 0; tries < 4 && rf_line_waiting() > 0; tries++) {
    if (poll(&ready, 1, FAIL_MS / 4) > 0) rf_line_push();
  }
  _exit(70);
}
