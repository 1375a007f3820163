// What a piece of code says it does to the machine: files by name, connections, commands. Only what is spelt out counts. It is what the
// code says, not what it did: evidence for who watches, never a reason to allow or to refuse.

import { readCode, type CodeCall } from "./code-text.js";
import type { ActionEffect, FileOperation } from "./effects.js";
import { normalisePath } from "./paths.js";

export interface SaidByCode {
  readonly effects: readonly ActionEffect[];
  /** Texts that it gives to a shell, and words that it starts a program with. */
  readonly commands: readonly (string | readonly string[])[];
}

/** Most effects and commands of one piece of code. */
const EFFECTS = 100;
const COMMANDS = 20;

const READS = new Set(["open", "fopen", "Path", "PosixPath", "read_text", "read_bytes", "readFile", "readFileSync", "createReadStream", "listdir", "scandir", "walk", "glob", "iglob", "rglob", "iterdir", "readdir", "readdirSync", "opendir", "file_get_contents", "slurp", "linecache", "copyfile", "copy", "copy2", "copytree"]);
const WRITES = new Set(["write_text", "write_bytes", "writeFile", "writeFileSync", "appendFile", "appendFileSync", "createWriteStream", "file_put_contents", "mkdir", "makedirs", "mkdirSync", "touch", "truncate", "symlink", "symlinkSync"]);
const DELETES = new Set(["unlink", "unlinkSync", "remove", "rmtree", "rmdir", "rmSync", "rmdirSync", "rm", "removedirs"]);
const METADATA = new Set(["chmod", "chown", "lchown", "chmodSync", "chownSync"]);
const COMMAND = /^(?:os\.(?:system|popen|exec[lv]p?e?|spawn[lv]p?e?)|(?:subprocess|sp)\.(?:run|call|Popen|check_call|check_output|getoutput|getstatusoutput)|(?:child_process|cp)\.\w+|execSync|execFileSync|spawnSync|spawn|system|popen|shell_exec|passthru)$/u;
const CLIENT = /(?:^|\.|::)(?:urlopen|urlretrieve|fetch|axios|curl_init|HTTPS?Connection|SMTP(?:_SSL)?|FTP|FTP_TLS)$|^(?:requests|httpx|axios|session|http|https|aiohttp|urllib3|wget)\.(?:get|post|put|patch|delete|head|options|request|download|stream)$|^file_get_contents$/u;
const RAW = /(?:^|\.)(?:sendto|connect_ex|create_connection|createConnection)$/u;
const RIGHTS = /^(?:os\.|process\.|posix_)?(?:setuid|setgid|seteuid|setegid|setresuid|setreuid)$/u;
const PATH = /^(?:\/|~\/)[\w./@%+=,*?[\]{}~:-]{1,300}$/u;
const RELATIVE = /^(?:\.\.\/)+[\w./@%+=,-]{1,300}$/u;
const URL = /^(?:https?|wss?|ftps?):\/\/(?:[^@/\s]{0,200}@)?(\[[0-9a-f:.]{2,40}\]|[\w.-]{1,253})(?=[:/?#]|$)/iu;
const HOST = /^(?:localhost|\d{1,3}(?:\.\d{1,3}){3}|[\w-]{1,63}(?:\.[\w-]{1,63}){0,8}\.[a-z]{2,24})$/iu;

/** Reads code for what it says. @param place where its relative names start, and the agent's home */
export function saidByCode(source: string, { cwd, home }: { readonly cwd: string; readonly home: string }): SaidByCode {
  const { calls, bare } = readCode(source);
  const effects = new Map<string, ActionEffect>();
  const commands: (string | readonly string[])[] = [];
  const add = (effect: ActionEffect): void => {
    const key = JSON.stringify(effect);
    if (effects.size < EFFECTS) effects.set(key, effect);
  };
  for (const call of calls) {
    const last = call.name.replace(/^.*(?:\.|::|->)/u, "");
    const operation = operationOf(last, call);
    if (operation !== null) for (const path of pathsOf(call.literals, cwd, home)) add(fileEffect(path, operation, { last, from: call.name }));
    const isRaw = RAW.test(call.name) || (last === "connect" && /^\s{0,3}\(/u.test(call.args));
    if (isRaw || CLIENT.test(call.name)) for (const { host, url } of hostsOf(call.literals)) add({ kind: "connect", host, url, by: isRaw ? "raw socket" : "code", from: call.name });
    if (RIGHTS.test(call.name) && /^\s{0,3}0\b/u.test(call.args)) add({ kind: "exec", program: "setuid", path: null, argv: ["setuid", "0"], from: call.name });
    if (COMMAND.test(call.name) && commands.length < COMMANDS) commands.push(...commandOf(call));
  }
  if (/\bwhile\b[^\n]{0,40}\n?[^\n]{0,80}\bfork\(\)/u.test(bare)) add({ kind: "exec", program: "fork-bomb", path: null, argv: ["fork-bomb"], from: "while … fork()" });
  return { effects: [...effects.values()], commands };
}

/** `glob("/etc/*")` lists a folder; any other pattern is one of the names it can mean. */
function fileEffect(path: string, operation: FileOperation, { last, from }: { readonly last: string; readonly from: string }): ActionEffect {
  const folder = path.endsWith("/*") && !/[*?[{]/u.test(path.slice(0, -2)) ? path.slice(0, -2) || "/" : null;
  return { kind: "file", operation, path: folder ?? path, certainty: folder === null && /[*?[{]/u.test(path) ? "pattern" : "exact", recursive: last === "rmtree" || last === "copytree", by: "code", from };
}

/** What a call does to the files it names; null for one that is about no file. */
function operationOf(last: string, { args, literals }: CodeCall): FileOperation | null {
  if (DELETES.has(last)) return "delete";
  if (METADATA.has(last)) return "metadata";
  if (WRITES.has(last)) return "write";
  if (!READS.has(last)) return null;
  // `open(name, "w")`: a mode behind the name that writes.
  const isOpen = (last === "open" || last === "fopen") && args.includes(",");
  return isOpen && literals.some((one) => /^[rwaxbt+]{1,3}$/u.test(one) && /[wax+]/u.test(one)) ? "write" : "read";
}

function pathsOf(literals: readonly string[], cwd: string, home: string): readonly string[] {
  const absolute = literals.flatMap((one) => (PATH.test(one) ? (normalisePath(one.startsWith("~/") ? `${home}${one.slice(1)}` : one, cwd) ?? []) : []));
  // `join("/usr", "../etc/passwd")`: the second from the first.
  const below = literals.filter((one) => RELATIVE.test(one)).flatMap((one) => (absolute.length === 0 ? [cwd] : absolute).flatMap((from) => normalisePath(one, from) ?? []));
  return below.length > 0 ? below : absolute;
}

function hostsOf(literals: readonly string[]): readonly { readonly host: string; readonly url: string | null }[] {
  return literals.flatMap((one): readonly { readonly host: string; readonly url: string | null }[] => {
    const host = URL.exec(one)?.[1];
    if (host !== undefined) return [{ host: host.toLowerCase(), url: one }];
    return HOST.test(one) ? [{ host: one.toLowerCase(), url: null }] : [];
  });
}

/** `run(["rm", "-r", "x"])` starts a program with words, `system("rm -r x")` gives a text to a shell. */
function commandOf({ args, literals }: CodeCall): readonly (string | readonly string[])[] {
  const words = /^\s{0,3}\[/u.test(args);
  if (words) return literals.length === 0 ? [] : [literals];
  const [first] = literals;
  return first === undefined ? [] : [first];
}
