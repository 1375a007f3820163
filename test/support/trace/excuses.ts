// What programs do on the way to what a line asks of them, and no effect tells: starting up, their own settings, their scratch files.
// An excuse never hides what policy would refuse: the suite asks the policy about every event that was excused.

import type { TraceEvent } from "./container.js";

export type FileEvent = Extract<TraceEvent, { kind: "file" }>;
export type ExecEvent = Extract<TraceEvent, { kind: "exec" }>;
export type ConnectEvent = Extract<TraceEvent, { kind: "connect" }>;

export const SHELLS: ReadonlySet<string> = new Set(["bash", "sh", "dash", "rbash"]);

/** Where every program reads what it needs to start: libraries, locales, names of users, itself. */
const SYSTEM = /^\/(?:usr|lib|lib64|lib32|bin|sbin|etc|opt|proc|sys|dev|run|var\/(?:lib|cache|run|log|mail|spool)|\.ringfence)(?:\/|$)/;
/** Devices that hold nothing, and what a process is told of itself. */
const NO_FILE = /^\/(?:dev\/(?:null|tty|zero|full|urandom|random|ptmx|stdin|stdout|stderr|fd(?:\/|$)|pts(?:\/|$))|proc\/(?:self|thread-self|\d+)\/(?:fd|maps|stat|status|statm|mounts|mountinfo|cgroup|comm|cmdline|oom_score_adj|task|net|limits)(?:\/|$))/;
/** Programs that walk through folders; what lies in a folder is not read by that. */
const WALKS = new Set(["git", "find", "rm", "chmod", "chown", "chgrp", "cp", "mv", "du", "ls", "df", "tree", "shred", "rsync", "mkdir", "gzip"]);
/** Folders a program keeps its own settings and caches in. */
const SETTINGS = /^\/home\/agent\/\.(?:config|cache|local|parallel|npm|gnupg|cargo|rpmdb|kube|aws|composer|links2?|w3m|lynx|wget-hsts|lesshst|viminfo|mysql|python_history)(?:\/|$)/;
/** Sockets by which names, users and the log are reached. */
const SYSTEM_SOCKETS = /^unix:(?:\/var)?(?:\/run\/(?:nscd|systemd|dbus|avahi-daemon|udev)\/|\/dev\/log$)/;

/** Devices, a process's view of itself, and what `ps` looks at of the line's own processes: no file of anybody. */
export function isNoFile(path: string, by: string): boolean {
  return NO_FILE.test(path) || (by === "ps" && /^\/proc\/\d+\/environ$/.test(path));
}

/** GNU parallel tries its shell out with a file and a function of its own. */
export function isProbe(event: TraceEvent): boolean {
  if (!event.by.includes("parallel")) return false;
  if (event.kind === "file") return /^\/tmp\/par\w+\.(?:par|\w+)$/.test(event.path);
  return event.kind === "exec" && /testfun|\/tmp\/par\w+\./.test(event.argv.join(" "));
}

/** Why a file event is a program's own matter; null when it is the line's. */
export function excuseOfFile(event: FileEvent, by: string, cwd: string): string | null {
  // git looks into its own repository, and notes there what it saw of the files.
  if (/^git(?:$|-)/.test(by) && (event.operation === "read" ? /\/\.git(?:\/|$)/ : /\/\.git\/index(?:\.lock)?$/).test(event.path)) return "git's own repository";
  if (event.own === true && !SHELLS.has(by)) return "made and removed again";
  if (SHELLS.has(by) && /-\d{5}\.tmp$/.test(event.path)) return "a history file on its way";
  if (by === "ln" && /\/Cu\w{6}$/.test(event.path)) return "a link on its way";
  if (by === "df" && event.operation === "read") return "a place, to ask for its file system";
  if (by === "shred" && /\/0+$/.test(event.path)) return "names that take the place of the old one";
  if (SETTINGS.test(event.path) && !SHELLS.has(by)) return "a program's settings";
  if (by === "su" && event.path === "/var/log/btmp") return "a note of a failed login";
  if (by === "node" && event.operation === "read" && /\/package(?:-lock)?\.json$/.test(event.path)) return "npm, which is node, looks at the project it is asked about";
  if (by === "pytest" && event.path === "/workspace" && event.operation === "read") return "the working directory, to find the project";
  if (event.operation !== "read") return null;
  // Where a program stands, and the root, are opened to walk from; a shell opens folders for its globs.
  if (event.path === "/") return "the root, to walk from";
  if (WALKS.has(by) && (event.path === cwd || event.folder === true)) return "the working directory, to walk from";
  if (SHELLS.has(by) && event.folder === true) return "a folder, for globs";
  return SYSTEM.test(event.path) ? "the system" : null;
}

/** Programs that do their work by way of another: scripts of the system, and shells of a program's own, whose commands are compared themselves. */
const HELPERS: ReadonlyMap<string, RegExp> = new Map([
  ["parallel", /^(?:ps|perl|echo|tput|hostname|false|lscpu|sleep|who|sh)$/],
  ["tar", /^(?:gzip|bzip2|xz|zstd|lzip|lzma|compress)$/],
  ["zcat", /^gzip$/],
  ["gunzip", /^gzip$/],
  ["rgrep", /^grep$/],
  ["egrep", /^grep$/],
  ["fgrep", /^grep$/],
  ["rsync", /^ssh$/],
  ["npm", /^node$/],
  ["scp", /^ssh$/],
  ["sftp", /^ssh$/],
  ["rpm", /^bash$/],
  ["su", /^unix_chkpwd$/],
  ["sudo", /^unix_chkpwd$/],
  ["ldd", /^ld-linux-x86-64\.so\.2$/],
  ["uncompress", /^gzip$/],
  ["zgrep", /^(?:grep|gzip|sed|zgrep)$/],
  ["zegrep", /^(?:grep|gzip|sed|zgrep)$/],
  ["zfgrep", /^(?:grep|gzip|sed|zgrep)$/],
  ["bzgrep", /^(?:grep|bzip2|sed)$/],
  ["xzgrep", /^(?:grep|xz|sed)$/],
  ["sdiff", /^diff$/],
  ["git-bisect", /^(?:git|basename|sed|uname|cat|sh)$/],
  ["git", /^(?:git(?:-|$)|man$)/],
]);

/** What a program starts to do its own work, itself or in a shell of its own. */
export function isInner(event: ExecEvent): boolean {
  const by = event.by.at(-1) ?? "";
  // A helper may be started by a shell of the program's own.
  const parent = event.by.findLast((program) => !SHELLS.has(program)) ?? "";
  if (!SHELLS.has(by) && SHELLS.has(event.program) && event.argv[1] === "-c") return true;
  if (HELPERS.get(by)?.test(event.program) === true || (SHELLS.has(by) && HELPERS.get(parent)?.test(event.program) === true)) return true;
  return event.program === "id" && event.argv[1] === "-u";
}

/** A machine's own name is looked up where names are; pip asks whether there is IPv6. */
export function isOwnTalk(event: ConnectEvent, by: string): boolean {
  return by === "hostname" || (by === "pip" && event.to === "::1") || SYSTEM_SOCKETS.test(event.to);
}
