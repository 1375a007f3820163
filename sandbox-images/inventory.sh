# What is installed in an image, one package a line, fields parted by tabs. Runs inside it, as nobody, without a network; reads only.
# deb NAME VERSION ARCHITECTURE · pip NAME VERSION · bin NAME VERSION · npm PACKAGE.JSON, as base64 · os PRETTY_NAME
set -u
tab=$(printf '\t')
[ -r /etc/os-release ] && sed -n "s/^PRETTY_NAME=\"\{0,1\}\([^\"]*\)\"\{0,1\}\$/os${tab}\1/p" /etc/os-release
if command -v dpkg-query >/dev/null 2>&1; then
  dpkg-query -W -f 'deb\t${Package}\t${Version}\t${Architecture}\t${db:Status-Status}\n' | sed -n "s/${tab}installed\$//p"
fi
find / -xdev \( -path '*.dist-info/METADATA' -o -path '*.egg-info/PKG-INFO' -o -path '*.egg-info' -type f \) -type f 2>/dev/null | while IFS= read -r file; do
  sed -n '/^$/q; s/^Name: *//p' "$file" | head -n 1 | tr -d '\t\r\n'
  printf '\t'
  sed -n '/^$/q; s/^Version: *//p' "$file" | head -n 1 | tr -d '\t\r'
done | sed "s/^/pip${tab}/"
find / -xdev -type f \( -path '*/node_modules/*/package.json' -o -path '*/node_modules/@*/*/package.json' \) 2>/dev/null |
  grep -E '/node_modules/(@[^/]+/)?[^/@][^/]*/package\.json$' | while IFS= read -r file; do
  printf 'npm\t'
  base64 "$file" | tr -d '\n'
  printf '\n'
done
command -v node >/dev/null 2>&1 && ! dpkg-query -S "$(command -v node)" >/dev/null 2>&1 && printf 'bin\tnode\t%s\n' "$(node --version | tr -d v)"
echo done
