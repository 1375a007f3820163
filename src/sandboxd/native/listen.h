// What the kernel tells without following anybody: that a thread of the agent asks for another program, and that a process ended.
// Neither is a stop of ordinary running code: threads, forks and signals of the agent cost nothing.
#ifndef RF_LISTEN_H
#define RF_LISTEN_H

#include "guard.h"

// True where this kernel tells how a process ended that is no child of ours (Linux 6.15). Before the first process is prepared.
int rf_listen_works(void);
// Readable when anything below is due: for the one wait of the guard. -1 until `rf_listen_works` said yes.
int rf_listen_events(void);
// Hears of those who carry the filter of this listener, and of no others from then on. The descriptor is ours from then on.
void rf_listen_hear(int listener);

// Asks for another program, and waits: the thread, under a number of this one time.
struct rf_asking {
  uint64_t id;
  pid_t thread;
};
// The next that waits, 0 for none.
int rf_listen_next(struct rf_asking *asking);
// Lets it go on into the kernel's own handling, or, with an error number, refuses the call.
void rf_listen_answer(const struct rf_asking *asking, int error);

// Whether it still waits: nobody killed it or called it away.
int rf_listen_waits(const struct rf_asking *asking);
// The process that a thread is of; 0 when it is gone.
pid_t rf_listen_process(pid_t thread);
// The process that started the process of a thread, or took it over; 0 where that cannot be told.
pid_t rf_listen_parent(pid_t thread);
// Whether a thread ended, though its process may live on.
int rf_listen_is_dead(pid_t thread);

// A descriptor of a process that lives and stands still; its end wakes the guard. -1: it was killed.
int rf_listen_watch(pid_t pid);
// The next process of which there is news, 0 for none.
pid_t rf_listen_news(void);
// How it stands: 0 lives, 1 ended but nobody waited for it, 2 over, `status` as wait tells it.
int rf_listen_end(int descriptor, int *status);

// What tells one image from all others, the same in every process that was forked from it: where the kernel laid it out by chance. 0
// where nothing can be told. The agent cannot change it (filter.c).
uint64_t rf_listen_layout(pid_t thread);

// After an error of the kernel's about a child: it ended, whether or not it was waited for.
int rf_listen_has_ended(pid_t pid, int error);

#endif
