# Compiles the native programs, each with all it needs: they run in any image. Usage: compile.sh SOURCES OUT
set -eu
sources=$1
out=$2
mkdir -p "$out/bin"
compile() {
  name=$1
  shift
  # shellcheck disable=SC2086
  (cd "$sources" && gcc -static -O2 -std=gnu17 -Wall -Wextra -Werror -fstack-protector-strong -D_FORTIFY_SOURCE=2 -o "$out/bin/$name" "$@")
  strip "$out/bin/$name"
}
compile rf-enter rf-enter.c guard.c
compile sandboxd sandboxd.c call.c exit.c heartbeat.c streams.c spawn.c ipc.c scratch.c counters.c killer.c line.c selftest.c trace.c tasks.c held.c warm.c loader.c listen.c programs.c filter.c drop.c guard.c
compile rf-kill rf-kill.c guard.c
compile rf-file rf-file.c tree.c guard.c
compile rf-probe rf-probe.c syscalls.c guard.c
compile rf-tty rf-tty.c guard.c
compile rf-look rf-look.c sha256.c
# Stands alone: tells on the host which folders of an upper layer are opaque.
if [ -f "$sources/rf-scan.c" ]; then compile rf-scan rf-scan.c; fi
# Lists the user's folder, on the host.
compile rf-list rf-list.c
# Stands alone: has the kernel read the user's folders from the disk, on the host.
compile rf-ahead rf-ahead.c -pthread
# Stands alone: hides names in a layer of ours, on the host.
compile rf-mask rf-mask.c
# Stands alone: hides names of a running sandbox, from the host.
compile rf-hide rf-hide.c
chmod 0755 "$out"/bin/*
