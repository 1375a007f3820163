// Turns facts into the list a person reads and says yes to. Pure.

/**
 * @typedef {object} PlanLine
 * @property {"packages" | "engine" | "images" | "runtime" | "build" | "link"} step
 * @property {string} text what will change, in words
 * @property {boolean} asks it changes something outside the checkout's own folders, so a person is asked first
 */

/**
 * What is left to do, in the order it is told.
 * @param {import("./facts.mjs").Facts} facts
 * @returns {readonly PlanLine[]}
 */
export function planLines({ modules, built, engine, view, link }) {
  /** @type {PlanLine[]} */
  const lines = [];
  if (!modules) lines.push({ step: "packages", text: "install the npm packages of the lockfile into node_modules (about 15 s)", asks: false });
  if (engine.kind === "install") {
    const start = engine.how === "systemd" ? "start its service" : "start dockerd in the background";
    lines.push({ step: "engine", text: `install the container engine (apt-get install ${engine.packages.join(" ")}) and ${start} (about 30 s)`, asks: true });
  }
  if (engine.kind === "start") lines.push({ step: "engine", text: engine.how === "systemd" ? "start the installed container engine (systemctl start docker)" : "start the installed container engine (dockerd, in the background)", asks: true });
  if (view === null && engine.kind !== "stuck") {
    lines.push({ step: "images", text: "build the sandbox images that are missing (about 90 s the first time)", asks: true });
    lines.push({ step: "runtime", text: "build the sandbox runtime where it is missing", asks: false });
  }
  if (view !== null) {
    if (view.missing.length > 0) lines.push({ step: "images", text: `build the sandbox image${view.missing.length > 1 ? "s" : ""} ${view.missing.map((name) => `ringfence/${name}`).join(", ")} (about ${view.missing.includes("base") ? 90 : 30} s)`, asks: true });
    if (!view.runtime) lines.push({ step: "runtime", text: "build the sandbox runtime into dist/runtime", asks: false });
  }
  if (!built) lines.push({ step: "build", text: "compile Ringfence into dist", asks: false });
  if (link.kind === "link") {
    lines.push({ step: "link", text: `link the command \`ringfence\` into ${link.prefix}/bin${link.replaces === null ? "" : ` (it leads to ${link.replaces} now)`}`, asks: true });
  }
  return lines;
}

/**
 * The options of the script.
 * @param {readonly string[]} argv
 * @returns {{readonly ok: true, readonly options: SetupOptions} | {readonly ok: false, readonly message: string}}
 *
 * @typedef {{yes: boolean, check: boolean, help: boolean, refresh: boolean, link: boolean, only: "engine" | null}} SetupOptions
 */
export function parseOptions(argv) {
  /** @type {SetupOptions} */
  const options = { yes: false, check: false, help: false, refresh: false, link: true, only: null };
  for (const [index, word] of argv.entries()) {
    if (word === "--yes" || word === "-y") options.yes = true;
    else if (word === "--check") options.check = true;
    else if (word === "--help" || word === "-h") options.help = true;
    else if (word === "--refresh") options.refresh = true;
    else if (word === "--no-link") options.link = false;
    else if (word === "--only" && argv[index + 1] === "engine") options.only = "engine";
    else if (!(word === "engine" && argv[index - 1] === "--only")) return { ok: false, message: `unknown option \`${word.slice(0, 80)}\`` };
  }
  return { ok: true, options };
}

export const HELP = `Sets up everything Ringfence needs, and only what is missing.

  npm run setup [-- OPTIONS]

  --check     say what is missing and change nothing (exit code 75 when something is)
  --yes, -y   do not ask
  --refresh   build the sandbox images anew, for Debian's security updates
  --no-link   do not link the command \`ringfence\` into npm's global folder
  --only engine   only find, install or start the container engine
  --help, -h  this text

It installs the npm packages of the lockfile, finds a container engine (on Debian and Ubuntu, as root, it installs and
starts one where none answers), builds the sandbox images and the runtime, compiles Ringfence and links its command.
An engine that is already there is left as it is. \`ringfence doctor --stop-engine\` ends one that set-up started.

Settings, by environment
  DOCKER_HOST, DOCKER_CONTEXT   the engine to use
  RINGFENCE_HOME                the state folder (default ~/.local/state/ringfence)
  RINGFENCE_DEBIAN_IMAGE        the image to start from instead of debian:bookworm-slim
  RINGFENCE_DEBIAN_MIRROR       where Debian packages come from when no registry answers
  RINGFENCE_NO_LINK=1           like --no-link
  CI=true, NO_COLOR             no question; no colours

Exit codes: 0 done · 1 you said no · 2 usage · 75 something is missing that set-up cannot bring · 130 interrupted
`;
