// Programs that write under names made from the ones they are given.

import { describe, expect, test } from "vitest";
import { touches } from "./support.js";

describe("compressors", () => {
  test.each<[string, string[]]>([
    ["gzip a", ["read /w/a", "write /w/a.gz", "delete /w/a"]],
    ["gzip -k9 a", ["read /w/a", "write /w/a.gz"]],
    ["gzip -c a > b", ["write /w/b", "read /w/a"]],
    ["gunzip a.gz", ["read /w/a.gz", "write /w/a", "delete /w/a.gz"]],
    ["gzip -d hooks/x.gz", ["read /w/hooks/x.gz", "write /w/hooks/x", "delete /w/hooks/x.gz"]],
    ["gunzip -N d/a.gz", ["read /w/d/a.gz", "write /w/d/* ~", "delete /w/d/a.gz"]],
    ["gunzip a.tgz", ["read /w/a.tgz", "write /w/a.tar", "delete /w/a.tgz"]],
    ["gzip -l a.gz", ["read /w/a.gz"]],
    ["gzip -r d", ["read /w/d tree", "write /w/d tree", "delete /w/d tree"]],
    ["xz -S .x a", ["read /w/a", "write /w/a.x", "delete /w/a"]],
    ["bzip2 *.log", ["read /w/*.log ~", "write /w/*.log.bz2 ~", "delete /w/*.log ~"]],
    ["zstd a", ["read /w/a", "write /w/a.zst"]],
    ["zstd --rm a -o b", ["write /w/b", "read /w/a", "delete /w/a"]],
    ["gzip", []],
  ])("%s", (text, expected) => {
    expect(touches(text)).toEqual(expected);
  });
});

describe("names with a beginning", () => {
  test.each<[string, string[]]>([
    ["split a", ["read /w/a", "write /w/x* ~"]],
    ["split -l 5 a d/p.", ["read /w/a", "write /w/d/p.* ~"]],
    ["csplit a /x/ 5", ["read /w/a", "write /w/xx* ~"]],
    ["csplit -f d/p a 5", ["read /w/a", "write /w/d/p* ~"]],
    ["split --filter='cat > z' a", ["write /w/z", "read /w/a"]],
    ["mktemp", ["create /tmp/tmp.* ~"]],
    ["mktemp -d d/x.XXXXXX.y", ["create /w/d/x.*.y ~"]],
    ["mktemp -t q.XXX", ["create /tmp/q.* ~"]],
    ["mktemp -u x.XXX", []],
    ["TMPDIR=d mktemp", ["env TMPDIR=d", "create /w/d/tmp.* ~"]],
    ["install -d a b/c", ["create /w/a", "create /w/b/c"]],
    ["sed -i.bak s/a/b/ *.c", ["read /w/*.c ~", "write /w/*.c ~", "write /w/*.c.bak ~"]],
  ])("%s", (text, expected) => {
    expect(touches(text)).toEqual(expected);
  });

  test("a temporary file made and removed is that file", () => {
    expect(touches("t=$(mktemp -d); rm -rf \"$t\"")).toEqual(["create /tmp/tmp.* ~", "delete /tmp/tmp.* ~ tree"]);
  });
});

describe("looking where no place is named", () => {
  test.each<[string, string[]]>([
    ["cd /h/.ssh && ls", ["read /h/.ssh"]],
    ["ls -R", ["read /w tree"]],
    ["grep -r x", ["read /w tree"]],
    ["rg x", ["read /w tree"]],
    ["grep x", []],
    ["git diff -- .env", ["read /w/.env tree"]],
    ["git show HEAD:.env", ["read /w/.env"]],
    ["git show HEAD", []],
    ["git add src", ["read /w/src", "read /w/src tree", "write /w/.git/HEAD", "write /w/.git/index", "write /w/.git/logs tree", "write /w/.git/objects tree", "write /w/.git/refs tree"]],
  ])("%s", (text, expected) => {
    expect(touches(text)).toEqual(expected);
  });
});

describe("carriers of a command", () => {
  test.each(["zip -m a x", "fd x . -x rm x", "fd -X rm x", "less +'!rm x' f", "mise exec -- rm x", "sem rm ::: x", "chpst rm x", "choom -n 1 -- rm x", "lckdo l rm x", "numactl -N 0 rm x"])("%s", (text) => {
    expect(touches(text).some((line) => line.startsWith("delete /w/x"))).toBe(true);
  });
});

describe("what does nothing", () => {
  test.each([
    "alias a=\"$(cat f)\"",
    "fc -s",
    "history -a",
    "local --help",
    "mv a \"\"",
    "unset GIT_DIR",
    "rename -n s/a/b/ x y",
    "sed -i .bak s/a/b/ f",
    "tcsh -c \"echo 'x y'\"",
    "echo a >&2",
    "exec {fd}<&0; echo a >&$fd",
    "cd \"$(dirname \"\")\"",
    "find . -type f –iname a*",
  ])("%s", (text) => {
    const all = touches(text, { environment: new Map([["HOME", "/h"]]), environmentIsWhole: true });
    expect(all.filter((line) => !/^(?:read|code|env alias)/.test(line) && !line.startsWith("write /w/f") && !line.startsWith("write /w/s"))).toEqual([]);
  });

  test.each([
    ["an alias that is used", "shopt -s expand_aliases\nalias a=\"$(cat f)\"\na"],
    ["history that is kept", "set -o history\nhistory -s 'rm x'\nfc -s"],
    ["a descriptor that may be a file", "x=$(cat f); echo a >&$x"],
  ])("but %s is opaque", (_, text) => {
    expect(touches(text)).toContain("opaque");
  });

  test("a name behind >& that is known is that file", () => {
    expect(touches("x=/etc/hosts; echo a >& $x")).toContain("write /etc/hosts");
  });

  test.each<[string, string[]]>([
    ["cp $(which cat) d/x", ["read /** ~", "write /w/d/x", "write /w/d/x/** ~"]],
    ["rm $(echo a:b | tr : ' ')", ["delete /w/a", "delete /w/b"]],
    ["rm $(echo xa | tr -d x)", ["delete /w/a"]],
    ["rpm -qf /bin/ls", []],
    ["dpkg -L bash", []],
    ["dpkg -i a.deb", ["read /w/a.deb", "write /usr tree", "write /etc tree", "write /var tree", "code program dpkg"]],
    ["git submodule status", ["write /w/.git/HEAD", "write /w/.git/index", "write /w/.git/logs tree", "write /w/.git/objects tree", "write /w/.git/refs tree", "write /w tree", "code project git"]],
    ["pip uninstall x", ["code project pip"]],
    ["npm uninstall -g x", ["write /usr/local/lib/node_modules tree", "write /w/node_modules tree", "write /w/package.json", "write /w/package-lock.json", "code project npm"]],
    ["dig @127.0.0.1 x", ["connect 127.0.0.1"]],
    ["dig", ["connect ?"]],
    ["dig @\"\" x", []],
    ["ping -c 1 h.test", ["connect h.test"]],
    ["ping -c one h.test", []],
    ["ssh-keygen -t ed25519 -f k", ["write /w/k", "write /w/k.pub"]],
  ])("%s", (text, expected) => {
    expect(touches(text).filter((line) => line !== "read /w tree")).toEqual(expected);
  });
});
