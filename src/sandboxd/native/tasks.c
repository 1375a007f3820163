// A table of fixed size, open addressing: see tasks.h.
#include "tasks.h"
#include "line.h"

// A power of two well above the most tasks a sandbox can have. Full: the sandbox ends, for nobody could be followed.
#define SLOTS (2 * RF_MOST_TASKS)

static struct rf_task table[SLOTS];
static unsigned tasks, watched;

static struct { pid_t pid, process; } followed[RF_MOST_TASKS];
static unsigned followers;

static size_t home_of(pid_t pid) { return ((uint32_t)pid * 2654435761u) % SLOTS; }

struct rf_task *rf_task_find(pid_t pid) {
  for (size_t i = home_of(pid); table[i].pid != 0; i = (i + 1) % SLOTS) {
    if (table[i].pid == pid) return &table[i];
  }
  return NULL;
}

struct rf_task *rf_task_insert(pid_t pid, uint32_t number, unsigned flags) {
  if (tasks >= RF_MOST_TASKS) rf_fail("more processes than can be followed");
  size_t i = home_of(pid);
  while (table[i].pid != 0 && table[i].pid != pid) i = (i + 1) % SLOTS;
  if (table[i].pid == 0) {
    tasks++;
    table[i] = (struct rf_task){.pid = pid};
  }
  table[i].number = number;
  table[i].flags = flags;
  return &table[i];
}

static void watch_no_more(struct rf_task *task) {
  if (task->end == 0) return;
  close(task->end - 1);
  task->end = 0;
  watched--;
}

// Takes an entry out and closes the gap, so that what lies behind it is still found.
void rf_task_take_out(struct rf_task *task) {
  size_t gap = (size_t)(task - table);
  watch_no_more(task);
  tasks--;
  for (size_t i = (gap + 1) % SLOTS; table[i].pid != 0; i = (i + 1) % SLOTS) {
    const size_t wanted = home_of(table[i].pid);
    const int stays = gap <= i ? gap < wanted && wanted <= i : gap < wanted || wanted <= i;
    if (stays) continue;
    table[gap] = table[i];
    gap = i;
  }
  table[gap].pid = 0;
}

void rf_tasks_watch(struct rf_task *task, int descriptor) {
  task->end = descriptor + 1;
  if (task->end != 0) watched++;
}

unsigned rf_tasks_watched(void) { return watched; }

void rf_tasks_each_watched(void (*look)(struct rf_task *task)) {
  // Whoever was taken out may have let another move into its place: that place is looked at again.
  for (size_t i = 0; i < SLOTS && watched > 0;) {
    const pid_t pid = table[i].pid;
    if (pid != 0 && table[i].end != 0) look(&table[i]);
    if (pid == 0 || table[i].pid == pid) i++;
  }
}

void rf_tasks_forget(void) {
  for (size_t i = 0; i < SLOTS && watched > 0; i++) watch_no_more(&table[i]);
  if (tasks > 0) memset(table, 0, sizeof table);
  tasks = followers = 0;
}

static unsigned place_of(pid_t pid) {
  unsigned i = 0;
  while (i < followers && followed[i].pid != pid) i++;
  return i;
}

void rf_task_follow(pid_t pid, pid_t process) {
  const unsigned i = place_of(pid);
  if (i >= RF_MOST_TASKS) rf_fail("more processes than can be followed");
  followed[i].pid = pid;
  followed[i].process = process;
  if (i == followers) followers++;
}

void rf_task_leave(pid_t pid) {
  const unsigned i = place_of(pid);
  if (i < followers) followed[i] = followed[--followers];
}

int rf_task_is_followed(pid_t pid) { return place_of(pid) < followers; }

pid_t rf_task_followed_of(pid_t process, pid_t but) {
  for (unsigned i = 0; i < followers; i++) {
    if (followed[i].process == process && followed[i].pid != but) return followed[i].pid;
  }
  return 0;
}
