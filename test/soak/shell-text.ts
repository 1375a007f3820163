// Random commands: grown from a grammar, changed from real lines, or no commands at all. Everything comes from the chance handed in.

import type { Random } from "./random.js";

type Words = readonly [string, ...string[]];

const PROGRAMS: Words = [
  "rm -rf", "rm", "cp -r", "mv", "cat", "ls", "grep -rn x", "sed -i s/a/b/", "find . -name", "find / -delete", "xargs rm", "xargs -0 -n1", "git checkout --", "git push --force", "git reset --hard", "git add -A",
  "curl -o x", "wget", "python3 -c", "python3", "node -e", "perl -e", "bash -c", "sh -c", "bash", "eval", "exec", "env A=b", "sudo", "timeout 5", "nice -n 3", "nohup", "busybox", "tar xf", "tar czf", "npm install", "pip install",
  "make", "chmod -R 777", "chown root", "ln -s", "dd of=", "tee", "printf '%s\\n'", "echo", "cd", "export", "unset", "source", ".", "trap", "alias x=", "set --", "read", "local", "declare -n", "awk", "jq", "ssh host", "rsync -a", "docker run", "kill -9", "test -f", "[", "mkdir -p", "touch", "head -n1", "sort -o", "watch", "parallel", "unknown-tool",
];
const NAMES: Words = [
  ".", "..", "/", "~", "~/.ssh/id_rsa", ".env", "./.git/hooks/pre-commit", ".github/workflows/ci.yml", "src/a.py", "/etc/passwd", "/tmp/x", "*", "*.py", "**", ".*", "a b", "x{1,2,3}", "{a,b}/{c,d}", "[a-z]*", "?", "-rf", "--", "-", "/proc/self/root/etc", "../../..", "a/../b",
  "$x", "${x}", "\"$x\"", "$@", "${x:-y}", "${x##*/}", "${x%.c}", "${!x}", "${#x}", "${x[@]}", "$((x+1))", "$?", "$HOME/.bashrc", "$'\\x72\\x6d'", "'q'", "\"d $(pwd)\"", "é", "\u202e", "ﬁle", "package.json", "test/a.test.js",
];
const OPERATORS: Words = [" && ", " || ", "; ", " | ", "\n", " & ", " |& "];
const REDIRECTS: Words = ["> ", ">> ", "< ", "2>&1", "&> ", "<<< ", "<> ", ">| ", "2>/dev/null", "> /dev/tcp/a.test/80"];
const VALUES: Words = ["rm", "-rf", "/", "x", "\"$x\"", "$(ls)", "(a b c)", "", "'a b'", "{1..9}"];

/** A command grown from a grammar of everything bash reads. */
export function grown(random: Random, depth: number = 0): string {
  if (depth > 5) return simple(random, depth);
  const inner = (): string => grown(random, depth + 1);
  switch (random.int(0, 27)) {
    case 0:
      return `${inner()}${random.pick(OPERATORS)}${inner()}`;
    case 1:
      return `(${inner()})`;
    case 2:
      return `{ ${inner()}; }`;
    case 3:
      return `if ${inner()}; then ${inner()}; else ${inner()}; fi`;
    case 4:
      return `for x in ${word(random, depth)} ${word(random, depth)}; do ${inner()}; done`;
    case 5:
      return `while ${inner()}; do ${inner()}; done`;
    case 6:
      return `case ${word(random, depth)} in ${word(random, depth)}) ${inner()};; *) ${inner()};; esac`;
    case 7:
      return `f() { ${inner()}; }; f ${word(random, depth)}`;
    case 8:
      return `cat <<'E'\n${inner()}\nE`;
    case 9:
      return `bash <<E\n${inner()}\nE\n`;
    case 10:
      return `x=${random.pick(VALUES)}; ${inner()}`;
    case 11:
      return `X=${random.pick(VALUES)} ${inner()}`;
    case 12:
      return `${random.pick(["bash -c", "sh -c", "eval", "su -c", "ssh h", "xargs sh -c", "find . -exec sh -c", "timeout 3 bash -lc", "python3 -c", "node -e"])} ${quoted(inner())}`;
    case 13:
      return `echo ${quoted(inner())} | ${random.pick(["sh", "bash", "base64 -d | sh", "xargs", "tee x", "sed s/a/b/", "python3"])}`;
    case 14:
      return `[[ ${word(random, depth)} ${random.pick(["=", "==", "-nt", "=~", "<"])} ${word(random, depth)} ]] && ${inner()}`;
    case 15:
      return `((${random.pick(["x++", "x=1", "a[$(ls)]", "1+(2*3)"])})); ${inner()}`;
    case 16:
      return `${inner()} ${random.pick(REDIRECTS)}${word(random, depth)}`;
    case 17:
      return `! ${inner()}`;
    case 18:
      return `x=$(${inner()}); ${simple(random, depth)}`;
    case 19:
      return `diff <(${inner()}) >(${inner()})`;
    case 20:
      return `trap ${quoted(inner())} EXIT; ${inner()}`;
    case 21:
      return `x=(${word(random, depth)} ${word(random, depth)}); ${random.pick(PROGRAMS)} "\${x[@]}"`;
    default:
      return simple(random, depth);
  }
}

function simple(random: Random, depth: number): string {
  const words = Array.from({ length: random.int(0, 3) }, () => word(random, depth));
  const tail = random.int(0, 5) === 0 ? ` ${random.pick(REDIRECTS)}${word(random, depth)}` : "";
  return `${random.pick(PROGRAMS)} ${words.join(" ")}${tail}`;
}

function word(random: Random, depth: number): string {
  switch (depth > 4 ? 0 : random.int(0, 11)) {
    case 1:
      return `$(${grown(random, depth + 2)})`;
    case 2:
      return `"${random.pick(NAMES).replaceAll('"', "")}$(${simple(random, depth + 2)})"`;
    case 3:
      return `\`${simple(random, depth + 2).replaceAll("`", "")}\``;
    case 4:
      return `${random.pick(NAMES)}/${random.pick(NAMES)}`;
    case 5:
      return `\${x:-${random.pick(NAMES)}}`;
    default:
      return random.pick(NAMES);
  }
}

/** A text as one word. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

const PIECES: Words = [
  "'", '"', "`", "$(", ")", "(", "{", "}", "${", "$((", "))", "[[", "]]", "[", "]", "<<E\n", "<<-'E'\n", "E\n", "<<<", "<(", ">(", "|", "&", ";", ";;", ";&", "&&", "||", "\\", "\\\n", "\n", "\t", "\r", "\0", "#", "!", "*", "?", "~", "=", "+=", "if ", "then ", "fi ", "for ", "in ", "do ", "done ", "case ", "esac ", "while ", "function ", "coproc ", "time ", "select ", "$'", '$"', "\u0001", "\u00a0", "\u200b", "\ud800", "😀", "%", "--", " -c ", "{1..9}", "{a,b}", "@(a|b)", "!(x)", "$@", "$*", "$#", "$$", "1>&2", ">", "<",
];

/** No command: what a lexer meets when something went wrong. */
export function soup(random: Random): string {
  const parts = Array.from({ length: random.int(1, 60) }, () => (random.int(0, 2) === 0 ? random.pick(NAMES) : random.int(0, 3) === 0 ? random.pick(PROGRAMS) : random.pick(PIECES)));
  return parts.join(random.int(0, 1) === 0 ? "" : " ");
}

/** A real line, changed in one to eight places. */
export function mutated(random: Random, lines: Words): string {
  let text = random.pick(lines).slice(0, 3_000);
  for (let left = random.int(1, 8); left > 0; left -= 1) text = change(random, text, lines);
  return text;
}

function change(random: Random, text: string, lines: Words): string {
  const at = random.int(0, text.length);
  const end = Math.min(text.length, at + random.int(1, 12));
  const there = text.slice(at, end);
  switch (random.int(0, 8)) {
    case 0:
      return text.slice(0, at) + text.slice(end);
    case 1:
      return text.slice(0, end) + there + text.slice(end);
    case 2:
      return text.slice(0, at) + random.pick(PIECES) + text.slice(at);
    case 3:
      return text.slice(0, at) + random.pick(PIECES) + text.slice(end);
    case 4:
      return `${text.slice(0, at)}${random.pick(OPERATORS)}${random.pick(lines).slice(0, 500)}`;
    case 5:
      return `${random.pick(PROGRAMS)} ${quoted(text)}`;
    case 6:
      return text.slice(0, at) + random.pick(NAMES) + text.slice(end);
    case 7:
      return `${text.slice(0, at)}$(${there})${text.slice(end)}`;
    default:
      return text.slice(0, at) + there.repeat(random.int(2, 30)) + text.slice(end);
  }
}
