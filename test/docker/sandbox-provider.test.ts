// Starts that fail, and owners that die: nothing may stay on the engine or in the user's layers.

import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { PROTOCOL_VERSION } from "../../src/core/channel/index.js";
import { currentLease } from "../../src/adapters/system/lease.js";
import { bash, collect, ended } from "../contract/sandbox.contract.js";
import { RUNTIME, docker, dockerRig, leftOn, provider, whyNoEngine, type DockerRig, type RigOptions } from "./sandbox-rig.js";

const missing = await whyNoEngine();
const note = missing === null ? "" : ` (skipped: ${missing})`;
const never = new AbortController().signal;
const rigs: DockerRig[] = [];
let scratch = "";

async function rig(options: RigOptions = {}): Promise<DockerRig> {
  const made = await dockerRig(options);
  rigs.push(made);
  return made;
}

/** A copy of the runtime with one file replaced. */
function brokenRuntime(name: string, file: string, content: string): string {
  const folder = join(scratch, name);
  cpSync(RUNTIME, folder, { recursive: true });
  writeFileSync(join(folder, file), content);
  chmodSync(join(folder, file), 0o755);
  return folder;
}

/** A small image of Debian's musl and BusyBox packages, imported as it is; null when they cannot be downloaded. */
function muslImage(folder: string): string | null {
  const script = "apt-get download musl busybox-static >/dev/null 2>&1 && mkdir root && for p in *.deb; do dpkg-deb -x $p root; done && ln -sf busybox root/bin/sh && for t in cat tr id ls grep sleep head; do ln -sf busybox root/bin/$t; done && cp -L root/lib/ld-musl-*.so.1 root/bin/true-musl && tar -C root -c . | docker import --change 'LABEL dev.ringfence.test=musl' -";
  try {
    return execFileSync("sh", ["-c", script], { cwd: folder, encoding: "utf8", timeout: 60_000, stdio: ["ignore", "pipe", "ignore"] }).trim() || null;
  } catch {
    return null;
  }
}

/** A lease whose process is gone. */
const deadLease = currentLease().replace(/^(v1\.\d+)\.\d+/, "$1.1");
const foreignLease = currentLease().replace(/\d+$/, "1");

beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), "ringfence-provider-"));
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
afterEach(async () => {
  for (const made of rigs.splice(0)) await made.clean();
});

describe.skipIf(missing !== null)(`a start that fails${note}`, { timeout: 60_000 }, () => {
  const failures: readonly { readonly name: string; readonly code: string; readonly options?: RigOptions; readonly runtime?: () => string }[] = [
    { name: "an image that is not there", code: "IMAGE_MISSING", options: { change: { image: "ringfence/no-such-image:1" } } },
    { name: "a runtime that is not there", code: "RUNTIME_MISSING", runtime: () => join(scratch, "absent") },
    { name: "a root inside the system", code: "USAGE_INVALID", options: { change: { root: "/etc/x" } } },
    { name: "a layer whose path is an option", code: "WORKSPACE_REFUSED", options: { change: { workspace: { kind: "overlay", lower: ["/a:/b"], upper: "/u", work: "/w" } } } },
    { name: "a layer that is not there", code: "SANDBOX_FAILED", options: { change: { workspace: { kind: "overlay", lower: ["/no/such/lower"], upper: "/no/such/upper", work: "/no/such/work" } } } },
    { name: "a guard that ends at once", code: "SANDBOX_FAILED", runtime: () => brokenRuntime("ends", "bin/sandboxd", "#!/bin/sh\nexit 3\n") },
    { name: "a guard that says nonsense", code: "SANDBOX_FAILED", runtime: () => brokenRuntime("nonsense", "bin/sandboxd", "#!/bin/sh\nprintf 'hello there, this is no frame'\nexec cat > /dev/null\n") },
    { name: "a launcher that cannot run", code: "SANDBOX_FAILED", runtime: () => brokenRuntime("launcher", "bin/rf-enter", "not a program") },
    { name: "a container runtime the engine does not have", code: "ENGINE_UNSUPPORTED", options: { change: { runtime: "runsc-absent" } } },
    { name: "more memory than there is", code: "SANDBOX_FAILED", options: { limits: { memoryBytes: 1024 } } },
  ];
  for (const { name, code, options, runtime } of failures) {
    it(`leaves nothing behind: ${name}`, async () => {
      const made = await rig(options);
      const from = runtime === undefined ? made.provider : provider({ runtimeDir: runtime() });
      await expect(from.open(made.spec, never)).rejects.toMatchObject({ code });
      expect(leftOn(made.spec.sessionId)).toEqual([]);
      expect(readdirSync(join(made.folder, "upper"))).toEqual([]);
    });
  }

  it("leaves nothing behind: a caller that gives up while the guard is silent", async () => {
    const made = await rig();
    const silent = provider({ runtimeDir: brokenRuntime("silent", "bin/sandboxd", "#!/bin/sh\nexec cat > /dev/null\n") });
    await expect(silent.open(made.spec, AbortSignal.timeout(1_500))).rejects.toMatchObject({ code: "CANCELLED" });
    expect(leftOn(made.spec.sessionId)).toEqual([]);
    expect(readdirSync(join(made.folder, "upper"))).toEqual([]);
  });

  it("refuses an engine that mounted other files than ours", async () => {
    const made = await rig();
    const hello = JSON.stringify({ version: PROTOCOL_VERSION, probe: `nonce ${"0".repeat(64)}\ndone yes\n`, tasks: 100, memory: 1e6 });
    const head = Buffer.from([0, 0, 0, hello.length, 1, 0, 0, 0, 0]).toString("hex").replaceAll(/../g, (byte) => `\\${Number.parseInt(byte, 16).toString(8).padStart(3, "0")}`);
    const liar = `#!/bin/sh\nprintf '${head}%s' '${hello}'\nexec cat > /dev/null\n`;
    await expect(provider({ runtimeDir: brokenRuntime("liar", "bin/sandboxd", liar) }).open(made.spec, never)).rejects.toMatchObject({ code: "ENGINE_REMOTE" });
    expect(leftOn(made.spec.sessionId)).toEqual([]);
    expect(readdirSync(join(made.folder, "upper"))).toEqual([]);
  });

  it("clears the nonce that a crash left in the layer", async () => {
    const made = await rig();
    writeFileSync(join(made.folder, "upper", `.ringfence-nonce-${"a".repeat(32)}`), "old");
    await made.provider.open(made.spec, never);
    expect(readdirSync(join(made.folder, "upper"))).toEqual([]);
  });
});

describe.skipIf(missing !== null)(`an owner that dies${note}`, { timeout: 60_000 }, () => {
  it("has its containers and volumes removed; those of the living and of strangers stay", async () => {
    const dead = await rig({ lease: deadLease });
    const alive = await rig();
    const foreign = await rig({ lease: foreignLease });
    for (const made of [dead, alive, foreign]) await made.provider.open(made.spec, never);
    const unlabelled = `ringfence-test-unlabelled-${process.pid}`;
    docker("volume", "create", unlabelled);
    try {
      const report = await provider().reap();
      expect(report).toEqual({ failures: [], containers: expect.arrayContaining([expect.any(String)]) as unknown, volumes: expect.arrayContaining([expect.stringContaining(dead.spec.sessionId)]) as unknown });
      expect([dead, alive, foreign].map((made) => leftOn(made.spec.sessionId).length)).toEqual([0, 2, 2]);
      expect(docker("volume", "ls", "-q", "--filter", `name=${unlabelled}`)).toBe(unlabelled);
    } finally {
      docker("volume", "rm", unlabelled);
    }
  });

  it("by SIGKILL takes its container with it, and the next command removes the volume", async () => {
    const made = await rig();
    const bundle = join(scratch, "owner.mjs");
    const entry = (name: string): string => JSON.stringify(fileURLToPath(new URL(`../../src/adapters/${name}.ts`, import.meta.url)));
    await build({
      stdin: {
        contents: `import { createDockerProvider } from ${entry("docker/provider")}; import { currentLease } from ${entry("system/lease")};
          const log = { debug() {}, info() {}, warn() {}, error() {}, child() { return log; } };
          const provider = createDockerProvider({ runtimeDir: ${JSON.stringify(RUNTIME)}, lease: currentLease(), telemetry: log });
          const sandbox = await provider.open(${JSON.stringify(made.spec)}, new AbortController().signal);
          void sandbox.run({ argv: ["sleep", "1000"], cwd: "/", environment: { PATH: "/bin:/usr/bin" }, stdin: null, timeoutMs: 1e6, outputBytes: 1 }, { stdout() {}, stderr() {} }, new AbortController().signal);
          console.log("open");`,
        resolveDir: fileURLToPath(new URL("../..", import.meta.url)),
        loader: "ts",
      },
      bundle: true,
      platform: "node",
      format: "esm",
      packages: "external",
      outfile: bundle,
      logLevel: "silent",
    });
    // Beside the packages it imports, or Node does not find them.
    const home = mkdtempSync(fileURLToPath(new URL("../../node_modules/.owner-", import.meta.url)));
    try {
      cpSync(bundle, join(home, "owner.mjs"));
      const owner = spawn(process.execPath, [join(home, "owner.mjs")], { stdio: ["ignore", "pipe", "inherit"] });
      const lines = createInterface({ input: owner.stdout });
      await once(lines, "line");
      expect(leftOn(made.spec.sessionId)).toHaveLength(2);
      const gone = once(owner, "exit");
      owner.kill("SIGKILL");
      await gone;
      await expect.poll(() => leftOn(made.spec.sessionId).length, { timeout: 5_000, interval: 50 }).toBe(1);
      expect(await provider().reap()).toMatchObject({ failures: [], volumes: expect.arrayContaining([expect.stringContaining(made.spec.sessionId)]) as unknown });
      expect(leftOn(made.spec.sessionId)).toEqual([]);
    } finally {
      rmSync(home, { recursive: true, force: true });
    }
  });
});

describe.skipIf(missing !== null)(`the engine${note}`, () => {
  it("says what it is, and which images it has", async () => {
    const made = await rig();
    expect(await made.provider.info()).toMatchObject({ os: "linux", seccomp: true, version: expect.stringMatching(/^\d+\./) as string });
    expect(await made.provider.imageExists(made.spec.image)).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(await made.provider.imageExists("ringfence/no-such-image:1")).toBeNull();
    expect(await made.provider.imageExists("//host.invalid/x")).toBeNull();
  });
});

describe.skipIf(missing !== null)(`any image${note}`, { timeout: 60_000 }, () => {
  it("will do, also one with nothing in it: the runtime brings what it needs", async () => {
    const empty = mkdtempSync(join(scratch, "empty-"));
    const image = execFileSync("sh", ["-c", `tar -C '${empty}' -c . | docker import --change 'LABEL dev.ringfence.test=empty' -`], { encoding: "utf8", timeout: 30_000 }).trim();
    try {
      const made = await rig({ change: { image } });
      const sandbox = await made.provider.open(made.spec, never);
      // The one program that is there is ours: it is given a name to read, as an order for the file tool.
      const order = Buffer.concat([Buffer.from([1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 12, 0, 0, 0, 0]), Buffer.from("original.txt")]);
      const ran = await collect(sandbox, bash(made.spec, "", { argv: ["/.ringfence/bin/rf-file", "/workspace"], stdin: order }));
      expect([ran.exitCode, ran.stdout.slice(9)]).toEqual([0, "the user's own\n"]);
      await sandbox.close();
    } finally {
      docker("rmi", image);
    }
  });

  it("will do that declares volumes of its own: they are small folders in memory, not the engine's disk", async () => {
    const image = execFileSync("docker", ["build", "-q", "-"], { input: "FROM ringfence/base:latest\nVOLUME /data /var/lib/store\n", encoding: "utf8", timeout: 60_000 }).trim();
    try {
      const made = await rig({ change: { image } });
      const sandbox = await made.provider.open(made.spec, never);
      expect(await collect(sandbox, bash(made.spec, "echo x > /data/f && stat -f -c %T /data /var/lib/store"))).toEqual(ended({ stdout: "tmpfs\ntmpfs\n" }));
      await sandbox.close();
      expect(leftOn(made.spec.sessionId)).toEqual([]);
    } finally {
      docker("rmi", image);
    }
  });

  it("will do that is made of musl and BusyBox, without Node, bash or a C library of GNU's", async (context) => {
    const folder = mkdtempSync(join(scratch, "musl-"));
    const image = muslImage(folder);
    if (image === null) return context.skip("the packages musl and busybox-static cannot be had here");
    try {
      const made = await rig({ change: { image } });
      const sandbox = await made.provider.open(made.spec, never);
      expect(sandbox.controls.filter(({ state }) => state === "missing")).toEqual([]);
      const sh = (text: string) => collect(sandbox, bash(made.spec, "", { argv: ["/bin/sh", "-c", text] }));
      expect(await sh("cat original.txt | tr a-z A-Z; echo new > made; id -u; ls -a /lib | grep -c musl")).toEqual(ended({ stdout: "THE USER'S OWN\n1000\n2\n" }));
      // A program linked to musl itself, through its own loader.
      expect(await sh("/lib/ld-musl-x86_64.so.1 --list /bin/true-musl 2>&1 | head -n 1; sleep 1000 &")).toMatchObject({ killed: 1, quiescent: true });
      expect(await sandbox.apply([{ op: "write", path: "a/b", content: new TextEncoder().encode("x"), mode: 0o644 }], never)).toEqual([null]);
      expect(readdirSync(join(made.folder, "upper")).sort()).toEqual(["a", "made"]);
      await sandbox.close();
    } finally {
      docker("rmi", image);
    }
  });
});
