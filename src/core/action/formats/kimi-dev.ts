// A recorded Kimi-Dev session: model answers of the two stages, the harness's test command, and calls in our own form.
// A line gives all of its calls or one error; an answer that is partly wrong changes nothing.

import { err, LIMITS, ok, type JsonObject, type Result } from "../../shared/index.js";
import type { ToolCall } from "../action.js";
import { MODEL_ROLES, ROLE_HARNESS } from "../roles.js";
import { field, fieldProblem, isLabel, LABEL_RULE, parseObject, unknownField } from "./fields.js";
import { formatError, type FormatError, type Problem } from "./format-error.js";
import { readCall } from "./jsonl.js";
import { linesAfterReasoning } from "./kimi-fences.js";
import type { Repository } from "./kimi-path.js";
import { parseStage1, STAGE_1_RULE } from "./kimi-stage1.js";
import { parseStage2, STAGE_2_RULE } from "./kimi-stage2.js";

const ANSWER_FIELDS: readonly string[] = ["id", "role", "stage", "content", "note"];
const HARNESS_FIELDS: readonly string[] = ["id", "role", "run", "note"];
const HOW_TO = 'A line is {"role":"bugfixer","stage":1,"content":"…"}, {"role":"harness","run":"npm test"}, or a call {"id":…,"role":…,"tool":…,"arguments":…}.';
const EDITOR = "str_replace_editor";

/**
 * The calls of one line. Stage 1 views each file it names, stage 2 edits in the answer's order, the harness runs one
 * command. Ids are `<line>.<n>`, or begin with the line's own `id`.
 * @param line its number in the trajectory, from 1
 */
export function parseKimiLine(text: string, line: number, repository: Repository): Result<readonly ToolCall[], FormatError> {
  const parsed = parseObject(text);
  if (!parsed.ok) return err(formatError(line, parsed.error, HOW_TO));
  const fields = parsed.value;
  if (Object.hasOwn(fields, "tool")) {
    const call = readCall(fields);
    return call.ok ? ok([call.value]) : err(formatError(line, call.error, HOW_TO));
  }
  const label = field(fields, "id") ?? String(line);
  const note = field(fields, "note") ?? "";
  if (!isLabel(label)) return err(formatError(line, fieldProblem(`\`id\` must be ${LABEL_RULE}`), HOW_TO));
  if (typeof note !== "string") return err(formatError(line, fieldProblem("`note` must be a text"), HOW_TO));
  const isHarness = field(fields, "role") === ROLE_HARNESS;
  const extra = unknownField(fields, isHarness ? HARNESS_FIELDS : ANSWER_FIELDS);
  if (extra !== null) return err(formatError(line, extra, HOW_TO));
  return isHarness ? harnessCall(fields, label, line) : answerCalls(fields, label, line, repository);
}

function harnessCall(fields: JsonObject, id: string, line: number): Result<readonly ToolCall[], FormatError> {
  const run = field(fields, "run");
  if (typeof run !== "string" || run.trim() === "") return err(formatError(line, fieldProblem("`run` must be a command"), HOW_TO));
  return ok([{ id, role: ROLE_HARNESS, tool: "bash", arguments: { command: run } }]);
}

function answerCalls(fields: JsonObject, label: string, line: number, repository: Repository): Result<readonly ToolCall[], FormatError> {
  const role = field(fields, "role");
  const stage = field(fields, "stage");
  const content = field(fields, "content");
  const fail = (problem: Problem, rule: string): Result<never, FormatError> => err(formatError(line, problem, rule));
  if (typeof role !== "string" || !MODEL_ROLES.includes(role)) {
    return fail(fieldProblem("`role` must be `bugfixer`, `testwriter` or `harness`"), HOW_TO);
  }
  if (stage !== 1 && stage !== 2) return fail(fieldProblem("`stage` must be 1 or 2"), HOW_TO);
  const rule = stage === 1 ? STAGE_1_RULE : STAGE_2_RULE;
  if (typeof content !== "string") return fail(fieldProblem("`content` must be the model's answer as a text"), HOW_TO);
  if (content.length > LIMITS.answerChars) {
    return fail({ code: "KIMI_TOO_LARGE", message: `the answer is longer than ${LIMITS.answerChars} characters` }, rule);
  }
  const lines = linesAfterReasoning(content);
  if (!lines.ok) return fail(lines.error, rule);
  const wishes = stage === 1 ? viewCalls(parseStage1(lines.value, repository), repository) : editCalls(parseStage2(lines.value, repository), repository);
  if (!wishes.ok) return fail(wishes.error, rule);
  return ok(wishes.value.map((values, index) => ({ id: `${label}.${index + 1}`, role, tool: EDITOR, arguments: values })));
}

function viewCalls(paths: ReturnType<typeof parseStage1>, { root }: Repository): Result<readonly JsonObject[], Problem> {
  return paths.ok ? ok(paths.value.map((path) => ({ command: "view", path: `${root}/${path}` }))) : paths;
}

function editCalls(edits: ReturnType<typeof parseStage2>, { root }: Repository): Result<readonly JsonObject[], Problem> {
  if (!edits.ok) return edits;
  return ok(
    edits.value.map(({ path, edit }) =>
      edit.op === "create"
        ? { command: "create", path: `${root}/${path}`, file_text: edit.content }
        : { command: "str_replace", path: `${root}/${path}`, old_str: edit.search, new_str: edit.replace },
    ),
  );
}
