// `sqlite3` and `duckdb`: orders that begin with a dot, and functions of their SQL that read and write files.

import { parseArguments } from "../arguments.js";
import { touch } from "../files.js";
import { MODELS } from "../models/index.js";
import { applyArguments, runShellText, runsCode } from "../roles.js";
import { UNKNOWN_OUTPUT, type Call, type Output } from "../run.js";
import { scriptTextOf } from "../scripts.js";
import { exact } from "../value.js";

/** Most lines looked at. */
const MAX_LINES = 500;

const SHELL = /^\s*\.(?:sh|she|shel|shell|sys|syst|syste|system)\s+(.+)$/;
const PIPED = /^\s*\.(?:import|output|once|out)\b.*?["'\s]\|\s*([^"']+)/;
const READS = /^\s*\.(?:read|import|load|restore|archive)\b((?:\s+-\S+)*)\s+(\S+)/;
const WRITES = /^\s*\.(?:output|once|out|backup|save|log|clone|excel|trace)\b((?:\s+-\S+)*)\s+(\S+)/;
const FILES = /\b(readfile|writefile|load_extension|read_text|read_blob|read_csv|read_csv_auto|read_json|read_json_auto|read_parquet)\s*\(\s*(?:'([^']{1,1000})'|"([^"]{1,1000})")/gi;
const COPIED = /\b(?:COPY\b[^;]{0,500}?\b(TO|FROM)|ATTACH(?:\s+DATABASE)?|VACUUM\s+INTO)\s+'([^']{1,1000})'/gi;

/** Operands, `-cmd` and the input hold orders; a file that `.read` or `-init` names is looked into where it can be seen. */
export function runSqlite(call: Call): Output {
  const model = MODELS.get(call.program);
  if (model === undefined) return UNKNOWN_OUTPUT;
  const parsed = parseArguments(call.words.slice(1), model);
  applyArguments(call, model, parsed);
  const texts = [...parsed.options.flatMap(({ name, value }) => (/^-{1,2}(?:cmd|c|s)$/.test(name) ? [value] : [])), ...parsed.operands.slice(1)];
  for (const text of texts) if (text?.text != null) readOrders(call, text.text);
  if (parsed.operands.length > 1) return UNKNOWN_OUTPUT;
  const { text, upstream, file } = call.frame.stdin;
  const seen = text ?? (file === null ? null : scriptTextOf(call, file));
  if (seen !== null) readOrders(call, seen);
  else if (upstream.length > 0 || file !== null) runsCode(call, "stdin", null);
  return UNKNOWN_OUTPUT;
}

function readOrders(call: Call, text: string): void {
  for (const line of text.split("\n").slice(0, MAX_LINES)) {
    const shell = SHELL.exec(line)?.[1] ?? PIPED.exec(line)?.[1];
    if (shell !== undefined) {
      runShellText(call, exact(shell));
      continue;
    }
    const read = READS.exec(line)?.[2];
    if (read !== undefined) touch(call, "read", exact(unquoted(read)), false);
    const written = WRITES.exec(line)?.[2];
    if (written !== undefined && written !== "stdout" && written !== "off") touch(call, "write", exact(unquoted(written)), false);
  }
  for (const [, name = "", one, two] of text.matchAll(FILES)) touch(call, name.toLowerCase() === "writefile" ? "write" : "read", exact(one ?? two ?? ""), false);
  for (const [, direction = "to", path = ""] of text.matchAll(COPIED)) touch(call, direction.toLowerCase() === "from" ? "read" : "write", exact(path), false);
}

function unquoted(word: string): string {
  return word.replace(/^(["'])(.*)\1$/, "$2");
}
