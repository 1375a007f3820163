// Which folders become workspaces, and which state folders can hold their layers: one clear refusal each.

import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, statfsSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createWorkspaceProvider } from "../../src/adapters/files/workspace.js";
import type { WorkspaceProvider } from "../../src/ports/workspace.js";
import { overlayAbility, silent } from "../support/overlay-rig.js";

const isRoot = process.getuid?.() === 0;
let scratch = "";
let home = "";
let project = "";
let stateDir = "";

beforeEach(() => {
  scratch = realpathSync(mkdtempSync(join(tmpdir(), "rf-admit-")));
  home = join(scratch, "home");
  project = join(home, "project");
  stateDir = join(home, ".state", "rf");
  mkdirSync(project, { recursive: true });
});

afterEach(() => rmSync(scratch, { recursive: true, force: true }));

const provider = (at: string = stateDir): WorkspaceProvider => createWorkspaceProvider({ stateDir: at, home, telemetry: silent, opacity: null, engineSockets: [join(scratch, "engine", "x.sock")] });
const refusal = async (path: string): Promise<string> =>
  provider().create("ses_admit001", path).then(
    () => "admitted",
    (error: { readonly code: string; readonly message: string }) => {
      expect(error.message).not.toContain("\n");
      return `${error.code}: ${error.message.replaceAll(scratch, "~").replaceAll(tmpdir(), "~")}`;
    },
  );

describe("a workspace", () => {
  it("is made with clean names, the folder's owner and mode, and closed to others", async () => {
    const odd = join(home, "a:b,c\\d\n");
    mkdirSync(odd);
    chmodSync(odd, 0o2750);
    if (isRoot) execFileSync("chown", ["1234:5678", odd]);
    const made = await provider().create("ses_admit001", odd);
    const layers = join(stateDir, "sessions/ses_admit001/ws");
    expect([made.path, made.mount, made.uid, made.gid]).toEqual([
      odd,
      { kind: "overlay", lower: [join(layers, "base-protect"), join(layers, "lower")], upper: join(layers, "upper"), work: join(layers, "work") },
      lstatSync(odd).uid,
      lstatSync(odd).gid,
    ]);
    const upper = lstatSync(made.mount.upper);
    expect([realpathSync(join(layers, "lower")), upper.mode & 0o7777, upper.uid, upper.gid, lstatSync(layers).mode & 0o777, lstatSync(stateDir).mode & 0o777]).toEqual([odd, 0o750, made.uid, made.gid, 0o700, 0o700]);
    expect(readdirSync(join(layers, "base-protect"))).toEqual([]);
  });

  it("is found through a link, by its real path", async () => {
    symlinkSync(project, join(home, "via"));
    expect((await provider().create("ses_admit001", join(home, "via"))).path).toBe(project);
  });

  it("must exist and be a folder", async () => {
    writeFileSync(join(home, "file"), "");
    symlinkSync("loop", join(home, "loop"));
    expect([await refusal(join(home, "nothing")), await refusal(join(home, "file")), await refusal(join(home, "file", "x")), await refusal(join(home, "loop"))]).toEqual([
      "WORKSPACE_NOT_FOUND: the workspace `~/home/nothing` does not exist",
      "WORKSPACE_NOT_FOUND: the workspace `~/home/file` is not a folder",
      "WORKSPACE_NOT_FOUND: the workspace `~/home/file/x` does not exist",
      "WORKSPACE_NOT_FOUND: the workspace `~/home/loop` does not exist",
    ]);
  });

  it("is never the machine, the home, the state folder or a system folder", async () => {
    mkdirSync(join(stateDir, "sub"), { recursive: true, mode: 0o700 });
    symlinkSync(home, join(scratch, "myhome"));
    const refused = [];
    for (const path of ["/", home, join(scratch, "myhome"), scratch, join(home, ".state"), stateDir, join(stateDir, "sub"), "/etc", "/usr/lib", "/proc/self", "/sys", "/dev", "/boot", "/bin", "/var", "/run"].filter((each) => existsSync(each))) {
      const answer = await refusal(path);
      if (!answer.startsWith("WORKSPACE_REFUSED: ")) refused.push(`${path}: ${answer}`);
    }
    expect(refused).toEqual([]);
    expect(await refusal(home)).toBe("WORKSPACE_REFUSED: the workspace `~/home` is refused: it is your home folder");
    expect(await refusal(project)).toBe("admitted");
  });

  it("holds no engine socket, at the top or at a known place below", async () => {
    writeFileSync(join(project, "docker.sock"), "");
    expect(await refusal(project)).toBe("WORKSPACE_REFUSED: the workspace `~/home/project` is refused: it holds the engine socket `~/home/project/docker.sock`");
    rmSync(join(project, "docker.sock"));
    const engine = join(scratch, "engine");
    mkdirSync(engine);
    const server = createServer().listen(join(engine, "x.sock"));
    await new Promise((resolve) => server.once("listening", resolve));
    expect(await refusal(engine)).toContain("it holds the engine socket");
    server.close();
  });

  it.skipIf(isRoot)("must be readable", async () => {
    chmodSync(project, 0o000);
    expect(await refusal(project)).toContain("WORKSPACE_UNREADABLE");
  });

  it("is not made for what is no session id", async () => {
    for (const id of ["../x", "ses_", "ses_../../x", "x"]) {
      await expect(provider().create(id, project)).rejects.toMatchObject({ code: "SESSION_NOT_FOUND" });
      await expect(provider().reopen(id)).rejects.toMatchObject({ code: "SESSION_NOT_FOUND" });
      await expect(provider().remove(id)).rejects.toMatchObject({ code: "SESSION_NOT_FOUND" });
    }
  });

  it("is not opened again when its folder went or became another", async () => {
    await provider().create("ses_admit001", project);
    rmSync(project, { recursive: true });
    await expect(provider().reopen("ses_admit001")).rejects.toMatchObject({ code: "WORKSPACE_NOT_FOUND" });
    mkdirSync(join(home, "other"));
    symlinkSync(join(home, "other"), project);
    await expect(provider().reopen("ses_admit001")).rejects.toMatchObject({ code: "WORKSPACE_REFUSED" });
    await provider().remove("ses_admit001");
  });
});

describe("a state folder", () => {
  const attempt = (at: string): Promise<unknown> => provider(at).create("ses_admit001", project);

  it("has a path that mount options can carry, or is refused before it is made", async () => {
    for (const name of ["a:b", "a,b", "a\\b", "a\nb", "a b", "a'b"]) {
      await expect(attempt(join(scratch, name))).rejects.toMatchObject({ code: "STATE_UNUSABLE" });
      expect(existsSync(join(scratch, name))).toBe(false);
    }
  });

  it("is closed to other writers", async () => {
    mkdirSync(stateDir, { recursive: true });
    chmodSync(stateDir, 0o777);
    await expect(attempt(stateDir)).rejects.toMatchObject({ code: "STATE_UNUSABLE" });
  });

  it("is a folder", async () => {
    writeFileSync(join(scratch, "file"), "");
    await expect(attempt(join(scratch, "file"))).rejects.toMatchObject({ code: "STATE_UNUSABLE" });
  });

  const ability = overlayAbility();
  it.skipIf(ability.missing !== null)("does not lie on an overlay", async () => {
    for (const name of ["l", "u", "w", "m"]) mkdirSync(join(scratch, name));
    execFileSync("mount", ["-t", "overlay", "overlay", "-o", `lowerdir=${scratch}/l,upperdir=${scratch}/u,workdir=${scratch}/w`, `${scratch}/m`]);
    try {
      expect(statfsSync(join(scratch, "m")).type).toBe(0x794c7630);
      await expect(attempt(join(scratch, "m"))).rejects.toMatchObject({ code: "STATE_UNUSABLE", message: expect.stringContaining("(overlay)") as string });
    } finally {
      execFileSync("umount", [join(scratch, "m")]);
    }
  });
});
