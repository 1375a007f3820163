// Makes the plain Debian root: pulled where a registry answers, else bootstrapped from Debian's packages.

import { spawn } from "node:child_process";
import { appendFileSync, existsSync } from "node:fs";
import { Readable } from "node:stream";
import { aptInstall } from "./engine-start.mjs";
import { SetupError } from "./errors.mjs";
import { systemPath, which } from "./machine.mjs";
import { failure, killTree, must, run } from "./run.mjs";
import { SUITE } from "./images-plan.mjs";

const PULL_ANSWER_MS = 8_000;
const PULL_MS = 5 * 60_000;
const BOOTSTRAP_MS = 10 * 60_000;
const LABELS = (/** @type {string} */ origin) => ["dev.ringfence.image=rootfs", `dev.ringfence.origin=${origin}`];

/**
 * @param {{readonly tag: string, readonly packages: readonly string[], readonly arch: string, readonly machine: import("./machine.mjs").Machine,
 *   readonly env: Record<string, string | undefined>, readonly signal?: AbortSignal, readonly note: (text: string) => void, readonly log: string}} work
 * @returns {Promise<"pulled" | "bootstrapped">}
 */
export async function makeRootfs(work) {
  const wanted = work.env["RINGFENCE_DEBIAN_IMAGE"] || `debian:${SUITE}-slim`;
  work.note(`asking a registry for ${wanted}`);
  const pulled = await run(["docker", "pull", wanted], {
    limitMs: PULL_MS,
    env: work.env,
    signal: work.signal,
    log: work.log,
    onLine: work.note,
    firstLine: { pattern: /pulling from/i, withinMs: PULL_ANSWER_MS },
  });
  if (pulled.code === 0) {
    const file = `FROM ${wanted}\nLABEL ${LABELS("registry").join(" ")}\n`;
    await must("labelling the Debian root", ["docker", "build", "-q", "-t", work.tag, "-"], { limitMs: 60_000, env: work.env, signal: work.signal, log: work.log, stdin: Readable.from([file]) });
    return "pulled";
  }
  if (work.signal?.aborted) throw new SetupError("pulling the Debian root was interrupted", { exit: 130 });
  if (/no space left/i.test(pulled.stderr)) throw failure("pulling the Debian root", ["docker", "pull"], pulled, { limitMs: PULL_MS });
  await prepareBootstrap(work);
  await bootstrap(work);
  return "bootstrapped";
}

/** @param {Parameters<typeof makeRootfs>[0]} work */
async function prepareBootstrap({ machine, arch, signal, note, log }) {
  const offline = "no image registry answers";
  if (machine.arch !== arch) {
    throw new SetupError(`${offline}, and a root for the engine's architecture (${arch}) cannot be made on this machine (${machine.arch})`, { hint: "name an image that the engine can pull: RINGFENCE_DEBIAN_IMAGE=registry.example/debian:bookworm-slim" });
  }
  const needed = [...(which("mmdebstrap") === null ? ["mmdebstrap"] : []), ...(existsSync("/usr/share/keyrings/debian-archive-keyring.gpg") ? [] : ["debian-archive-keyring"])];
  if (needed.length === 0) return;
  if (!machine.hasApt || !machine.root) {
    const hint = machine.hasApt ? `run \`sudo apt-get install -y --no-install-recommends ${needed.join(" ")}\` and set-up again` : "name an image that the engine can pull: RINGFENCE_DEBIAN_IMAGE=registry.example/debian:bookworm-slim";
    throw new SetupError(`${offline}, and ${needed.join(" and ")} to make the Debian root here is not installed`, { hint });
  }
  note(`installing ${needed.join(", ")}`);
  await aptInstall(needed, { signal, note, log });
}

/** Documentation and translations are a third of the size; licences stay. dpkg obeys this in the image from then on. */
const NO_DOCS = "path-exclude=/usr/share/doc/*\\npath-include=/usr/share/doc/*/copyright\\npath-exclude=/usr/share/info/*\\npath-exclude=/usr/share/man/*\\npath-exclude=/usr/share/locale/*\\n";

/**
 * The arguments of mmdebstrap. Its own path filter is slow, so dpkg's is used, and what came before dpkg ran is removed.
 * @param {readonly string[]} packages @param {string} mirror base address such as http://deb.debian.org
 */
export function bootstrapArguments(packages, mirror) {
  const base = mirror.replace(/\/+$/, "");
  return [
    "--quiet",
    "--variant=minbase",
    `--include=${packages.join(",")}`,
    '--aptopt=Acquire::Retries "3"',
    '--aptopt=Acquire::http::Timeout "30"',
    "--dpkgopt=force-unsafe-io",
    `--setup-hook=mkdir -p "$1/etc/dpkg/dpkg.cfg.d" && printf '${NO_DOCS}' >"$1/etc/dpkg/dpkg.cfg.d/ringfence-no-docs"`,
    '--customize-hook=rm -rf "$1"/usr/share/info/* "$1"/usr/share/man/* "$1"/usr/share/locale/*; find "$1/usr/share/doc" ! -type d ! -name copyright -delete',
    SUITE,
    "-",
    `deb ${base}/debian ${SUITE} main`,
    `deb ${base}/debian ${SUITE}-updates main`,
    `deb ${base}/debian-security ${SUITE}-security main`,
  ];
}

/** Two programs and a pipe between them; both must succeed, else no tag is made. @param {Parameters<typeof makeRootfs>[0]} work */
async function bootstrap({ tag, packages, env, signal, note, log }) {
  note("bootstrapping Debian from its packages");
  const argv = [which("mmdebstrap") ?? "mmdebstrap", ...bootstrapArguments(packages, env["RINGFENCE_DEBIAN_MIRROR"] || "http://deb.debian.org")];
  const maker = spawn(argv[0] ?? "", argv.slice(1), { detached: true, stdio: ["ignore", "pipe", "pipe"], env: { ...env, PATH: systemPath(env) } });
  const kept = { text: "", timedOut: false };
  maker.stderr.setEncoding("utf8").on("data", (text) => {
    kept.text = (kept.text + text).slice(-64 * 1024);
    appendFileSync(log, text, { mode: 0o600 });
  });
  const stop = () => maker.pid !== undefined && killTree(maker.pid, "SIGTERM");
  const timer = setTimeout(() => ((kept.timedOut = true), stop()), BOOTSTRAP_MS);
  signal?.addEventListener("abort", stop, { once: true });
  const ended = new Promise((resolve) => {
    maker.on("error", (error) => ((kept.text += error.message), resolve(null)));
    maker.on("close", resolve);
  });
  const untagged = `${tag}-unfinished`;
  const changes = LABELS("bootstrap").flatMap((label) => ["--change", `LABEL ${label}`]);
  const imported = run(["docker", "import", ...changes, "-", untagged], { limitMs: BOOTSTRAP_MS, env, signal, log, stdin: maker.stdout });
  const [code, image] = await Promise.all([ended, imported.then((result) => (result.code === 0 ? result : (stop(), result)))]);
  clearTimeout(timer);
  signal?.removeEventListener("abort", stop);
  if (code !== 0 || image.code !== 0) {
    await run(["docker", "rmi", untagged], { limitMs: 30_000, env });
    const bad = code === 0 || kept.text === "" ? { argv: ["docker", "import"], result: image } : { argv: ["mmdebstrap"], result: { code: /** @type {number | null} */ (code), stdout: image.stderr, stderr: kept.text, timedOut: kept.timedOut, missing: false } };
    throw failure("making the Debian root", bad.argv, bad.result, { limitMs: BOOTSTRAP_MS, signal });
  }
  await must("naming the Debian root", ["docker", "tag", untagged, tag], { limitMs: 30_000, env, signal });
  await run(["docker", "rmi", untagged], { limitMs: 30_000, env });
}
