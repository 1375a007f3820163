// Does what the evaluator says of a line take in what the line really did? What it does not take in, and does not say it cannot tell,
// is a route past a deny.

import type { ActionEffect, ExecEffect, FileEffect } from "../../../src/core/action/effects.js";
import { compileGlob, subjectOf } from "../../../src/core/policy/match-path.js";
import type { TraceEvent } from "./container.js";

type FileEvent = Extract<TraceEvent, { kind: "file" }>;
type ExecEvent = Extract<TraceEvent, { kind: "exec" }>;

const SOURCES = new Set([".", "source", "enable"]);
const SHELLS = new Set(["bash", "sh", "dash", "rbash"]);
/** Where every program reads what it needs to start: libraries, locales, names of users, itself. */
const SYSTEM = /^\/(?:usr|lib|lib64|lib32|bin|sbin|etc|opt|proc|sys|dev|run|var\/(?:lib|cache|run|log|mail|spool)|\.ringfence)(?:\/|$)/;
const NO_FILE = /^\/(?:dev\/(?:null|tty|zero|full|urandom|random|ptmx|stdin|stdout|stderr|fd(?:\/|$)|pts(?:\/|$))|proc\/(?:self|thread-self|\d+)(?:\/|$))/;

/** Programs that come back to where they began. */
const WALKS = new Set(["find", "rm", "chmod", "chown", "chgrp", "cp", "mv", "du", "ls", "df", "tree", "shred", "rsync", "mkdir", "gzip"]);
/** Folders a program keeps its own settings and caches in. */
const SETTINGS = /^\/home\/agent\/\.(?:config|cache|local|parallel|npm|gnupg|cargo|kube|aws|composer|links2?|w3m|lynx|wget-hsts|lesshst|viminfo|mysql|python_history)(?:\/|$)/;

export interface Told {
  readonly effects: readonly ActionEffect[];
  readonly home: string;
  readonly root: string;
}

/** What of a trace the effects leave out: one text each. */
export function leftOut(told: Told, events: readonly TraceEvent[]): readonly string[] {
  if (told.effects.some((effect) => effect.kind === "opaque-text")) return [];
  // A sourced file that nobody has read runs in the shell itself.
  if (told.effects.some((effect) => effect.kind === "runs-code" && SOURCES.has(effect.program))) return [];
  const code = new Set(told.effects.flatMap((effect) => (effect.kind === "runs-code" ? [effect.program] : [])));
  const files = told.effects.filter((effect): effect is FileEffect => effect.kind === "file");
  const execs = told.effects.filter((effect): effect is ExecEffect => effect.kind === "exec");
  const connects = told.effects.some((effect) => effect.kind === "connect");
  const own = ownTemporaries(events);
  const replaced = rewritten(events);
  const out = new Set<string>();
  for (const event of events) {
    if (event.kind === "file" && !happened(event)) continue;
    if (event.by.includes("parallel") && isProbe(event)) continue;
    if (event.by.some((program, index) => code.has(program) && (index > 0 || program !== "bash"))) continue;
    const by = event.by.at(-1) ?? "";
    if (event.kind === "connect") {
      // A machine's own name is looked up where names are.
      if (by !== "hostname" && !/^(?:127\.|::1$|::$|0\.0\.0\.0$)/.test(event.to) && !event.to.startsWith("unix:") && event.to !== "packet" && !connects) out.add(`${by} connects to ${event.to}`);
    } else if (event.kind === "exec") {
      if (event.ok && !code.has(event.program) && !execs.some((effect) => isThis(effect, event)) && SHELLS.has(by) && !isInner(event)) out.add(`${by} starts ${event.argv.join(" ")}`);
    } else if (!isNothing(event, by, told.root) && !own.has(event.path) && !files.some((effect) => takesIn(effect, event, replaced, by))) {
      out.add(`${by} ${event.operation}s ${event.path}${event.real !== null && event.real !== event.path ? ` -> ${event.real}` : ""}`);
    }
  }
  return [...out];
}

/** GNU parallel tries its shell out with a file and a function of its own. */
function isProbe(event: TraceEvent): boolean {
  if (event.kind === "file") return /^\/tmp\/par\w+\./.test(event.path);
  return event.kind === "exec" && /testfun|\/tmp\/par\w+\./.test(event.argv.join(" "));
}

/** What failed because there was nothing, or something else, did nothing; what was forbidden was tried. */
function happened(event: FileEvent): boolean {
  return event.ok || (event.operation !== "read" && /^(?:EROFS|EACCES|EPERM)$/.test(event.error ?? ""));
}

function isNothing(event: FileEvent, by: string, cwd: string): boolean {
  if (NO_FILE.test(event.path)) return true;
  // git looks into its own repository, and notes there what it saw of the files.
  if (by === "git" && (event.operation === "read" ? /\/\.git(?:\/|$)/ : /\/\.git\/index(?:\.lock)?$/).test(event.path)) return true;
  if (SETTINGS.test(event.path) && !SHELLS.has(by)) return true;
  if (event.operation !== "read") return false;
  // Where a program stands, and the root, are opened to walk from; a shell opens folders for its globs.
  if (event.path === "/" || (WALKS.has(by) && event.path === cwd) || (SHELLS.has(by) && event.folder === true)) return true;
  return SYSTEM.test(event.path);
}

/** Files a program made and removed itself: what it wrote beside its target before renaming it. */
function ownTemporaries(events: readonly TraceEvent[]): ReadonlySet<string> {
  const made = new Map<string, string>();
  const out = new Set<string>();
  for (const event of events) {
    if (event.kind !== "file" || !event.ok) continue;
    const by = event.by.at(-1) ?? "";
    if (event.operation === "write" || event.operation === "create") made.set(event.path, by);
    const own = !SHELLS.has(by) || /-\d{5}\.tmp$/.test(event.path);
    if (event.operation === "delete" && made.get(event.path) === by && own && by !== "rm") out.add(event.path);
  }
  return out;
}

/** Paths that a program removed and then made anew: it wrote them. */
function rewritten(events: readonly TraceEvent[]): ReadonlySet<string> {
  const gone = new Set<string>();
  const out = new Set<string>();
  for (const event of events) {
    if (event.kind !== "file" || !event.ok) continue;
    const key = `${event.by.at(-1) ?? ""} ${event.path}`;
    if (event.operation === "delete") gone.add(key);
    else if ((event.operation === "write" || event.operation === "create") && gone.has(key)) out.add(key);
  }
  return out;
}

/** What a program starts by way of a shell of its own (`tar` its compressor), or a login shell from the system's start files. */
function isInner(event: ExecEvent): boolean {
  const parent = event.by.at(-2) ?? "";
  if (parent === "git" && event.program.startsWith("git-")) return true;
  if (parent === "parallel" && /^(?:ps|perl|echo|sh|tput)$/.test(event.program)) return true;
  return (parent === "tar" && /^(?:gzip|bzip2|xz|zstd|lzip|lzma|compress)$/.test(event.program)) || (event.program === "id" && event.argv[1] === "-u");
}

function isThis(effect: ExecEffect, event: ExecEvent): boolean {
  const program = event.argv[0]?.split("/").pop() ?? event.program;
  if (effect.program !== event.program && effect.program !== program) return false;
  return fits(effect.argv, event.argv);
}

/** A word that cannot be told stands for none or several. */
function fits(told: readonly (string | null)[], real: readonly string[]): boolean {
  if (told.length === 0) return real.length === 0;
  if (!told.slice(1).includes(null)) return told.length === real.length && told.every((word, index) => index === 0 || sameWord(word ?? "", real[index]));
  const [first, ...rest] = told.slice(1);
  const words = real.slice(1);
  if (first !== null && first !== undefined) return sameWord(first, words[0]) && fits(["", ...rest], ["", ...words.slice(1)]);
  for (let taken = 0; taken <= words.length; taken += 1) if (fits(["", ...rest], ["", ...words.slice(taken)])) return true;
  return false;
}

/** Which number a process substitution gets is bash's own matter. */
function sameWord(told: string, real: string | undefined): boolean {
  return told === real || (real !== undefined && told.replace(/\/dev\/fd\/\d+/g, "/dev/fd/") === real.replace(/\/dev\/fd\/\d+/g, "/dev/fd/"));
}

const CHANGES = new Set(["write", "create", "metadata"]);

function allows(effect: FileEffect, event: FileEvent, replaced: ReadonlySet<string>, by: string): boolean {
  if (event.operation === effect.operation) return true;
  // A folder is opened to be removed or changed with what is in it.
  if (event.folder === true && event.operation === "read") return true;
  // Folders on the way to what is to be made are made too.
  if (event.operation === "create" && (by === "mkdir" || by === "install") && effect.operation === "create" && effect.path.startsWith(`${event.path}/`)) return true;
  if (event.operation === "read") return (effect.operation === "write" && ((effect.certainty === "exact" && !effect.recursive) || by === "patch" || by === "rsync") && REWRITES.has(by)) || (by === "git" && effect.operation === "delete");
  if (event.operation === "delete") return effect.operation !== "read" && (replaced.has(`${by} ${event.path}`) || (effect.operation === "write" && effect.recursive && effect.by.startsWith("git")));
  return CHANGES.has(event.operation) && (effect.operation === "write" || effect.operation === "create");
}

/** Programs that look at the file they are to write before they do. */
const REWRITES = new Set(["zip", "tar", "install", "ed", "vi", "vim", "touch", "xxd", "sort", "git", "patch", "rsync"]);

function takesIn(effect: FileEffect, event: FileEvent, replaced: ReadonlySet<string>, by: string): boolean {
  if (!allows(effect, event, replaced, by)) return false;
  if (event.folder === true && event.operation === "read" && effect.path.startsWith(`${event.path}/`)) return true;
  if (event.operation === "create" && effect.operation === "create" && effect.path.startsWith(`${event.path}/`)) return true;
  return [event.path, event.real].some((path) => path !== null && names(effect, path));
}

function names(effect: FileEffect, path: string): boolean {
  if (effect.certainty === "exact") return effect.path === path || (effect.recursive && (effect.path === "/" || path.startsWith(`${effect.path}/`)));
  return compileGlob(effect.recursive && !effect.path.endsWith("/**") ? `${effect.path}/**` : effect.path, { root: "/", home: "/" }).hits(subjectOf({ ...effect, path, certainty: "exact", recursive: false }));
}
