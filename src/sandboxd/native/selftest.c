// The self-test: see selftest.h. Runs before any process of the agent lives, so that all processes there are belong to the guard.
#include "selftest.h"
#include "call.h"
#include "counters.h"
#include "held.h"
#include "line.h"
#include "programs.h"
#include "trace.h"

#include <ctype.h>
#include <dirent.h>

#define PROBE "/.ringfence/bin/rf-probe"
#define PROBE_MS 25000
// Most of what the probe says that is passed on; each byte may take six as JSON, and a frame holds RF_CHUNK.
#define PROBE_BYTES 8192
#define MOST_GUARDS 64

static size_t put_text(uint8_t *order, size_t at, const char *text) {
  const size_t size = strlen(text) + 1;
  memcpy(order + at, text, size);
  return at + size;
}

// An order for the probe: root, nonce, and the processes it has to attack.
static size_t probe_order(uint8_t *order, size_t room, const char *root, const char *nonce) {
  memset(order, 0, RF_ORDER_HEAD);
  rf_put32(order + 1, PROBE_MS);
  size_t at = RF_ORDER_HEAD;
  const char *const first[] = {"/", PROBE, root, nonce};
  for (size_t i = 0; i < sizeof first / sizeof *first; i++) {
    if (at + strlen(first[i]) + 1 > room) rf_fail("the workspace's place is too long");
    at = put_text(order, at, first[i]);
  }
  uint32_t arguments = 3;
  DIR *list = opendir("/proc");
  for (struct dirent *entry = list == NULL ? NULL : readdir(list); entry != NULL; entry = readdir(list)) {
    if (!isdigit((unsigned char)entry->d_name[0]) || strlen(entry->d_name) > 20 || arguments >= 3 + MOST_GUARDS || at + 21 > room) continue;
    // The probe itself will be this one.
    if (strtol(entry->d_name, NULL, 10) == rf_held_pid()) continue;
    at = put_text(order, at, entry->d_name);
    arguments++;
  }
  if (list != NULL) closedir(list);
  rf_put32(order + 13, arguments);
  return at;
}

// Bytes as the inside of a JSON text, one character a byte.
static size_t quote(const char *bytes, size_t size, char *text) {
  size_t at = 0;
  for (size_t i = 0; i < size; i++) {
    const unsigned char byte = (unsigned char)bytes[i];
    if (byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\') text[at++] = (char)byte;
    else at += (size_t)sprintf(text + at, "\\u%04x", byte);
  }
  return at;
}

void rf_self_test(const char *root, const char *nonce, int signals) {
  static uint8_t order[RF_ORDER_HEAD + 16384];
  static char said[PROBE_BYTES], text[6 * PROBE_BYTES + 512];
  const size_t size = probe_order(order, sizeof order, root, nonce);
  const size_t got = rf_call_gather(order, (uint32_t)size, said, sizeof said, signals);
  char tasks[24], memory[24];
  const long long most_tasks = rf_task_limit(), most_memory = rf_memory_limit();
  snprintf(tasks, sizeof tasks, most_tasks < 0 ? "null" : "%lld", most_tasks);
  snprintf(memory, sizeof memory, most_memory < 0 ? "null" : "%lld", most_memory);
  static const char *const records[] = {"off", "exec", "full"};
  unsigned programs, writes;
  rf_programs_seen(&programs, &writes);
  int at = snprintf(text, sizeof text, "{\"version\":%d,\"tasks\":%s,\"memory\":%s,\"record\":\"%s\",\"programs\":%u,\"writes\":%u,\"probe\":\"",
    RF_PROTOCOL, tasks, memory, records[rf_trace_records()], programs, writes);
  at += (int)quote(said, got, text + at);
  at += snprintf(text + at, 8, "\"}");
  rf_line_send(RF_HELLO, 0, text, (uint32_t)at);
}
