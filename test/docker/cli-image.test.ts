// The command line in its image, on the engine of this machine: `doctor` and one guarded command, with state and workspace
// mounted at their own paths. Image and containers are testcontainers'.

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { GenericContainer, Wait, type StartedTestContainer } from "testcontainers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { treePicture } from "../support/tree-picture.js";
import { docker, whyNoEngine } from "./sandbox-rig.js";

const CHECKOUT = process.env["RINGFENCE_TEST_CLI"] === undefined ? fileURLToPath(new URL("../..", import.meta.url)) : dirname(dirname(process.env["RINGFENCE_TEST_CLI"]));
const COPIED = ["dist/cli/ringfence.mjs", "dist/runtime/runtime.json", "dist/images.json"];
const unbuilt = COPIED.filter((path) => !existsSync(join(CHECKOUT, path)));
const missing = (await whyNoEngine()) ?? (unbuilt.length === 0 ? null : `not built: ${unbuilt.join(", ")}; run set-up`);
if (missing !== null) console.warn(`left out: ${missing}`);
if (unbuilt.length > 0 && process.env["RINGFENCE_REQUIRE_ENGINE"] === "1") throw new Error(`an engine is required, but ${missing}`);

const SOCKET = (process.env["DOCKER_HOST"] ?? "").startsWith("unix://") ? (process.env["DOCKER_HOST"] ?? "").slice("unix://".length) : "/var/run/docker.sock";
const TEST_LABEL = "dev.ringfence.test";
const LABEL = `${TEST_LABEL}=${process.pid}`;
const IMAGE = `ringfence-test/cli:${process.pid}`;

describe.skipIf(missing !== null)("the command line's image", () => {
  const scratch = realpathSync(mkdtempSync(join(tmpdir(), "ringfence-image-")));
  const state = join(scratch, "state");
  const workspace = join(scratch, "project");
  const running: StartedTestContainer[] = [];
  let image: GenericContainer;

  beforeAll(async () => {
    mkdirSync(state, { mode: 0o700 });
    mkdirSync(workspace);
    writeFileSync(join(workspace, "a.txt"), "one\n");
    // What is sent to the engine has modes under the mask of this process, where `docker build` sends those of the files.
    const mask = process.umask(0o022);
    try {
      image = await GenericContainer.fromDockerfile(CHECKOUT, "docker/Dockerfile").withCache(true).build(IMAGE, { deleteOnExit: false });
    } finally {
      process.umask(mask);
    }
  }, 300_000);

  afterAll(async () => {
    for (const container of running) await container.stop({ remove: true, removeVolumes: true });
    // One that could not be started is known by its label only.
    for (const id of docker("ps", "--all", "--quiet", "--filter", `label=${LABEL}`).split("\n").filter((line) => line !== "")) docker("rm", "--force", id);
    docker("rmi", "--force", IMAGE);
    rmSync(scratch, { recursive: true, force: true });
  });

  /** Runs one command line to its end. */
  async function ringfence(...words: readonly string[]): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
    const container = await image
      .withNetworkMode("none")
      .withLabels({ [TEST_LABEL]: String(process.pid) })
      .withBindMounts([
        { source: SOCKET, target: "/var/run/docker.sock", mode: "rw" },
        { source: state, target: state, mode: "rw" },
        { source: workspace, target: workspace, mode: "rw" },
      ])
      .withEnvironment({ RINGFENCE_HOME: state })
      .withWorkingDir(workspace)
      .withEntrypoint(["sh", "-c", 'ringfence "$@"; echo "exit $?"', "sh"])
      .withCommand([...words])
      .withWaitStrategy(Wait.forLogMessage(/^exit \d+$/u))
      .start();
    running.push(container);
    const { stdout: out, stderr: err } = spawnSync("docker", ["logs", container.getId()], { encoding: "utf8", timeout: 30_000 });
    return { code: Number(/^exit (\d+)$/mu.exec(out)?.[1]), out: out.replace(/^exit \d+$/mu, "").trim(), err };
  }

  it("says by `doctor` that all is there", async () => {
    const { code, out } = await ringfence("doctor", "--json");
    const { ready, parts } = JSON.parse(out) as { readonly ready: boolean; readonly parts: readonly { readonly id: string; readonly state: string }[] };
    expect([code, ready, parts.filter(({ state: how }) => how === "missing")]).toEqual([0, true, []]);
  });

  it("runs a guarded command beside itself, on the workspace of the host, which stays as it was", async () => {
    const before = treePicture(workspace, { exact: true });
    const { code, out, err } = await ringfence("exec", "--", "sh", "-c", "cat a.txt && echo two >> a.txt && exit 7");
    expect([code, out], err).toEqual([7, "one"]);
    expect(treePicture(workspace, { exact: true })).toEqual(before);
    const diff = await ringfence("diff", "last");
    expect([diff.code, diff.out]).toEqual([0, expect.stringContaining("+two")]);
    const applied = await ringfence("apply", "--yes", "last");
    expect([applied.code, readFileSync(join(workspace, "a.txt"), "utf8")]).toEqual([0, "one\ntwo\n"]);
    expect(docker("ps", "--all", "--quiet", "--filter", "label=dev.ringfence.session", "--filter", `volume=${state}`)).toBe("");
  });
});
