// A folder byte for byte, for comparing before and after: content, kind, mode, owner and times of every name.

import { createHash } from "node:crypto";
import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";

/** One line a name, sorted. Access times are left out: looking changes them. */
export function snapshot(folder: string): readonly string[] {
  const lines: string[] = [];
  const visit = (below: string): void => {
    for (const name of readdirSync(join(folder, below))) {
      const path = below === "" ? name : `${below}/${name}`;
      const stats = lstatSync(join(folder, path));
      const content = stats.isFile() ? createHash("sha256").update(readFileSync(join(folder, path))).digest("hex") : stats.isSymbolicLink() ? readlinkSync(join(folder, path)) : "";
      lines.push(`${path} ${stats.mode.toString(8)} ${stats.uid}:${stats.gid} ${stats.isDirectory() ? 0 : stats.size} ${stats.mtimeMs} ${content}`);
      if (stats.isDirectory()) visit(path);
    }
  };
  visit("");
  return lines.sort();
}
