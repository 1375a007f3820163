// Programs on files whose words have a shape of their own: `tar`, `dd`, `make`, editors, container engines.

import { asksHelp, asksVersion } from "../asks.js";
import { parseArguments } from "../arguments.js";
import { touch } from "../files.js";
import { compile } from "../model.js";
import { touchListed } from "../lists.js";
import { connectRemote, isRemote } from "../net.js";
import { applyArguments, applyRole, inFolder, runShellText, runsCode } from "../roles.js";
import { addEffect, addOpaque, excerpt, UNKNOWN_OUTPUT, type Call, type Output } from "../run.js";
import { lineOrders, ORDERS_READ, runRecipes } from "./carried.js";
import { touchPatched, undoWork } from "./patch-text.js";
import { dropPrefix, exact, globbed, UNKNOWN, type Field } from "../value.js";
import { noteCopy, noteText, writtenText } from "../written.js";

const TAR = compile(
  "t*",
  "-f:t --file:t -C:t --directory:t --one-top-level?:t -I:s --use-compress-program:s --to-command:s --checkpoint-action:t --checkpoint?:t -F:s --info-script:s --new-volume-script:s --rsh-command:s --rmt-command:s -T:r --files-from:r -X:r --exclude-from:r --exclude:t -g:w --listed-incremental:w --index-file:w -b:t -L:t --tape-length:t -H:t --format:t -V:t --label:t --owner:t --group:t --mode:t --mtime:t -N:t --newer:t --newer-mtime:t --strip-components:t --transform:t --xform:t -K:t --starting-file:t --suffix:t --volno-file:w --warning:t --sort:t --pax-option:t --quoting-style:t --hole-detection:t -c!make --create!make -x!extract --extract!extract --get!extract -t!list --list!list -r!append --append!append -u!append --update!append -A!append --catenate!append --concatenate!append -d!list --diff!list --compare!list --delete!append -O!stdout --to-stdout!stdout -P!absolute --absolute-names!absolute --remove-files!remove",
  "",
);

/** `tar`, also in its old form without dashes (`tar xzf a.tar`). */
export function runTar(call: Call): Output {
  const words = call.words.slice(1);
  const [first] = words;
  const old = first?.text != null && /^[A-Za-z]+$/.test(first.text) && /[cxturAd]/.test(first.text);
  const parsed = parseArguments(old ? oldForm(first.text ?? "", words.slice(1)) : words, TAR);
  if (old || !parsed.uncertain) applyArguments(call, TAR, parsed);
  else addOpaque(call.run, "a word of `tar` may be any option", call.from);
  const { marks } = parsed;
  const archive = valueOf(parsed.options, "-f", "--file");
  const folder = valueOf(parsed.options, "-C", "--directory");
  for (const option of parsed.options) if (option.name === "--checkpoint-action" && option.value !== null) checkpoint(call, option.value);
  if (archive !== null && archive.text !== "-") {
    if (isRemote(archive)) connectRemote(call, archive);
    else touch(call, marks.has("make") || marks.has("append") ? "write" : "read", archive, false);
  }
  const place = folder === null ? call : inFolder(call, folder);
  if (marks.has("extract") && !marks.has("stdout")) {
    const top = valueOf(parsed.options, "--one-top-level");
    const there = top === null || top.text === "" ? place : inFolder(place, top);
    touch(there, "create", exact("."), true);
    if (!parsed.options.some(({ name }) => RENAMES.has(name))) touchMembers(there, parsed.operands, parsed.options.some(({ name }) => name === "--wildcards"));
    if (marks.has("absolute")) addOpaque(call.run, "`tar -P` writes wherever the archive says", call.from);
  } else if (marks.has("make") || marks.has("append")) {
    for (const { name, value } of parsed.options) if (name === "-T") touchListed(place, value, true);
    for (const operand of parsed.operands) {
      touch(place, "read", operand, true);
      if (marks.has("remove")) touch(place, "delete", operand, true);
    }
  }
  return UNKNOWN_OUTPUT;
}

/** Options by which members are unpacked under other names. */
const RENAMES = new Set(["--strip-components", "--transform", "--xform"]);

/** Members of an archive that are asked for by name, each a file or a folder. */
export function touchMembers(place: Call, members: readonly Field[], wildcards: boolean): void {
  for (const member of members) touch(place, "write", wildcards && member.text !== null && /[*?[]/.test(member.text) ? globbed(member.text.replaceAll("*", "**"), "", true) : member, true);
}

function checkpoint(call: Call, value: Field): void {
  if (!value.lead.startsWith("exec=")) {
    if (value.text === null) addOpaque(call.run, "a `tar` action that cannot be told", call.from);
    return;
  }
  runsCode(call, "inline", value.text?.slice(5) ?? null);
  runShellText(call, dropPrefix(value, "exec=") ?? value);
}

/** `xzf a.tar` is `-x -z -f a.tar`: each letter that needs one takes the next word. */
function oldForm(letters: string, words: readonly Field[]): readonly Field[] {
  const out: Field[] = [];
  let next = 0;
  for (const letter of letters) {
    out.push(exact(`-${letter}`));
    if (TAR.options.get(`-${letter}`)?.role != null && next < words.length) {
      const word = words[next];
      if (word !== undefined) out.push(word);
      next += 1;
    }
  }
  return [...out, ...words.slice(next)];
}

function valueOf(options: readonly { readonly name: string; readonly value: Field | null }[], ...names: readonly string[]): Field | null {
  return options.find((option) => names.includes(option.name))?.value ?? null;
}

/** `dd if=… of=…`. */
export function runDd(call: Call): Output {
  const [from, to] = ["if=", "of="].map((name) => call.words.map((word) => dropPrefix(word, name)).find((word) => word !== null) ?? null);
  if (from != null && to != null) noteCopy(call.state, from, to);
  for (const word of call.words.slice(1)) {
    const input = dropPrefix(word, "if=");
    const output = dropPrefix(word, "of=");
    if (input !== null) touch(call, "read", input, false);
    else if (output !== null) {
      touch(call, "write", output, false);
      if (call.frame.stdin.text !== null) noteText(call, output, call.frame.stdin.text);
    } else if (word.text === null && !word.lead.includes("=")) addOpaque(call.run, "a word of `dd` that cannot be told", call.from);
  }
  return UNKNOWN_OUTPUT;
}

const VIM = compile("t*", "-c:i --cmd:i -S:x -s:x -u:x -U:x -i:w -w:w -W:w -T:t -t:t -q:r -r:t --remote-send:t --servername:t --eval:i -eval:i -l:x --load:x -f:i --funcall:i --script:x --batch", "");

/** `:w file`, `:saveas file` among an editor's commands. */
function saved(call: Call, { text }: Field): void {
  for (const part of text?.split(/[|\n]/) ?? []) {
    const file = /^[\s:]*(?:\d*,?\d*|%)\s*(?:w(?:r(?:i(?:te?)?)?)?|wq|sav(?:e(?:as?)?)?|up(?:date)?|xit)!?\s+(?:>>\s*)?([^\s!>][^\s]*)\s*$/.exec(part)?.[1];
    if (file !== undefined) touch(call, "write", exact(file), false);
    const read = ORDERS_READ.exec(part)?.[1];
    if (read !== undefined) touch(call, "read", exact(read), false);
  }
}

/** Editors: their files are read and written, their command options are code. */
export function runVim(call: Call): Output {
  // In ex mode `-s` is silence and takes no file.
  const isEx = call.program === "ex" || call.words.some(({ text }) => text !== null && /^-[eE]s?$/.test(text));
  const parsed = parseArguments(call.words.slice(1).filter(({ text }) => !(isEx && (text === "-s" || text === "-es" || text === "-Es"))), VIM);
  applyArguments(call, VIM, { ...parsed, uncertain: false });
  for (const { name, value } of parsed.options) if ((name === "-c" || name === "--cmd") && value !== null) saved(call, value);
  for (const file of parsed.operands) {
    if (file.lead.startsWith("+")) saved(call, dropPrefix(file, "+") ?? file);
    if (file.lead.startsWith("+")) applyRole(call, "i", dropPrefix(file, "+") ?? file, false);
    else {
      touch(call, "read", file, false);
      touch(call, "write", file, false);
    }
  }
  if (isEx) lineOrders(call);
  const { stdin } = call.frame;
  if (stdin.text !== null || stdin.upstream.length > 0) runsCode(call, stdin.text === null ? "stdin" : "inline", stdin.text);
  return UNKNOWN_OUTPUT;
}

/** Container engines reach the host: what they run is not judged here. */
export function runDocker(call: Call): Output {
  // Words behind an image or a pod are another program's, so help is asked for right behind the subcommand.
  if (asksVersion(call.words) || asksHelp(call.words, 1)) return UNKNOWN_OUTPUT;
  addEffect(call.run, { kind: "connect", host: null, url: null, by: call.program, from: excerpt(call.from) });
  runsCode(call, "program", null);
  return UNKNOWN_OUTPUT;
}

const MAKE = compile("t*", "-f:r --file:r --makefile:r -C:p --directory:p -I:t --include-dir:t -j?:t --jobs?:t -l?:t -o:t -W:t --eval:t!eval -E:t!eval -n -s -k -B -O?:t", "");

/** `make`: runs the project; `--eval` and `SHELL=` bring their own code. */
export function runMake(call: Call): Output {
  const parsed = parseArguments(call.words.slice(1), MAKE);
  applyArguments(call, MAKE, { ...parsed, uncertain: false });
  runsCode(call, "project", null);
  for (const option of parsed.options) if (option.name === "--eval" || option.name === "-E") {
    runsCode(call, "inline", option.value?.text ?? null);
    if (option.value?.text != null) runRecipes(call, option.value.text);
  }
  // Of the makefiles only one that this very text brings: others have targets that are not asked for.
  const files = parsed.options.flatMap(({ name, value }) => (/^(?:-f|--file|--makefile)$/.test(name) && value?.text != null ? [value.text] : []));
  for (const file of files.length > 0 ? files : ["Makefile", "makefile", "GNUmakefile"]) {
    const text = file === "-" || file === "/dev/stdin" ? call.frame.stdin.text : writtenText(call, exact(file));
    if (text !== null) runRecipes(call, text);
  }
  for (const word of parsed.operands) if (/^(?:SHELL|\.SHELLFLAGS|CC|CXX|MAKEFLAGS)=/.test(word.lead)) {
    runsCode(call, "inline", word.text);
    const value = /^[^=]+=(.+)$/s.exec(word.text ?? "")?.[1];
    if (value !== undefined && !word.lead.startsWith("MAKEFLAGS")) runShellText(call, exact(value));
  }
  return UNKNOWN_OUTPUT;
}

const JQ = compile("t*", "-f:r!file --from-file:r!file -L:R --indent:t --arg:t --argjson:t --tab --args!args --jsonargs!args --seq --stream", "");
const TWO = new Set(["--arg", "--argjson"]);
const TWO_FILE = new Set(["--slurpfile", "--rawfile", "--argfile"]);

/** `jq filter files`. */
export function runJq(call: Call): Output {
  const words: Field[] = [];
  const rest = call.words.slice(1);
  for (let i = 0; i < rest.length; i += 1) {
    const word = rest[i];
    if (word === undefined) break;
    if (word.text !== null && TWO.has(word.text)) i += 2;
    else if (word.text !== null && TWO_FILE.has(word.text)) {
      const file = rest[i + 2];
      if (file !== undefined) touch(call, "read", file, false);
      i += 2;
    } else words.push(word);
  }
  const parsed = parseArguments(words, JQ);
  applyArguments(call, JQ, parsed);
  if (parsed.marks.has("args")) return UNKNOWN_OUTPUT;
  for (const file of parsed.marks.has("file") ? parsed.operands : parsed.operands.slice(1)) touch(call, "read", file, false);
  return UNKNOWN_OUTPUT;
}

/** `kill` as a program. */
export function runKill(): Output {
  return UNKNOWN_OUTPUT;
}

const PATCH = compile("w r", "-i:r --input:r -o:w --output:w -r:w --reject-file:w -d:p --directory:p -p?:t --strip:t -B:t --prefix:t -D:t --ifdef:t -F:t --fuzz:t -V:t -Y:t -z:t --suffix:t -g:t --get:t --dry-run!dry", "");

/** `patch`: without a named file it writes wherever the patch says. */
export function runPatch(call: Call): Output {
  const parsed = parseArguments(call.words.slice(1), PATCH);
  applyArguments(call, PATCH, parsed);
  const folder = valueOf(parsed.options, "-d", "--directory");
  if (parsed.marks.has("dry")) return UNKNOWN_OUTPUT;
  const place = folder === null ? call : inFolder(call, folder);
  if (parsed.operands.length > 0) return UNKNOWN_OUTPUT;
  touch(place, "write", exact("."), true);
  const strip = valueOf(parsed.options, "-p", "--strip")?.text ?? null;
  const input = valueOf(parsed.options, "-i", "--input");
  const reverse = parsed.options.some(({ name }) => name === "-R" || name === "--reverse");
  if (reverse && input === null) undoWork(place);
  touchPatched(call, place, input === null ? [] : [input], strip === null || !/^\d+$/.test(strip) ? null : Number(strip), reverse);
  return UNKNOWN_OUTPUT;
}

const UNZIP = compile("r t*", "-d:C -P:t -x!rest -l!dry -p!dry -t!dry -Z!dry -v!dry", "");

/** `unzip`: writes below the working directory unless `-d` says otherwise. */
export function runUnzip(call: Call): Output {
  const parsed = parseArguments(call.words.slice(1), UNZIP);
  applyArguments(call, UNZIP, parsed);
  if (parsed.marks.has("dry")) return UNKNOWN_OUTPUT;
  const folder = valueOf(parsed.options, "-d");
  if (folder === null) touch(call, "create", exact("."), true);
  const members = parsed.operands.slice(1);
  if (!parsed.marks.has("rest")) touchMembers(folder === null ? call : inFolder(call, folder), members, true);
  return UNKNOWN_OUTPUT;
}

const CPIO = compile("t*", "-i!extract --extract!extract -o!make --create!make -p!pass --pass-through!pass -t!list --list!list -F:r --file:r -I:r -O:w -D:p --directory:p -E:r --pattern-file:r -H:t --format:t -C:t --io-size:t -R:t --owner:t -M:t --message:t --rsh-command:s -d -m -u -v", "");

/** `cpio`: unpacks below where it stands, packs the names it reads, or copies them into a folder. */
export function runCpio(call: Call): Output {
  const parsed = parseArguments(call.words.slice(1), CPIO);
  applyArguments(call, CPIO, { ...parsed, uncertain: false });
  const { marks } = parsed;
  const folder = valueOf(parsed.options, "-D", "--directory");
  const place = folder === null ? call : inFolder(call, folder);
  const archive = valueOf(parsed.options, "-F", "--file");
  if (archive !== null && marks.has("make")) touch(call, "write", archive, false);
  if (marks.has("extract") && !marks.has("list")) {
    touch(place, "create", exact("."), true);
    touchMembers(place, parsed.operands, true);
  }
  if (marks.has("make") || marks.has("pass")) {
    touch(place, "read", UNKNOWN, true);
    touchListed(place, null, false);
  }
  // The time of the last look is set back.
  if (marks.has("make") || marks.has("pass")) if (parsed.options.some(({ name }) => name === "-a" || name === "--reset-access-time")) touch(place, "metadata", globbed("**", "", true), true);
  if (marks.has("pass")) for (const target of parsed.operands) touch(place, "write", target, true);
  return UNKNOWN_OUTPUT;
}

/** `ar x a.a member`, `jar xf a.jar member`: letters first, then what each needs. */
export function runJar(call: Call): Output {
  const [letters, archive, ...members] = call.words.slice(1);
  const unpacks = letters?.text != null && /^-?[a-z]*x/.test(letters.text);
  if (archive !== undefined) touch(call, unpacks || /^-?[a-z]*[tp]/.test(letters?.text ?? "") ? "read" : "write", archive, false);
  if (unpacks) {
    touch(call, "create", exact("."), true);
    touchMembers(call, members, false);
  } else for (const member of members) touch(call, "read", member, true);
  return UNKNOWN_OUTPUT;
}

const PAGER = compile("t*", "-o:w -O:w --log-file:w --LOG-FILE:w -k:r -T:r -t:t -p:t -x:t -y:t -b:t -D:t -j:t -P:t -z:t -h:t", "");

/** `less [+command] files`: a first command of `!text` runs it. */
export function runPager(call: Call): Output {
  const parsed = parseArguments(call.words.slice(1), PAGER);
  applyArguments(call, PAGER, parsed);
  for (const word of parsed.operands) {
    const shell = /^\+{1,2}[!|#]/.exec(word.lead);
    if (shell !== null) runShellText(call, dropPrefix(word, shell[0]) ?? word);
    else if (!word.lead.startsWith("+") && word.text !== "-") touch(call, "read", word, false);
  }
  return UNKNOWN_OUTPUT;
}
