// Words: quotes, variables, substitutions, braces, tildes and globs become what bash makes of them, or unknown.

import { describe, expect, test } from "vitest";
import { starts, touches } from "./support.js";

const RM_X = ["delete /w/x"];

describe("a program's name is seen through", () => {
  test.each([
    ["quotes inside it", `r''m x`],
    ["double quotes", `"r"m x`],
    ["a backslash", "\\rm x"],
    ["ANSI-C quoting", "$'\\x72\\155' x"],
    ["a line continuation", "r\\\nm x"],
    ["a variable", "a=rm; $a x"],
    ["two variables", "a=r b=m; $a$b x"],
    ["a default value", "a=; ${a:-rm} x"],
    ["an alternative value", "a=1; ${a:+rm} x"],
    ["an indirect variable", "a=rm b=a; ${!b} x"],
    ["a slice", "a=xrmx; ${a:1:2} x"],
    ["a replacement", "a=rXm; ${a/X/} x"],
    ["a removed suffix", "a=rm.exe; ${a%.exe} x"],
    ["a change of case", "a=RM; ${a,,} x"],
    ["a brace list", "{rm,x}"],
    ["the field separator", "rm${IFS}x"],
    ["a command's certain output", "$(echo rm) x"],
    ["backquotes", "`printf %s rm` x"],
    ["an array", "a=(rm x); \"${a[@]}\""],
    ["a positional parameter", "set -- rm x; \"$@\""],
    ["an appended variable", "a=r; a+=m; $a x"],
  ])("through %s", (_, text) => {
    expect(touches(text)).toEqual(RM_X);
    expect(starts(text)).toContain("rm");
  });

  test.each([
    ["an unset variable of the outside", "$CMD x"],
    ["a glob", "/b?n/r? x"],
    ["a variable that differs between branches", "if test -f q; then a=rm; else a=ls; fi; $a x"],
    ["a program's output", "$(cat f) x"],
    ["a field separator that cannot be told", "IFS=$(cat f); a=rm,x; $a"],
    ["a reference through a sourced file", "a=rm; . ./f; $a x"],
    ["a variable read from input", "read a; $a x"],
    ["a variable changed in a loop", "a=ls; while test -f q; do $a x; a=rm; done"],
    ["a reference to a name", "declare -n a=b; b=rm; $a x"],
  ])("but %s is opaque", (_, text) => {
    expect(touches(text)).toContain("opaque");
  });
});

describe("operands", () => {
  test.each<[string, string, string[]]>([
    ["a tilde is the home folder", "rm ~/x", ["delete /h/x"]],
    ["a quoted tilde is a name", "rm '~/x'", ["delete /w/~/x"]],
    ["an unquoted value is split", `a="x y"; rm $a`, ["delete /w/x", "delete /w/y"]],
    ["a quoted value is not", `a="x y"; rm "$a"`, ["delete /w/x y"]],
    ["a glob is a pattern", "rm src/*.py", ["delete /w/src/*.py ~"]],
    ["a quoted star is a name", "rm 'a*'", ["delete /w/a*"]],
    ["a glob inside a value works when unquoted", "a='*.c'; rm $a", ["delete /w/*.c ~"]],
    ["special characters before a glob are escaped", "rm 'a[1]'/*", ["delete /w/a\\[1\\]/* ~"]],
    ["sequences are counted out", "rm f{1..3}", ["delete /w/f1", "delete /w/f2", "delete /w/f3"]],
    ["nested braces", "rm {a,b{c,d}}e", ["delete /w/ae", "delete /w/bce", "delete /w/bde"]],
    ["the process number is a number", "touch /tmp/x.$$", ["write /tmp/x.[0-9]* ~"]],
    ["the date is a name", "touch /tmp/x-$(date +%s)", ["write /tmp/x-* ~"]],
    ["the working directory is known", 'touch "$(pwd)/x" $PWD/y', ["write /w/x", "write /w/y"]],
    ["`..` is resolved", "rm ../w/./a//b/../c", ["delete /w/a/c"]],
    ["links of /proc to the root are resolved", "rm /proc/self/root/etc/x /proc/1/root/y", ["delete /etc/x", "delete /y"]],
    ["dirname and basename are computed", "rm $(dirname a/b)/$(basename c/d.py .py)", ["delete /w/a/d"]],
    ["arithmetic on numbers is counted out", "i=4; rm f$((1+2)) g$((i-6))", ["delete /w/f3", "delete /w/g-2"]],
    ["other arithmetic is a number", "rm f$((i+2))", ["delete /w/f[-0-9]* ~"]],
    ["another field separator divides", "IFS=:,; a=x:y,z; rm $a", ["env IFS=:,", "delete /w/x", "delete /w/y", "delete /w/z"]],
  ])("%s", (_, text, expected) => {
    expect(touches(text)).toEqual(expected);
  });

  test("an unknown path of a reader is a pattern over everything", () => {
    expect(touches('cat "$FILE"')).toEqual(["read /** ~ tree"]);
  });

  test("an unknown path of a writer is opaque", () => {
    expect(touches('rm "$FILE"')).toEqual(["opaque"]);
    expect(touches('echo > "$FILE"')).toEqual(["opaque"]);
  });

  test("commands inside substitutions are judged, wherever they stand", () => {
    for (const text of ["echo $(rm x)", "echo `rm x`", 'echo "${a:-$(rm x)}"', "echo $(( $(rm x) ))", "cat <(rm x)", "a[$(rm x)]=1", "cat <<E\n$(rm x)\nE", "case $(rm x) in esac", "[[ $(rm x) ]]", "echo {a,$(rm x)}"]) {
      expect(touches(text), text).toContain("delete /w/x");
    }
  });

  test("text that a quoted here-document only holds is not run", () => {
    expect(touches("cat <<'E'\n$(rm x)\nE")).toEqual([]);
  });
});
