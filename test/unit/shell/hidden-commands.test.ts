// Commands that bash runs where none seems to stand: in arithmetic, subscripts, patterns, braces, names that were given another meaning.
// Each form was run by bash and did read `b`; it is told, or said not to be told.

import { describe, expect, test } from "vitest";
import { touches } from "./support.js";

const told = (text: string): boolean => touches(text).some((effect) => effect === "opaque" || effect === "read /w/b");
const TAINT = "v='q[$(cat b)]'; ";

describe("a variable's text is evaluated where arithmetic meets its name", () => {
  test.each([
    "let v", "let z=v", "echo $((v+1))", "[[ v -eq 1 ]]", "[[ 1 -lt v ]]", "[[ $v -eq 1 ]]", "[[ -v $v ]]", "x=abc; echo ${x:v}", "x=abc; echo ${x:0:v}", 'x=abc; echo "${x:$v}"', "set -- 1 2; echo ${@:v}",
    "a=(1); echo ${a[v]}", "a=(1); echo ${a[$v]}", "a[v]=1", "a[$v]=1", "a=([v]=1)", "a=([$v]=1)", "echo ${!v}", 'echo "${!v}"', "declare -i n; n=v", "declare -i n=v", "for ((v;0;)); do :; done", "set -- \"$v\"; echo $(($1))",
  ])("%s", (text) => expect(told(TAINT + text)).toBe(true));

  test("a number stays a number", () => expect(touches("v=2; x=abc; echo ${x:v}; rm $((v+1)) ${x:1}")).toEqual(["delete /w/3", "delete /w/bc"]));
});

describe("a text is evaluated by itself", () => {
  test.each([
    "[[ 'q[$(cat b)]' -eq 1 ]]", "[[ -v 'q[$(cat b)]' ]]", "RANDOM='q[$(cat b)]'", "OPTIND='q[$(cat b)]'", "SRANDOM='q[$(cat b)]'", "HISTCMD='q[$(cat b)]'", "sleep 0 & wait -p 'q[$(cat b)]' $!",
    "declare -i n; read n <<< 'q[$(cat b)]'", "declare -i n; printf -v n %s 'q[$(cat b)]'", "declare -i n; for n in 'q[$(cat b)]'; do :; done", "declare -ai n; n=('q[$(cat b)]')", "declare -ia n; mapfile -t n <<< 'q[$(cat b)]'",
    "mapfile -c1 -C'cat b #' x < a", "mapfile -tC 'cat b #' -c 1 x < a", "PS1='$(cat b)' bash -i", "PS0='`cat b`' bash -i <<< :",
  ])("%s", (text) => expect(told(text)).toBe(true));
});

describe("substitutions in patterns and braces run", () => {
  test.each(["echo [$(cat b)]", "echo a[`cat b`]c", "unset a[`cat b`]", "case x in [$(cat b)]) ;; esac", "[[ x == [$(cat b)] ]]", "echo {1..$(cat b)}", "echo {$(cat b)}", "x=1; echo ${x//[$(cat b)]/y}"])("%s", (text) => expect(told(text)).toBe(true));

  test("what is expanded in a pattern may end it", () => expect(touches("x='b]*'; rm [$x]")).toContain("opaque"));
});

describe("a text that only this parser refuses is not taken for one that bash refuses", () => {
  test.each(["fi>(cat b)", "do<(cat b)", "}<(cat b)", "in<(cat b)", "then>(cat b)"])("%s", (text) => expect(told(text)).toBe(true));
  test("a text with a quote left open runs nothing", () => expect(touches("echo 'x")).toEqual([]));
});

describe("names that run something else than they say", () => {
  test.each([
    "shopt -s expand_aliases; BASH_ALIASES[ls]='cat b #'; eval ls", "BASH_CMDS[ls]=/w/evil; ls", "shopt -s expand_aliases\nalias x='cat ' y=b\nx y", "f() { cat b; }; export -f f; echo x | xargs bash -c f", "f() { cat b; }; declare -fx f; bash -c f", "f() { cat b; }; export -f f; find . -exec bash -c f \\;",
  ])("%s", (text) => expect(told(text)).toBe(true));
});

describe("arrays and defaults keep their words", () => {
  test("an array assigned to without a subscript keeps its other elements", () => {
    expect(touches('x=(a b); x=c; rm "${x[@]}"')).toEqual(["delete /w/c", "delete /w/b"]);
    expect(touches('f() { local x=c; rm "${x[@]}"; }; x=(a b); f')).toEqual(["delete /w/c"]);
    expect(touches("declare -a m='(a b)'; rm ${m[1]}")).toContain("opaque");
  });

  test.each([
    ['rm ${x:-"a b" c}', ["delete /w/a b", "delete /w/c"]],
    ["rm ${x:-a\\ b c}", ["delete /w/a b", "delete /w/c"]],
    ["rm ${x:-a b}", ["delete /w/a", "delete /w/b"]],
    ['rm p${x:-"a b" c}q', ["delete /w/pa b", "delete /w/cq"]],
    ['rm ${x:-~/"q r"}', ["delete /h/q r"]],
  ])("%s", (text, effects) => expect(touches(text, { environmentIsWhole: true })).toEqual(effects));
});

describe("what may be nothing leaves what stands around it", () => {
  test.each([
    ['cat "/w/$(ls x)"', "read /w/** ~"],
    ['rm -r "build/$(ls x)"', "delete /w/build/** ~ tree"],
    ['rm "x$(ls y)"', "opaque"],
  ])("%s", (text, effect) => expect(touches(text)).toContain(effect));

  test("a folder is made where none is", () => expect(touches("cp -r x/ y/")).toEqual(expect.arrayContaining(["write /w/y tree", "write /w/y/x tree"])));
  test("what `find -execdir` names may lie deeper", () => expect(touches("find dir -name '*.txt' -execdir rm {} \\;")).toContain("delete /w/dir/**/*.txt ~"));
  test("bytes are characters together", () => {
    expect(touches("rm $(printf '\\xc3\\xa9')")).toEqual(["delete /w/é"]);
    expect(touches("rm $(printf '\\xc3%s' x)")).toContain("opaque");
  });
  test("too many places are not cut off", () => expect(touches(`find ${Array.from({ length: 17 }, (_, n) => `d${n}`).join(" ")} -exec rm {} +`)).toContain("opaque"));
});

describe("what carries a command to a shell", () => {
  test.each(["/proc/self/exe -c 'cat b'", "sg agent 'cat b'", "sg agent -c 'cat b'", "capsh -- -c 'cat b'", "ex +'!cat b' +q", "mysql -e '\\! cat b'", "gdb -batch -ex 'shell cat b'", "start-stop-daemon -S -x /bin/cat -- b", "dc -e '!cat b'"])("%s", (text) => expect(told(text)).toBe(true));

  test("a word of `parallel` that cannot be told is not an empty one", () => expect(touches("parallel -a list rm", { environmentIsWhole: true })).toContain("opaque"));
});

describe("links that the text makes", () => {
  test.each([
    ["ln -s .git/hooks l; rm l/../config", "delete /w/.git/config"],
    ["ln -s src/lib l; cat l/./../a", "read /w/src/a"],
    ["cd src && ln -s ../.git/hooks l && rm l/../HEAD", "delete /w/.git/HEAD"],
  ])("the folder above one is the one above its target: %s", (text, effect) => expect(touches(text)).toContain(effect));
});

describe("modes of the shell that change what words mean", () => {
  test.each(["sh -c 'x=b :; cat $x'", "set -o posix; x=b eval true; cat $x", "POSIXLY_CORRECT=1; x=b export y; cat $x", "bash --posix -c 'x=b :; cat $x'"])("POSIX keeps what stands before a special builtin: %s", (text) => expect(touches(text, { environmentIsWhole: true })).toContain("read /w/b"));
  test("bash by itself does not", () => expect(touches("x=b :; cat $x", { environmentIsWhole: true })).not.toContain("read /w/b"));
  test("an echo that reads backslashes prints what cannot be told", () => expect(touches("shopt -s xpg_echo; rm $(echo '\\142')")).toContain("opaque"));
  test.each(["shopt -s dotglob\nrm *", "GLOBIGNORE=x; rm *"])("wildcards may mean hidden names: %s", (text) => expect(touches(text)).toContain("delete /w/** ~"));
  test("a handler prints when its shell ends", () => expect(touches("rm $(trap 'echo b' EXIT)")).toContain("opaque"));
  test("in a format a backslash and c are two characters", () => expect(touches("rm $(printf 'b\\cx')")).toEqual(["delete /w/b\\cx"]));
});

describe("a script that the text itself makes is followed", () => {
  test.each(["exec 3<<<'cat b'; bash <&3", "printf 'cat b' > a; cp a s; sh s", "printf 'cat b' > a; cp a s; . ./s", "tee s <<< 'cat b'; sh s", "{ echo 'cat b'; } > s; sh s", "(echo 'cat b') > s; sh s", "echo 'cat b' > a; mv a s; sh s", "echo 'cat b' > a; ln s s; ln a s; sh s"])("%s", (text) => expect(touches(text)).toContain("read /w/b"));
});
