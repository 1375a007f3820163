// Commands made to be slow: long, deep, unclosed, and shapes whose work grows faster than they do.

/** Longest text tried, in characters. */
const MEBIBYTE = 1024 * 1024;
/** Levels of nesting. */
const DEEP = 10_000;

/** What opens, what stands inside, what closes. */
const NESTS: readonly (readonly [name: string, open: string, inner: string, close: string])[] = [
  ["subshells", "(", "ls", ")"],
  ["subshells with blanks", "( ", "ls", " )"],
  ["groups", "{ ", "ls", "; }"],
  ["substitutions", "$(", "ls", ")"],
  ["substitutions in quotes", '"$(', "ls", ')"'],
  ["echoed substitutions", 'echo "$(', "ls", ')"'],
  ["parameters", "${x:-", "y", "}"],
  ["quoted parameters", '"${x:-', "y", '}"'],
  ["arithmetic", "$((1+", "1", "))"],
  ["arithmetic commands", "((", "1", "))"],
  ["arithmetic brackets", "$[", "1", "]"],
  ["brackets in arithmetic", "((1+(", "1", ")))"],
  ["array subscripts", "a[", "0", "]"],
  ["input processes", "<(", "ls", ")"],
  ["output processes", ">(", "ls", ")"],
  ["conditions", "if ", "ls", "; then :; fi"],
  ["branches", "if :; then ", "ls", "; fi"],
  ["loops", "while ", "ls", "; do :; done"],
  ["bodies", "for i in 1 2; do ", "ls", "; done"],
  ["cases", "case x in x) ", "ls", ";; esac"],
  ["functions", "f() { ", "ls", "; }"],
  ["function words", "function f { ", "ls", "; }"],
  ["tests", "[[ ( ", "x", " ) ]]"],
  ["negations", "! ", "ls", ""],
  ["braces", "{a,", "b", "}"],
  ["braces in a word", "x{a,b", "c", "d}"],
  ["extended globs", "@(a|", "b", ")"],
  ["backquotes", "`", "ls", "`"],
  ["escaped backquotes", "\\`", "ls", "\\`"],
  ["single quotes", "'", "ls", "'"],
  ["double quotes", '"', "ls", '"'],
  ["here-documents", "cat <<E\n", "x", "\nE\n"],
  ["here-documents in substitutions", "$(cat <<E\n", "x", "\nE\n)"],
  ["coprocesses", "coproc ", "ls", ""],
  ["timings", "time ", "ls", ""],
  ["evals", "eval ", "ls", ""],
  ["wrappers", "env ", "ls", ""],
  ["escalations", "sudo -u root ", "ls", ""],
  ["shells", "bash -c ", "ls", ""],
  ["assignments", "A=b ", "ls", ""],
  ["pipes", "ls | ", "ls", ""],
  ["lists", "ls && ", "ls", ""],
  ["alternatives", "ls || ", "ls", ""],
  ["searches", "find . -exec ", "ls", " \\;"],
  ["xargs", "xargs ", "ls", ""],
];

/** Pieces that are repeated up to the longest text. */
const REPEATS: readonly string[] = [
  "a", " ", "\n", "a ", "a\n", "a;", "a&", "a|", "\\", "\\\n", "'", '"', "`", "$", "$x", "${", "$(", "$((", "(", ")", "{", "}", "[", "[[ ", "*", "?", "**/", "*a", "/", "../", "a/", "./", "~", "!", "#", "=", "a=b ", "x+=y;", "x=$x$x;", "<<E\n", "<<E ", "<<<", "<", ">", ">a ", "2>&1 ", "<(", "|&", "&&", ";;", "if ", "then ", "fi;", "do ", "case x in ", "esac ", "f()", "function f ", "{a,b}", "{1..9}", "{a..z}", "@(a|b)", "@(*|", "+(a)", "!(a)", "[a-z]", "[!", "é", "😀", "\u200b", "\ud800", "\t", "\r", "\0", "-x ", "--", "-- ", "rm x;", "rm *;", "cd a;", "cd ..;", "cd a||cd b;", "echo x>y;", "export A=b;", "alias a=b;", "a|b;", "sed s/a/b/ x;", "git add .;", "find . -delete;", "xargs ", "env ", "sh -c ", "eval ", "\"$(", "$'\\x41'", "$'", "set -- a b;", "shift;", "[ a ]&&", "a() { a; };a;", "for i in 1;do ", "x=(a b);", "${x[@]}", "${x##*a}", "${x//a/b}", "ln -s a b;", "cp a b;", "printf %s a|sh;", "base64 -d|",
];

/** Texts whose work, done naively, is the square or the power of their length. */
function growing(): readonly (readonly [string, string])[] {
  const out: (readonly [string, string])[] = [
    ["doubling", `x=aaaaaaaaaa;${"x=$x$x;".repeat(60)}rm $x`],
    ["doubling lists", `set -- a b;${'set -- "$@" "$@";'.repeat(40)}rm "$@"`],
    ["braces to a power", `rm ${"{a,b}".repeat(60)}`],
    ["braces in braces", `rm ${"{a,b".repeat(60)}${"}".repeat(60)}`],
    ["loops in loops", `${"for i in {1..40}; do ".repeat(8)}rm $i${"; done".repeat(8)}`],
    ["functions that call twice", Array.from({ length: 40 }, (_, n) => `f${n}() { f${n + 1}; f${n + 1}; };`).join("") + "f40() { rm x; };f0"],
    ["aliases of aliases", Array.from({ length: 40 }, (_, n) => `alias a${n}='a${n + 1}; a${n + 1}'`).join("\n") + "\na0"],
    ["evals of evals", Array.from({ length: 20 }).reduce<string>((text) => `eval ${JSON.stringify(`${text}; ${text}`).slice(0, 20_000)}`, "ls")],
    ["branches that differ", "if a; then x=1; cd b; else x=2; fi;".repeat(2_000)],
    ["either folder", "cd a || cd b;".repeat(2_000) + "rm x"],
    ["many variables", Array.from({ length: 5_000 }, (_, n) => `v${n}=${n};`).join("") + "if a; then b=1; fi;".repeat(500)],
    ["many functions", Array.from({ length: 3_000 }, (_, n) => `f${n}() { :; };`).join("") + "(a);".repeat(2_000)],
    ["many aliases", Array.from({ length: 3_000 }, (_, n) => `alias a${n}=b;`).join("") + "(a);".repeat(2_000)],
    ["many links", Array.from({ length: 2_000 }, (_, n) => `ln -s a${n} b${n};`).join("") + "rm b1/x"],
    ["traps of traps", "trap 'trap \"rm x\" EXIT' EXIT;".repeat(2_000)],
    ["here-documents in a row", Array.from({ length: 3_000 }, (_, n) => `cat <<E${n}\nx\nE${n}\n`).join("")],
    ["here-documents on one line", `cat ${Array.from({ length: 2_000 }, (_, n) => `<<E${n}`).join(" ")}\n${Array.from({ length: 2_000 }, (_, n) => `x\nE${n}\n`).join("")}`],
    ["here-documents that never end", "cat <<E\n".repeat(3_000)],
    ["removals of prefixes", `x=${"a".repeat(400)};${"y=${x##*a*a*a*a*b};".repeat(200)}`],
    ["replacements", `x=${"a".repeat(3_000)};${"x=${x//a/aa};".repeat(100)}rm $x`],
    ["a pipe of a thousand", "cat |".repeat(1_000) + "sh"],
    ["processes as files", `cat ${"<(cat ".repeat(60)}${")".repeat(60)}`],
    ["arrays", `x=(${"a ".repeat(5_000)});${'y=("${x[@]}" "${x[@]}");'.repeat(100)}rm "\${y[@]}"`],
    ["cases", `case $x in ${"*a*b*c*|".repeat(2_000)}z) rm x;; esac`],
    ["globs of stars", `rm ${"*a".repeat(2_000)}`],
    ["globs of question marks", `rm ${"?".repeat(4_000)}`],
    ["globs of folders", `rm ${"**/".repeat(1_000)}x`],
    ["globs of folders and names", `rm ${"**/a/".repeat(600)}*.pem`],
    ["globs of stars in folders", `rm ${"*a*/".repeat(900)}.env`],
    ["many globs", `rm ${"*.py ".repeat(5_000)}`],
    ["many different globs", `rm ${Array.from({ length: 3_000 }, (_, n) => `a${n}*`).join(" ")}`],
    ["many trees", `rm -rf ${Array.from({ length: 3_000 }, (_, n) => `a${n}`).join(" ")}`],
    ["many files", `rm ${Array.from({ length: 9_000 }, (_, n) => `a${n}`).join(" ")}`],
    ["many far files", `rm ${Array.from({ length: 3_000 }, (_, n) => `/etc/a${n}/.git/hooks/x.pem`).join(" ")}`],
    ["a long path", `rm ${"a/".repeat(2_000)}.git/hooks/x`],
    ["a long path of names", `rm ${".git/".repeat(800)}x`],
    ["a long path of train", `touch ${"train/".repeat(650)}x.jsonl`],
    ["a long name", `touch ${"-test".repeat(800)}.spec.js`],
    ["a long name of tests", `touch ${"_test.".repeat(650)}tsx`],
    ["long paths", `rm ${Array.from({ length: 24 }, (_, n) => `${"a/".repeat(1_900)}${n}`).join(" ")}`],
    ["many programs", Array.from({ length: 3_000 }, (_, n) => `p${n};`).join("")],
    ["many connections", Array.from({ length: 3_000 }, (_, n) => `curl h${n}.test;`).join("")],
    ["many settings", Array.from({ length: 3_000 }, (_, n) => `export A${n}=b;`).join("")],
    ["a long program", `python3 -c '${"import os;".repeat(9_000)}'`],
    ["a long awk", `awk '${"{ print $1 | \"sh\" }".repeat(4_000)}'`],
    ["a long sed", `sed '${"s/a/b/w x;".repeat(9_000)}' y`],
    ["a long find", `find . ${"-name x -o ".repeat(8_000)} -delete`],
    ["a long printf", `printf '${"%s".repeat(4_000)}' ${"a ".repeat(4_000)} | sh`],
    ["a long base64", `echo ${"cm0gLXJmIC8K".repeat(7_000)} | base64 -d | sh`],
    ["letters a person takes for others", `rm ${"ﬁ".repeat(4_000)}`],
    ["invisible letters", `rm ${"\u200b".repeat(4_000)}.env`],
  ];
  return out;
}

/** Every extreme command, with what it is. */
export function extremes(): readonly (readonly [what: string, text: string])[] {
  const out: (readonly [string, string])[] = [];
  for (const [name, open, inner, close] of NESTS) {
    for (const levels of [30, 150, 1_000, DEEP]) {
      out.push([`${levels} ${name}`, open.repeat(levels) + inner + close.repeat(levels)]);
      out.push([`${levels} ${name}, unclosed`, open.repeat(levels) + inner]);
      out.push([`${levels} ${name}, closed once`, open.repeat(levels) + inner + close]);
    }
    out.push([`${name} up to the limit`, cut(open, 49_000) + inner + cut(close, 49_000)]);
  }
  for (const piece of REPEATS) {
    for (const length of [5_000, 99_000, MEBIBYTE]) out.push([`${length} characters of ${JSON.stringify(piece)}`, cut(piece, length)]);
    for (const before of ["echo ", "rm -rf ", "x=", "echo \"", "cat <<E\n"]) out.push([`${JSON.stringify(before)} and ${JSON.stringify(piece)}`, before + cut(piece, 90_000)]);
  }
  return [...out, ...growing()];
}

function cut(piece: string, length: number): string {
  return piece.repeat(Math.ceil(length / Math.max(1, piece.length))).slice(0, length);
}
