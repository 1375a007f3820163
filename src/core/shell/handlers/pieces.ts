// Programs that write under names made from the ones they are given: compressors, `split`, `csplit`, `mktemp`, `install`.

import { parentOf } from "../../action/paths.js";
import { parseArguments } from "../arguments.js";
import { isDash, touch } from "../files.js";
import { lookUp } from "../lookup.js";
import { compile } from "../model.js";
import { MODELS } from "../models/index.js";
import { applyArguments, runShellText } from "../roles.js";
import { UNKNOWN_OUTPUT, type Call, type Output, SILENT } from "../run.js";
import { escapeGlob, exact, globbed, UNKNOWN, type Field } from "../value.js";
import { followGlob } from "../word-builder.js";

/** A compressor: the ending it adds, whether it keeps what it was given, and whether it unpacks without being told to. */
interface Compressor {
  readonly ending: string;
  readonly keeps: boolean;
  readonly unpacks: boolean;
}

const ROWS: readonly (readonly [names: string, ending: string, keeps: boolean, unpacks: boolean])[] = [
  ["gzip pigz", ".gz", false, false],
  ["bzip2 pbzip2 lbzip2", ".bz2", false, false],
  ["xz pixz", ".xz", false, false],
  ["lzma", ".lzma", false, false],
  ["lzip plzip", ".lz", false, false],
  ["compress", ".Z", false, false],
  ["zstd zstdmt", ".zst", true, false],
  ["lz4", ".lz4", true, false],
  ["brotli", ".br", true, false],
  ["lzop", ".lzo", true, false],
  ["gunzip unpigz", ".gz", false, true],
  ["bunzip2", ".bz2", false, true],
  ["unxz", ".xz", false, true],
  ["unlzma", ".lzma", false, true],
  ["uncompress", ".Z", false, true],
  ["unzstd", ".zst", true, true],
  ["unlz4", ".lz4", true, true],
];

const COMPRESSORS: ReadonlyMap<string, Compressor> = new Map(ROWS.flatMap(([names, ending, keeps, unpacks]) => names.split(" ").map((name): [string, Compressor] => [name, { ending, keeps, unpacks }])));

export const COMPRESSOR_NAMES: readonly string[] = [...COMPRESSORS.keys()];

const COMPRESS_OPTIONS =
  "-d!unpack --decompress!unpack --uncompress!unpack -c!print --stdout!print --to-stdout!print -k!keep --keep!keep -t!look --test!look -l!look --list!look -r!tree --recursive!tree -N!named --name!named --rm!remove -j!remove -U!remove -S:t --suffix:t -o:w!output --output:w!output --output-dir-flat:C --output-dir-mirror:C -D:r --patch-from:r -T:t --threads:t -p:t -b:t -M:t --memlimit:t --files?:r --files0?:r --filelist:r -q -v -f -n";
const COMPRESS = compile("t*", COMPRESS_OPTIONS, "");
const XZ = compile("t*", `${COMPRESS_OPTIONS} -F:t --format:t -C:t --check:t`, "");

/** `gzip`, `bunzip2`, `zstd -d`: the file beside the one named, which goes unless it is kept. */
export function runCompressor(call: Call): Output {
  const compressor = COMPRESSORS.get(call.program);
  if (compressor === undefined) return UNKNOWN_OUTPUT;
  const model = compressor.ending === ".xz" ? XZ : COMPRESS;
  const parsed = parseArguments(call.words.slice(1), model);
  applyArguments(call, model, { ...parsed, uncertain: false });
  const { marks } = parsed;
  const tree = marks.has("tree");
  const suffix = parsed.options.find((option) => option.name === "-S" || option.name === "--suffix")?.value;
  const format = parsed.options.find((option) => option.name === "-F" || option.name === "--format")?.value?.text ?? null;
  const ending = suffix != null ? suffix.text : format === "lzma" || format === "alone" ? ".lzma" : compressor.ending;
  for (const file of parsed.operands) {
    if (isDash(file)) continue;
    touch(call, "read", file, tree);
    // A word that cannot be told may be any option: then the worst of what it could do is said.
    if ((marks.has("print") || marks.has("look")) && !(parsed.uncertain && compressor.keeps)) continue;
    if (!marks.has("output")) touch(call, "write", tree ? file : beside(file, ending, marks.has("unpack") || compressor.unpacks, marks.has("named")), tree);
    if (compressor.keeps ? marks.has("remove") : !marks.has("keep")) touch(call, "delete", file, tree);
  }
  return UNKNOWN_OUTPUT;
}

const ENDINGS = /\.(?:gz|z|Z|bz2?|xz|lzma|lz|zst|lz4|br|lzo|t[gxb]z2?|taz|tzst)$/;

/** The name a file gets: with the ending, or without it. */
function beside(file: Field, ending: string | null, unpack: boolean, named: boolean): Field {
  if (named && unpack) return inFolderOf(file);
  if (!unpack) return ending === null ? inFolderOf(file) : file.text !== null ? exact(file.text + ending) : file.glob !== null ? globbed(followGlob(file.glob, escapeGlob(ending)), file.lead, file.many) : UNKNOWN;
  if (file.text === null) return file.glob === null ? UNKNOWN : inFolderOf(file);
  if (ending !== null && file.text.endsWith(ending)) return exact(file.text.slice(0, -ending.length));
  const packed = /\.t[a-z0-9]+$/.exec(file.text);
  if (packed !== null) return exact(`${file.text.slice(0, packed.index)}.tar`);
  return exact(file.text.replace(ENDINGS, ""));
}

/** Some name in the same folder. */
function inFolderOf(file: Field): Field {
  if (file.text !== null) return globbed(`${escapeGlob(parentOf(file.text))}/*`, "", true);
  return file.glob === null ? UNKNOWN : globbed(file.glob.includes("/") ? `${file.glob.slice(0, file.glob.lastIndexOf("/"))}/*` : "*", "", true);
}

const SPLIT = compile("t*", "-b:t -l:t -n:t -C:t -a:t -t:t --filter:s!filter --bytes:t --lines:t --line-bytes:t --number:t --suffix-length:t --additional-suffix:t --separator:t -d -x -e -u -f:t --prefix:t --suffix-format:t --digits:t -k -s -z", "");

/** `split file prefix` and `csplit -f prefix file pattern…`: names that begin with the prefix. */
export function runSplit(call: Call): Output {
  const parsed = parseArguments(call.words.slice(1), SPLIT);
  applyArguments(call, SPLIT, parsed);
  const [file, prefix] = parsed.operands;
  // There is no file of an empty name, so nothing is read and nothing written.
  if (file?.text === "") return UNKNOWN_OUTPUT;
  if (file !== undefined && !isDash(file)) touch(call, "read", file, false);
  if (parsed.marks.has("filter")) return UNKNOWN_OUTPUT;
  const given = call.program === "csplit" ? (parsed.options.find((option) => option.name === "-f" || option.name === "--prefix")?.value ?? exact("xx")) : (prefix ?? exact("x"));
  if (given.text !== null) touch(call, "write", globbed(`${escapeGlob(given.text)}*`, given.text, true), false);
  else touch(call, "write", given.glob === null ? UNKNOWN : globbed(followGlob(given.glob, "*"), given.lead, true), false);
  return UNKNOWN_OUTPUT;
}

const MKTEMP = compile("t", "-p:t!folder --tmpdir?:t!temporary --suffix:t -t!temporary -d -u!dry --dry-run!dry -q", "");

/** `mktemp [template]`: a new name where the Xs are; the output is that name. */
export function runMktemp(call: Call): Output {
  const parsed = parseArguments(call.words.slice(1), MKTEMP);
  const { marks } = parsed;
  const [template] = parsed.operands;
  // Without three X in a row it makes nothing.
  if (template?.text != null && !template.text.includes("XXX")) return SILENT;
  const named = parsed.options.find((option) => (option.name === "-p" || option.name === "--tmpdir") && option.value !== null && option.value.text !== "")?.value ?? null;
  const folder = named ?? (template === undefined || marks.has("temporary") ? temporaryFolder(call) : null);
  const name = template === undefined ? "tmp.*" : template.text === null || !/X{3}/.test(template.text) ? null : template.text.split(/X{3,}/).map(escapeGlob).join("*");
  const suffix = parsed.options.some((option) => option.name === "--suffix") && name !== null ? `${name}*` : name;
  if (suffix === null || (folder !== null && folder.text === null)) {
    if (!marks.has("dry")) touch(call, "create", folder?.text != null ? globbed(`${escapeGlob(folder.text)}/**`, "", false) : UNKNOWN, false);
    return UNKNOWN_OUTPUT;
  }
  const glob = folder?.text != null ? `${escapeGlob(folder.text).replace(/\/$/, "")}/${suffix}` : suffix;
  if (!marks.has("dry")) touch(call, "create", globbed(glob, "", false), false);
  return { text: null, globs: [glob] };
}

/** `ssh-keygen -f key`: the public half lies beside it. */
export function runKeygen(call: Call): Output {
  const model = MODELS.get("ssh-keygen");
  if (model === undefined) return UNKNOWN_OUTPUT;
  const parsed = parseArguments(call.words.slice(1), model);
  applyArguments(call, model, parsed);
  for (const option of parsed.options) if (option.name === "-f" && option.value !== null) touch(call, "write", beside(option.value, ".pub", false, false), false);
  return UNKNOWN_OUTPUT;
}

/** `$TMPDIR` where the text or the environment sets it, else `/tmp`. */
function temporaryFolder({ run, state }: Call): Field {
  const set = state.variables.has("TMPDIR") || run.context.environment.has("TMPDIR");
  const value = set ? lookUp(run, state, "TMPDIR").value : null;
  return value === null || value.text === "" ? exact("/tmp") : value;
}

/** `install`: copies, or with `-d` makes folders of all it is given. */
export function runInstall(call: Call): Output {
  const model = MODELS.get("install");
  if (model === undefined) return UNKNOWN_OUTPUT;
  const parsed = parseArguments(call.words.slice(1), model);
  if (!parsed.marks.has("makes")) {
    applyArguments(call, model, parsed);
    return UNKNOWN_OUTPUT;
  }
  for (const folder of parsed.operands) touch(call, "create", folder, false);
  for (const option of parsed.options) if (option.role === "x" && option.value !== null) runShellText(call, option.value);
  return UNKNOWN_OUTPUT;
}
