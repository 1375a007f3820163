// Patterns that are well formed but that nothing can ever meet.

import type { Matcher } from "./rule.js";

/** One pattern that cannot match. */
export interface DeadPattern {
  readonly pattern: string;
  readonly why: string;
  readonly hint: string;
}

/** The patterns of a matcher that no effect can meet. */
export function deadPatterns(matcher: Matcher): readonly DeadPattern[] {
  switch (matcher.on) {
    case "file":
      return [...matcher.paths, ...matcher.except].flatMap((glob) => deadPath(glob)).concat(contradictions(matcher.paths, matcher.except));
    case "content":
      return [...matcher.paths, ...matcher.except].flatMap((glob) => deadPath(glob)).concat(contradictions(matcher.paths, matcher.except));
    case "exec":
      return [...matcher.programs.flatMap(deadProgram), ...matcher.withoutFlags.flatMap((flag) => (matcher.flags.includes(flag) ? [{ pattern: flag, why: "the same option is in `flags` and in `withoutFlags`", hint: "remove one of them" }] : []))];
    case "connect":
      return [...matcher.hosts, ...matcher.except].flatMap(deadHost).concat(matcher.hosts.flatMap((host) => (matcher.except.includes(host) ? [{ pattern: host, why: "`except` takes it out again", hint: "remove one of them" }] : [])));
    case "code":
      return [...matcher.programs, ...matcher.upstream].flatMap(deadProgram);
    case "environment":
      return matcher.names.flatMap((name) => (/[=\s]/.test(name) ? [{ pattern: name, why: "no variable has such a name", hint: "write the name in `names` and the value in `values`" }] : []));
    case "sequence":
      return [...deadPatterns(matcher.then), ...matcher.after.flatMap((step) => (step.kind === "did" ? deadPatterns(step.matcher) : []))];
    case "budget":
      return matcher.counting === null ? [] : deadPatterns(matcher.counting);
    case "refusals":
    case "opaque":
      return [];
  }
}

function deadPath(glob: string): readonly DeadPattern[] {
  if (/[^:]\/\/|^\/\//.test(glob)) return [{ pattern: glob, why: "a normalised path has no `//`", hint: "write one slash" }];
  if (/^\/dev\/(null|zero|full|stdin|stdout|stderr|tty|random|urandom)$/.test(glob)) return [];
  if (/^[A-Za-z]:\\|\\\\/.test(glob)) return [{ pattern: glob, why: "paths are written with `/`", hint: "write `/`" }];
  return [];
}

function contradictions(paths: readonly string[], except: readonly string[]): readonly DeadPattern[] {
  return paths.flatMap((glob) => (except.includes(glob) || except.includes("/**") ? [{ pattern: glob, why: "`except` takes it out again", hint: "remove one of them" }] : []));
}

function deadProgram(name: string): readonly DeadPattern[] {
  if (/\s/.test(name)) return [{ pattern: name, why: "a program's name has no blanks", hint: "write the words after it in `args`" }];
  if (name.startsWith("-")) return [{ pattern: name, why: "it is an option, no program", hint: "write it in `flags`" }];
  return [];
}

function deadHost(host: string): readonly DeadPattern[] {
  if (host.includes("://") || host.includes("/")) return [{ pattern: host, why: "a host has no scheme and no path", hint: "write the host here and the rest in `urls`" }];
  if (/^[^:[\]]+:\d+$/.test(host)) return [{ pattern: host, why: "hosts are compared without a port", hint: "write the host alone" }];
  return [];
}
