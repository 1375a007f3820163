// The programs of a call as a tree in lines of text: who started whom, with what, how it ended and how long it ran. Pure and bounded.

import type { EventData, RecordedProgram } from "../session/event.js";
import { printable } from "../shared/index.js";

export interface ProgramLine {
  /** Depth below the call's own program. */
  readonly depth: number;
  readonly text: string;
  /** How it ended, in a few words. */
  readonly end: string;
  /** The folder it ran in, where that is not its parent's; null otherwise. */
  readonly cwd: string | null;
  /** The rule against it, and what came of that, in a few words; null for none. */
  readonly against: string | null;
}

export interface ProgramTree {
  /** The folder of the first program; null where there is none. */
  readonly cwd: string | null;
  readonly lines: readonly ProgramLine[];
  /** Programs that are not among the lines. */
  readonly more: number;
  /** Files that were opened for writing, each once. */
  readonly written: readonly string[];
}

const WORD_CHARS = 160;
const DEEPEST = 24;

/** The tree, at most `most` lines of it. A program that took the place of another stands below it. */
export function programTree({ programs, writes, dropped }: EventData["programs.recorded"], most: number): ProgramTree {
  const children = new Map<number, RecordedProgram[]>();
  const numbers = new Set(programs.map(({ number }) => number));
  for (const program of programs) {
    // One whose parent is not in the record stands at the top.
    const parent = numbers.has(program.parent) && program.parent < program.number ? program.parent : 0;
    const known = children.get(parent);
    if (known === undefined) children.set(parent, [program]);
    else known.push(program);
  }
  const folders = new Map(programs.map(({ number, cwd }) => [number, cwd]));
  const first = programs[0]?.cwd ?? null;
  const lines: ProgramLine[] = [];
  const open = (children.get(0) ?? []).map((program) => ({ program, depth: 0 })).reverse();
  for (let next = open.pop(); next !== undefined && lines.length < most; next = open.pop()) {
    const { program, depth } = next;
    const cwd = program.cwd === (folders.get(program.parent) ?? first) ? null : printable(program.cwd, WORD_CHARS);
    lines.push({ depth: Math.min(depth, DEEPEST), text: programText(program), end: endText(program), cwd, against: againstText(program) });
    for (const child of [...(children.get(program.number) ?? [])].reverse()) open.push({ program: child, depth: depth + 1 });
  }
  return { cwd: first === null ? null : printable(first, WORD_CHARS), lines, more: programs.length - lines.length + dropped.programs, written: [...new Set(writes.map(({ path }) => path))] };
}

/** Its words; and the file that really ran where its name is another. */
function programText({ image, argv, cut }: RecordedProgram): string {
  const words = argv.map((word) => (/^[\w@%+=:,./-]+$/u.test(word) ? word : JSON.stringify(word))).join(" ");
  const own = image.slice(image.lastIndexOf("/") + 1);
  const [first = ""] = argv;
  const other = own === first.slice(first.lastIndexOf("/") + 1) ? "" : `${image}: `;
  return `${printable(`${other}${words}`, WORD_CHARS)}${cut === true ? " …" : ""}`;
}

function endText({ exit, durationMs }: RecordedProgram): string {
  const took = durationMs === null ? "" : `, ${durationMs < 10 ? durationMs.toFixed(1) : Math.round(durationMs)} ms`;
  if (exit === null) return `end not seen${took}`;
  if (exit === "replaced") return `became another${took}`;
  return typeof exit === "number" ? `exit ${exit}${took}` : `${printable(exit, 20)}${took}`;
}

function againstText({ against }: RecordedProgram): string | null {
  if (against === undefined) return null;
  return `${against.effect === "deny" ? "forbidden" : "nobody was asked"}: ${printable(against.rule, 80)}`;
}
