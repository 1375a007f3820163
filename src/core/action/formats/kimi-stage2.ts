// Stage 2 of a Kimi-Dev answer, code edit: SEARCH/REPLACE blocks as proposed edits, in order. All of them, or none.

import { err, ok, type Result } from "../../shared/index.js";
import type { Edit } from "../action.js";
import { quoted, type Problem } from "./format-error.js";
import { headerPaths, readBlocks, type Block } from "./kimi-blocks.js";
import type { AnswerLine } from "./kimi-fences.js";
import { knownFile, pathFormProblem, type Repository } from "./kimi-path.js";

/** The rule, as sent back to the model. */
export const STAGE_2_RULE =
  "Give SEARCH/REPLACE edits between lines of three backticks; each is, on lines of their own: `### path/to/file`, `<<<<<<< SEARCH`, the lines that are there now, `=======`, the lines to put there, `>>>>>>> REPLACE`.";

/** One edit an answer proposes. `path` is relative to the repository. */
export interface ProposedEdit {
  readonly path: string;
  readonly edit: Extract<Edit, { readonly op: "create" | "replace" }>;
}

/**
 * The edits of an answer. An empty SEARCH part creates a file, and only one that is not there; a REPLACE part without a
 * line deletes the lines of SEARCH, their line ends included. Two fenced blocks may not edit the same file, because the
 * second could be meant instead of the first.
 */
export function parseStage2(lines: readonly AnswerLine[], repository: Repository): Result<readonly ProposedEdit[], Problem> {
  for (const { path, line } of headerPaths(lines)) {
    const problem = pathFormProblem(path);
    if (problem?.escape === true) return err({ ...problem, answerLine: line });
  }
  const blocks = readBlocks(lines);
  if (!blocks.ok) return blocks;
  const fenceOf = new Map<string, number>();
  const created = new Set<string>();
  const edits: ProposedEdit[] = [];
  for (const block of blocks.value) {
    const edit = (fenceOf.get(block.path) ?? block.fence) === block.fence ? editOf(block, repository, created) : err(twice(block));
    if (!edit.ok) return err({ ...edit.error, answerLine: block.line, block: block.number });
    fenceOf.set(block.path, block.fence);
    if (edit.value.edit.op === "create") created.add(block.path);
    edits.push(edit.value);
  }
  return ok(edits);
}

function editOf(block: Block, repository: Repository, created: ReadonlySet<string>): Result<ProposedEdit, Problem> {
  const { path, search, replace } = block;
  const form = pathFormProblem(path);
  if (form !== null) return err(form);
  const isThere = created.has(path) || repository.fileExists(path);
  if (search.length === 0 || (search.length === 1 && search[0] === "")) {
    if (isThere) {
      return err({ code: "KIMI_EMPTY_SEARCH", message: `the SEARCH part is empty, but the file ${quoted(path)} exists`, hint: "an empty SEARCH part only creates a new file" });
    }
    return ok({ path, edit: { op: "create", content: replace.map((line) => `${line}\n`).join(""), overwrite: false } });
  }
  if (search.every((line) => line.trim() === "")) {
    return err({ code: "KIMI_EMPTY_SEARCH", message: "the SEARCH part has only blank lines", hint: "add a line of text, so that the place is clear" });
  }
  if (!isThere) {
    const known = knownFile(path, repository);
    if (!known.ok) return known;
  }
  const wanted = search.join("\n");
  if (replace.length === 0) return ok({ path, edit: { op: "replace", search: `${wanted}\n`, replace: "" } });
  const replacement = replace.join("\n");
  if (wanted === replacement) return err({ code: "KIMI_NO_CHANGE", message: "the REPLACE part is the same as the SEARCH part" });
  return ok({ path, edit: { op: "replace", search: wanted, replace: replacement } });
}

function twice(block: Block): Problem {
  return {
    code: "KIMI_TWO_FENCES",
    message: `a second fenced block edits the file ${quoted(block.path)} again; it cannot be told whether it is meant besides the first or instead of it`,
    hint: "put all edits of a file in one fenced block",
  };
}
