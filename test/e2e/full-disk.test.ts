// A state folder that cannot be written: nothing runs, because nothing could be put on record. The disk is a small one made
// for the test.

import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { treePicture } from "../support/tree-picture.js";
import { createRig, leftInTheEnd, lines, sessionFolders, whyNotHere } from "./rig.js";

const rig = createRig();
const MIB = 1024 * 1024;
const disk = join(rig.scratch, "disk");
const missing = whyNotHere() ?? mountSmallDisk();
if (missing !== null) console.warn(`left out: ${missing}`);

function mountSmallDisk(): string | null {
  mkdirSync(disk);
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=8m,mode=0700", "ringfence-test", disk], { stdio: "ignore" });
    return null;
  } catch {
    return "a small disk cannot be mounted here";
  }
}

afterAll(() => {
  if (missing === null) execFileSync("umount", [disk]);
  rig.remove();
});

/** Fills the disk to the last page, but for `leave` bytes. */
function fill(leave: number): void {
  const { bavail, bsize } = statfsSync(disk);
  let room = bavail * bsize - leave;
  for (let part = 0; room > 0; part += 1, room -= MIB) writeFileSync(join(disk, `fill-${part}`), Buffer.alloc(Math.min(MIB, room)));
}

function empty(): void {
  for (const name of readdirSync(disk)) if (name.startsWith("fill-")) rmSync(join(disk, name));
}

const folder = rig.workspace({ "a.txt": "one\n" });
const env = { RINGFENCE_HOME: join(disk, "state") };
const witness = ["exec", "--workspace", folder, "--shell", "echo it-ran"];

describe.skipIf(missing !== null)("a state folder that cannot be written", () => {
  it("because its disk is read-only lets nothing run: one line, exit code 70; what is on record can still be read", async () => {
    expect((await rig.run(witness, { env })).code).toBe(0);
    execFileSync("mount", ["-o", "remount,ro", disk]);
    try {
      const { code, out, err } = await rig.run(witness, { env });
      expect([code, out, lines(err)]).toEqual([70, "", [expect.stringMatching(/^ringfence: (?!internal).+ \(.+\)$/u)]]);
      expect((await rig.run(["log", "verify", "last"], { env })).code).toBe(0);
    } finally {
      execFileSync("mount", ["-o", "remount,rw", disk]);
    }
  });
});

describe.skipIf(missing !== null)("a full state folder", () => {
  it("lets nothing run from the start: one line, exit code 70, nothing left; and works again with room", async () => {
    expect((await rig.run(witness, { env })).code).toBe(0);
    fill(0);
    const before = treePicture(folder, { exact: true });
    const known = sessionFolders(env.RINGFENCE_HOME);
    const full = await rig.run(witness, { env });
    expect([full.code, full.out, lines(full.err)]).toEqual([70, "", [expect.stringMatching(/^ringfence: (?!internal).*(?:ENOSPC|no space).* \(.+\)$/u)]]);
    empty();
    const again = await rig.run(witness, { env });
    expect([again.code, again.out]).toEqual([0, "it-ran\n"]);
    const later = sessionFolders(env.RINGFENCE_HOME);
    expect(later.length).toBe(known.length + 1);
    expect(await leftInTheEnd(later, env.RINGFENCE_HOME).then((left) => left.filter((line) => !line.startsWith("ringfence-test")))).toEqual([]);
    for (const session of known) expect((await rig.run(["log", "verify", session], { env })).code).toBe(0);
    expect(treePicture(folder, { exact: true })).toEqual(before);
  });

  it("that fills up under a call ends the session: our fault, in doubt, and the record stays sound", async () => {
    const known = sessionFolders(env.RINGFENCE_HOME);
    // More output than a record holds: it needs room of its own when the time is over.
    const process = rig.start(["exec", "--workspace", folder, "--timeout", "4", "--shell", "head -c 200000 /dev/zero | tr '\\0' x; echo ready; sleep 60"], { env });
    await process.until("the command speaks", () => process.out().includes("ready"));
    const [session = ""] = sessionFolders(env.RINGFENCE_HOME).filter((id) => !known.includes(id));
    fill(0);
    const { code, err } = await process.ended;
    empty();
    expect([code, lines(err)]).toEqual([125, [expect.stringMatching(/^ringfence: .*(?:ENOSPC|no space).* \(the command had started, and what it did is in doubt: .+\)$/u)]]);
    const next = await rig.run(witness, { env });
    expect(next.code).toBe(0);
    const listed = lines((await rig.run(["sessions", "--json"], { env })).out).map((line) => JSON.parse(line) as { readonly id: string; readonly status: string });
    expect(listed.find(({ id }) => id === session)?.status).toBe("in doubt");
    expect(listed.filter(({ status }) => status === "open" || status === "invalid")).toEqual([]);
    for (const { id } of listed) expect([id, (await rig.run(["log", "verify", id], { env })).code]).toEqual([id, 0]);
    expect((await leftInTheEnd([session], env.RINGFENCE_HOME)).filter((line) => !line.startsWith("ringfence-test"))).toEqual([]);
  });
});
