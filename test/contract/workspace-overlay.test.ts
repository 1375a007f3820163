// The workspace on a real overlay: every way to create, change and delete that an agent has, and the hostile ones.
// Skipped, with the reason in the name, where overlays cannot be mounted.

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import type { Change } from "../../src/core/reconcile/change.js";
import { LIMITS } from "../../src/core/shared/index.js";
import { openOverlayRig, overlayAbility, type OverlayRig } from "../support/overlay-rig.js";
import { treePicture } from "../support/tree-picture.js";

const ability = overlayAbility();
const signal = new AbortController().signal;
const rigs: OverlayRig[] = [];
const NODE = `'${process.execPath}'`;

const SET_UP = `
  umask 022
  mkdir -p src/deep/er docs 'a b'
  printf 'one\\n' > src/one.js; printf 'two\\n' > src/two.js; printf 'deep\\n' > src/deep/er/d.txt
  printf 'readme\\n' > README.md; chmod 600 README.md
  ln -s README.md link; ln -s missing dangling; ln -s src srclink
  printf x > hl1; ln hl1 hl2
  : > empty; chmod 755 src/one.js; printf '#!/bin/sh\\n' > run.sh; chmod 755 run.sh
`;

async function rig(setUp: string = SET_UP): Promise<OverlayRig> {
  const made = await openOverlayRig(ability, setUp);
  rigs.push(made);
  return made;
}

/** For bash: so many folders, each in the one before, and into the last. */
const below = (count: number, length: number): string => `for i in $(seq ${count}); do mkdir ${"d".repeat(length)}; cd -P ${"d".repeat(length)}; done`;

/** Every change as one line: operation, path, and both sides. */
function lines(changes: readonly Change[]): readonly string[] {
  const side = (entry: Change["before"]): string => (entry === null ? "-" : `${entry.kind}:${entry.mode.toString(8)}${entry.target === null ? "" : `>${entry.target}`}`);
  return changes.map((change) => `${change.operation} ${change.path} ${side(change.before)} ${side(change.after)}`);
}

async function after(made: OverlayRig, script: string): Promise<readonly string[]> {
  made.run(script);
  return lines(await made.workspace.changes(signal));
}

afterEach(() => {
  for (const made of rigs.splice(0)) made.close();
});

describe.skipIf(ability.missing !== null)(`workspace on an overlay${ability.missing === null ? "" : ` (skipped: ${ability.missing})`}`, () => {
  it("has no changes when nothing was done, and none after only reading", async () => {
    const made = await rig();
    expect(await made.workspace.changes(signal)).toEqual([]);
    expect(await after(made, "cat src/one.js; ls -lR; find . -type f | xargs md5sum")).toEqual([]);
  });

  it("tells creating, changing, deleting and changing the mode apart", async () => {
    const made = await rig();
    expect(await after(made, "umask 022; echo new > new.txt; echo more >> src/one.js; rm src/two.js; chmod 700 run.sh; chmod 700 docs")).toEqual([
      "metadata docs directory:755 directory:700",
      "create new.txt - file:644",
      "metadata run.sh file:755 file:700",
      "modify src/one.js file:755 file:755",
      "delete src/two.js file:644 -",
    ]);
  });

  it("gives the digest and size of both sides of a change", async () => {
    const made = await rig();
    made.run("printf 'changed\\n' > src/one.js");
    const digest = (text: string): string => `sha256:${createHash("sha256").update(text).digest("hex")}`;
    expect(await made.workspace.changes(signal)).toEqual([
      {
        path: "src/one.js",
        operation: "modify",
        before: { kind: "file", mode: 0o755, bytes: 4, digest: digest("one\n"), target: null },
        after: { kind: "file", mode: 0o755, bytes: 8, digest: digest("changed\n"), target: null },
      },
    ]);
  });

  it("does not take a copied-up file for a change: touch, opening for writing, writing the same bytes, a mode put back, a broken hard link", async () => {
    const made = await rig();
    const script = "touch src/one.js README.md docs; : >> src/two.js; printf 'deep\\n' > src/deep/er/d.txt; chmod 700 run.sh; chmod 755 run.sh; : >> hl1; touch -h link; touch empty";
    expect(await after(made, script)).toEqual([]);
  });

  it("finds deletions by whiteout, with everything below a deleted folder", async () => {
    const made = await rig();
    expect(await after(made, "rm -rf src link")).toEqual([
      "delete link symlink:777>README.md -",
      "delete src directory:755 -",
      "delete src/deep directory:755 -",
      "delete src/deep/er directory:755 -",
      "delete src/deep/er/d.txt file:644 -",
      "delete src/one.js file:755 -",
      "delete src/two.js file:644 -",
    ]);
  });

  it("finds deletions behind a folder that was removed and made again, at every depth", async () => {
    const made = await rig();
    expect(await after(made, "rm -rf src; mkdir -p src/deep; chmod 755 src src/deep; printf 'one\\n' > src/one.js; chmod 755 src/one.js; echo x > src/deep/new; chmod 644 src/deep/new")).toEqual([
      "delete src/deep/er directory:755 -",
      "delete src/deep/er/d.txt file:644 -",
      "create src/deep/new - file:644",
      "delete src/two.js file:644 -",
    ]);
    expect(await after(made, "rm -rf src/deep; mkdir src/deep; chmod 755 src/deep; cp -p /dev/null src/two.js; chmod 644 src/two.js")).toEqual([
      "delete src/deep/er directory:755 -",
      "delete src/deep/er/d.txt file:644 -",
      "modify src/two.js file:644 file:644",
    ]);
  });

  it("finds a folder emptied in one call and filled in a later one", async () => {
    const made = await rig();
    expect(await after(made, "rm -rf src/deep; mkdir src/deep; chmod 755 src/deep")).toEqual(["delete src/deep/er directory:755 -", "delete src/deep/er/d.txt file:644 -"]);
    expect(await after(made, "mkdir src/deep/er; chmod 755 src/deep/er; printf 'deep\\n' > src/deep/er/d.txt; chmod 644 src/deep/er/d.txt")).toEqual([]);
  });

  it("shows renames as they are on disk: gone there, come here", async () => {
    const made = await rig();
    expect(await after(made, "umask 022; mv src/one.js src/1.js; mv docs papers; mv src/deep moved; mkdir fresh; touch fresh/f; mv fresh docs")).toEqual([
      "create docs/f - file:644",
      "create moved - directory:755",
      "create moved/er - directory:755",
      "create moved/er/d.txt - file:644",
      "create papers - directory:755",
      "create src/1.js - file:755",
      "delete src/deep directory:755 -",
      "delete src/deep/er directory:755 -",
      "delete src/deep/er/d.txt file:644 -",
      "delete src/one.js file:755 -",
    ]);
  });

  it("shows what changed its kind: links, files and folders in each other's place", async () => {
    const made = await rig();
    expect(await after(made, "umask 022; rm link; echo file > link; rm README.md; ln -s /etc/passwd README.md; rm -rf src; echo f > src; rm empty; mkdir empty; touch empty/in; rm srclink; mkdir srclink; touch srclink/one.js; ln -sfn other dangling")).toEqual([
      "modify README.md file:600 symlink:777>/etc/passwd",
      "modify dangling symlink:777>missing symlink:777>other",
      "modify empty file:644 directory:755",
      "create empty/in - file:644",
      "modify link symlink:777>README.md file:644",
      "modify src directory:755 file:644",
      "delete src/deep directory:755 -",
      "delete src/deep/er directory:755 -",
      "delete src/deep/er/d.txt file:644 -",
      "delete src/one.js file:755 -",
      "delete src/two.js file:644 -",
      "modify srclink symlink:777>src directory:755",
      "create srclink/one.js - file:644",
    ]);
  });

  it("lists FIFOs, sockets and set-id files without opening them", async () => {
    const made = await rig();
    const script = `umask 022; mkfifo pipe; ${NODE} -e 'require("net").createServer().listen("sock", () => process.kill(process.pid, "SIGKILL"))' || true; cp run.sh suid; chmod 6755 suid; rm README.md; mkfifo README.md`;
    expect(await after(made, script)).toEqual([
      "modify README.md file:600 fifo:644",
      "create pipe - fifo:644",
      "create sock - socket:755",
      "create suid - file:6755",
    ]);
    expect(await made.workspace.readChanged("pipe", 100)).toEqual({ content: new Uint8Array(0), entry: { kind: "fifo", mode: 0o644, bytes: 0, digest: null, target: null } });
  });

  it("keeps every name apart: newlines, colons, quotes, options, backslashes, bytes outside UTF-8", async () => {
    const made = await rig("printf b > $'old\\xff'; printf b > 'c:d'");
    const script = String.raw`umask 022; touch -- $'new\nline' 'a:b,c' "q'\"" '-rf' 'back\slash' '\x41' A $'bad\xff\xfe' 'ünï' $'esc\e[31m' ' lead' 'trail '; printf c > $'old\xff'; rm c:d`;
    const list = await after(made, script);
    expect(list.map((line) => line.replace(/ (-|file:644) (file:644|-)$/, ""))).toEqual([
      "create  lead",
      "create -rf",
      "create A",
      "create \\x5cx41",
      "create a:b,c",
      "create back\\slash",
      "create bad\\xff\\xfe",
      "delete c:d",
      "create esc\u001b[31m",
      "create new\nline",
      "modify old\\xff",
      "create q'\"",
      "create trail ",
      "create ünï",
    ]);
    expect(Buffer.from((await made.workspace.readChanged("old\\xff", 10))?.content ?? []).toString()).toBe("c");
    expect(Buffer.from((await made.workspace.readBase("old\\xff", 10))?.content ?? []).toString()).toBe("b");
  });

  it("follows paths longer than the kernel takes, finds what is in them, and removes them", async () => {
    const made = await rig();
    made.run(`mkdir n; cd n; ${below(120, 100)}; printf here > end.txt`);
    const changes = await made.workspace.changes(signal);
    expect(changes.length).toBe(122);
    const last = changes.at(-1);
    expect(last?.path.endsWith("/end.txt")).toBe(true);
    expect(last?.path.length).toBe(1 + 120 * 101 + 8);
    expect(Buffer.from((await made.workspace.readChanged(last?.path ?? "", 10))?.content ?? []).toString()).toBe("here");
    made.unmount();
    await made.provider.remove("ses_test0001");
    expect(existsSync(join(made.stateDir, "sessions", "ses_test0001", "ws"))).toBe(false);
  });

  it("fails instead of listing past a limit", async () => {
    const made = await rig();
    made.run(below(Math.ceil(LIMITS.pathBytes / 250) + 2, 250));
    await expect(made.workspace.changes(signal)).rejects.toMatchObject({ code: "WORKSPACE_LIMIT" });
  });

  it("hashes large and sparse files, and calls those past the limit changed", { timeout: 60_000 }, async () => {
    const made = await rig("head -c 200000000 /dev/zero > big; truncate -s 5G huge; truncate -s 5G untouched");
    expect(await after(made, "umask 022; : >> big; : >> huge; truncate -s 100M sparse")).toEqual(["modify huge file:644 file:644", "create sparse - file:644"]);
    const before = await made.workspace.changes(signal);
    expect(before[0]?.after).toEqual({ kind: "file", mode: 0o644, bytes: 5 * 1024 ** 3, digest: null, target: null });
    expect(await after(made, "printf x | dd of=big bs=1 seek=150000000 conv=notrunc status=none")).toEqual(["modify big file:644 file:644", "modify huge file:644 file:644", "create sparse - file:644"]);
  });

  it("returns the very same list when nothing happened since, and a new one after any change", async () => {
    const made = await rig();
    made.run("for i in $(seq 500); do echo $i > f$i; done; echo x >> src/one.js; rm -rf docs");
    const first = await made.workspace.changes(signal);
    expect(await made.workspace.changes(signal)).toBe(first);
    made.run("cat f1 > /dev/null; ls > /dev/null");
    expect(await made.workspace.changes(signal)).toBe(first);
    made.run("printf y > f7");
    const second = await made.workspace.changes(signal);
    expect(second).not.toBe(first);
    expect(second.filter((change, index) => change.after !== first[index]?.after).map((change) => change.path)).toEqual(["f7"]);
  });

  it("notices a change that keeps size and modification time", async () => {
    const made = await rig();
    made.run("printf aaaa > f; touch -d '2020-01-01' f");
    const first = await made.workspace.changes(signal);
    made.run("printf bbbb > f; touch -d '2020-01-01' f");
    const second = await made.workspace.changes(signal);
    expect(second[0]?.after?.digest).not.toBe(first[0]?.after?.digest);
  });

  it("leaves the user's folder untouched to the byte, inode and time", async () => {
    const made = await rig();
    const before = treePicture(made.folder, { exact: true });
    made.run("rm -rf src; echo x > README.md; chmod 777 run.sh; mv docs d2; ln -sf x link; echo y > hl1; touch empty");
    await made.workspace.changes(signal);
    await made.workspace.readBase("README.md", 1000);
    made.unmount();
    await made.provider.remove("ses_test0001");
    expect(treePicture(made.folder, { exact: true })).toEqual(before);
  });

  it("does not blame the agent for what the user does meanwhile, also after the session was reopened", async () => {
    const made = await rig();
    made.run("echo agent > src/two.js; rm -rf docs; : >> README.md; rm -rf src/deep; mkdir src/deep; chmod 755 src/deep");
    const first = await made.workspace.changes(signal);
    made.unmount();
    made.asUser("echo user > src/two.js; echo u > docs/new; echo edited > README.md; echo u > src/deep/user.txt; echo u > user.txt");
    expect(lines(await made.workspace.changes(signal))).toEqual(lines(first));
    const again = await made.provider.reopen("ses_test0001");
    expect(await again.changes(signal)).toEqual(first);
  });

  it("shows neither masked names nor placeholders, and reads no secret behind a mask", async () => {
    const made = await rig("mkdir -p conf; echo secret > conf/.env; echo c > conf/c.txt; echo secret > .env");
    made.unmount();
    const protect = made.workspace.mount.lower[0] ?? "";
    mkdirSync(join(protect, "conf"));
    execFileSync("mknod", [join(protect, "conf/.env"), "c", "0", "0"]);
    execFileSync("mknod", [join(protect, ".env"), "c", "0", "0"]);
    mkdirSync(join(protect, ".github/workflows"), { recursive: true });
    made.mount();
    expect(made.run("ls -A conf .github")).not.toContain(".env");
    expect(await after(made, "rm -rf conf .github; echo mine > .env; chmod 644 .env")).toEqual(["create .env - file:644", "delete conf directory:755 -", "delete conf/c.txt file:644 -"]);
    expect(await made.workspace.readBase("conf/.env", 100)).toBeNull();
    expect(await made.workspace.readBase(".env", 100)).toBeNull();
    expect(await made.workspace.readChanged("conf/.env", 100)).toBeNull();
  });

  it("reads content as it was and as it is, following no link in any component", async () => {
    const made = await rig();
    made.run("echo new > src/one.js; rm src/two.js; rm -rf docs; mkdir docs; ln -s / root; ln -sfn /etc/passwd link");
    await made.workspace.changes(signal);
    const text = async (path: string, which: "readBase" | "readChanged"): Promise<string | null> => {
      const found = await made.workspace[which](path, 1000);
      return found === null ? null : Buffer.from(found.content).toString();
    };
    expect(await text("src/one.js", "readBase")).toBe("one\n");
    expect(await text("src/one.js", "readChanged")).toBe("new\n");
    expect(await text("src/two.js", "readBase")).toBe("two\n");
    expect(await text("src/two.js", "readChanged")).toBeNull();
    expect(await text("README.md", "readChanged")).toBe("readme\n");
    expect(await text("nothing", "readBase")).toBeNull();
    expect(await text("root/etc/passwd", "readChanged")).toBeNull();
    expect(await text("srclink/one.js", "readBase")).toBeNull();
    expect(await text("link", "readChanged")).toBe("/etc/passwd");
    await expect(made.workspace.readChanged("../../x", 10)).rejects.toMatchObject({ code: "USAGE_INVALID" });
    await expect(made.workspace.readChanged("a/\\x2e\\x2e/x", 10)).rejects.toMatchObject({ code: "USAGE_INVALID" });
    await expect(made.workspace.readBase("README.md", 3)).rejects.toMatchObject({ code: "WORKSPACE_LIMIT" });
  });

  it("says that it cannot tell, instead of guessing, where overlay marks are not readable", async () => {
    const made = await openOverlayRig({ ...ability, opacity: null }, SET_UP);
    rigs.push(made);
    expect(await after(made, "rm src/two.js; rm -rf docs")).toEqual(["delete docs directory:755 -", "delete src/two.js file:644 -"]);
    made.run("mkdir docs; rm -rf src/deep; mkdir src/deep");
    await expect(made.workspace.changes(signal)).rejects.toMatchObject({ code: "STATE_UNUSABLE" });
  });

  it("stops when asked to", async () => {
    const made = await rig();
    const stop = new AbortController();
    stop.abort();
    await expect(made.workspace.changes(stop.signal)).rejects.toMatchObject({ code: "CANCELLED" });
  });

  it("removes layers an agent shut against everybody", async () => {
    const made = await rig();
    made.run("mkdir -p shut/in; touch shut/in/f; chmod 000 shut/in shut; ln -s / rootlink");
    made.unmount();
    await made.provider.remove("ses_test0001");
    expect(existsSync(join(made.stateDir, "sessions", "ses_test0001", "ws"))).toBe(false);
    expect(existsSync("/etc/passwd")).toBe(true);
    await made.provider.remove("ses_test0001");
    await expect(made.provider.reopen("ses_test0001")).rejects.toMatchObject({ code: "SESSION_NOT_FOUND" });
  });
});
