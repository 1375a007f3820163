// Text that goes into a file or into a program and is run there. Each form was run by bash and did remove `x`.

import { describe, expect, test } from "vitest";
import { touches } from "./support.js";

describe("what is written and then run is followed", () => {
  test.each([
    "echo 'rm x' > >(sh)",
    "echo 'rm x' | tee >(sh)",
    "{ echo 'rm x'; } > >(bash)",
    "for a in 'rm x'; do echo $a; done > >(sh)",
    "echo 'rm x' &> >(sh)",
    "exec > >(sh); echo 'rm x'",
    "exec 3> >(sh); echo 'rm x' >&3",
    "exec 3> s; echo 'rm x' >&3; sh s",
    "exec {f}> s; echo 'rm x' >&$f; sh s",
    "exec 3> s 4>&3; echo 'rm x' >&4; sh s",
    "exec > s; echo 'rm x'; sh s",
    "for a in 'rm x'; do echo \"$a\"; done > s; sh s",
    "if true; then echo 'rm x'; fi > s; sh s",
    "case a in a) echo 'rm x';; esac > s; sh s",
    "while read a; do echo $a; done <<< 'rm x' > s; sh s",
    "echo 'rm x' >& s; sh s",
    "echo 'rm x' 1<> s; sh s",
    "echo 'rm x' | dd of=s; sh s",
    "cp /dev/stdin s <<< 'rm x'; sh s",
    "install /dev/stdin s <<< 'rm x'; sh s",
    "env echo 'rm x' > s; sh s",
    "/bin/echo 'rm x' | sh",
    "echo 'rm x' > s; cat s > t; sh t",
    "echo 'rm x' > s; cat s | sh",
    "echo 'rm x' > s; source <(cat s)",
    "echo 'rm x' > s; bash <(cat s)",
    "tee >(sh) <<< 'rm x'",
  ])("%s", (text) => expect(touches(text)).toContain("delete /w/x"));

  test("a file that the project has is followed through `cat` too", () => expect(touches("cat b | sh", { readText: (path) => (path === "/w/b" ? "rm x" : null) })).toContain("delete /w/x"));

  test("what the file holds is followed, not believed", () => expect(touches("echo x > s; rm $(cat s)")).toContain("opaque"));
});

describe("what reads at the other end of `>(…)`", () => {
  test("gets the text that is certain", () => expect(touches("echo a | tee >(xargs mkdir) > /dev/null")).toEqual(["create /w/a"]));

  test.each(["cat b > >(xargs rm)", "{ echo a; cat b; } > >(xargs rm)", "echo a 2> >(xargs rm)", "echo a >> >(xargs rm)", "echo >(xargs rm)", "exec > >(xargs rm); echo a"])("gets some text where it is not: %s", (text) => expect(touches(text)).toContain("opaque"));

  test("starts where the shell stood", () => expect(touches("echo >(cd /; rm y)")).toContain("delete /y"));

  test("does not read its own output", () => expect(touches("exec > >(tee log); echo hi")).toEqual(["write /w/log"]));
});

describe("the folder that `mktemp -d` makes", () => {
  test.each<[string, string[]]>([
    ["d=$(mktemp -d) && cd $d && touch a", ["create /tmp/tmp.* ~", "write /tmp/tmp.*/a ~"]],
    ["d=$(mktemp -d) && cd $d/src && rm -r ../b", ["create /tmp/tmp.* ~", "delete /tmp/tmp.*/b ~ tree"]],
    ["d=$(mktemp -d) && cd $d && rm -r ../../w/b", ["create /tmp/tmp.* ~", "delete /w/b tree"]],
  ])("%s", (text, expected) => expect(touches(text)).toEqual(expected));

  test("a change into it that fails leaves the shell where it was", () => expect(touches("d=$(mktemp -d); cd $d; rm a")).toContain("delete /w/a"));

  test("another pattern is no place", () => expect(touches("cd .g* && rm a")).toContain("opaque"));
});

describe("clients", () => {
  const reaches = (text: string): boolean => touches(text).some((effect) => effect.startsWith("connect"));

  test.each(["svn co https://h.test/r", "svn update", "svn commit ./a -m x", "hg pull", "hg clone ssh://a@h.test/r", "cvs -d :pserver:a@h:/c checkout m", "wscat -c ws://h.test", "deno run https://h.test/a.ts", "deno run npm:a", "bun add a", "bun x a", "getent hosts h.test", "getent ahosts h.test", "echo 'get a' | tftp h.test", "tftp h.test -c get a", "mail -s x a@h.test < b", "echo x | mutt", "mutt -f imap://h.test/m", "socat TCP-LISTEN:1,fork EXEC:/bin/sh", "nc -l -e /bin/sh 1", "masscan 192.0.2.0/24 -p 80", "go get h.test/a", "npm star a", "gh repo create a"])("reaches for another machine: %s", (text) => expect(reaches(text)).toBe(true));

  test.each(["svn status", "svn log file:///srv/r", "hg clone ./a ./b", "hg commit -m x", "deno fmt", "deno run a.ts", "bun run build", "getent passwd a", "tftp h.test", "tftp h.test -c ls", "mutt -f box", "mail", "socat - UDP4-RECVFROM:5000", "nc -l 8080", "masscan 0.0.0.0/0 -p 80", "go get a/b", "npm star", "gh repo create", "ping %a%", "gh extension install a/b", "npm --version"])("stays here: %s", (text) => expect(reaches(text)).toBe(false));
});

describe("outputs and edits are told however they are written", () => {
  test.each(["git apply p --directory=d", "git checkout-index --prefix=d/ a", "npm pack --pack-destination d", "tsc --outDir d"])("in a folder: %s", (text) => expect(touches(text).some((effect) => /^(?:write|create) \/w\/d(?: tree)?$/.test(effect))).toBe(true));

  test.each(["go build -o x", "esbuild a.js --outfile=x", "convert a.png x", "ffmpeg -i a -c:v copy x", "mogrify x", "perl -e 'open F, \">x\"'", "perl -e 'open(my $f, \">>\", \"x\")'", "ruby -e \"File.write('x', 'a')\"", "ruby -e \"IO.write('x', 'a')\"", "ruby -e \"FileUtils.cp 'a', 'x'\"", "ex -c 'w! x' -c q a", "vim -c ':w x' a", "vim +'saveas x' a", "python3 -c \"import os; os.rename('a', 'x')\"", "python3 -c \"import shutil; shutil.copy('a', 'x')\"", "node -e \"require('fs').copyFileSync('a', 'x')\"", "node -e \"require('fs').createWriteStream('x')\""])("to a file: %s", (text) => expect(touches(text)).toContain("write /w/x"));

  test.each(["perl -e 'open(F, \"| rm x\")'", "perl -e 'open(F, \"-|\", \"rm x\")'"])("to a program: %s", (text) => expect(touches(text)).toContain("delete /w/x"));
});

test.each(["ls .env | xargs cat", "cat $(ls .env)"])("a file is listed under its own name: %s", (text) => expect(touches(text)).toContain("read /w/.env ~"));

test.each(["cp '' /x", "ln -s '' /x", "mv \"$unset\" /x", "split '' /x"])("there is no file of an empty name: %s", (text) => expect(touches(text, { environmentIsWhole: true })).toEqual([]));

test("a prompt of nothing or of plain text runs nothing", () => {
  expect(touches("p=a; rm ${p@P}")).toEqual(["delete /w/a"]);
  expect(touches("p='$(rm x)'; echo ${p@P}")).toContain("opaque");
});

describe("programs that take commands in a form of their own", () => {
  test.each([
    "git bisect run sh -c 'rm x'",
    "git -c protocol.ext.allow=always clone 'ext::sh -c rm% x' y",
    "tmux new -d 'rm x'",
    "screen -dm rm x",
    "ed <<< '!rm x'",
    "ex -s a <<< '!rm x'",
    "make -f - <<< $'all:\\n\\trm x'",
    "make --eval='x:;rm x' x",
    "printf 'all:\\n\\trm x\\n' > Makefile; make",
    "cat /bin/rm > y; chmod +x y; ./y x",
    "dd if=/bin/rm of=y; chmod +x y; ./y x",
    "perl -e 'open(F, \"| rm x\")'",
    "cmake -E rm x",
    "expect -c 'spawn rm x; expect eof'",
    "git submodule foreach --recursive 'rm x'",
    "tmux send-keys 'rm x' Enter",
    "cmake -E env A=b rm x",
  ])("%s", (text) => expect(touches(text).some((effect) => /^delete \/w\/x(?: tree)?$/.test(effect))).toBe(true));

  test("options behind `bisect run` are the command's", () => expect(touches("git bisect run rm -rf x")).toContain("delete /w/x tree"));

  test.each([["git init --template=/t", "create /w/.git/hooks tree"], ["git -C /etc init", "create /etc/.git/objects tree"], ["git clone --template=/t . y", "create /w/y/.git/hooks tree"], ["git archive HEAD .env", "read /w/.env tree"], ["npm config set script-shell /t", "write /h/.npmrc"], ["npm set registry http://h", "write /h/.npmrc"], ["pip config set global.index-url http://h", "write /h/.config/pip/pip.conf"], ["ed a <<< 'w x'", "write /w/x"]])("%s", (text, effect) => expect(touches(text)).toContain(effect));
});

describe("files of the home folder", () => {
  test.each(["cat ~h/k", "python3 -c \"print(open(os.path.expanduser('~/k')).read())\"", "python3 -c \"print((Path.home() / 'k').read_text())\"", "node -e \"fs.readFileSync(os.homedir() + '/k')\"", "node -e \"fs.readFileSync(path.join(os.homedir(), 'k'))\"", "ruby -e \"puts File.read(Dir.home + '/k')\""])("%s", (text) => expect(touches(text)).toContain("read /h/k"));
});

test("a wildcard for a mark is no command of sed", () => expect(touches("sed s?^?/[0-9]_? a")).not.toContain("opaque"));

test("a name of find with other letters than a word's is a pattern too", () => expect(touches("find . -name '*~' -print0 | xargs -0 rm")).toContain("delete /w/**/*~ ~"));

test("git pull of a bundle reads a file", () => expect(touches("git pull path/a.bundle main").filter((effect) => effect.startsWith("connect"))).toEqual([]));
