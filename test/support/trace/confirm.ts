// Whether what a refusal names was really seen when its line ran.

import { baseName } from "../../../src/core/action/paths.js";
import type { ActionEffect, FileEffect, OpaqueEffect } from "../../../src/core/action/effects.js";
import { compileGlob, subjectOf } from "../../../src/core/policy/match-path.js";
import type { Traced, TraceEvent } from "./container.js";

/**
 * `seen`: an effect that the refusal names was tried. `false`: it ran and none was. `not runnable`: a program, or a subcommand or option of it, is not installed.
 * `not to be seen`: it is inside the shell (a variable, the list of earlier commands), where strace does not look.
 */
export type Verdict = "seen" | "false" | "not runnable" | "not to be seen";

const BUILTINS = new Set("alias bg bind builtin caller cd command compgen complete declare dirs disown echo enable eval exec exit export fc fg getopts hash help history jobs kill let local logout mapfile popd printf pushd pwd read readonly return set shift shopt source suspend test times trap type typeset ulimit umask unalias unset wait".split(" "));

/** Sockets of this machine that programs ask on their way, whatever they are for. */
const LOCAL_SERVICE = /^unix:(?:\/var)?\/run\/(?:nscd\/|systemd\/|dbus\/)|^unix:\/dev\/log/;

/** What was seen of a refused line. `effects`: those that rules refuse. */
export function confirm(text: string, effects: readonly ActionEffect[], traced: Traced): Verdict {
  const { events } = traced;
  const ran = startedIn(events);
  if (effects.some((effect) => isSeen(text, effect, events, ran, traced.stderr))) return "seen";
  // `ps` looks for itself by a number that the traced process does not have there; what is traced traces nobody; there is no device for file systems of programs.
  if (/fatal library error, lookup self|fuse: device not found|PTRACE_TRACEME: Operation not permitted/.test(traced.stderr)) return "not runnable";
  if (/is not a (?:git )?command|unknown command|no such subcommand|[Uu]nrecognized command|The (?:command|option) "[^"]*" does not exist|No such option|unknown (?:shorthand )?flag/.test(traced.stderr)) return "not runnable";
  if (programsOf(effects).some((program) => !ran.has(program) && !BUILTINS.has(program) && program !== "redirect") && /: command not found|: not found$|No such file or directory/m.test(traced.stderr) && isMissing(effects, events)) return "not runnable";
  if (traced.code === 127 || /: command not found$/m.test(traced.stderr)) return "not runnable";
  if (effects.every((effect) => effect.kind === "environment" || (effect.kind === "exec" && BUILTINS.has(effect.program)))) return "not to be seen";
  return "false";
}

/** Programs that were started, under the name of their file and the name they were called by. */
function startedIn(events: readonly TraceEvent[]): ReadonlySet<string> {
  return new Set(events.flatMap((event) => (event.kind === "exec" && event.ok ? [event.program, baseName(event.argv[0] ?? "")] : [])));
}

/** The programs by which the effects come about. */
export function programsOf(effects: readonly ActionEffect[]): readonly string[] {
  return effects.flatMap((effect) => (effect.kind === "file" || effect.kind === "connect" ? [maker(effect.by)] : effect.kind === "exec" || effect.kind === "runs-code" ? [maker(effect.program)] : []));
}

/** `git restore` and `git-push` are what `git` does. */
function maker(by: string): string {
  return by.startsWith("git-") ? "git" : (by.split(" ", 1)[0] ?? by);
}

/** One of the programs was looked for and is in no folder of the path. */
function isMissing(effects: readonly ActionEffect[], events: readonly TraceEvent[]): boolean {
  const tried = events.filter((event) => event.kind === "exec");
  return programsOf(effects).some((program) => {
    const own = tried.filter((event) => event.kind === "exec" && event.program === program);
    return own.every((event) => event.kind === "exec" && !event.ok);
  });
}

function isSeen(text: string, effect: ActionEffect, events: readonly TraceEvent[], ran: ReadonlySet<string>, stderr: string): boolean {
  switch (effect.kind) {
    case "exec":
      return ran.has(effect.program) || (effect.program === "git-push" && events.some((event) => event.kind === "exec" && event.ok && event.argv.includes("push")));
    case "runs-code":
      return ran.has(effect.program);
    case "connect":
      return events.some((event) => event.kind === "connect" && isAway(event.to) && isBy(effect.by, event.by));
    case "file":
      return events.some((event) => event.kind === "file" && isOperation(effect, event.operation) && [event.path, event.real].some((path) => path !== null && isNamed(effect, path)));
    case "environment":
      return false;
    case "opaque-text":
      return isOpaqueSeen(text, effect, events, stderr);
  }
}

/** Out of the line's own network, or to a service of this machine that the program is for. */
function isAway(to: string): boolean {
  return !/^127\.|^::1$|^::$|^0\.0\.0\.0$/.test(to) && !LOCAL_SERVICE.test(to);
}

/** The program that is named, or one that it started. The shell itself connects for `/dev/tcp`. */
function isBy(by: string, chain: readonly string[]): boolean {
  return chain.includes(maker(by)) || by === "redirect" || by === "npx";
}

/**
 * Text that cannot be told names what is computed as the line runs. Seen is a program that is started with a word, under a name, or a file
 * that is changed at a name, which stands nowhere in the text; or a shell that refuses the text.
 */
function isOpaqueSeen(text: string, effect: OpaqueEffect, events: readonly TraceEvent[], stderr: string): boolean {
  const words = wordsOf(text);
  const told = (word: string): boolean => word === "" || words.some((test) => test(word));
  if (/not parse/.test(effect.why)) return /syntax error|unexpected (?:argument|token|EOF)|conditional (?:unary|binary) operator/.test(stderr);
  const named = /`([^`]+)`/.exec(effect.why)?.[1] ?? null;
  return events.some((event) => {
    if (event.kind === "exec") return event.ok && (named === null ? [event.program, ...event.argv.slice(1)] : event.program === named || baseName(event.argv[0] ?? "") === named ? event.argv.slice(1) : []).some((word) => !told(word));
    if (event.kind === "file") return event.operation !== "read" && !/^\/dev\/(?:null|tty|fd)/.test(event.path) && (named === null || named === "redirect" || event.by.includes(named)) && !told(baseName(event.path));
    return false;
  });
}

/** Tests for the words of a text, as far as they need no more than their own text: quotes taken off, the home folder put in, names matched. */
function wordsOf(text: string): readonly ((word: string) => boolean)[] {
  return text.split(/[\s;|&<>()`{}]+/).map((raw) => {
    const word = raw.replace(/["'\\]/g, "").replace(/^~(?=\/|$)|\$\{?HOME\}?/g, "/home/agent");
    if (!/[*?[]/.test(word) || /["'\\]/.test(raw)) return (other) => other.replace(/["'\\]/g, "") === word || baseName(word) === other;
    const pattern = new RegExp(`^${word.replace(/[.+^$|\\{}()]/g, "\\$&").replace(/\*+/g, ".*").replace(/\?/g, ".").replace(/\[!/g, "[^")}$`.replace(/\[(?![^\]]+\])/g, "\\["));
    return (other) => other === word || pattern.test(other);
  });
}

function isOperation(effect: FileEffect, operation: string): boolean {
  if (effect.operation === "read") return operation === "read";
  if (effect.operation === "delete") return operation === "delete";
  return operation === "write" || operation === "create" || operation === "metadata";
}

function isNamed(effect: FileEffect, path: string): boolean {
  if (effect.certainty === "exact") return effect.path === path || (effect.recursive && (effect.path === "/" || path.startsWith(`${effect.path}/`)));
  return compileGlob(effect.recursive && !effect.path.endsWith("/**") ? `${effect.path}/**` : effect.path, { root: "/", home: "/" }).hits(subjectOf({ ...effect, path, certainty: "exact", recursive: false }));
}
