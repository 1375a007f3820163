// Programs that talk to other machines: `curl`, `wget`, `ssh`, `nc` and their like.

import { parseArguments } from "../arguments.js";
import { touch } from "../files.js";
import { compile } from "../model.js";
import { connectTo, hostOf } from "../net.js";
import { MODELS } from "../models/index.js";
import { CURL, SOCAT_RUNS, WGET } from "../models/network.js";
import { applyArguments, runShellText, runsCode } from "../roles.js";
import { addOpaque, UNKNOWN_OUTPUT, type Call, type Output } from "../run.js";
import { dropPrefix, exact, SOME_NAME, UNKNOWN, type Field } from "../value.js";

/** `curl` and `wget`: where they connect, what they send, what they write. */
export function runCurl(call: Call): Output {
  const model = call.program === "curl" ? CURL : WGET;
  const parsed = parseArguments(call.words.slice(1), model);
  applyArguments(call, model, parsed);
  const urls = [...parsed.operands, ...parsed.options.filter((option) => option.name === "--url").flatMap((option) => (option.value === null ? [] : [option.value]))];
  const named = parsed.options.some((option) => option.name === "-o" || option.name === "-O" && call.program === "wget" || option.name === "--output" || option.name === "--output-document");
  const saves = call.program === "wget" ? !named : parsed.marks.has("remote-name");
  const folder = parsed.options.find((option) => option.name === "-P" || option.name === "--directory-prefix" || option.name === "--output-dir")?.value ?? null;
  // A file of addresses: where they lead cannot be told.
  if (call.program === "wget" && parsed.options.some(({ name }) => name === "-i" || name === "--input-file")) {
    connectTo(call, null, null);
    touch(call, "write", folder ?? exact("."), true);
  }
  if (call.program === "curl" && urls.length === 0 && parsed.options.some(({ name }) => name === "-K" || name === "--config")) connectTo(call, null, null);
  if (saves) for (const url of urls) touch(call, "write", inside(folder, remoteName(url)), parsed.marks.has("tree"));
  return UNKNOWN_OUTPUT;
}

function inside(folder: Field | null, name: Field): Field {
  if (folder === null) return name;
  if (folder.text === null) return UNKNOWN;
  return name.text === null ? { text: null, glob: `${folder.text}/*`, lead: folder.text, many: false } : exact(`${folder.text}/${name.text}`);
}

/** The name a download is saved under: the last part of the URL, or the server's choice. */
function remoteName(url: Field): Field {
  const name = url.text?.replace(/[?#].*$/, "").split("/").slice(3).pop() ?? "";
  return name === "" ? (url.text === null ? SOME_NAME : exact("index.html")) : exact(name);
}

const SSH = compile("t*", "-b:t -B:t -c:t -D:t -e:t -E:w -F:r -i:r -I:t -J:t -l:t -L:t -m:t -O:t -o:t -p:t -P:t -Q:t -R:t -S:t -w:t -W:t", "stops");
const SFTP = compile("t*", "-b:r -B:t -c:t -D:s -F:r -i:r -J:t -l:t -o:t -P:t -R:t -S:x -s:t -X:t", "");

/** `ssh`: options may come on both sides of the host; the command runs elsewhere. */
export function runSsh(call: Call): Output {
  const model = call.program === "ssh" ? SSH : SFTP;
  let parsed = parseArguments(call.words.slice(1), model);
  applyArguments(call, model, parsed);
  settings(call, parsed.options);
  const [target, ...rest] = parsed.operands;
  if (target === undefined) return UNKNOWN_OUTPUT;
  const place = dropPrefix(target, target.lead.slice(0, target.lead.lastIndexOf("@") + 1)) ?? target;
  connectTo(call, place.text === null ? null : hostOf(place.text.replace(/^ssh:\/\//, ""), true), target.text);
  if (call.program === "ssh" && rest[0]?.lead.startsWith("-") === true) {
    parsed = parseArguments(rest, model);
    applyArguments(call, model, parsed);
    settings(call, parsed.options);
  }
  return UNKNOWN_OUTPUT;
}

/** `-o ProxyCommand=text` runs here. */
function settings(call: Call, options: readonly { readonly name: string; readonly value: Field | null }[]): void {
  for (const { name, value } of options) {
    if (name !== "-o" || value === null) continue;
    const match = /^\s*(proxycommand|localcommand|knownhostscommand|matchexec|pkcs11provider|securitykeyprovider)\s*[=\s]\s*/i.exec(value.lead);
    if (match === null) {
      if (value.text === null && !value.lead.includes("=")) addOpaque(call.run, "an `ssh` setting that cannot be told", call.from);
      continue;
    }
    const text = dropPrefix(value, match[0]) ?? UNKNOWN;
    if (text.text !== "none") runShellText(call, text);
  }
}

const NETCAT = compile("t*", "-e:s -c:s --exec:s --sh-exec:s -l!listens --listen!listens -p:t --source-port:t -s:t -w:t --wait:t -x:u --proxy:u -X:t -q:t -i:t -o:w --output:w -I:t -O:t -T:t -V:t -g:t -G:t -m:t --lua-exec:x --ssl-cert:r --ssl-key:r --allow:t --deny:t", "");

/** `nc`, `ncat`, `telnet`, `socat`. */
export function runNetcat(call: Call): Output {
  if (call.program === "socat") return runSocat(call);
  const parsed = parseArguments(call.words.slice(1), NETCAT);
  applyArguments(call, NETCAT, parsed);
  const [host] = parsed.operands;
  // Who listens reaches for nobody; who comes in may be given a shell.
  if (parsed.marks.has("listens") && !parsed.uncertain && !parsed.options.some(({ role }) => role === "s" || role === "x")) return UNKNOWN_OUTPUT;
  connectTo(call, parsed.marks.has("listens") || host?.text == null ? null : host.text.toLowerCase(), host?.text ?? null);
  return UNKNOWN_OUTPUT;
}

function runSocat(call: Call): Output {
  for (const word of call.words.slice(1)) {
    if (word.lead.startsWith("-") && word.text !== "-") continue;
    const text = word.text;
    if (text === null) {
      addOpaque(call.run, "a `socat` address that cannot be told", call.from);
      continue;
    }
    const colon = text.indexOf(":");
    const kind = (colon < 0 ? text : text.slice(0, colon)).toLowerCase();
    const rest = colon < 0 ? "" : text.slice(colon + 1);
    const main = rest.split(",", 1)[0] ?? "";
    if (SOCAT_RUNS.has(kind)) runShellText(call, exact(main));
    else if (/^(?:tcp|udp|sctp|openssl|ssl|ip|proxy|socks)/.test(kind)) {
      // Who listens reaches for nobody; who comes in may be given a program.
      const listens = /listen|recv|^(?:tcp|udp)[46]?-l/.test(kind);
      if (!listens || call.words.length !== 3 || call.words.some((word) => word.text === null || /exec|system|shell/i.test(word.text))) connectTo(call, listens ? null : (main.split(":", 1)[0]?.toLowerCase() ?? null), text);
    }
    else if (/^(?:file|open|gopen|create|pipe|unix)/.test(kind) || text.startsWith("/") || text.startsWith(".")) {
      touch(call, "read", exact(colon < 0 ? (text.split(",", 1)[0] ?? "") : main), false);
      touch(call, "write", exact(colon < 0 ? (text.split(",", 1)[0] ?? "") : main), false);
    } else if (kind !== "-" && kind !== "stdio" && kind !== "stdin" && kind !== "stdout" && kind !== "stderr" && kind !== "pty" && kind !== "fd") runsCode(call, "program", text);
  }
  return UNKNOWN_OUTPUT;
}

const DIG = compile("t*", "-b:t -c:t -f:r -k:r -p:t -q:t -t:t -x:t -y:t", "");

/** `dig [@server] name`: without a name it asks for the root. */
export function runDig(call: Call): Output {
  const parsed = parseArguments(call.words.slice(1), DIG);
  applyArguments(call, DIG, parsed);
  if (parsed.options.length > 0 && parsed.options.every((option) => option.name === "-v" || option.name === "-h")) return UNKNOWN_OUTPUT;
  const server = parsed.operands.find((word) => word.lead.startsWith("@"));
  // Neither an empty server nor an empty address is asked for.
  if (server?.text === "@" || parsed.options.some((option) => option.name === "-x" && option.value?.text === "")) return UNKNOWN_OUTPUT;
  const name = parsed.operands.find((word) => !/^[@+]/.test(word.lead));
  connectTo(call, server?.text == null ? null : server.text.slice(1).toLowerCase(), name?.text ?? null);
  return UNKNOWN_OUTPUT;
}

/** `whois`: of an address of mail no server is known, unless one is named. */
export function runWhois(call: Call): Output {
  const model = MODELS.get("whois");
  if (model === undefined) return UNKNOWN_OUTPUT;
  const parsed = parseArguments(call.words.slice(1), model);
  const isNamed = parsed.options.some(({ name }) => name === "-h" || name === "--host");
  applyArguments(call, model, isNamed ? parsed : { ...parsed, operands: parsed.operands.filter(({ text }) => text?.includes("@") !== true) });
  return UNKNOWN_OUTPUT;
}

/** A page that lies here: a path, or a name with an ending that no domain has. */
const PAGE = /^(?:\.{0,2}\/|[^:/?#]+\.(?:x?html?|txt)$)/i;

/** `lynx`, `w3m`, `links`: they show files as they show what is fetched. */
export function runBrowser(call: Call): Output {
  const model = MODELS.get(call.program);
  if (model === undefined) return UNKNOWN_OUTPUT;
  const parsed = parseArguments(call.words.slice(1), model);
  const isHere = ({ text }: Field): boolean => text !== null && PAGE.test(text);
  applyArguments(call, model, { ...parsed, operands: parsed.operands.filter((word) => !isHere(word)) });
  for (const word of parsed.operands) if (isHere(word)) touch(call, "read", word, false);
  return UNKNOWN_OUTPUT;
}

export const BROWSER_NAMES: readonly string[] = ["lynx", "w3m", "links", "links2", "elinks"];

/** `aria2c`: what has a scheme is fetched, anything else is a file that tells what to fetch. */
export function runAria(call: Call): Output {
  const model = MODELS.get("aria2c");
  if (model === undefined) return UNKNOWN_OUTPUT;
  const parsed = parseArguments(call.words.slice(1), model);
  const remote = (word: Field): boolean => word.text === null || /^[a-z][a-z0-9+.-]*:/i.test(word.text);
  applyArguments(call, model, { ...parsed, operands: parsed.operands.filter(remote) });
  for (const word of parsed.operands) if (!remote(word)) touch(call, "read", word, false);
  const listed = parsed.options.some((option) => option.name === "-i" || option.name === "--input-file" || option.name === "-T" || option.name === "--torrent-file" || option.name === "-M");
  if (listed || parsed.operands.some((word) => word.text !== null && /\.(?:torrent|metalink|meta4)$/.test(word.text))) connectTo(call, null, null);
  if (parsed.operands.length > 0) touch(call, "write", exact("."), true);
  return UNKNOWN_OUTPUT;
}

/** Options of `ping` that take a number. */
const COUNTS = new Set(["-c", "-i", "-w", "-W", "-s", "-t", "-l", "-S"]);

/** `ping`: with a word where a number must be it ends before it sends anything. */
export function runPing(call: Call): Output {
  const model = MODELS.get("ping");
  if (model === undefined) return UNKNOWN_OUTPUT;
  const parsed = parseArguments(call.words.slice(1), model);
  // The resolver is asked for no name that begins with a percent sign, and `ping` ends without an address.
  if (parsed.operands.some(({ text }) => text?.startsWith("%") === true)) return UNKNOWN_OUTPUT;
  if (parsed.options.some(({ name, value }) => COUNTS.has(name) && value?.text != null && !/^[-+]?[\d.]/.test(value.text))) return UNKNOWN_OUTPUT;
  applyArguments(call, model, parsed);
  return UNKNOWN_OUTPUT;
}
