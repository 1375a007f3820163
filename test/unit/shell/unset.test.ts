// What is not set: each call starts with an environment that is known in full, so the rest is known to be empty, until something
// that cannot be told may have set it.

import { describe, expect, test } from "vitest";
import { sessionEnvironment } from "../../../src/core/shell/index.js";
import { touches as judged } from "./support.js";

const touches = (text: string): string[] => judged(text, { environment: sessionEnvironment({ home: "/h", cwd: "/w" }), environmentIsWhole: true });

describe("a variable that nothing sets", () => {
  test.each<[string, string, string[]]>([
    ["is no word", "rm $X x", ["delete /w/x"]],
    ["is an empty word when quoted", 'rm "$X" x', ["delete /w/x"]],
    ["leaves the rest of its word", 'rm "$X/x" ${X}y', ["delete /x", "delete /w/y"]],
    ["takes its default", "rm ${X:-x} ${X-y}", ["delete /w/x", "delete /w/y"]],
    ["has no alternative", "rm ${X:+x} y", ["delete /w/y"]],
    ["is set by its default", "rm ${X:=x}; rm $X/y", ["delete /w/x", "delete /w/x/y"]],
    ["ends the shell where it is required", 'rm "${X:?not set}"/*; rm x', []],
    ["ends the shell under `set -u`", "set -eu; rm $X/y; rm x", []],
    ["does not under `set -u` with a default", "set -o nounset; rm ${X:-x}", ["delete /w/x"]],
    ["has no elements", 'rm "${X[@]}" x${#X[@]}', ["delete /w/x0"]],
    ["has no length", "rm x${#X}", ["delete /w/x0"]],
    ["is known to be unset in a child shell", "x=x; bash -c 'rm y$x'", ["delete /w/y"]],
    ["but exported it is set there", "export X=x; bash -c 'rm y$X'", ["env X=x", "delete /w/yx"]],
    ["and with `set -a`", "set -a; X=x; bash -c 'rm y$X'", ["env X=x", "delete /w/yx"]],
    ["not when it is withdrawn", "export X=x; export -n X; bash -c 'rm y$X'", ["env X=x", "delete /w/y"]],
    ["a positional parameter", 'rm y$1 "$@" $#', ["delete /w/y", "delete /w/0"]],
    ["one of the environment is known", 'rm "$HOME/x" $LANG $USER', ["delete /h/x", "delete /w/C.UTF-8", "delete /w/agent"]],
    ["one of bash's own is a number or a name", "rm x$RANDOM y$HOSTNAME", ["delete /w/x[0-9]* ~", "delete /w/y* ~"]],
  ])("%s", (_, text, expected) => {
    expect(touches(text)).toEqual(expected);
  });

  test.each([
    ["read", "read X; rm $X"],
    ["read into an array", "read -a X; rm ${X[0]}"],
    ["a sourced file", ". ./f; rm $X"],
    ["sourced output", "source <(cat f); rm $X"],
    ["text that is evaluated", 'eval "$(cat f)"; rm $X'],
    ["a loop over output", "cat f | while read X; do rm $X; done"],
    ["a loop over words", "for X in $(cat f); do rm $X; done"],
    ["select", "select X in a b; do rm $X; done"],
    ["getopts", "getopts ab: X; rm $X"],
    ["its argument", "getopts ab: o; rm $OPTARG"],
    ["printf -v", 'printf -v X %s "$(cat f)"; rm $X'],
    ["printf -v of an element", "printf -v 'X[1]' b; rm $X"],
    ["mapfile", "mapfile -t X < f; rm ${X[0]}"],
    ["a name that cannot be told", 'read "$(cat f)"; rm $X'],
    ["a reference", "declare -n r=X; r=/etc; rm $X"],
    ["a coprocess", "coproc X { cat; }; rm $X"],
    ["a branch", "if cat f; then X=x; fi; rm $X"],
    ["a redirection to a named descriptor", "exec {X}<f; rm /tmp/x/$X"],
    ["a child that reads a start file", "BASH_ENV=f bash -c 'rm $X'"],
    ["a handler", "trap 'X=/etc' DEBUG; rm $X"],
    ["arithmetic on text", "i=$(cat f); ((i)); rm $X"],
    ["wait -p", "sleep 1 & wait -p X; rm /tmp/x/$X"],
    ["an attribute", "declare -u X; X=abc; rm $X"],
    ["a value that stays", "readonly X=/; X=/tmp/x; rm $X"],
  ])("is unknown behind %s", (_, text) => {
    expect(touches(text).filter((line) => line === "opaque" || line.startsWith("delete")).some((line) => line === "opaque" || line.endsWith("~"))).toBe(true);
  });
});

describe("what never runs", () => {
  test.each<[string, string, string[]]>([
    ["behind exit", "rm x; exit; rm y", ["delete /w/x"]],
    ["behind exec", "exec rm x; rm y", ["delete /w/x"]],
    ["behind return in a function", "f() { rm x; return; rm y; }; f; rm z", ["delete /w/x", "delete /w/z"]],
    ["behind break", "for i in 1; do rm x; break; rm y; done", ["delete /w/x"]],
    ["but break outside a loop leaves nothing", "break; rm x", ["delete /w/x"]],
    ["but return outside a function leaves nothing", "return; rm x", ["delete /w/x"]],
    ["but exit on one way leaves the other", "test -f q || exit; rm x", ["delete /w/x"]],
    ["but exit in a subshell leaves only that", "(exit; rm y); rm x", ["delete /w/x"]],
    ["but a handler runs", "trap 'rm x' EXIT; exit; rm y", ["delete /w/x"]],
    ["but a builtin may be off", "enable -n exit; exit; rm x", ["delete /w/x"]],
    ["but exit with words too many goes on", "exit 1 2; rm x", ["delete /w/x"]],
    ["a value from before continue is seen in the next turn", "for i in 1 2; do rm x$D; D=1; continue; done", ["delete /w/x", "delete /w/x1"]],
  ])("%s", (_, text, expected) => {
    expect(touches(text).filter((line) => !line.startsWith("env"))).toEqual(expected);
  });
});

describe("names that mean different things on different ways", () => {
  test("a function of one branch does not hide the program", () => {
    expect(touches("if test -f q; then rm() { :; }; fi; rm x")).toEqual(["delete /w/x"]);
  });

  test("a function is not seen by a child shell, unless it is exported", () => {
    expect(touches("rm() { :; }; bash -c 'rm x'")).toEqual(["delete /w/x"]);
    expect(touches("f() { rm x; }; export -f f; bash -c f")).toContain("delete /w/x");
  });

  test("a handler is judged with what variables hold when it runs", () => {
    expect(touches("trap 'rm -f $T' EXIT; T=a; T=b")).toEqual(expect.arrayContaining(["delete /w/a", "delete /w/b"]));
  });
});

describe("lines that are read", () => {
  test.each<[string, string, string[]]>([
    ["one line", "read -r f <<< x; rm $f", ["delete /w/x"]],
    ["words of a line", "read a b c <<< 'x y z w'; rm $b \"$c\"", ["delete /w/y", "delete /w/z w"]],
    ["each line of a text", "while read -r f; do rm \"$f\"; done <<< $'x\\ny z'", ["delete /w/x", "delete /w/y z"]],
    ["without the separator all of it", "while IFS= read -r f; do rm \"a$f\"; done <<< ' x'", ["env IFS=", "delete /w/a x"]],
    ["into a list", "mapfile -t l <<< $'x\\ny'; rm \"${l[1]}\"", ["delete /w/y"]],
  ])("%s", (_, text, expected) => {
    expect(touches(text)).toEqual(expected);
  });

  test.each([
    ["the second line", "{ read a; read b; } <<< x; rm $b"],
    ["a line another program took", "{ cat; read a; } <<< x; rm $a"],
    ["what is left behind the last", "d=x; while read d; do :; done <<< x; rm $d"],
    ["a line with escapes", "read f <<< 'a\\b'; rm $f"],
    ["a part of a line", "read -n 1 f <<< xy; rm $f"],
  ])("but %s cannot be told", (_, text) => {
    expect(touches(text)).toContain("opaque");
  });
});

describe("text that bash does not parse", () => {
  test.each(["<q>", "echo 'y", "(ls", "ls )", "if ls; fi", "ls && && y", "ls $(x", "f() ls"])("is not opaque, since nothing of it runs: %s", (text) => {
    expect(touches(text)).not.toContain("opaque");
  });

  test("is judged by what could be read of it", () => {
    expect(touches("rm x; <q>")).toContain("delete /w/x");
  });

  test.each(["rm x\n<q>", "[[ - x ]]; rm x", "sh -c 'rm x; <q>'", "shopt -s expand_aliases\nalias i='if true; then'\neval 'i rm x; fi'"])("but may run in part: %s", (text) => {
    expect(touches(text)).toContain("opaque");
  });
});
