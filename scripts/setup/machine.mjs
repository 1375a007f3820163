// What kind of machine this is and which programs it has. Reads only.

import { accessSync, constants, existsSync, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import { readText } from "./hash.mjs";

/** Where Debian keeps system programs that a user's PATH often lacks. */
const SYSTEM_PATH = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/**
 * @typedef {object} Machine
 * @property {boolean} root
 * @property {boolean} linux
 * @property {string} distribution the ID of /etc/os-release, such as "debian"
 * @property {boolean} hasApt a distribution whose packages are installed with apt-get
 * @property {boolean} systemd systemd is the init system and runs
 * @property {"amd64" | "arm64" | "other"} arch in Debian's words
 */

/** @returns {Machine} */
export function readMachine() {
  const release = readText("/etc/os-release") ?? "";
  return {
    root: process.getuid?.() === 0,
    linux: process.platform === "linux",
    ...distributionOf(release),
    systemd: existsSync("/run/systemd/system"),
    arch: process.arch === "x64" ? "amd64" : process.arch === "arm64" ? "arm64" : "other",
  };
}

/**
 * @param {string} release text of /etc/os-release
 * @returns {{distribution: string, hasApt: boolean}}
 */
export function distributionOf(release) {
  const field = (/** @type {string} */ name) => new RegExp(`^${name}=["']?([^"'\\n]*)`, "m").exec(release)?.[1] ?? "";
  const distribution = field("ID");
  const family = [distribution, ...field("ID_LIKE").split(/\s+/)];
  return { distribution, hasApt: family.includes("debian") || family.includes("ubuntu") };
}

/**
 * The absolute path of a program, also where PATH lacks the system's folders; null when there is none.
 * @param {string} name @param {Readonly<Record<string, string | undefined>>} [env]
 */
export function which(name, env = process.env) {
  for (const folder of systemPath(env).split(delimiter)) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      if (statSync(path).isFile()) return path;
    } catch {
      // not in this folder
    }
  }
  return null;
}

/** PATH with the system's folders at its end; dockerd needs iptables from there. @param {Readonly<Record<string, string | undefined>>} env */
export function systemPath(env) {
  const own = (env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  return [...own, ...SYSTEM_PATH.filter((folder) => !own.includes(folder))].join(delimiter);
}
