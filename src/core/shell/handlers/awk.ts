// `awk`: a plain program only reads; one that can start commands, write files or open sockets runs code.

import { parseArguments } from "../arguments.js";
import { touch } from "../files.js";
import { connectTo } from "../net.js";
import { compile } from "../model.js";
import { applyArguments, runShellText, runsCode } from "../roles.js";
import { addOpaque, UNKNOWN_OUTPUT, type Call, type Output } from "../run.js";
import { scriptTextOf } from "../scripts.js";
import { exact } from "../value.js";
import { readPaths } from "./inline-code.js";

const AWK = compile("t*", "-F:t --field-separator:t -v:t --assign:t -f:x!file --file:x!file -i:x --include:x -l:x --load:x -e:t!inline --source:t!inline -E:x!file --exec:x!file -o?:w -p?:w -d?:w -L?:t -W:t -n -N -S -s", "stops");

/** `awk [options] program files`. */
export function runAwk(call: Call): Output {
  const parsed = parseArguments(call.words.slice(1), AWK);
  const inplace = parsed.options.some((option) => (option.name === "-i" || option.name === "--include") && option.value?.text === "inplace");
  applyArguments(call, AWK, { ...parsed, options: parsed.options.filter((option) => option.value?.text !== "inplace"), uncertain: false });
  const given = parsed.marks.has("file") || parsed.marks.has("inline");
  const program = given ? null : (parsed.operands[0] ?? null);
  if (program !== null && program.text === null) addOpaque(call.run, "an `awk` program that cannot be told", call.from);
  for (const text of [program, ...parsed.options.filter((option) => option.name === "-e" || option.name === "--source").map((option) => option.value)]) {
    if (text?.text != null && doesMore(text.text)) judge(call, text.text);
    else if (text !== null && text?.text === null && text !== program) addOpaque(call.run, "an `awk` program that cannot be told", call.from);
  }
  for (const option of parsed.options) {
    const text = option.value !== null && /^(?:-[fE]|--file|--exec)$/.test(option.name) ? scriptTextOf(call, option.value) : null;
    if (text !== null && doesMore(text)) judge(call, text);
  }
  for (const file of given ? parsed.operands : parsed.operands.slice(1)) {
    if (file.text === "-" || /^[A-Za-z_]\w*=/.test(file.lead)) continue;
    touch(call, "read", file, false);
    if (inplace) touch(call, "write", file, false);
  }
  return UNKNOWN_OUTPUT;
}

/** A command in plain literals: `system("…")`, `"…" | getline`, `print | "…"`. */
const COMMANDS = [/\bsystem\s*\(\s*"((?:[^"\\]|\\.)*)"\s*\)/g, /"((?:[^"\\]|\\.)*)"\s*\|&?\s*getline/g, /\|&?\s*"((?:[^"\\]|\\.)*)"/g];
const MAX_COMMANDS = 20;
/** A file name that `awk` takes for a connection. */
const SOCKET = /\/inet[46]?\/(?:tcp|udp)\/\w+\/([^/"\s]+)\/\w+/g;
const REDIRECT_TO_TEXT = />>?\s*"((?:[^"\\]|\\.)*)"/g;

/** A program that does more than print: code, and where a redirection names a file outright, that file. */
function judge(call: Call, text: string): void {
  runsCode(call, "inline", text);
  const begun = call.run.effects.length;
  const commands = COMMANDS.flatMap((form) => [...text.matchAll(form)]);
  if (commands.length > MAX_COMMANDS) addOpaque(call.run, "more commands in an `awk` program than are followed", call.from);
  for (const match of commands.slice(0, MAX_COMMANDS)) runShellText(call, exact((match[1] ?? "").replace(/\\(["\\/])/g, "$1")));
  for (const match of text.matchAll(SOCKET)) connectTo(call, (match[1] ?? "").toLowerCase(), match[0]);
  for (const match of text.matchAll(REDIRECT_TO_TEXT)) {
    const file = match[1] ?? "";
    if (file !== "" && !file.includes("\\")) touch(call, "write", exact(file), false);
  }
  readPaths(call, text, begun);
}

/** Tells whether an awk program can start a command, read or write another file, or open a socket. */
export function doesMore(text: string): boolean {
  const bare = stripQuiet(text);
  return text.includes("system") || text.includes("getline") || bare.includes("|") || bare.includes("/inet") || text.includes("/inet/") || bare.includes("@") || /\bprintf?\b[^;}\n]*>/.test(bare) || />>/.test(bare);
}

/** Removes string and pattern literals and `||`, in which none of these words count. */
function stripQuiet(text: string): string {
  const out: string[] = [];
  let last = "";
  let i = 0;
  while (i < text.length) {
    const c = text[i] ?? "";
    if (c === '"') {
      i += 1;
      while (i < text.length && text[i] !== '"') i += text[i] === "\\" ? 2 : 1;
      i += 1;
      out.push('""');
      last = '"';
    } else if (c === "/" && startsPattern(last)) {
      i += 1;
      while (i < text.length && text[i] !== "/" && text[i] !== "\n") i += text[i] === "\\" ? 2 : 1;
      i += 1;
      out.push("//");
      last = "/";
    } else if (c === "|" && text[i + 1] === "|") {
      out.push(" ");
      last = "|";
      i += 2;
    } else {
      out.push(c);
      if (c !== " " && c !== "\t" && c !== "\n") last = c;
      i += 1;
    }
  }
  return out.join("");
}

/** A slash is a pattern where an operand must begin. */
function startsPattern(last: string): boolean {
  return last === "" || "({},;!~&|=".includes(last);
}
