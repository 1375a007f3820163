// What outlives its processes in the kernel: see ipc.h. No name in a folder tells of it, so the next call would find it unseen, and its memory taken.
#include "guard.h"
#include "ipc.h"

#include <dirent.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

#define QUEUES "/dev/mqueue"

// Who stands at a place, whatever its owner may read of it: numbers that the headers of the build may not have yet.
#define SHM_ANY 15
#define SEM_ANY 20
#define MSG_ANY 13

// What a call of the kernel takes beside a number, where it takes anything.
union semun {
  int value;
  struct semid_ds *state;
  struct seminfo *info;
};

static int shared(int at, int command) {
  struct shmid_ds state;
  struct shm_info info;
  return command == SHM_INFO ? shmctl(0, SHM_INFO, (struct shmid_ds *)&info) : shmctl(at, command, &state);
}

static int semaphores(int at, int command) {
  struct semid_ds state;
  struct seminfo info;
  const union semun with = command == SEM_INFO ? (union semun){.info = &info} : (union semun){.state = &state};
  return semctl(at, 0, command, with);
}

static int messages(int at, int command) {
  struct msqid_ds state;
  struct msginfo info;
  return command == MSG_INFO ? msgctl(0, MSG_INFO, (struct msqid_ds *)&info) : msgctl(at, command, &state);
}

// The highest place that is taken, then each place: who stands there, and away with it. A kernel without them says so at the first.
static int clear(int (*call)(int at, int command), int info, int stat) {
  const int last = call(0, info);
  for (int at = 0; at <= last; at++) {
    const int id = call(at, stat);
    if (id >= 0 && call(id, IPC_RMID) != 0) return -1;
  }
  return 0;
}

static int clear_queues(void) {
  DIR *list = opendir(QUEUES);
  int bad = 0;
  for (const struct dirent *entry = list == NULL ? NULL : readdir(list); entry != NULL; entry = readdir(list)) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    if (unlinkat(dirfd(list), entry->d_name, 0) != 0) bad = -1;
  }
  if (list != NULL) closedir(list);
  return bad;
}

const char *rf_ipc_clear(void) {
  if (clear(shared, SHM_INFO, SHM_ANY) != 0) return "shared memory";
  if (clear(semaphores, SEM_INFO, SEM_ANY) != 0) return "semaphores";
  if (clear(messages, MSG_INFO, MSG_ANY) != 0) return "messages";
  return clear_queues() != 0 ? "queues" : NULL;
}
