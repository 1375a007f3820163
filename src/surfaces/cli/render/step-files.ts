// What a step changed, line by line, and the workspace as it then was. Names and contents are the agent's: each line is made printable.

import { diffLineKind, type StepFiles } from "../../../core/replay/index.js";
import { count, printable } from "../../../core/shared/index.js";
import type { Palette } from "../io.js";

const LINES = 400;
const COLUMNS = 400;

export interface ShownFiles {
  readonly diff: boolean;
  readonly workspace: boolean;
}

export function fileLines(files: StepFiles, { diff, workspace }: ShownFiles, paint: Palette): readonly string[] {
  return [...(diff ? diffLines(files, paint) : []), ...(workspace ? workspaceLines(files, paint) : [])];
}

function diffLines({ diffs, more }: StepFiles, paint: Palette): readonly string[] {
  if (diffs.length === 0) return [paint.dim("  it changed no file")];
  const lines = diffs.flatMap(({ path, operation, diff, why }) => {
    if (diff === null) return [`  ${operation} ${printable(path)} ${paint.dim(printable(why ?? "", 100))}`];
    const all = diff.replace(/\n$/u, "").split("\n");
    const shown = all.slice(0, LINES).map((line) => {
      const kind = diffLineKind(line);
      const text = `  ${printable(line.replaceAll("\t", "    "), COLUMNS)}`;
      return kind === "add" ? paint.green(text) : kind === "delete" ? paint.red(text) : kind === "place" ? paint.cyan(text) : text;
    });
    return all.length > LINES ? [...shown, paint.dim(`  … ${count(all.length - LINES, "more line")}`)] : shown;
  });
  return [...lines, ...(more > 0 ? [paint.dim(`  and ${count(more, "more name")}`)] : [])];
}

function workspaceLines({ workspace, rest }: StepFiles, paint: Palette): readonly string[] {
  const all = workspace.length + rest;
  if (all === 0) return [paint.dim("  after it the workspace is as the folder was")];
  return [paint.dim(`  after it ${count(all, "name")} ${all === 1 ? "differs" : "differ"} from the folder`), ...workspace.map(({ path, operation }) => `    ${operation.padEnd(8)} ${printable(path)}`), ...(rest > 0 ? [paint.dim(`    and ${rest} more`)] : [])];
}
