// Reads what strace wrote (`-f -y`) into events: which program did what to which path. Plain JavaScript, since it runs where the lines run.

/**
 * @typedef {{kind: "exec", program: string, path: string, argv: string[], by: string[], ok: boolean}
 *   | {kind: "file", operation: "read" | "write" | "create" | "delete" | "metadata", path: string, real: string | null, by: string[], ok: boolean}
 *   | {kind: "connect", to: string, by: string[]}} Event `by`: programs from the first to the one that does it
 */

const CALL = /^(\d+) +([a-z0-9_]+)\((.*)$/;
const RESUMED = /^(\d+) +<\.\.\. ([a-z0-9_]+) resumed>(.*)$/;
const UNFINISHED = / <unfinished \.\.\.>$/;
const AT = /^(AT_FDCWD|-?\d+)(?:<((?:[^<>\\]|\\.)*)>)?$/;

/** @typedef {{cwd: string, parent: Process | null, base: number, execs: string[]}} Process */

/** @param {string} trace @param {string} cwd @returns {{events: Event[], started: boolean}} */
export function parseTrace(trace, cwd) {
  /** @type {Map<string, Process>} */
  const processes = new Map();
  /** @type {Map<string, string>} */
  const pending = new Map();
  /** @type {{event: any, process: Process, at: number}[]} */
  const found = [];
  let started = false;
  const of = (/** @type {string} */ pid) => {
    const known = processes.get(pid) ?? { cwd, parent: null, base: 0, execs: [] };
    processes.set(pid, known);
    return known;
  };
  for (const line of trace.split("\n")) {
    let whole = line;
    if (UNFINISHED.test(line)) {
      const match = CALL.exec(line);
      if (match !== null) pending.set(`${match[1]} ${match[2]}`, line.replace(UNFINISHED, ""));
      continue;
    }
    const resumed = RESUMED.exec(line);
    if (resumed !== null) {
      const begun = pending.get(`${resumed[1]} ${resumed[2]}`);
      pending.delete(`${resumed[1]} ${resumed[2]}`);
      if (begun === undefined) continue;
      whole = begun + (resumed[3] ?? "");
    }
    const match = CALL.exec(whole);
    if (match === null) continue;
    const [, pid = "", name = "", rest = ""] = match;
    const self = of(pid);
    const end = /^(.*)\) += (.*?)$/s.exec(rest);
    if (end === null) continue;
    const result = end[2] ?? "";
    if (/^(?:clone3?|v?fork)$/.test(name)) {
      const child = (/\/\* (\d+) in strace's PID NS \*\//.exec(result) ?? /^(\d+)/.exec(result))?.[1];
      // A child may be seen before the call that made it returns.
      if (child !== undefined) Object.assign(of(child), { parent: self, base: self.execs.length, ...(processes.has(child) && of(child).cwd !== cwd ? {} : { cwd: self.cwd }) });
      continue;
    }
    const error = /^-1 (E[A-Z0-9]+)/.exec(result)?.[1] ?? null;
    for (const event of handle(name, splitArguments(end[1] ?? ""), result, error, self) ?? []) {
      if (event.kind === "exec" && !started && event.ok && event.program === "bash" && event.argv.includes("--norc")) {
        started = true;
        self.execs = ["bash"];
        self.parent = null;
        continue;
      }
      if (started) found.push({ event, process: self, at: self.execs.length });
      if (event.kind === "exec" && event.ok) self.execs.push(event.program);
    }
  }
  markOwn(found);
  const events = new Map();
  for (const { event, process, at } of found) {
    const whole = { ...event, by: chainOf(process, at) };
    events.set(JSON.stringify(whole), whole);
  }
  return { events: [...events.values()], started };
}

/** Marks files that one process made and then removed itself. @param {{event: any, process: Process, at: number}[]} found */
function markOwn(found) {
  const made = new Map();
  for (const { event, process } of found) {
    if (event.kind !== "file" || !event.ok) continue;
    const before = made.get(event.path);
    if (event.operation === "delete" && before !== undefined && before.process === process) {
      for (const one of [...before.events, event]) one.own = true;
      made.delete(event.path);
    } else if (event.made === true) made.set(event.path, { process, events: [event] });
    else if (before !== undefined) before.process === process ? before.events.push(event) : made.delete(event.path);
  }
  for (const { event } of found) delete event.made;
}

/** The programs that led to a process, first to last. @param {Process} process @param {number} at */
function chainOf(process, at) {
  const out = process.execs.slice(0, at);
  let current = process;
  for (let depth = 0; depth < 50 && current.parent !== null; depth += 1) {
    out.unshift(...current.parent.execs.slice(0, current.base));
    current = current.parent;
  }
  return out.slice(-12);
}

/** @returns {any[] | null} */
function handle(name, args, result, error, self) {
  const ok = error === null;
  const path = (/** @type {number} */ i) => resolve(textOf(args[i] ?? ""), self.cwd);
  const at = (/** @type {number} */ i) => {
    const where = AT.exec(args[i] ?? "");
    const folder = where?.[2] ?? self.cwd;
    return resolve(textOf(args[i + 1] ?? ""), folder.replace(/ \(deleted\)$/, ""));
  };
  const file = (/** @type {string} */ operation, /** @type {string | null} */ where) => (where === null ? [] : [{ kind: "file", operation, path: where, real: null, ok, error }]);
  switch (name) {
    case "chdir": {
      const where = path(0);
      if (ok && where !== null) self.cwd = where;
      return null;
    }
    case "fchdir": {
      const where = /<((?:[^<>\\]|\\.)*)>/.exec(args[0] ?? "")?.[1];
      if (ok && where !== undefined) self.cwd = where;
      return null;
    }
    case "execve": {
      const where = path(0);
      const argv = listOf(args[1] ?? "");
      if (where === null) return null;
      return [{ kind: "exec", program: where.split("/").pop() ?? "", path: where, argv, ok }];
    }
    case "open":
    case "creat":
    case "openat":
    case "openat2": {
      const where = name === "open" || name === "creat" ? path(0) : at(0);
      const flags = name === "creat" ? "O_WRONLY|O_CREAT|O_TRUNC" : name === "open" ? (args[1] ?? "") : (args[2] ?? "");
      if (where === null || /O_PATH/.test(flags)) return [];
      const real = /<((?:[^<>\\]|\\.)*)>/.exec(result)?.[1] ?? null;
      const writes = /O_WRONLY|O_RDWR|O_TRUNC|O_CREAT|O_TMPFILE/.test(flags);
      // A file without a name is nobody's.
      if (/O_TMPFILE/.test(flags) || where === null) return [];
      const folder = /O_DIRECTORY/.test(flags) || textOf((name === "openat" || name === "openat2" ? args[1] : args[0]) ?? "") === ".";
      // `made`: by this very call, since it would have failed had there been anything.
      const made = /O_EXCL/.test(flags) && ok;
      return [{ kind: "file", operation: writes ? "write" : "read", path: where, real: real !== null && real.startsWith("/") ? unescape(real) : null, ok, error, ...(folder ? { folder } : {}), ...(made ? { made } : {}) }];
    }
    case "unlink":
    case "rmdir":
      return file("delete", path(0));
    case "unlinkat":
      return file("delete", at(0));
    case "mkdir":
    case "mknod":
      return file("create", path(0));
    case "mkdirat":
    case "mknodat":
      return file("create", at(0));
    case "rename":
      return [...file("delete", path(0)), ...file("write", path(1))];
    case "renameat":
    case "renameat2":
      return [...file("delete", at(0)), ...file("write", at(2))];
    case "link":
      return [...file("read", path(0)), ...file("create", path(1))];
    case "linkat":
      return [...file("read", at(0)), ...file("create", at(2))];
    case "symlink":
      return file("create", path(1));
    case "symlinkat":
      return file("create", at(1));
    case "chmod":
    case "chown":
    case "lchown":
    case "utime":
    case "utimes":
    case "setxattr":
    case "lsetxattr":
    case "removexattr":
      return file("metadata", path(0));
    case "fchmodat":
    case "fchownat":
      return file("metadata", at(0));
    case "utimensat":
    case "futimesat":
      return args[1] === "NULL" ? fromDescriptor(args[0] ?? "", "metadata", ok) : file("metadata", at(0));
    case "fchmod":
    case "fchown":
      return fromDescriptor(args[0] ?? "", "metadata", ok);
    case "truncate":
      return file("write", path(0));
    case "socket":
      return /^AF_PACKET$/.test(args[0] ?? "") ? [{ kind: "connect", to: "packet" }] : null;
    case "connect":
    case "sendto":
    case "sendmsg":
    case "sendmmsg":
      return address(args.join(", "));
    case "bind":
      // A socket at any address of this machine waits, and reaches for nobody.
      return /inet_addr\("0\.0\.0\.0"\)|inet_pton\(AF_INET6, "::"/.test(args.join(", ")) ? [] : address(args.join(", "));
    default:
      return null;
  }
}

function fromDescriptor(arg, operation, ok) {
  const where = /<(\/(?:[^<>\\]|\\.)*)>/.exec(arg)?.[1];
  return where === undefined ? [] : [{ kind: "file", operation, path: unescape(where), real: null, ok }];
}

function address(text) {
  const inet = /inet_addr\("([^"]+)"\)|inet_pton\(AF_INET6, "([^"]+)"/.exec(text);
  if (inet !== null) return [{ kind: "connect", to: inet[1] ?? inet[2] ?? "?" }];
  const unix = /sa_family=AF_UNIX, sun_path=@?"([^"]+)"/.exec(text);
  return unix === null ? [] : [{ kind: "connect", to: `unix:${unix[1] ?? ""}` }];
}

/** Splits a call's arguments at the commas that separate them. */
function splitArguments(text) {
  const out = [];
  let depth = 0;
  let start = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i += 1) {
    const c = text[i];
    if (c === "\\") i += 1;
    else if (c === '"') quoted = !quoted;
    else if (quoted) continue;
    else if (c === "[" || c === "{" || c === "(" || c === "<") depth += 1;
    else if (c === "]" || c === "}" || c === ")" || c === ">") depth -= 1;
    else if (c === "," && depth === 0) {
      out.push(text.slice(start, i).trim());
      start = i + 1;
    }
  }
  out.push(text.slice(start).trim());
  return out;
}

function textOf(arg) {
  const match = /^"((?:[^"\\]|\\.)*)"/s.exec(arg);
  return match === null ? null : unescape(match[1] ?? "");
}

function listOf(arg) {
  return [...arg.matchAll(/"((?:[^"\\]|\\.)*)"/gs)].map((match) => unescape(match[1] ?? ""));
}

const NAMED = { n: "\n", t: "\t", r: "\r", v: "\v", f: "\f", a: "\x07", b: "\b", "\\": "\\", '"': '"' };

/** strace's escapes are bytes; together they are UTF-8. */
function unescape(text) {
  if (!text.includes("\\")) return text;
  const bytes = [];
  const encoder = new TextEncoder();
  for (let i = 0; i < text.length; i += 1) {
    const c = text[i] ?? "";
    if (c !== "\\") {
      bytes.push(...encoder.encode(c));
      continue;
    }
    const octal = /^[0-7]{1,3}/.exec(text.slice(i + 1, i + 4))?.[0];
    const hex = /^x([0-9a-f]{2})/.exec(text.slice(i + 1, i + 4))?.[1];
    if (octal !== undefined) {
      bytes.push(parseInt(octal, 8));
      i += octal.length;
    } else if (hex !== undefined) {
      bytes.push(parseInt(hex, 16));
      i += 3;
    } else {
      bytes.push(...encoder.encode(NAMED[text[i + 1] ?? ""] ?? text[i + 1] ?? ""));
      i += 1;
    }
  }
  return new TextDecoder().decode(Uint8Array.from(bytes));
}

/** A path as the kernel would take it, by its text alone. */
function resolve(path, cwd) {
  if (path === null || path === "") return null;
  const out = [];
  for (const part of (path.startsWith("/") ? path : `${cwd}/${path}`).split("/")) {
    if (part === "" || part === ".") continue;
    if (part === "..") out.pop();
    else out.push(part);
  }
  return `/${out.join("/")}`;
}
