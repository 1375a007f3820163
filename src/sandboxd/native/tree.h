// Walking a tree of the agent's without ever following a link.
#ifndef RF_TREE_H
#define RF_TREE_H

#include "guard.h"

// The folder that holds a name, opened, and the name in it (a pointer into the path given).
struct rf_place {
  int dir;
  const char *name;
};

// Opens the folder of `path` (relative, no empty, `.` or `..` component) component by component. With `make`, missing
// folders are created. Changes the path's slashes to zero bytes. -1 with errno: ELOOP for a link, EINVAL for a bad path.
int rf_find_place(int root, char *path, int make, struct rf_place *place);
// Removes a file, a link, or a folder with all in it. A missing name is done. -1 with errno.
int rf_remove_tree(int dir, const char *name);

#endif
