// `git`: global options, configuration that makes git run things, and what each subcommand does to files and network.

import { baseName, isInside, joinPath, normalisePath } from "../../action/paths.js";
import { parseArguments, type Arguments } from "../arguments.js";
import { addEnvironment } from "../assign.js";
import { touch } from "../files.js";
import type { Model } from "../model.js";
import { lookUp } from "../lookup.js";
import { GIT_COMMANDS, GIT_GLOBAL, type GitCommand } from "../models/git.js";
import { addConnect, isRemote } from "../net.js";
import { RESTORES, touchPatched, undoWork } from "./patch-text.js";
import { applyArguments, inFolder, runShellText, runsCode } from "../roles.js";
import { addExec } from "../started.js";
import { addEffect, addOpaque, excerpt, kindOf, UNKNOWN_OUTPUT, type Call, type Output } from "../run.js";
import { beginning, dropPrefix, exact, UNKNOWN, type Field } from "../value.js";

/** Configuration that names a program git starts, or a file it takes more configuration from. */
const RUNS = /^(?:core\.(?:pager|editor|sshcommand|fsmonitor|hookspath|askpass|gitproxy|alternaterefscommand|worktree|attributesfile)|pager\..*|alias\..*|sequence\.editor|diff\.external|diff\..*\.(?:command|textconv)|merge\..*\.driver|mergetool\..*|difftool\..*|filter\..*|credential\..*|gpg\..*|include.*|url\..*|http\.proxy|remote\..*\.(?:uploadpack|receivepack|vcs)|uploadpack\..*|init\.templatedir|interactive\.difffilter|browser\..*|man\..*|web\..*|submodule\..*\.update|protocol\..*|ssh\..*|sendemail\..*|blame\..*|receive\..*|trailer\..*\.(?:command|cmd)|tar\..*\.command|commit\.template|log\.showsignature|safe\..*)$/i;

/** `git [global options] command …`. */
export function runGit(call: Call): Output {
  const parsed = parseArguments(call.words.slice(1), GIT_GLOBAL);
  let place: Call = call;
  for (const option of parsed.options) {
    const { name, value } = option;
    if (name === "-C" && value !== null) place = inFolder(place, value);
    else if ((name === "-c" || name === "--config-env") && value !== null) configure(call, value);
    else if (name === "--exec-path" && value !== null && value.text !== "") runsCode(call, "program", value.text);
    else if ((name === "--git-dir" || name === "--work-tree") && value !== null) {
      addEnvironment(call.run, name === "--git-dir" ? "GIT_DIR" : "GIT_WORK_TREE", value, call.from);
      if (name === "--work-tree") place = inFolder(place, value);
    }
  }
  const [verb, ...args] = parsed.operands;
  if (verb === undefined) return UNKNOWN_OUTPUT;
  if (verb.text === null || parsed.uncertain) {
    addOpaque(call.run, "which `git` command runs cannot be told", call.from);
    return UNKNOWN_OUTPUT;
  }
  return runVerb(place, verb.text, args);
}

function configure(call: Call, value: Field): void {
  const at = value.lead.indexOf("=");
  if (at < 0 && value.text === null) {
    addOpaque(call.run, "`git -c` with a name that cannot be told", call.from);
    return;
  }
  const name = at < 0 ? value.lead : value.lead.slice(0, at);
  const setting = at < 0 ? exact("true") : (dropPrefix(value, `${name}=`) ?? UNKNOWN);
  addEnvironment(call.run, `git ${name.toLowerCase()}`, setting, call.from);
  if (RUNS.test(name)) runSetting(call, name, setting);
}

function runSetting(call: Call, name: string, setting: Field): void {
  runsCode(call, "inline", setting.text);
  if (setting.text === null) return;
  if (/^alias\./i.test(name)) {
    if (setting.text.startsWith("!")) runShellText(call, exact(setting.text.slice(1)));
  } else if (/(?:pager|editor|command|textconv|external|driver|sshcommand|clean|smudge|process|helper|cmd)$/i.test(name)) {
    runShellText(call, exact(setting.text));
  }
}

function runVerb(call: Call, verb: string, args: readonly Field[]): Output {
  // Right behind a subcommand of git's own it shows the manual page, whatever follows.
  if (args[0]?.text === "--help" && (verb === "config" || GIT_COMMANDS.has(verb))) return UNKNOWN_OUTPUT;
  if (verb === "config") return runConfig(call, args);
  const known = GIT_COMMANDS.get(verb);
  if (known === undefined) {
    runsCode(call, "program", `git ${verb}`);
    return UNKNOWN_OUTPUT;
  }
  // `git stash push` and `git subtree push` are other commands: a rule about pushing names the program that git starts for it.
  if (verb === "push") addExec(call.run, "git-push", null, [exact("git-push"), ...args], call.from);
  const parsed = parseArguments(args, known.model);
  // A move takes nothing away: rules about deleting name git itself.
  applyArguments(verb === "mv" ? { ...call, program: "git mv" } : call, known.model, parsed);
  // Before it forgets a file it looks whether that is as the index has it.
  if (verb === "rm" && parsed.marks.has("dry")) for (const path of parsed.operands) touch(call, "read", path, parsed.marks.has("tree"));
  if (verb === "symbolic-ref") pointReference(call, parsed);
  // With a time of its own it removes what nothing leads to any more before git would.
  if (verb === "prune" && parsed.options.some(({ name }) => name === "--expire") && !parsed.marks.has("dry")) touch({ ...call, program: RESTORES }, "write", exact(".git/objects"), true);
  if (parsed.options.some(({ name }) => name === "--ext-diff" || name === "--textconv" || name === "--filters")) runsCode(call, "project", null);
  if (LOOKS.has(verb)) lookAtTree(call, verb, args, parsed.operands);
  readRevisions(call, args);
  if (verb === "init" || verb === "clone") makeRepository(call, verb, parsed);
  // The changes that are shown of a file are what it held.
  const paths = args.findIndex(({ text }) => text === "--");
  if (paths >= 0 && (verb === "show" || verb === "whatchanged" || (verb === "log" && args.slice(0, paths).some(({ text }) => /^(?:-p|-u|--patch|-[A-Z0-9]*p)$/.test(text ?? ""))))) for (const path of args.slice(paths + 1)) touch(call, "read", pathspec(path), true);
  if (verb === "archive") for (const path of parsed.operands.slice(1)) touch(call, "read", pathspec(path), true);
  for (const { text } of known.connects === null ? [] : args) if (text?.startsWith("ext::") === true) runHelper(call, text.slice(5));
  if (known.connects !== null && !(known.connects === "verbs" && parsed.operands.length === 0)) connect(call, known, parsed.operands);
  if (known.repository) writeRepository(call);
  if (verb === "fetch" || verb === "pull") touch(call, "write", exact(".git/FETCH_HEAD"), false);
  if ((verb === "apply" || verb === "am") && !parsed.marks.has("dry")) applyPatch(call, verb, parsed);
  if (known.tree && !parsed.marks.has("dry")) changeTree(call, verb, parsed.operands, parsed.marks);
  if (known.hooks && !parsed.marks.has("dry")) runsCode(call, "project", null);
  if (known.runs !== null) runOperands(call, known.runs, args);
  for (const option of parsed.options) if (option.name === "--upload-pack" || option.name === "--receive-pack" || option.name === "-u" && verb === "clone") if (option.value !== null) runShellText(call, option.value);
  if (printsObjects(verb, parsed.options, parsed.operands)) return { text: null, globs: ["[0-9a-f]*"] };
  if (verb === "ls-files" && !parsed.marks.has("notpaths")) return { text: null, globs: ["**"] };
  if ((verb === "diff" || verb === "log" || verb === "show" || verb === "grep") && parsed.marks.has("names")) return { text: null, globs: ["**"] };
  return UNKNOWN_OUTPUT;
}

/** Options with which these print nothing but names of objects, one a line. */
const OBJECTS: ReadonlyMap<string, RegExp> = new Map([
  ["rev-list", /^(?:--all|--branches|--tags|--reverse|--no-merges|--merges|--first-parent|--max-count|-n|-\d|--since|--until|--before|--after|--author|--grep|--max-parents|--abbrev-commit)$/],
  ["rev-parse", /^(?:--verify|--short|-q|--quiet)$/],
  ["merge-base", /^(?:-a|--all|--octopus|--fork-point)$/],
  ["hash-object", /^(?:-w|-t|--stdin)$/],
  ["write-tree", /^$/],
]);

/** Tells whether only hexadecimal names are printed. `rev-parse` gives a word that it does not know back, unless it is to verify it. */
function printsObjects(verb: string, options: readonly { readonly name: string }[], operands: readonly Field[]): boolean {
  const allowed = OBJECTS.get(verb);
  if (allowed === undefined || !options.every(({ name }) => allowed.test(name)) || operands.some(({ text }) => text === null)) return false;
  return verb !== "rev-parse" || options.some(({ name }) => name === "--verify" || name === "--short");
}

/** The files that the patch names are written, below the top of the repository. */
function applyPatch(call: Call, verb: string, { options, operands }: Arguments): void {
  const last = (name: string): Field | null => options.filter((option) => option.name === name).at(-1)?.value ?? null;
  const folder = last("--directory");
  const strip = last("-p")?.text ?? "1";
  const top: Call = { ...call, state: { ...call.state, cwds: [call.run.context.root] } };
  const reverse = verb === "apply" && options.some(({ name }) => name === "-R" || name === "--reverse");
  if (reverse && operands.length === 0) undoWork(call);
  touchPatched(call, folder === null ? top : inFolder(top, folder), operands, /^\d+$/.test(strip) ? Number(strip) : null, reverse);
}

/** `git symbolic-ref NAME TARGET` and `-d NAME`: the reference leads elsewhere, as if its file were written. */
function pointReference(call: Call, { operands, marks }: Arguments): void {
  const [name] = operands;
  if (name === undefined || (operands.length < 2 && !marks.has("delete"))) return;
  touch({ ...call, program: RESTORES }, "write", name.text === null ? exact(".git/HEAD") : exact(`.git/${name.text}`), false);
}

/** Subcommands that read files of the working tree. */
const LOOKS = new Set(["status", "diff", "grep", "add", "stage", "commit", "stash", "blame", "annotate", "diff-files", "diff-index", "difftool", "update-index", "checkout", "restore", "reset", "merge", "rebase", "pull", "switch", "cherry-pick", "revert", "am", "apply", "ls-files", "clean", "describe", "mv"]);

/** What is read: the paths behind `--`, those of `add`, else the whole tree. */
function lookAtTree(call: Call, verb: string, args: readonly Field[], operands: readonly Field[]): void {
  const at = args.findIndex((word) => word.text === "--");
  const outside = (verb === "diff" || verb === "grep") && args.some(({ text }) => text === "--no-index");
  const paths = outside ? operands : at >= 0 ? args.slice(at + 1) : verb === "add" || verb === "stage" || verb === "update-index" ? operands : verb === "blame" || verb === "annotate" ? operands.slice(-1) : [];
  const { state, run } = call;
  const inside = state.cwds !== null && state.cwds.every((cwd) => isInside(cwd, run.context.root));
  for (const path of paths.length === 0 ? [exact(inside ? run.context.root : ".")] : paths) touch(call, "read", pathspec(path), true);
}

/** `HEAD:path` is that file as it was; the path starts at the top unless it begins with a dot. */
function readRevisions(call: Call, args: readonly Field[]): void {
  for (const { text } of args) {
    const path = text === null || text.includes("://") ? undefined : /^(?:[\w.@^~{}/-]*|:[0-3]?):([^:].*)$/.exec(text)?.[1];
    if (path !== undefined) touch(call, "read", exact(/^\.{1,2}\//.test(path) ? path : joinPath(call.run.context.root, path)), false);
  }
}

const REPOSITORY_FILES = ["HEAD", "index"];
const REPOSITORY_FOLDERS = ["logs", "objects", "refs"];

/** What commits and the like write of git's own: never hooks or configuration. */
function writeRepository(call: Call): void {
  const { run, state } = call;
  const [cwd] = state.cwds ?? [];
  const own = cwd !== undefined && kindOf(run, joinPath(cwd, ".git")) === "directory";
  const folder = !own && cwd !== undefined && isInside(cwd, run.context.root) ? joinPath(run.context.root, ".git") : ".git";
  for (const name of REPOSITORY_FILES) touch(call, "write", exact(joinPath(folder, name)), false);
  for (const name of REPOSITORY_FOLDERS) touch(call, "write", exact(joinPath(folder, name)), true);
}

/** Restores, switches and merges change files of the working tree: those named behind `--` or as paths, else any. */
function changeTree(call: Call, verb: string, operands: readonly Field[], marks: ReadonlySet<string>): void {
  const operation = verb === "clean" ? "delete" : "write";
  const restores = marks.has("force") || marks.has("listed") || verb === "restore" || verb === "reset";
  const paths = (verb === "restore" || verb === "clean" || verb === "stash") && !marks.has("all") ? operands : pathsOf(call, operands);
  if (verb === "restore" && marks.has("staged") && !marks.has("worktree")) return;
  if ((verb === "checkout" || verb === "switch") && (marks.has("branch") || ((paths.length === 0 || verb === "switch") && operands.length > 0))) {
    touch(restores ? { ...call, program: RESTORES } : call, "write", exact("."), true);
    return;
  }
  if (verb === "reset" && !marks.has("hard")) return;
  const by = restores || verb === "checkout" ? { ...call, program: RESTORES } : call;
  if (paths.length === 0 || verb === "apply" || verb === "am" || verb === "merge" || verb === "pull" || verb === "rebase" || verb === "reset" || verb === "stash") touch(by, operation, exact("."), true);
  else for (const path of paths) touch(by, operation, pathspec(path), true);
}

/** Operands behind `--`; without it those that do not look like a revision alone. */
function pathsOf(call: Call, operands: readonly Field[]): readonly Field[] {
  const words = call.words;
  const at = words.findIndex((word) => word.text === "--");
  if (at >= 0) return words.slice(at + 1);
  const [first, ...rest] = operands;
  if (first === undefined) return [];
  return looksLikePath(first) ? operands : rest;
}

function looksLikePath(word: Field): boolean {
  const { lead } = word;
  if (lead === "." || lead.startsWith("./") || lead.startsWith("../") || lead.startsWith(":/") || word.glob !== null) return true;
  return /\.[A-Za-z0-9]{1,5}$/.test(lead) && !/^[\w-]+\/[\w-]+$/.test(lead) && !/^v?\d+(?:\.\d+)*$/.test(lead);
}

/** A pathspec as a path: magic means anywhere. */
function pathspec(word: Field): Field {
  if (word.lead.startsWith(":")) return exact(".");
  if (word.text !== null && /[*?[]/.test(word.text)) return { text: null, glob: word.text.replaceAll("*", "**"), lead: "", many: true };
  return word;
}

/** Verbs of `submodule`, `subtree`, `svn` and `p4` that fetch or send; without one they only tell what there is. */
const CONNECTS = new Set(["add", "update", "pull", "push", "clone", "fetch", "rebase", "dcommit", "submit", "log"]);

function connect(call: Call, known: GitCommand, operands: readonly Field[]): void {
  const remote = operands[0];
  if (known.connects === "verbs" && remote?.text != null && !CONNECTS.has(remote.text)) return;
  if (known.connects === "verbs" || remote === undefined || known.connects === "always") {
    addEffect(call.run, { kind: "connect", host: null, url: null, by: call.program, from: excerpt(call.from) });
    return;
  }
  if (remote.lead.startsWith("ext::")) {
    runShellText(call, dropPrefix(remote, "ext::") ?? UNKNOWN);
    return;
  }
  if (isRemote(remote) && !remote.lead.startsWith("file:")) {
    const scp = !remote.lead.includes("://");
    if (!scp) addConnect(call, remote);
    else addEffect(call.run, { kind: "connect", host: remote.lead.slice(remote.lead.indexOf("@") + 1, remote.lead.indexOf(":")).toLowerCase(), url: remote.text, by: call.program, from: excerpt(call.from) });
  } else if (/^[./]/.test(remote.lead) || remote.text?.endsWith(".bundle") === true || (known.model.head.length > 1 && remote.text !== null)) {
    // What `clone` is given is no name of a remote: without a host it lies here. A bundle is a file.
    touch(call, "read", remote, true);
    if (call.words.some(({ lead }) => lead.startsWith("--recurs"))) addEffect(call.run, { kind: "connect", host: null, url: null, by: call.program, from: excerpt(call.from) });
  } else addEffect(call.run, { kind: "connect", host: null, url: remote.text, by: call.program, from: excerpt(call.from) });
  if (known.model.head.length > 1) cloneInto(call, operands);
}

function cloneInto(call: Call, operands: readonly Field[]): void {
  const [remote, folder] = operands;
  if (folder !== undefined) {
    touch(call, "create", folder, true);
    return;
  }
  const name = remote?.text?.replace(/\/+$/, "").replace(/\.git$/, "").split(/[/:]/).pop() ?? null;
  touch(call, "create", name === null || name === "" ? beginning("", false) : exact(name), true);
}

/** A new repository lies where it is told to, and a template brings its hooks. */
function makeRepository(call: Call, verb: string, { options, operands }: Arguments): void {
  const last = verb === "clone" ? operands[1] : operands[0];
  const source = verb === "clone" ? (operands[0]?.text ?? null) : null;
  const folder = last ?? (verb === "init" ? exact(".") : source === null ? null : exact(baseName(source.replace(/\/+$/, "")).replace(/\.git$/, "")));
  if (folder?.text == null) return;
  const bare = options.some(({ name }) => name === "--bare" || name === "--mirror");
  const place = inFolder(call, exact(bare || folder.text === "" ? folder.text : joinPath(folder.text, ".git")));
  if (verb === "init") touch(place, "create", exact("objects"), true);
  // Where there is a repository already, it is moved there.
  if (verb === "init" && options.some(({ name }) => name === "--separate-git-dir")) touch(inFolder(call, exact(folder.text === "" ? "." : folder.text)), "delete", exact(".git"), true);
  if (options.some(({ name, value }) => name === "--template" && value?.text !== "")) touch(place, "create", exact("hooks"), true);
}

/** `ext::program word word`: git starts it. A blank within a word is written `% `. */
function runHelper(call: Call, text: string): void {
  const words = text.match(/(?:%.|[^% ])+/g) ?? [];
  call.run.runWords(words.map((word) => exact(word.replace(/%(.)/g, "$1"))), call.state, { ...call.frame, depth: call.frame.depth + 1 }, call.from, "programs");
}

/** `git bisect run cmd`, `git submodule foreach text`, `git rebase --exec`. */
function runOperands(call: Call, form: "bisect" | "foreach", args: readonly Field[]): void {
  const at = args.findIndex((word) => word.text === (form === "bisect" ? "run" : "foreach"));
  if (at < 0) return;
  // Options of the command are the command's.
  let begin = at + 1;
  while (form === "foreach" && /^(?:--recursive|-q|--quiet|--)$/.test(args[begin]?.text ?? "")) begin += 1;
  const rest = args.slice(begin);
  if (form === "bisect") call.run.runWords(rest, call.state, { ...call.frame, depth: call.frame.depth + 1 }, call.from, "programs");
  else runShellText(call, rest.every((word) => word.text !== null) ? exact(rest.map((word) => word.text ?? "").join(" ")) : UNKNOWN);
}

const READS_CONFIG = new Set(["--get", "--get-all", "--get-regexp", "--list", "-l", "--get-urlmatch", "list", "get", "--get-color", "--get-colorbool"]);

function runConfig(call: Call, args: readonly Field[]): Output {
  const model: Model | undefined = GIT_COMMANDS.get("config")?.model;
  if (model === undefined) return UNKNOWN_OUTPUT;
  const parsed = parseArguments(args, model);
  const names = new Set(parsed.options.map((option) => option.name));
  const verb = parsed.operands[0]?.text ?? null;
  const reads = [...names].some((name) => READS_CONFIG.has(name)) || (verb !== null && (verb === "list" || verb === "get"));
  const operands = verb === "set" || verb === "get" || verb === "unset" || verb === "edit" || verb === "list" ? parsed.operands.slice(1) : parsed.operands;
  const [name, value] = operands;
  for (const option of parsed.options) if ((option.name === "-f" || option.name === "--file") && option.value !== null) touch(call, "read", option.value, false);
  if (reads || (value === undefined && !names.has("--unset") && !names.has("--unset-all") && !names.has("--edit") && !names.has("-e") && !names.has("--remove-section") && !names.has("--rename-section") && verb !== "unset" && verb !== "edit")) return UNKNOWN_OUTPUT;
  touch(call, "write", configFile(call, names, parsed.options.find((option) => option.name === "-f" || option.name === "--file")?.value ?? null), false);
  if (name === undefined || name.text === null) {
    if (name !== undefined) addOpaque(call.run, "`git config` of a name that cannot be told", call.from);
    return UNKNOWN_OUTPUT;
  }
  addEnvironment(call.run, `git ${name.text.toLowerCase()}`, value ?? null, call.from);
  if (RUNS.test(name.text) && value !== undefined) runSetting(call, name.text, value);
  return UNKNOWN_OUTPUT;
}

function configFile(call: Call, names: ReadonlySet<string>, file: Field | null): Field {
  if (file !== null) return file;
  if (names.has("--global")) return globalFile(call) ?? exact(normalisePath(".gitconfig", call.run.context.home) ?? "/.gitconfig");
  if (names.has("--system")) return exact("/etc/gitconfig");
  return exact(names.has("--worktree") ? ".git/config.worktree" : ".git/config");
}

/** The file that `GIT_CONFIG_GLOBAL` names. Behind `env`, `sudo` and the like git may not see that variable: null. */
function globalFile({ run, state, frame }: Call): Field | null {
  const variable = state.variables.get("GIT_CONFIG_GLOBAL");
  if (frame.depth > 0 || (variable !== undefined && !variable.exported)) return null;
  const { value } = lookUp(run, state, "GIT_CONFIG_GLOBAL");
  return value === null || value.text === null || value.text === "" ? null : value;
}
