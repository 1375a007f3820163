// One name of a folder as the kernel tells it (`getdents64`).
#ifndef RF_ENTRY_H
#define RF_ENTRY_H

#include <stdint.h>

struct entry {
  uint64_t inode;
  int64_t next;
  unsigned short size;
  unsigned char type;
  char name[];
};

#endif
