# Compiles the native programs and gathers the loader and libraries of Node. Usage: compile.sh SOURCES OUT
set -eu
sources=$1
out=$2
mkdir -p "$out/bin" "$out/lib"
compile() {
  name=$1
  shift
  # shellcheck disable=SC2086
  (cd "$sources" && gcc -static -O2 -std=gnu17 -Wall -Wextra -Werror -fstack-protector-strong -D_FORTIFY_SOURCE=2 -o "$out/bin/$name" "$@")
  strip "$out/bin/$name"
}
compile rf-enter rf-enter.c guard.c
compile rf-call rf-call.c spawn.c drop.c guard.c
compile rf-kill rf-kill.c guard.c
compile rf-file rf-file.c tree.c guard.c
compile rf-probe rf-probe.c syscalls.c guard.c
# Stands alone: tells on the host which folders of an upper layer are opaque.
if [ -f "$sources/rf-scan.c" ]; then compile rf-scan rf-scan.c; fi
chmod 0755 "$out"/bin/*

machine=$(uname -m)
for folder in "/lib/$machine-linux-gnu" "/usr/lib/$machine-linux-gnu" /lib64 /usr/lib64 /lib /usr/lib; do
  [ -d "$folder" ] || continue
  for name in libc.so.6 libm.so.6 libdl.so.2 libpthread.so.0 libgcc_s.so.1 libstdc++.so.6 libatomic.so.1; do
    if [ ! -e "$out/lib/$name" ] && [ -e "$folder/$name" ]; then cp -L "$folder/$name" "$out/lib/$name"; fi
  done
  # The loader has another name on each architecture; the runtime calls it ld.so everywhere.
  for loader in "$folder"/ld-linux-*.so.*; do
    if [ ! -e "$out/lib/ld.so" ] && [ -e "$loader" ]; then cp -L "$loader" "$out/lib/ld.so"; fi
  done
done
chmod 0755 "$out/lib/ld.so"
for name in ld.so libc.so.6 libm.so.6 libgcc_s.so.1 libstdc++.so.6; do
  [ -e "$out/lib/$name" ] || { echo "not found: $name" >&2; exit 1; }
done
