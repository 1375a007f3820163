// Which files a command runs, as far as its effects tell: what a person approves is their content as much as the text.

import type { ActionEffect, CodeEffect, FileEffect } from "./effects.js";
import { normalisePath } from "./paths.js";

/** Files that a program reads its work from, by the program; `npm test` is what `package.json` says. */
const PROJECT_FILES: ReadonlyMap<string, readonly string[]> = new Map<string, readonly string[]>([
  ["npm", ["package.json"]],
  ["npx", ["package.json"]],
  ["pnpm", ["package.json"]],
  ["yarn", ["package.json"]],
  ["bun", ["package.json"]],
  ["make", ["GNUmakefile", "makefile", "Makefile"]],
  ["gmake", ["GNUmakefile", "makefile", "Makefile"]],
  ["just", ["justfile", "Justfile"]],
  ["tox", ["tox.ini"]],
  ["nox", ["noxfile.py"]],
  ["rake", ["Rakefile"]],
  ["gradle", ["build.gradle", "build.gradle.kts"]],
  ["mvn", ["pom.xml"]],
  ["cargo", ["Cargo.toml", "build.rs"]],
]);

/**
 * Absolute paths of the files whose content a command runs, without repeats, in order of first appearance. A script counts by the
 * path it is read from; a project's command by the files that say what it does, in `cwd` and in every folder the command enters
 * that its effects name. Files that cannot be told are not in it.
 */
export function filesRun(effects: readonly ActionEffect[], cwd: string): readonly string[] {
  const found = new Set<string>();
  const reads = new Map<string, FileEffect[]>();
  for (const effect of effects) {
    if (effect.kind === "file" && effect.operation === "read" && effect.certainty === "exact") reads.set(effect.from, [...(reads.get(effect.from) ?? []), effect]);
  }
  const folders = new Set([cwd]);
  for (const effect of effects) {
    if (effect.kind === "exec" && effect.program === "cd" && effect.argv.length === 2 && typeof effect.argv[1] === "string") {
      for (const folder of [...folders].slice(0, 4)) folders.add(normalisePath(effect.argv[1], folder) ?? folder);
    }
    if (effect.kind !== "runs-code") continue;
    if (effect.source === "file") for (const path of scriptPaths(effect, reads, cwd)) found.add(path);
    if (effect.source === "project") {
      for (const name of PROJECT_FILES.get(effect.program) ?? []) for (const folder of folders) found.add(`${folder === "/" ? "" : folder}/${name}`);
    }
  }
  return [...found];
}

/** The paths a script is read from; by its own text where no read of it is known. */
function scriptPaths({ code, from }: CodeEffect, reads: ReadonlyMap<string, readonly FileEffect[]>, cwd: string): readonly string[] {
  const below = code === null ? null : normalisePath(code, "/");
  if (code === null || below === null) return [];
  const known = (reads.get(from) ?? []).filter(({ path }) => path === below || path.endsWith(below));
  return known.length > 0 ? known.map(({ path }) => path) : [normalisePath(code, cwd) ?? below];
}
