// Files that are named in a list, in a literal of code, in an order of an editor, behind a module.

import { describe, expect, test } from "vitest";
import { touches } from "./support.js";

describe("lists of names", () => {
  test.each([
    ["echo /h/.netrc | tar cf - -T -"],
    ["tar cf x -T <(echo /h/.netrc)"],
    ["echo /h/.netrc > l; sort --files0-from=l"],
    ["printf '/h/.netrc\\0' | wc --files0-from=-"],
    ["echo /h/.netrc | cpio -o"],
    ["echo /h/.netrc | zip -@ x.zip"],
    ["xargs -a <(echo /h/.netrc) cat"],
    ["rsync --files-from=- / x <<< /h/.netrc"],
  ])("%s", (text) => expect(touches(text).map((one) => one.replace(/ tree$/, ""))).toContain("read /h/.netrc"));

  test("a list that cannot be seen names nothing", () => expect(touches("tar cf x -T names.txt").filter((one) => one.startsWith("read"))).toEqual(["read /w/names.txt"]));
});

describe("paths in code", () => {
  test.each([
    ["python3 -c 'import fileinput; [print(l) for l in fileinput.input(\"/h/.netrc\")]'"],
    ["python3 -c 'import os; print(open(os.path.join(os.path.expanduser(\"~\"), \"/h/.netrc\")).read())'"],
    ["perl -e 'open F, \"/h/.netrc\"; print <F>'"],
    ["perl -e 'exec \"cat\", \"/h/.netrc\"'"],
    ["ruby -e 'puts %x(cat /h/.netrc)'"],
    ["php -r 'include \"/h/.netrc\";'"],
    ["node -e 'require(\"/h/.netrc\")'"],
    ["awk 'BEGIN { while ((getline l < \"/h/.netrc\") > 0) print l }'"],
    ["lua -e 'for l in io.lines(\"/h/.netrc\") do print(l) end'"],
    ["python3 -m base64 -e /h/.netrc"],
    ["python3 -m json.tool /h/.netrc"],
    ["ed -s a <<< $'r /h/.netrc\\n,p'"],
    ["vim -es -c 'r /h/.netrc' -c '%p' -c 'q!'"],
    ["git config -f /h/.netrc -l"],
    ["git blame --contents /h/.netrc a.txt"],
    ["git interpret-trailers /h/.netrc"],
    ["basenc --base16 /h/.netrc"],
    ["ptx /h/.netrc"],
    ["xmllint /h/.netrc"],
    ["make --eval='$(info $(file </h/.netrc))'"],
    ["m4 <<< 'include(/h/.netrc)'"],
  ])("%s", (text) => expect(touches(text)).toContain("read /h/.netrc"));

  test("`m4` runs what it is told to", () => expect(touches("m4 <<< 'syscmd(rm x)'")).toContain("delete /w/x"));
  test("a pattern in code is one", () => expect(touches("python3 -c 'import glob; glob.glob(\"/h/.*rc\")'")).toContain("read /h/.*rc ~"));
  test("words are no paths", () => expect(touches("python3 -c 'print(\"a b\", \"numpy.linalg\", \"x\")'").filter((one) => one.startsWith("read"))).toEqual([]));
  test("`getent shadow` reads the file", () => expect(touches("getent shadow root")).toContain("read /etc/shadow"));
});

describe("programs that code starts with words of their own", () => {
  test.each([
    ["python3 -c 'from subprocess import run; run([\"rm\",\"-rf\",\"src\"])'"],
    ["python3 -c 'import os; os.execlp(\"rm\",\"rm\",\"-rf\",\"src\")'"],
    ["python3 -c 'import os; os.spawnlp(os.P_WAIT,\"rm\",\"rm\",\"-rf\",\"src\")'"],
    ["node -e 'require(\"child_process\").spawnSync(\"rm\",[\"-rf\",\"src\"])'"],
    ["node -e 'require(\"child_process\").spawn(\"sh\",[\"-c\",\"rm -rf src\"])'"],
    ["perl -e 'system \"rm\",\"-rf\",\"src\"'"],
    ["perl -e 'exec qw(rm -rf src)'"],
    ["perl -e 'system(qw[/bin/rm -rf /w/src])'"],
    ["ruby -e 'system(\"rm\",\"-rf\",\"src\")'"],
    ["php -r 'pcntl_exec(\"/bin/rm\",[\"-rf\",\"src\"]);'"],
    ["guile -c '(system \"rm -rf src\")'"],
    ["julia -e 'rm(\"src\"; recursive=true)'"],
    ["R -e 'unlink(\"src\", recursive=TRUE)'"],
    ["groovy -e 'new File(\"src\").deleteDir()'"],
    ["setsid -f rm -rf src"],
    ["strace -o '|rm -rf src' true"],
    ["make SHELL='rm -rf src'"],
    ["go test -exec 'rm -rf src'"],
  ])("%s", (text) => expect(touches(text)).toContain("delete /w/src tree"));

  test("words that start nothing are words", () => expect(touches("python3 -c 'print([\"rm\", \"src\"])'").filter((one) => one.startsWith("delete"))).toEqual([]));
  test("a path that code puts together", () => {
    expect(touches("python3 -c 'from pathlib import Path; p = Path(\".github\") / \"workflows\" / \"x.yml\"; p.write_text(\"on\")'")).toContain("write /w/.github/workflows/x.yml");
    expect(touches("python3 -c 'import os; print(open(os.path.join(\".ssh\", \"id_rsa\")).read())'")).toContain("read /w/.ssh/id_rsa");
  });
});
