// A picture of a folder tree, name by name, to compare two trees or one tree at two times.

import { createHash } from "node:crypto";
import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";

export interface PictureOptions {
  /** Also modification times, inodes and owners: nothing at all was touched. */
  readonly exact: boolean;
  /** Leaves out folders without anything but folders in them, which git does not know. */
  readonly withoutEmptyFolders?: boolean;
  readonly withoutModes?: boolean;
}

/** One line a name, sorted; names are shown byte for byte. */
export function treePicture(root: string, options: PictureOptions): readonly string[] {
  const lines: string[] = [];
  const visit = (folder: Buffer, shown: string): number => {
    let files = 0;
    for (const name of readdirSync(folder, { encoding: "buffer" }).sort((a, b) => Buffer.compare(a, b))) {
      const path = Buffer.concat([folder, Buffer.from("/"), name]);
      const text = `${shown}/${JSON.stringify(name.toString("latin1"))}`;
      const stats = lstatSync(path, { bigint: true });
      const mode = options.withoutModes === true ? `${Number(stats.mode & 0o100n) === 0 ? "-" : "x"}` : (Number(stats.mode) & 0o7777).toString(8);
      const exact = options.exact ? ` ${stats.ino} ${stats.mtimeNs} ${stats.uid}:${stats.gid}` : "";
      if (stats.isDirectory()) {
        const at = lines.length;
        const below = visit(path, text);
        files += below;
        if (below > 0 || options.withoutEmptyFolders !== true) lines.splice(at, 0, `${text} folder ${options.withoutModes === true ? "" : mode}${exact}`);
      } else {
        files += 1;
        const what = stats.isSymbolicLink()
          ? `link ${readlinkSync(path, { encoding: "buffer" }).toString("latin1")}`
          : stats.isFile()
            ? `file ${mode} ${stats.size} ${createHash("sha256").update(readFileSync(path)).digest("hex")}`
            : `special ${mode}`;
        lines.push(`${text} ${what}${exact}`);
      }
    }
    return files;
  };
  visit(Buffer.from(root), "");
  return lines;
}
