// What inline code of an interpreter says in plain literals: shell text it runs, files it deletes or writes. Everything else in it
// stays unknown code; nothing found here takes the place of that.

import { baseName, normalisePath } from "../../action/paths.js";
import { touch } from "../files.js";
import { connectTo, hostOf } from "../net.js";
import { runShellText } from "../roles.js";
import type { Call } from "../run.js";
import { exact, globbed } from "../value.js";

/** Longest code looked at, and most calls taken from it. */
const MAX_CODE = 20_000;
const MAX_CALLS = 40;

/** A literal without escapes or interpolation: `'…'`, `"…"` or a template without `${`. */
const LITERAL = /^\s*(?:(?:pathlib\.)?Path\(\s*)?(?:[rbuRBU]{0,2})(?:'([^'\\\n]{1,1000})'|"([^"\\\n]{1,1000})"|`([^`\\$]{1,1000})`)/;

/** Functions whose first argument is shell text. */
const SHELL = /(?:\bos\.(?:system|popen|execute)|\b__import__\(['"]os['"]\)\.(?:system|popen)|\bio\.popen|\bsubprocess\.(?:run|call|check_call|check_output|Popen|getoutput|getstatusoutput)|\b(?:child_process\.)?(?:exec|execSync|spawnSync|spawn)|\b(?:shell_exec|passthru|proc_open|popen|system|Kernel\.system))\s*\(/g;
/** The same without brackets, as Perl and Ruby allow. */
const BARE_SHELL = /(?:^|[;{(]|\bdo\b)\s*(?:system|exec)\s+(?=['"])/gm;
/** Functions that delete what their first argument names: the whole tree, or one name. */
const DELETE_TREE = /(?:\bshutil\.rmtree|\bFileUtils\.(?:rm_rf|rm_r|remove_dir|remove_entry)|\bremove_tree|\brmtree)\s*[( ]/g;
const DELETE_NODE = /\b(?:fs\.)?(?:promises\.)?(?:rmSync|rmdirSync|rm)\s*\(/g;
const DELETE_ONE = /(?:\bos\.(?:remove|unlink|rmdir|removedirs)|\b(?:File|Dir)\.(?:delete|unlink|rmdir)|\b(?:fs\.)?(?:promises\.)?unlink(?:Sync)?|\bunlink)\s*[( ]/g;
/** Perl and PHP delete what a glob means. */
const DELETE_GLOB = /\bunlink['"]?\s*(?:,|\(|\bfor(?:each)?\b)?\s*\(?\s*glob\s*\(?/g;
const DELETE_ANGLES = /\bunlink\s*\(?\s*<([^>\n$]{1,500})>/g;
/** A file object that deletes itself: Groovy, Kotlin, Ruby. */
const DELETE_SELF = /\b(?:File|Pathname)(?:\.new)?\(\s*(['"])([^'"\\\n]{1,1000})\1\s*\)\.(deleteDir|deleteRecursively|rmtree|delete|unlink)\b/g;
const PATH_METHOD = /\bPath\(\s*(?:'([^'\\\n]{1,1000})'|"([^"\\\n]{1,1000})")\s*\)\.(unlink|rmdir|write_text|write_bytes|touch)\b/g;
const WRITE = /(?:\b(?:fs\.)?(?:promises\.)?(?:writeFileSync|appendFileSync|writeFile|appendFile|createWriteStream|file_put_contents|truncateSync)|\b(?:File|IO)\.(?:write|binwrite)|\bFileUtils\.touch)\s*\(?\s*(?=['"`])/g;
/** Functions that put what their first argument names where the second says. */
const TRANSFER = /\b(?:os\.(?:rename|renames|replace|link|symlink)|shutil\.(?:copy|copy2|copyfile|copytree|move)|(?:fs\.)?(?:promises\.)?(?:renameSync|copyFileSync|copyFile|cpSync|symlinkSync|linkSync)|File\.(?:rename|link|symlink)|FileUtils\.(?:cp|cp_r|copy|mv|move|ln|ln_s|install))\s*\(?\s*(?=['"`])/g;
/** Perl opens a file by a sign in front of its name, and a program by a bar. */
const PERL_OPEN = /\bopen\s*\(?\s*(?:my\s+)?[$\w]+\s*,\s*['"]\s*(\+?>{1,2}|\+<|\||-\||\|-)\s*(?::\w+\s*)?(?:['"]\s*,\s*['"])?\s*([^'"\n]{1,1000}?)\s*['"]/g;
/** Functions that only read what their first argument names. */
const READ = /(?:\b(?:fs\.)?(?:promises\.)?(?:readFileSync|readFile|createReadStream)|\bFile\.(?:read|readlines|open|foreach)|\bIO\.read|\b(?:file_get_contents|readfile|fopen|file)|\bos\.(?:symlink|link)|\bio\.lines|\bshutil\.(?:copy|copy2|copyfile|copytree|move))\s*\(?\s*(?=['"`])/g;
const OPEN_TO_READ = /\bopen\s*\(\s*(?:'([^'\\\n]{1,1000})'|"([^"\\\n]{1,1000})")\s*(?:\)|,\s*(?!['"\s]))/g;
/** Files of the home folder, put together: what is done with them is not seen, so they count as read. */
const HOME_PATH = /\bexpand(?:user|_path)\s*\(\s*['"]~\/([^'"\n]{1,500})['"]/g;
const HOME_JOIN = /(?:\bPath\.home\(\)|\bos\.homedir\(\)|\bprocess\.env\.HOME|\bos\.environ\[['"]HOME['"]\]|\bENV\[['"]HOME['"]\]|\$ENV\{HOME\}|\bDir\.home)\s*[/+,.]\s*['"`]\/?([^'"`\n]{1,500})['"`](?:\s*[,/+]\s*['"`]\/?([^'"`\n]{1,500})['"`])?/g;
/** Ruby and Perl run what stands between backticks. */
const BACKTICKS = /`([^`\\$]{1,1000})`/g;
/** Ruby runs what stands in `%x(…)`. */
const PERCENT_X = /%x[([{<!|]([^)\]}>!|\n#]{1,1000})[)\]}>!|]/g;
const OPEN = /\bopen\s*\(\s*(?:'([^'\\\n]{1,1000})'|"([^"\\\n]{1,1000})")\s*,\s*['"]([rwaxbt+]{1,4})['"]/g;

/** Functions that unpack a member of an archive, or all of them into a folder. */
const UNPACK = /\.extract(?:all)?\s*\(\s*(?:path\s*=\s*)?(?=['"])/g;
/** Functions that connect to the URL they are given, and those that are given a host. */
const CONNECT_URL = /\b(?:urlopen|urlretrieve|fetch|curl_init|file_get_contents|fopen|getstore|WebSocket|got|URI(?:\.parse|\.open)?|(?:requests|httpx|axios|https?|session|client)(?:['"]\))?(?:\.(?:get|post|put|patch|delete|head|request|stream))?)\s*[( ]\s*(?=['"`](?:https?|wss?|ftp):\/\/)/g;
const CONNECT_HOST = /(?:\bcreate_connection\s*\(\s*\(|\.connect\s*\(\s*\(|\bHTTPS?Connection\s*\(|\b(?:net|tls)(?:['"]\))?\.(?:connect|createConnection)\s*\(\s*\d+\s*,|\bp?fsockopen\s*\(|\bstream_socket_client\s*\(|\bTCPSocket\.(?:new|open)\s*\(?|\bNet::HTTP\.(?:start|new|get)\s*\(|\bIO::Socket(?:::\w+)*->new\s*\(|\b(?:smtplib\.SMTP|ftplib\.FTP|telnetlib\.Telnet)(?:_SSL)?\s*\()\s*(?=['"])/g;

/** Adds the effects that literals in inline code tell. */
export function readInlineCode(call: Call, given: string): void {
  if (given.length > MAX_CODE) return;
  const code = withoutComments(given);
  let left = MAX_CALLS;
  const each = (form: RegExp, use: (literal: string, rest: string) => void): void => {
    for (const match of code.matchAll(form)) {
      const rest = code.slice(match.index + match[0].length);
      const found = literalOf(rest);
      if (found === null) continue;
      left -= 1;
      if (left < 0) return;
      use(found, rest);
    }
  };
  const begun = call.run.effects.length;
  each(SHELL, (text) => runShellText(call, exact(text)));
  each(BARE_SHELL, (text) => runShellText(call, exact(text)));
  for (const words of [...listCalls(code), ...wordCalls(code)]) {
    left -= 1;
    if (left >= 0) call.run.runWords(words.map(exact), call.state, { ...call.frame, depth: call.frame.depth + 1 }, call.from, "programs");
  }
  if (call.program.startsWith("ruby")) for (const match of code.matchAll(PERCENT_X)) if ((left -= 1) >= 0) runShellText(call, exact(match[1] ?? ""));
  if (/^(?:ruby|perl|php)/.test(call.program)) for (const match of code.matchAll(BACKTICKS)) if ((left -= 1) >= 0) runShellText(call, exact(match[1] ?? ""));
  each(READ, (path) => touch(call, "read", exact(path), false));
  for (const match of [...code.matchAll(HOME_PATH), ...code.matchAll(HOME_JOIN)].slice(0, MAX_CALLS)) touch(call, "read", exact([call.run.context.home, match[1], match[2]].filter((part) => part !== undefined).join("/")), false);
  for (const match of code.matchAll(OPEN_TO_READ)) touch(call, "read", exact(match[1] ?? match[2] ?? ""), false);
  each(UNPACK, (path) => touch(call, "write", exact(path), true));
  each(CONNECT_URL, (url) => connectTo(call, hostOf(url, true), url));
  each(CONNECT_HOST, (host) => connectTo(call, hostOf(host, true), host));
  for (const match of [...code.matchAll(DELETE_ANGLES)].slice(0, MAX_CALLS)) touch(call, "delete", globbed(match[1] ?? "", "", true), false);
  for (const match of [...code.matchAll(DELETE_SELF)].slice(0, MAX_CALLS)) touch(call, "delete", exact(match[2] ?? ""), /^(?:deleteDir|deleteRecursively|rmtree)$/.test(match[3] ?? ""));
  each(DELETE_GLOB, (glob) => touch(call, "delete", globbed(glob, "", true), false));
  each(DELETE_TREE, (path) => touch(call, "delete", exact(path), true));
  each(DELETE_NODE, (path, rest) => touch(call, "delete", exact(path), /^[^)]*recursive\s*[:=]\s*true/.test(rest)));
  each(DELETE_ONE, (path, rest) => touch(call, "delete", exact(path), /^[^)]*recursive\s*=\s*T/.test(rest)));
  each(WRITE, (path) => touch(call, "write", exact(path), false));
  each(TRANSFER, (_, rest) => {
    const target = literalOf(SECOND.exec(rest)?.[1] ?? "");
    if (target !== null) touch(call, "write", exact(target), false);
  });
  if (call.program.startsWith("perl")) {
    for (const [, sign = "", name = ""] of code.matchAll(PERL_OPEN)) {
      if ((left -= 1) < 0) break;
      if (sign.includes("|")) runShellText(call, exact(name));
      else touch(call, "write", exact(name), false);
    }
  }
  for (const match of code.matchAll(PATH_METHOD)) touch(call, match[3] === "unlink" || match[3] === "rmdir" ? "delete" : "write", exact(match[1] ?? match[2] ?? ""), false);
  for (const match of code.matchAll(OPEN)) touch(call, /[wax+]/.test(match[3] ?? "") ? "write" : "read", exact(match[1] ?? match[2] ?? ""), false);
  const joined = joinedPaths(code);
  for (const path of joined) touch(call, "read", exact(path), false);
  for (const path of WRITES.test(code) ? joined : []) touch(call, "write", exact(path), false);
  readPaths(call, code, begun);
}

/** Functions that start the program which their first literal names, with the literals behind it as its words. */
const STARTS = /\b(?:system|exec[lv]?[pe]{0,2}|execFile(?:Sync)?|spawn(?:Sync|[lv]p?e?)?|posix_spawnp?|popen2?|Popen|run|call|check_call|check_output|pcntl_exec|create_subprocess_exec)\s*(?:\(|(?=["']))\s*(?:os\.P_\w+\s*,\s*)?/g;
/** The same with Perl's list of bare words. */
const BARE_WORDS = /\b(?:system|exec)\s*\(?\s*qw\s*(?:\(([^)\n]{1,1000})\)|\[([^\]\n]{1,1000})\]|\{([^}\n]{1,1000})\}|\/([^/\n]{1,1000})\/)/g;
const NEXT_WORD = /^[\s,[(]*(?:'([^'\\\n]{0,1000})'|"([^"\\\n$]{0,1000})")/;
const MAX_WORDS = 30;
/** How far behind a call its arguments are looked for, in characters. */
const ARGUMENT_CHARS = 4_000;

/** The literals that follow each other from a place on. @param next the next of them, from the beginning of a text on: in single quotes, or in double ones */
function literalsFrom(code: string, at: number, next: RegExp): readonly string[] {
  const out: string[] = [];
  let rest = code.slice(at, at + ARGUMENT_CHARS);
  for (let found = next.exec(rest); found !== null && out.length < MAX_WORDS; found = next.exec(rest)) {
    out.push(found[1] ?? found[2] ?? "");
    rest = rest.slice(found[0].length);
  }
  return out;
}

/** Calls whose arguments are literal words, two at least. */
function wordCalls(code: string): readonly (readonly string[])[] {
  const out: (readonly string[])[] = [...code.matchAll(BARE_WORDS)].slice(0, MAX_CALLS).map((match) => match.slice(1).join("").trim().split(/\s+/));
  for (const match of [...code.matchAll(STARTS)].slice(0, MAX_CALLS)) {
    const words = literalsFrom(code, match.index + match[0].length, NEXT_WORD);
    const [program = "", second = ""] = words;
    // What takes the program and its name apart is given that name twice.
    if (words.length > 1 && /^[\w./+-]+$/.test(program)) out.push(second === program || second === baseName(program) ? [program, ...words.slice(2)] : words);
  }
  return out;
}

const WRITES = /\b(?:write_text|write_bytes|writeFile(?:Sync)?|appendFile(?:Sync)?|createWriteStream|file_put_contents|File\.write|copy(?:2|file|tree)?|move|symlink(?:_to)?|touch)\b|\bopen\s*\([^)]{0,300}['"][rbt]?[wax+]/;
/** Paths that are put together of literals. */
const JOINED = /\b(?:path\.join|File\.join|posixpath\.join)\s*\(|\bPath\s*\(/g;
const NEXT_PART = /^\s*[,/)]?\s*[,/)]?\s*(?:'([^'\\\n]{1,300})'|"([^"\\\n$]{1,300})")/;

function joinedPaths(code: string): readonly string[] {
  const out: string[] = [];
  for (const match of [...code.matchAll(JOINED)].slice(0, MAX_CALLS)) {
    const parts = literalsFrom(code, match.index + match[0].length, NEXT_PART);
    if (parts.length > 1) out.push(parts.join("/"));
  }
  return out;
}

/** Literals that are paths: with a slash, or a name that begins with a dot. */
const PATHS = /(?<![\w\\])(['"`])((?:~?\/|\.{1,2}\/|\.(?=[A-Za-z])|[\w@+-][\w.@+-]{0,100}\/)[\w.@+*?-][\w.@+/*?-]{0,300})\1/g;
/** Most of them that count. */
const MAX_PATHS = 60;

/** A path that stands in code is there to be used: where nothing since the effect `begun` tells for what, it counts as read. */
export function readPaths(call: Call, code: string, begun: number): void {
  const told = new Set(call.run.effects.slice(begun).flatMap((effect) => (effect.kind === "file" ? [effect.path] : [])));
  for (const match of [...code.matchAll(PATHS)].slice(0, MAX_PATHS)) {
    const path = match[2] ?? "";
    const full = path.startsWith("~/") ? call.run.context.home + path.slice(1) : path;
    if (told.has(normalisePath(full, call.state.cwds?.[0] ?? "/") ?? "")) continue;
    touch(call, "read", /[*?]/.test(full) ? globbed(full, "", true) : exact(full), false);
  }
}

/** Lines that are nothing but a comment say what code once did, or must not do. */
function withoutComments(code: string): string {
  return code.replace(/^[ \t]*(?:#|\/\/).*$/gm, "");
}

/** What stands behind a first literal and a comma. */
const SECOND = /^\s*(?:'[^'\\\n]{1,1000}'|"[^"\\\n]{1,1000}"|`[^`\\$]{1,1000}`)\s*,(.{1,1100})/;

function literalOf(rest: string): string | null {
  const found = LITERAL.exec(rest);
  return found === null ? null : (found[1] ?? found[2] ?? found[3] ?? null);
}

const LIST = /\b(?:subprocess\.(?:run|call|check_call|check_output|Popen)|os\.execvp?|execFileSync|execFile)\s*\(\s*\[([^\]\n]{1,2000})\]/g;
const WORD = /^\s*(?:'([^'\\]*)'|"([^"\\]*)")\s*(?:,|$)/;

/** Calls whose first argument is a list of literal words. */
function listCalls(code: string): readonly (readonly string[])[] {
  return [...code.matchAll(LIST)].slice(0, MAX_CALLS).flatMap((match) => {
    const words: string[] = [];
    let rest = match[1] ?? "";
    while (rest.trim() !== "") {
      const word = WORD.exec(rest);
      if (word === null) return [];
      words.push(word[1] ?? word[2] ?? "");
      rest = rest.slice(word[0].length);
    }
    return words.length === 0 ? [] : [words];
  });
}
