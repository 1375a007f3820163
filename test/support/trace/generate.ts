// Made-up lines over the files of the traced project: every construct of the shell, spelt in many ways and put together at random.

import type { Random } from "../../soak/random.js";

const FILES = ["a", "b", "c", "file.txt", "file1.txt", "src/a.py", "src/index.js", "dir/y.tmp", "d e", ".dot", "dir/sub/x.txt", "README.md"] as const;
const FOLDERS = ["src", "dir", "dir/sub", "test", "docs", "logs"] as const;
const NEW = ["new", "new.txt", "dir/new", "src/new.py", "/tmp/new", "$HOME/new", "~/new", "made/up"] as const;
const GLOBS = ["*.txt", "file?.txt", "[ab]", "src/*.py", "dir/*", ".d*", "*/a.py", "dir/sub/*.txt", "{a,b}", "file{1,2}.txt", "src/{a.py,index.js}", "f*.t?t", "nothing*", "[!a]", "file[0-9].txt"] as const;

/** A file's name spelt so that bash reads it as that name. */
function spelt(random: Random, name: string): string {
  const plain = !/[\s$~*?[{]/.test(name);
  if (!plain) return /^[$~]/.test(name) ? name : `'${name}'`;
  const at = random.int(1, name.length);
  switch (random.int(0, 11)) {
    case 0:
      return `'${name}'`;
    case 1:
      return `"${name}"`;
    case 2:
      return `\\${name}`;
    case 3:
      return `$'${[...name].map((char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`).join("")}'`;
    case 4:
      return `./${name}`;
    case 5:
      return `"$PWD"/${name}`;
    case 6:
      return `${name.slice(0, at)}""${name.slice(at)}`;
    case 7:
      return `$(echo ${name})`;
    case 8:
      return `\${unset:-${name}}`;
    case 9:
      return `$PWD/../workspace/${name}`;
    default:
      return name;
  }
}

type Hole = "f" | "g" | "n" | "d" | "w" | "b" | "x" | "s";

/** What stands in the holes of a template: `f` file, `g` glob, `n` new name, `d` folder, `w` file or glob, `b` bare file, `x` variable, `s` statement. */
function fill(random: Random, template: string, depth: number): string {
  const name = random.pick(["x", "y", "v", "DIR", "file"]);
  return template.replace(/%([fgndwbxs])/g, (_, hole: Hole) => {
    switch (hole) {
      case "f":
        return spelt(random, random.pick(FILES));
      case "g":
        return random.pick(GLOBS);
      case "n":
        return random.pick(NEW);
      case "d":
        return random.pick(FOLDERS);
      case "w":
        return random.int(0, 2) === 0 ? random.pick(GLOBS) : spelt(random, random.pick(FILES));
      case "b":
        return random.pick(["a", "b", "c", "file.txt", "src/a.py"]);
      case "x":
        return name;
      case "s":
        return statement(random, depth + 1);
    }
  });
}

const SIMPLE: readonly [string, ...string[]] = [
  "cat %w", "cat < %f", "cat %f > %n", "cat %f >> %n", "cat %f >| %n", "cat %f &> %n", "echo x > %n", "echo x >> %n", ": > %n", "printf '%%s\\n' y > %n", "rm -f %w", "rm %f", "rm -r %d", "rm -rf %d/*", "mv %f %n", "mv %w %d", "mv -t %d %f", "cp %f %n", "cp -r %d %n", "cp %w %d/", "cp -a %d/. /tmp/copy", "touch %n", "mkdir -p %n", "mkdir %n && touch %n/x", "rmdir dir/sub", "ln -s %b link2; cat link2", "ln %b hard; rm hard", "ln -sf %d link3; touch link3/in", "chmod 600 %f", "chmod -R u+w %d", "sed -n 1p %f", "sed -i s/a/b/ %f", "sed -i.bak s/a/b/ %b", "sed 's/a/b/w %b.out' %f", "sed -n '1w %b.out' %f", "awk 1 %f", "awk '{print > \"awk.out\"}' %f", "grep x %w", "grep -r x %d", "grep -rl e %d | xargs cat", "grep -l e %g | xargs rm -f", "sort %f -o %n", "sort -u %f > %n", "head -n1 %f", "tail -c 5 %f", "wc -l %w", "tee %n < %f", "tee -a %n %n.2 < %f > /dev/null", "dd if=%b of=out.dd status=none", "tar cf %n.tar %d", "tar czf t.tgz -C %d . && tar xzf t.tgz -C /tmp", "tar xf archive.tar", "tar -xOf archive.tar > %n", "gzip %b", "gzip -k %b", "gunzip -k archive.tar.gz -c > %n", "find %d -name '*.py'", "find . -name '*.tmp' -delete", "find %d -type f -exec cat {} +", "find %d -type f -exec cp {} /tmp \\;", "find %d -name '*.txt' -execdir rm {} \\;", "find %d -type f -print0 | xargs -0 cat", "find %d -type f | xargs -I{} cp {} {}.bak", "find %d -fprint %n", "split -l 1 %b part.", "cmp %f %f", "diff %f %f > %n", "diff -r %d %d", "install -m 644 %f %n", "install -d %n", "truncate -s 0 %f", "shred -u %b", "patch -p0 %b < /dev/null", "xxd %b %n", "uniq %b %n", "cut -c1 %f", "paste %f %f", "comm %f %f", "nl %f", "tac %f", "rev %f", "od -c %f", "base64 %f > %n", "md5sum %w", "stat %f", "ls -la %d", "ls %g", "test -f %f", "[ -e %f ]", "[[ -f %f ]]", "unlink %b", "rsync -a %d/ %n/", "cpio -o < /dev/null > %n", "zip -q z.zip %b", "git status", "git add -A", "git add %b && git commit -qm x", "git checkout -- file.txt", "git rm -q --cached a", "git mv a moved", "git stash", "git clean -fdq", "git diff > %n", "git log --oneline", "git show HEAD:a", "git branch x", "git tag t", "git -C %d status", "git config user.name x", "git archive -o g.tar HEAD", "git apply /dev/null", "git reset -q --hard", "make", "sh run.sh", "./run.sh", "bash run.sh", ". ./run.sh", "source run.sh", "env -i cat %f", "command cat %f", "nice cat %f", "timeout 1 cat %f", "nohup cat %f", "setsid cat %f", "stdbuf -oL cat %f", "busybox cat %b", "busybox rm -f %b", "exec 5< %f; cat <&5", "exec 6> %n; echo x >&6", "time cat %f", "flock lockfile cat %f", "xargs cat <<< %b", "echo %b | xargs rm -f", "echo %b %b | xargs -n1 cat", "echo %b | xargs -I Z cp Z Z.2", "printf '%%s\\n' %b %b | while read -r f; do cat \"$f\"; done", "ls %d | head -1", "realpath %f", "dirname %f", "basename %f", "mktemp -d", "t=$(mktemp); echo x > \"$t\"; rm \"$t\"", "vim -es -c 'wq' %b", "ed -s %b <<< 'q'", "perl -pi -e s/a/b/ %b", "perl -ne print %f", "python3 -c 'open(\"py.out\",\"w\")'", "time -p cat %b", "/bin/cat %f", "../bin/cat %b", "/usr/bin/env cat %b", "/lib64/ld-linux-x86-64.so.2 /bin/cat %b", "echo 'cat %b' | sh", "echo 'rm -f %b' | bash", "bash <<< 'cat %b'", "sh -c 'cat %b > %n'", "bash -c 'cat \"$1\"' x %f", "bash -lc 'cat %b'", "sh -s %b <<< 'cat \"$1\"'", "echo Y2F0IGE= | base64 -d | sh", "$(echo cat) %b", "c=cat; $c %f", "c='cat %b'; $c", "eval \"cat %b\"", "eval 'x=%b; cat $x'", "set -- %w; cat \"$@\"", "set -- %f %b; shift; cat \"$1\"", "for %x in %w; do cat \"$%x\"; done", "for %x in 1 2; do cp file$%x.txt out$%x; done", "for ((i=1;i<3;i++)); do cat file$i.txt; done", "while read -r %x; do touch \"$%x.r\"; done < c", "f() { cat \"$1\"; }; f %f", "f() { local %x=$1; rm -f \"$%x\"; }; f %b", "%x=%b; cat \"$%x\"", "%x=%b; cat $%x", "%x=%b; cat \"${%x}\"", "%x=%b.bak; cat \"${%x%.bak}\"", "%x=pre%b; cat \"${%x#pre}\"", "%x=file; cat ${%x}.txt", "%x=FILE; cat ${%x,,}.txt", "%x=file_txt; cat ${%x/_/.}", "%x=xxfile.txt; cat ${%x:2}", "%x=(%f %b); cat \"${%x[@]}\"", "%x=(%g); cat \"${%x[0]}\"", "%x=(%b a); cat \"${%x[1]}\"; cat ${%x}", "IFS=:; %x=a:%b; cat $%x", "IFS=, read -r p q <<< a,%b; cat \"$q\"", "read -r p q <<< 'a %b'; cat \"$q\"", "read %x < c; cat $%x", "mapfile -t %x < c; cat \"${%x[0]}\"", "printf -v %x '%%s.txt' file; cat $%x", "cat <<E > %n\n$PWD\nE", "cat <<'E' > %n\nx\nE", "cat <<-E\n\tx\n\tE", "cat <(cat %f)", "cat %f > >(cat > %n)", "diff <(cat %b) <(sort %f)", "cat %f | tee %n | wc -l", "(cd %d; cat *; touch in)", "cd %d && touch in", "cd %d; cat a.py x.txt; cd -; cat %b", "pushd %d > /dev/null; touch in; popd > /dev/null; cat %b", "cd -P %d && pwd > p", "cat ~/none", "cat ~+/%b", "cat %b || cat %f", "cat %b && rm -f %b", "! cat none; cat %b", "case %b in a) cat a;; *) cat b;; esac", "if [ -f %b ]; then cat %b; else touch no; fi", "trap 'touch trapped' EXIT", "trap 'rm -f %b' EXIT; exit", "alias k=cat; k %b", "shopt -s expand_aliases\nalias k='rm -f'\nk %b", "shopt -s nullglob; cat a nothing*", "shopt -s dotglob; cat *", "shopt -s extglob\ncat !(src|dir|test|docs|build|logs|made)", "shopt -s globstar; cat **/*.py", "set -f; cat *", "set -e; cat none; touch not", "set -u; cat $nope; touch not", "cat \"${nope:?}\"; touch not", "cat \"${nope}\" %b", "rm -f $nope %b", "cat %b $nope/%b", "export A=%b; bash -c 'cat $A'", "A=%b bash -c 'cat $A'", "A=%b env bash -c 'cat $A'", "env A=%b bash -c 'cat $A'", "A=%b; bash -c 'cat a$A'", "umask 077; touch %n", "{ cat %b; touch %n; } > grp", "cat %b &", "wait; cat %b", "coproc cat %b; wait", "time (cat %b; touch %n)", "hash -p /bin/cat kitty; kitty %b", "exec -a x cat %b", "declare -r R=%b; cat $R", "declare -i N=1+1; cat file$N.txt", "let N=1+1; cat file$N.txt", "cat file$((1+1)).txt", "n=1; ((n++)); cat file$n.txt", "cat \"$(dirname src/a.py)\"/a.py", "cat $(ls %d/* | head -1)", "cat `echo %b`", "cat ${PWD}/%b", "cat \"$OLDPWD\"/%b", "true; cat %b; false", "compgen -G '*.txt'", "type cat; cat %b", "history -w %n", "jobs > %n", "sleep 0 && touch %n", "yes | head -1 > %n", "seq 3 > %n", "date > %n", "ls > %n 2>&1", "cat none 2> %n", "cat none 2>/dev/null || touch %n", "exec > %n; echo x", "exec 2> %n; cat none", "echo x | (cat > %n)", "<a cat", "> %n", "2> %n cat none", "cat 0< %f", "cat <> %b", "echo x 1>%n 2>&1", "echo x > $(echo %b).o", "echo x > \"%b $nope\"", "parallel cat ::: %b a", "watch -n1 -e false", "script -qc 'cat %b' typescript2", "tar cf /dev/null --checkpoint=1 --checkpoint-action=exec='touch cp' %d", "tar xf archive.tar --to-command='cat > tc'", "awk 'BEGIN{system(\"touch sys\")}'", "awk 'BEGIN{while((getline l < \"a\")>0) print l}'", "sed '1e touch se' %b", "find . -maxdepth 1 -name a -exec sh -c 'cat \"$1\"' _ {} \\;", "git -c alias.z='!touch gz' z", "git -c core.pager=cat log", "less %b < /dev/null", "jq . package.json", "npm test", "xargs -a c cat", "env -S 'cat %b'", "chroot . cat a", "sudo cat %b", "python3 <<'E'\nopen('py2','w').close()\nE", "node -e 'require(\"fs\").writeFileSync(\"js\",\"\")'",
];
const AROUND: readonly [string, ...string[]] = ["%s\n%s", "%s\n%s\n%s", "{ %s\n}; %s", "(%s\n); %s", "if true; then\n%s\nfi", "if [ -e a ]; then\n%s\nelse\n%s\nfi", "for q in 1; do\n%s\ndone", "g() {\n%s\n}; g", "while true; do\n%s\nbreak\ndone", "cd src\n%s", "x=$(%s\n); echo \"$x\"", "%s\n%s || %s"];

function statement(random: Random, depth: number): string {
  if (depth < 3 && random.int(0, 3) === 0) return fill(random, random.pick(AROUND), depth);
  return fill(random, random.pick(SIMPLE), depth).replaceAll("%%", "%");
}

/** One line; it may have several lines and statements. */
export function generatedLine(random: Random): string {
  return statement(random, random.int(0, 2));
}
