// The last word on a call: see exit.h. JSON of numbers and fixed words alone.
#include "exit.h"
#include "line.h"

#include <sys/wait.h>

// A number in JSON, or null for a negative one.
static const char *number(char text[24], long long value) {
  snprintf(text, 24, value < 0 ? "null" : "%lld", value);
  return text;
}

void rf_exit_tell(const struct rf_streams *streams, const struct rf_exit *exit) {
  static const char *const endings[] = {"exit", "timeout", "cancelled", "refused"}, *const looks[] = {"none", "same", "new", "unknown"};
  static const char *const limits[] = {"", ",\"limit\":\"memory\"", ",\"limit\":\"processes\"", ",\"limit\":\"disk\""};
  const struct rf_output *out = streams->out;
  const int status = exit->status;
  char code[24], by[24], text[640];
  const int size = snprintf(text, sizeof text,
    "{\"exitCode\":%s,\"signal\":%s,\"ended\":\"%s\",\"stdoutBytes\":%llu,\"stderrBytes\":%llu,\"stdoutDropped\":%llu,"
    "\"stderrDropped\":%llu,\"killed\":%u,\"quiescent\":%s,\"durationMs\":%.3f,\"scratch\":\"%s\"%s}",
    number(code, WIFEXITED(status) ? WEXITSTATUS(status) : -1), number(by, WIFSIGNALED(status) ? WTERMSIG(status) : -1),
    endings[exit->ending], (unsigned long long)out[0].bytes, (unsigned long long)out[1].bytes, (unsigned long long)out[0].dropped,
    (unsigned long long)out[1].dropped, exit->killed, exit->quiescent ? "true" : "false", (double)exit->took / 1000000, looks[exit->scratch], limits[exit->limit]);
  rf_line_send(RF_EXIT, streams->stream, text, (uint32_t)size);
}
