// The processes and threads that something is known of, by their numbers.
#ifndef RF_TASKS_H
#define RF_TASKS_H

#include "guard.h"

// More than a sandbox can have: a power of two.
#define RF_MOST_TASKS 32768

// What is awaited of a task: its own first stop, the word of whoever made it, the orchestrator's answer. It is gone before that word came; it
// runs a program of its own; it is a child of the guard's, whose end wait tells.
enum {
  RF_TASK_AWAITS_STOP = 1,
  RF_TASK_AWAITS_PARENT = 2,
  RF_TASK_AWAITS_ANSWER = 4,
  RF_TASK_GONE = 8,
  RF_TASK_OWNS = 16,
  RF_TASK_CHILD = 32,
};

struct rf_task {
  pid_t pid;
  // The program it runs.
  uint32_t number;
  unsigned flags;
  // The descriptor that tells of its end, plus one; 0 for none. When it ended; 0 while it lives.
  int end;
  int64_t ended;
};

// NULL for none. What is returned holds until the next entry comes or goes.
struct rf_task *rf_task_find(pid_t pid);
// A new entry, or the old one with another program and other flags. Full: the sandbox ends, for nobody could be followed.
struct rf_task *rf_task_insert(pid_t pid, uint32_t number, unsigned flags);
// Takes an entry out and closes what told of its end.
void rf_task_take_out(struct rf_task *task);
// `descriptor` tells of the end of this task, and belongs to the entry from then on; -1 for none.
void rf_tasks_watch(struct rf_task *task, int descriptor);
// Of how many tasks the end is awaited, and a look at each of them, which may take out that one.
unsigned rf_tasks_watched(void);
void rf_tasks_each_watched(void (*look)(struct rf_task *task));
void rf_tasks_forget(void);

// Which threads are followed just now, where only some are, and of which process each is: few at a time.
void rf_task_follow(pid_t pid, pid_t process);
void rf_task_leave(pid_t pid);
int rf_task_is_followed(pid_t pid);
// Another followed thread of that process; 0 for none.
pid_t rf_task_followed_of(pid_t process, pid_t but);

#endif
