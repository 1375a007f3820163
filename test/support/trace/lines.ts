// Lines to hold the evaluator against bash with: those of the corpora, and generated ones. The same seed gives the same lines.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { CHECKOUT } from "../../soak/checkout.js";
import type { Random } from "../../soak/random.js";
import { generatedLine } from "./generate.js";

export interface Line {
  readonly id: string;
  readonly text: string;
}

const CORPORA = process.env["RINGFENCE_CORPORA"] ?? join(CHECKOUT, "..", "shared", "corpora");

/** Sets and their share of all lines. What is missing is made up for by generated lines. */
const SETS = [
  { file: "nl2bash/commands.jsonl", share: 0.4 },
  { file: "tldr/commands.jsonl", share: 0.25 },
  { file: "swebench-mini-gemini/commands.jsonl", share: 0.13 },
  { file: "intercode-bash/gold.jsonl", share: 0.02 },
] as const;

/** Rows of a set of the corpora; empty when it is not there. */
export function corpusRows<Row extends Line & { readonly command: string }>(file: string): readonly Row[] {
  const path = join(CORPORA, file);
  if (!existsSync(path)) return [];
  return readFileSync(path, "utf8").split("\n").filter((line) => line !== "").map((line) => JSON.parse(line) as Row);
}

/** So many different lines, mixed. Where the corpora speak of another root, ours stands. */
export function linesOf(random: Random, count: number): readonly Line[] {
  const out = new Map<string, Line>();
  for (const { file, share } of SETS) {
    const rows = shuffled(corpusRows(file), random);
    for (const row of rows.slice(0, Math.round(share * count))) {
      const text = row.command.replaceAll("/testbed", "/workspace");
      if (text.length < 4_000 && !out.has(text)) out.set(text, { id: row.id, text });
    }
  }
  for (let turn = 0; out.size < count && turn < 20 * count; turn += 1) {
    const text = generatedLine(random);
    if (!out.has(text)) out.set(text, { id: `gen-${turn}`, text });
  }
  return shuffled([...out.values()], random);
}

function shuffled<T>(list: readonly T[], random: Random): readonly T[] {
  const out = [...list];
  for (let at = out.length - 1; at > 0; at -= 1) {
    const other = random.int(0, at);
    const [left, right] = [out[at], out[other]];
    if (left !== undefined && right !== undefined) {
      out[at] = right;
      out[other] = left;
    }
  }
  return out;
}

/** What stands in a file that a line speaks of. */
export const SEED_TEXT = "one\ntwo\n";

/** Names that a line speaks of, so that it has something to work on; folders end in a slash. */
export function seedNames(text: string): readonly string[] {
  const names = new Set<string>();
  for (const [word] of text.matchAll(/(?:^|(?<=[\s"'=<>(]))(?:\.\/)?[A-Za-z][\w.-]*(?:\/[\w.-]+)*\/?(?=$|[\s"';|&)<>])/g)) {
    if (names.size < 12 && word.length < 80 && !word.includes("..") && /[./]/.test(word.replace(/^\.\//, ""))) names.add(word);
  }
  return [...names];
}

/** Shell text that makes files and folders of the names a line speaks of. */
export function seedFor(text: string): string {
  const names = seedNames(text);
  return names.map((name) => (name.endsWith("/") ? `mkdir -p './${name}' 2>/dev/null || :` : `if [ ! -e './${name}' ]; then mkdir -p "$(dirname './${name}')" 2>/dev/null && printf 'one\\ntwo\\n' > './${name}' || :; fi`)).map((line) => `(cd /workspace && ${line}) 2>/dev/null || :`).concat(names.length > 0 ? ["chown -R 1000:1000 /workspace"] : []).join("\n");
}
