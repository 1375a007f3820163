// Laws of shell evaluation: total and bounded on any text, and a wrapper never hides what it wraps.

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isInside, normalisePath, relativeTo } from "../../src/core/action/paths.js";
import { LIMITS } from "../../src/core/shared/index.js";
import { evaluateArgv, evaluateShell, type ShellContext } from "../../src/core/shell/index.js";

const numRuns = 200 * (process.env["RINGFENCE_SOAK"] === "1" ? 50 : 1);
const context: ShellContext = { cwd: "/w", home: "/h", root: "/w", environment: new Map([["HOME", "/h"]]) };

const token = fc.constantFrom("rm", "x", "-rf", "ls", "cd", "d", ";", "&&", "||", "|", "&", "(", ")", "{", "}", "$(", "`", "\"", "'", "$x", "${x:-", "}", "<<E", "\n", "E\n", ">", "2>&1", "<(", "((", "))", "[[", "]]", "if", "then", "fi", "for", "in", "do", "done", "case", "esac", ";;", "f()", "f", "a=rm", "$a", "eval", "bash -c", "sh", "xargs", "find . -exec", "\\;", "sed", "awk", "git", "{a,b}", "*", "~", "\\", "#", "!", "time", "coproc", "export", "local", "trap", "\r", "\0", "é", "$'\\x41'", "$((1+", "=", "env", "sudo", "tar", "--checkpoint-action=exec=", "python -c", "source", "set --", "\"$@\"");
const soup = fc.array(token, { maxLength: 40 }).map((tokens) => tokens.join(" "));

const plain = fc.constantFrom("rm x", "rm -rf d/*", "cp a b", "echo a > f", "cat f", "mv a b", "find . -delete", "sed -i s/a/b/ f", "python x.py", "git push", "curl -o o https://a.example/b", "tar xf a -C d", "touch a b", "ls | xargs rm", "sort -o a b", "chmod 777 f", "$Q x", "rm \"$Q\"", "make", "unknown a");

/** Effects that must survive wrapping: all but where in the text they stand. */
function keys(text: string): string[] {
  return evaluateShell(text, context).effects.map((effect) => {
    const { from: _, ...rest } = effect;
    return effect.kind === "opaque-text" ? "opaque" : JSON.stringify(rest);
  });
}

describe("any text", () => {
  test("gets an answer within the limits", () => {
    fc.assert(
      fc.property(fc.oneof(soup, fc.string({ maxLength: 300 }), fc.string({ unit: "binary", maxLength: 100 })), (text) => {
        const { effects, opaque } = evaluateShell(text, context);
        expect(effects.length).toBeLessThanOrEqual(LIMITS.effects);
        expect(opaque).toBe(effects.some((effect) => effect.kind === "opaque-text"));
        for (const effect of effects) if (effect.kind === "file") expect(effect.path.startsWith("/")).toBe(true);
      }),
      { numRuns: numRuns * 5 },
    );
  });

  test("gets the same answer twice", () => {
    fc.assert(fc.property(soup, (text) => { expect(evaluateShell(text, context)).toEqual(evaluateShell(text, context)); }), { numRuns });
  });

  test("as words too", () => {
    fc.assert(fc.property(fc.array(fc.oneof(token, fc.string({ maxLength: 20 })), { maxLength: 20 }), (argv) => { expect(evaluateArgv(argv, context).effects.length).toBeLessThanOrEqual(LIMITS.effects); }), { numRuns });
  });

  test("an answer for exact files names normal paths", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom("a", "..", ".", "/", "//", "b c", "proc", "self", "root"), { minLength: 1, maxLength: 8 }), (parts) => {
        const path = parts.join("/");
        for (const effect of evaluateShell(`rm '${path}'`, context).effects) {
          if (effect.kind === "file") expect(effect.path).toBe(normalisePath(effect.path, "/w"));
        }
      }),
      { numRuns },
    );
  });
});

const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;

describe("a wrapper never hides what it wraps", () => {
  const wrappers: readonly [string, (text: string) => string][] = [
    ["bash -c", (text) => `bash -c ${quoted(text)}`],
    ["sh -c", (text) => `sh -c ${quoted(text)}`],
    ["bash -lc inside bash -c", (text) => `bash -c ${quoted(`bash -lc ${quoted(text)}`)}`],
    ["eval", (text) => `eval ${quoted(text)}`],
    ["a subshell", (text) => `( ${text} )`],
    ["a group", (text) => `{ ${text}; }`],
    ["a list", (text) => `true; ${text}`],
    ["an and-list", (text) => `true && ${text}`],
    ["the background", (text) => `${text} &`],
    ["a function", (text) => `f() { ${text}; }; f`],
    ["a condition", (text) => `if ${text}; then :; fi`],
    ["a loop", (text) => `while ${text}; do :; done`],
    ["a substitution", (text) => `echo "$(${text})"`],
    ["a here-string", (text) => `bash <<< ${quoted(text)}`],
    ["a here-document", (text) => `bash <<'END'\n${text}\nEND`],
    ["a pipe into sh", (text) => `printf '%s\\n' ${quoted(text)} | sh`],
    ["a trap", (text) => `trap ${quoted(text)} EXIT`],
    ["su", (text) => `su -c ${quoted(text)}`],
    ["env bash", (text) => `env A=b bash -c ${quoted(text)}`],
    ["xargs bash", (text) => `echo 1 | xargs bash -c ${quoted(text)}`],
    ["find -exec bash", (text) => `find . -exec bash -c ${quoted(text)} \\;`],
  ];
  test.each(wrappers)("%s", (_, wrap) => {
    fc.assert(fc.property(plain, (text) => { expect(keys(wrap(text))).toEqual(expect.arrayContaining(keys(text))); }), { numRuns: 40 });
  });

  const prefixes = ["env", "env -i A=b", "nice", "nice -n 3", "timeout 5", "timeout -k 1 5s", "command", "sudo", "sudo -u root", "nohup", "setsid", "stdbuf -oL", "time", "! ", "exec", "busybox", "env env nice timeout 1"];
  test.each(prefixes)("%s", (prefix) => {
    const simple = plain.filter((text) => !text.includes("|") && !text.startsWith("$"));
    fc.assert(fc.property(simple, (text) => { expect(keys(`${prefix} ${text}`)).toEqual(expect.arrayContaining(keys(text))); }), { numRuns: 40 });
  });
});

describe("paths", () => {
  const path = fc.array(fc.constantFrom("a", "b", "..", ".", "", "proc", "self", "root", "cwd"), { maxLength: 10 }).map((parts) => parts.join("/"));

  test("normalising twice is normalising once", () => {
    fc.assert(
      fc.property(path, (text) => {
        const once = normalisePath(text, "/w/x");
        if (once !== null) expect(normalisePath(once, "/other")).toBe(once);
      }),
      { numRuns: numRuns * 5 },
    );
  });

  test("a path below a root is the root and its relative part", () => {
    fc.assert(
      fc.property(path, path, (a, b) => {
        const root = normalisePath(`/${a}`, "/");
        const inner = normalisePath(`/${b}`, "/");
        if (root === null || inner === null) return;
        const rest = relativeTo(inner, root);
        expect(rest !== null).toBe(isInside(inner, root));
        if (rest !== null) expect(normalisePath(rest === "" ? "." : rest, root)).toBe(inner);
      }),
      { numRuns },
    );
  });
});
