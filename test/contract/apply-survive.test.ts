// What a file is beside its text comes over too: modes, owners, links, times, holes, names of any bytes, sizes of any kind.
// On a real overlay, through the same steps as the command. Set-id bits never come over.

import { execFileSync } from "node:child_process";
import { lstatSync, readdirSync, readFileSync, readlinkSync, type BigIntStats } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { applyChanges } from "../../src/adapters/files/apply.js";
import { openOverlayRig, overlayAbility, type OverlayRig } from "../support/overlay-rig.js";
import { treePicture } from "../support/tree-picture.js";

const ability = overlayAbility();
const rigs: OverlayRig[] = [];
const never = new AbortController().signal;
const GIB = 1024 ** 3;

async function applied(setUp: string, script: string): Promise<{ readonly rig: OverlayRig; readonly paths: readonly string[] }> {
  const rig = await openOverlayRig(ability, setUp);
  rigs.push(rig);
  rig.run(script);
  rig.unmount();
  const { applied: done } = await applyChanges({ workspace: rig.workspace, changes: await rig.workspace.changes(never) });
  return { rig, paths: done.map(({ path }) => path) };
}

const stat = (rig: OverlayRig, path: string): BigIntStats => lstatSync(join(rig.folder, path), { bigint: true });

afterEach(() => {
  for (const rig of rigs.splice(0)) rig.close();
});

describe.skipIf(ability.missing !== null)(`what survives taking over${ability.missing === null ? "" : ` (skipped: ${ability.missing})`}`, { timeout: 60_000 }, () => {
  it("modes without set-id bits, times of files, links and new folders, and the owner that was there", async () => {
    const { rig } = await applied(
      "umask 022; echo a > a; chmod 640 a; chown 1234:1235 a; echo b > b; ln -s a l; mkdir old; echo x > old/x",
      `umask 022; echo more >> a; touch -d '2001-02-03 04:05:06.123456' a; chmod 6755 b; ln -sfn b l; touch -h -d '2002-02-02 02:02:02' l
       mkdir -p new/deep; echo n > new/deep/n; touch -d '1999-12-31 23:59:59' new/deep/n; chmod 700 new/deep; touch -d '2003-03-03' new/deep; touch -d '2004-04-04' new; echo y > old/y; touch -d '2005-05-05' old`,
    );
    const seconds = (path: string): string => new Date(Number(stat(rig, path).mtimeNs / 1_000_000n)).toISOString().slice(0, 10);
    expect([stat(rig, "a").uid, stat(rig, "a").gid, Number(stat(rig, "a").mode & 0o7777n).toString(8)]).toEqual([1234n, 1235n, "640"]);
    expect(stat(rig, "a").mtimeNs / 1000n).toBe(BigInt(Date.parse("2001-02-03T04:05:06.123Z")) * 1000n + 456n);
    expect([Number(stat(rig, "b").mode & 0o7777n).toString(8), Number(stat(rig, "new/deep").mode & 0o7777n).toString(8)]).toEqual(["755", "700"]);
    expect([readlinkSync(join(rig.folder, "l")), seconds("l"), seconds("new/deep/n"), seconds("new/deep"), seconds("new")]).toEqual(["b", "2002-02-02", "1999-12-31", "2003-03-03", "2004-04-04"]);
  });

  it("empty files and folders, bytes of any value, and names with a newline, without UTF-8, or like an option", async () => {
    const make = (text: string): string => `umask 022; mkdir -p -- $'n\\new' $'\\xff\\xfe' -rf; for d in $'n\\new' $'\\xff\\xfe' -rf; do printf '${text}' > "./$d/"$'-x\\n\\xe9\\\\x41'; : > "./$d/empty"; done; mkdir 'only a folder'`;
    const { rig, paths } = await applied("true", make("\\000\\001\\377\\r\\n"));
    expect(paths).toHaveLength(10);
    const { rig: plain } = await applied(make("\\000\\001\\377\\r\\n"), "true");
    expect(treePicture(rig.folder, { exact: false })).toEqual(treePicture(plain.folder, { exact: false }));
    const { rig: again } = await applied(make("old"), `${make("new").replaceAll("mkdir -p", "mkdir -pm 755")} || true; rm -r './only a folder'`);
    expect(readdirSync(join(again.folder, "-rf"), { encoding: "latin1" }).sort()).toEqual(["-x\n\xe9\\x41", "empty"]);
    expect(readFileSync(Buffer.from(`${again.folder}/-rf/-x\n\xe9\\x41`, "latin1"), "utf8")).toBe("new");
  });

  it("a file of 1 GiB that is nearly all holes, as one that takes next to nothing, and one that grew at its end", async () => {
    const { rig, paths } = await applied("printf start > grown", `truncate -s ${GIB} huge; printf middle | dd of=huge bs=1 seek=$((${GIB} / 2)) conv=notrunc status=none; printf end | dd of=huge bs=1 seek=$((${GIB} - 3)) conv=notrunc status=none; truncate -s 8M grown`);
    expect(paths).toEqual(["grown", "huge"]);
    const [huge, grown] = [stat(rig, "huge"), stat(rig, "grown")];
    expect([huge.size, huge.blocks < 1024n, grown.size, grown.blocks < 512n]).toEqual([BigInt(GIB), true, BigInt(8 * 1024 ** 2), true]);
    expect(execFileSync("dd", [`if=${join(rig.folder, "huge")}`, "bs=1", `skip=${GIB / 2}`, "count=6", "status=none"], { encoding: "utf8" })).toBe("middle");
    expect(execFileSync("tail", ["-c", "3", join(rig.folder, "huge")], { encoding: "utf8" })).toBe("end");
  });
});
