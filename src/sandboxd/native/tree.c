// Component-wise descent and removal: see tree.h. Every step is relative to an open folder and refuses links.
#include "tree.h"

#include <dirent.h>
#include <sys/stat.h>

#define MAX_DEPTH 2000

static int bad_component(const char *name) { return name[0] == 0 || strcmp(name, ".") == 0 || strcmp(name, "..") == 0; }

// Opens a folder by one name. O_PATH: needs the right to enter it, not the right to list it.
static int enter(int dir, const char *name, int make) {
  int fd = openat(dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT && make && mkdirat(dir, name, 0755) == 0) {
    fd = openat(dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  }
  if (fd < 0 && errno == ENOTDIR) {
    struct stat info;
    if (fstatat(dir, name, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(info.st_mode)) errno = ELOOP;
    else errno = ENOTDIR;
  }
  return fd;
}

int rf_find_place(int root, char *path, int make, struct rf_place *place) {
  int dir = dup(root);
  while (dir >= 0) {
    char *slash = strchr(path, '/');
    if (slash != NULL) *slash = 0;
    if (bad_component(path)) {
      close(dir);
      errno = EINVAL;
      return -1;
    }
    if (slash == NULL) {
      *place = (struct rf_place){dir, path};
      return 0;
    }
    const int next = enter(dir, path, make);
    const int error = errno;
    close(dir);
    errno = error;
    dir = next;
    path = slash + 1;
  }
  return -1;
}

// A folder whose mode the agent took away is still the agent's: give the right back, then look again.
static int open_folder(int dir, const char *name, mode_t mode) {
  if ((mode & 0700) != 0700 && fchmodat(dir, name, 0700, 0) != 0) return -1;
  return openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static int remove_below(int dir, const char *name, int depth) {
  struct stat info;
  if (fstatat(dir, name, &info, AT_SYMLINK_NOFOLLOW) != 0) return errno == ENOENT ? 0 : -1;
  if (!S_ISDIR(info.st_mode)) return unlinkat(dir, name, 0);
  if (depth > MAX_DEPTH) {
    errno = ENAMETOOLONG;
    return -1;
  }
  if (unlinkat(dir, name, AT_REMOVEDIR) == 0) return 0;
  const int fd = open_folder(dir, name, info.st_mode);
  if (fd < 0) return -1;
  DIR *list = fdopendir(fd);
  if (list == NULL) {
    close(fd);
    return -1;
  }
  int first_error = 0;
  // Removing while listing may skip names: list again until a pass finds nothing that could be removed.
  for (int removed = 1; removed > 0 && first_error == 0;) {
    removed = 0;
    rewinddir(list);
    for (struct dirent *entry = readdir(list); entry != NULL; entry = readdir(list)) {
      if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
      if (remove_below(dirfd(list), entry->d_name, depth + 1) != 0) {
        first_error = errno;
        break;
      }
      removed++;
    }
  }
  closedir(list);
  if (first_error != 0) {
    errno = first_error;
    return -1;
  }
  return unlinkat(dir, name, AT_REMOVEDIR);
}

int rf_remove_tree(int dir, const char *name) { return remove_below(dir, name, 0); }
