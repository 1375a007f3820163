// Does what the evaluator says of a line take in what the line really did? What it does not take in, and does not say it cannot tell,
// is a route past a deny.

import type { ActionEffect, CodeEffect, ConnectEffect, ExecEffect, FileEffect } from "../../../src/core/action/effects.js";
import { compileGlob, subjectOf } from "../../../src/core/policy/match-path.js";
import type { TraceEvent } from "./container.js";
import { excuseOfFile, isInner, isNoFile, isOwnTalk, isProbe, SHELLS, type ConnectEvent, type ExecEvent, type FileEvent } from "./excuses.js";

const SOURCES = new Set([".", "source", "enable"]);

export interface Told {
  readonly effects: readonly ActionEffect[];
  readonly home: string;
  readonly root: string;
  /** Scripts whose text the evaluator was shown: what they do it must tell. */
  readonly seen?: ReadonlySet<string>;
}

export interface Compared {
  /** What the effects leave out: one text each. */
  readonly missed: readonly string[];
  /** What no effect names in any way and an excuse lets pass. */
  readonly excused: readonly FileEvent[];
}

/** Holds a trace against the effects told. */
export function compare(told: Told, events: readonly TraceEvent[]): Compared {
  if (told.effects.some((effect) => effect.kind === "opaque-text")) return { missed: [], excused: [] };
  const files = told.effects.filter((effect): effect is FileEffect => effect.kind === "file");
  const unread = told.effects.filter((effect): effect is CodeEffect => effect.kind === "runs-code" && !isFollowed(effect, told, files));
  // A sourced file that nobody has read runs in the shell itself.
  if (unread.some((effect) => SOURCES.has(effect.program))) return { missed: [], excused: [] };
  const code = new Set(unread.map((effect) => effect.program));
  const execs = told.effects.filter((effect): effect is ExecEffect => effect.kind === "exec");
  const connects = told.effects.filter((effect): effect is ConnectEffect => effect.kind === "connect");
  const replaced = rewritten(events);
  const missed = new Set<string>();
  const excused: FileEvent[] = [];
  for (const event of events) {
    if (isProbe(event) || event.by.some((program, index) => code.has(program) && (index > 0 || program !== "bash"))) continue;
    const by = event.by.at(-1) ?? "";
    if (event.kind === "connect") {
      if (!isOwnTalk(event, by) && !connects.some((effect) => reaches(effect, event))) missed.add(`${by} connects to ${event.to}`);
    } else if (event.kind === "exec") {
      if (event.ok && !execs.some((effect) => isThis(effect, event)) && !isInner(event)) missed.add(`${by} starts ${event.argv.join(" ").slice(0, 300)}`);
    } else if (happened(event) && !isNoFile(event.path, by) && !files.some((effect) => effect.operation === event.operation && takesIn(effect, event))) {
      const path = event.real !== null && event.real !== event.path ? `${event.path} -> ${event.real}` : event.path;
      const allowed = files.some((effect) => allows(effect, event, replaced, by) && takesIn(effect, event));
      if (!allowed && excuseOfFile(event, by, told.root) === null) missed.add(`${by} ${event.operation}s ${path}`);
      // A change of what the line is known to change was put to the policy with the line itself.
      else if (!files.some((effect) => (effect.operation !== "read" || event.operation === "read") && takesIn(effect, event))) excused.push(event);
    }
  }
  return { missed: [...missed], excused };
}

/** A script that was read, and that the line itself does not change before it runs it. */
function isFollowed({ source, code, program }: CodeEffect, { seen, root }: Told, files: readonly FileEffect[]): boolean {
  if (seen === undefined || source !== "file" || code === null || !(SHELLS.has(program) || SOURCES.has(program) || code.startsWith("/"))) return false;
  const path = code.startsWith("/") ? code : `${root}/${code.replace(/^\.\//, "")}`;
  return seen.has(path) && !files.some((effect) => effect.operation !== "read" && names(effect, path));
}

/** What failed because there was nothing, or something else, did nothing; what was forbidden was tried. */
function happened(event: FileEvent): boolean {
  return event.ok || /^(?:EROFS|EACCES|EPERM)$/.test(event.error ?? "");
}

/** Is this connection one that the effect speaks of? An address told as a number must be that number. */
function reaches(effect: ConnectEffect, event: ConnectEvent): boolean {
  // Where a line was ended in the middle of a fork, nobody knows whose child spoke: then any program that was told may have been it.
  if (event.by.length > 0 && !event.by.includes(effect.by)) return false;
  // Before it connects a socket is bound to any address of this machine.
  if (event.to === "0.0.0.0" || event.to === "::") return true;
  return effect.host === null || !/^[\d.]+$|:/.test(effect.host) || effect.host === event.to;
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

/** Programs that make the folders on the way to what they write. */
const MAKES_PARENTS = new Set(["ssh-keygen", "cpio"]);

const CHANGES = new Set(["write", "create", "metadata"]);

function allows(effect: FileEffect, event: FileEvent, replaced: ReadonlySet<string>, by: string): boolean {
  if (event.operation === effect.operation) return true;
  // A folder is opened to be removed or changed with what is in it.
  if (event.folder === true && event.operation === "read") return true;
  // Folders on the way to what is to be made are made too.
  if (event.operation === "create" && (((by === "mkdir" || by === "install") && effect.operation === "create") || MAKES_PARENTS.has(by)) && effect.path.startsWith(`${event.path}/`)) return true;
  if (event.operation === "read") return (effect.operation === "write" && ((effect.certainty === "exact" && !effect.recursive) || by === "patch" || by === "rsync") && REWRITES.has(by)) || (by === "git" && effect.operation === "delete");
  if (event.operation === "delete") return effect.operation !== "read" && (replaced.has(`${by} ${event.path}`) || (effect.operation === "write" && effect.recursive && (effect.by.startsWith("git") || by === "mv")));
  return CHANGES.has(event.operation) && (effect.operation === "write" || effect.operation === "create");
}

/** Programs that look at the file they are to write before they do. */
const REWRITES = new Set(["zip", "tar", "install", "ed", "vi", "vim", "touch", "xxd", "sort", "git", "patch", "rsync"]);

function takesIn(effect: FileEffect, event: FileEvent): boolean {
  if (event.folder === true && event.operation === "read" && effect.path.startsWith(`${event.path}/`)) return true;
  if (event.operation === "create" && (effect.operation === "create" || MAKES_PARENTS.has(effect.by)) && effect.path.startsWith(`${event.path}/`)) return true;
  return [event.path, event.real].some((path) => path !== null && names(effect, path));
}

function names(effect: FileEffect, path: string): boolean {
  if (effect.certainty === "exact") return effect.path === path || (effect.recursive && (effect.path === "/" || path.startsWith(`${effect.path}/`)));
  return compileGlob(effect.recursive && !effect.path.endsWith("/**") ? `${effect.path}/**` : effect.path, { root: "/", home: "/" }).hits(subjectOf({ ...effect, path, certainty: "exact", recursive: false }));
}
